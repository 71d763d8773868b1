"""Tables of notices: the channels of organisations, and the outbox with a row for each channel and notice.

A channel's secret has to be told to its receiver, so it is kept as it is, not as a hash: whoever has the database has it.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cloud.accounts.models import Organisation, new_id
from cloud.database import Base

WAITING = text("state = 'waiting'")


class NoticeChannel(Base):
    """A way to tell an organisation's people. `kinds` empty = all kinds. `failures` in a row make `pause_until_ms` longer."""

    __tablename__ = "notice_channel"
    __table_args__ = (Index("notice_channel_organisation", "organisation"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))
    language: Mapped[str] = mapped_column(String(2))
    least_severity: Mapped[int] = mapped_column(Integer)
    kinds: Mapped[list[str]] = mapped_column(JSON)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(Integer, default=0)
    pause_until_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    changed_at_ms: Mapped[int] = mapped_column(BigInteger)
    of: Mapped[Organisation] = relationship(lazy="raise", viewonly=True)


class NoticeRow(Base):
    """One notice on its way by one channel: waiting, sent or dead. `next_at_ms`: not before; while it is being sent, the end of the claim.

    `ends_at_ms`: then it is dead, since a late alarm misleads. `receipt`: what the receiver answered; no telephone number stands in it.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("channel", "kind", "case", "dedupe", name="notice_once"),
        Index("notice_due", "channel", "severity", "number", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("notice_case", "case"),
        Index("notice_channel_newest", "channel", "number"),
        Index("notice_age", "made_at_ms"),
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    id: Mapped[str] = mapped_column(String(16), unique=True, default=new_id)
    channel: Mapped[str] = mapped_column(ForeignKey("notice_channel.id", ondelete="CASCADE"))
    organisation: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(32))
    case: Mapped[str] = mapped_column(String(64))
    lift: Mapped[str] = mapped_column(String(32))
    dedupe: Mapped[str] = mapped_column(String(120))
    severity: Mapped[int] = mapped_column(Integer)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    next_at_ms: Mapped[int] = mapped_column(BigInteger)
    ends_at_ms: Mapped[int] = mapped_column(BigInteger)
    done_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    receipt: Mapped[dict[str, Any]] = mapped_column(JSON)
