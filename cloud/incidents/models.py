"""Tables of incidents. The body is the gateway's, as the API shows it; columns are what is searched by."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cloud.database import Base


class Incident(Base):
    """One incident in its newest version. `receipts` are the cloud's own, one per revision first committed here."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("incident_opened", "opened_at_ms"),
        Index("incident_lift", "lift", "opened_at_ms"),
        Index("incident_area", "area", "opened_at_ms"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(32))
    lift: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(Integer)
    area: Mapped[str | None] = mapped_column(String(64))
    phase: Mapped[str] = mapped_column(String(8))
    opened_at_ms: Mapped[int] = mapped_column(BigInteger)
    changed_at_ms: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    receipts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
