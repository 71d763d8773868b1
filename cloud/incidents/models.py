"""Tables of incidents. The body is the gateway's, as the API shows it; columns are what is searched by."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.database import Base

OPEN = text("phase <> 'closed'")


class Incident(Base):
    """One incident in its newest version. `receipts` are the cloud's own, one per revision first committed here."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("incident_opened", "opened_at_ms"),
        # A list is found in it alone.
        Index("incident_lift", "lift", "opened_at_ms", "id", "phase", "gateway", "area"),
        Index("incident_open", "opened_at_ms", sqlite_where=OPEN, postgresql_where=OPEN),
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
