"""The table of the alarm channel. What an entry is about is read from its own store: here is only the order of it."""

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cloud.database import Base

# SQLite counts by itself only what is INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")


class ChannelEntry(Base):
    """An incident or a case has a newer form. `lift` may be a gateway's id. A number is never given twice, also not after trimming."""

    __tablename__ = "channel_entry"
    __table_args__ = (Index("channel_entry_at", "at_ms"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(Number, primary_key=True)
    event: Mapped[str] = mapped_column(String(16))
    object_id: Mapped[str] = mapped_column(String(64))
    lift: Mapped[str] = mapped_column(String(32))
    at_ms: Mapped[int] = mapped_column(BigInteger)
