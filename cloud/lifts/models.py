"""Lifts as the cloud knows them for good: their record, which gateway tells of them, and whose they are. Their state is in cloud.live."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cloud.accounts.scope import Assignment
from cloud.database import Base


class Lift(Base):
    """One lift. It belongs to the gateway that told of it first, until an administrator moves it. Empty = nobody's.

    From `name` on it is what its gateway told when it dialled in last; `told_at_ms` None = a gateway has told no record yet.
    """

    __tablename__ = "lift"
    __table_args__ = (
        Index("lift_gateway", "gateway"),
        Index("lift_contractor", "contractor"),
        Index("lift_owner", "owner"),
        Index("lift_manager", "manager"),
        Index("lift_rescue_code", "rescue_code"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(32))
    contractor: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    owner: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    manager: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    district: Mapped[str] = mapped_column(String(12), default="")
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    told_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(120), default="")
    site: Mapped[str] = mapped_column(String(32), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    rescue_code: Mapped[str] = mapped_column(String(6), default="")
    registration_code: Mapped[str] = mapped_column(String(40), default="")
    stops: Mapped[int] = mapped_column(default=6)
    doors: Mapped[int] = mapped_column(default=1)
    rated_speed_mm_s: Mapped[int] = mapped_column(default=1000)
    latitude_deg: Mapped[float | None] = mapped_column(Float)
    longitude_deg: Mapped[float | None] = mapped_column(Float)
    floor_pitch_mm: Mapped[int] = mapped_column(default=2900)
    floor_levels_mm: Mapped[list[int]] = mapped_column(JSON, default=list)
    floor_names: Mapped[list[str]] = mapped_column(JSON, default=list)

    @property
    def assignment(self) -> Assignment:
        """Whose it is."""
        return Assignment(self.contractor or "", self.owner or "", self.manager or "", self.district)

    @property
    def record(self) -> dict[str, Any]:
        """What its gateway told of it, in the form of the API."""
        return {"id": self.id, **{name: getattr(self, name) for name in RECORD}, "name": self.name or self.id}


RECORD = (
    "name", "site", "address", "rescue_code", "registration_code", "stops", "doors", "rated_speed_mm_s", "latitude_deg",
    "longitude_deg", "floor_pitch_mm", "floor_levels_mm", "floor_names",
)  # fmt: skip
