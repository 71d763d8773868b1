"""Lifts as the cloud knows them for good: which gateway tells of them, and whose they are. Their state is in cloud.live."""

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cloud.accounts.scope import Assignment
from cloud.database import Base


class Lift(Base):
    """One lift. It belongs to the gateway that told of it first, until an administrator moves it. Empty = nobody's."""

    __tablename__ = "lift"
    __table_args__ = (
        Index("lift_gateway", "gateway"),
        Index("lift_contractor", "contractor"),
        Index("lift_owner", "owner"),
        Index("lift_manager", "manager"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(32))
    contractor: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    owner: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    manager: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    district: Mapped[str] = mapped_column(String(12), default="")
    made_at_ms: Mapped[int] = mapped_column(BigInteger)

    @property
    def assignment(self) -> Assignment:
        """Whose it is."""
        return Assignment(self.contractor or "", self.owner or "", self.manager or "", self.district)
