"""Tables of the audit log: its entries, which triggers keep from being changed, and its newest link."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cloud.database import Base


class AuditEntry(Base):
    """One thing that somebody did, was refused, or read. `hash` covers all columns and the entry before."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("audit_entry_actor", "actor"), Index("audit_entry_object", "object"))

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor: Mapped[str] = mapped_column(String(16))
    actor_name: Mapped[str] = mapped_column(String(120))
    organisation: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(120))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    ip: Mapped[str] = mapped_column(String(45))
    request: Mapped[str] = mapped_column(String(32))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """One row: number and hash of the newest entry. Whoever writes takes it first, so that the chain has no fork."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
