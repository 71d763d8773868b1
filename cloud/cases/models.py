"""Tables of cases. The state is one JSON value that the machine reads and writes; columns are what is searched by."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.accounts.models import new_id
from cloud.cases.state import Caller, Case, from_json
from cloud.database import Base
from cloud.live.models import Number

OPEN = text("phase = 'open' AND subject <> ''")
NOT_CLOSED = text("phase <> 'closed'")
HAS_CLOCK = text("next_due_ms IS NOT NULL")


class CaseRow(Base):
    """One case. `subject` is what it is about (`lift:…`, `gateway:…`, `silent:…`): of each there is one open case at most.

    `rev` counts its changes; whoever changes it does so against the one that he has read.
    """

    __tablename__ = "rescue_case"
    __table_args__ = (
        Index("rescue_case_subject", "subject", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("rescue_case_opened", "opened_at_ms", "number"),
        Index("rescue_case_lift", "lift", "opened_at_ms"),
        Index("rescue_case_gateway", "gateway", "opened_at_ms"),
        Index("rescue_case_not_closed", "opened_at_ms", sqlite_where=NOT_CLOSED, postgresql_where=NOT_CLOSED),
        Index("rescue_case_due", "next_due_ms", sqlite_where=HAS_CLOCK, postgresql_where=HAS_CLOCK),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(16), unique=True, default=new_id)
    rev: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str] = mapped_column(String(40))
    lift: Mapped[str] = mapped_column(String(32))
    gateway: Mapped[str] = mapped_column(String(32))
    district: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(16))
    severity: Mapped[int] = mapped_column(Integer)
    phase: Mapped[str] = mapped_column(String(12))
    outcome: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(String(24))
    opened_at_ms: Mapped[int] = mapped_column(BigInteger)
    changed_at_ms: Mapped[int] = mapped_column(BigInteger)
    closed_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    next_due_ms: Mapped[int | None] = mapped_column(BigInteger)
    # What a caller is called and his number, apart from the state: it is kept for a shorter time.
    caller_name: Mapped[str] = mapped_column(String(120), default="")
    caller_phone: Mapped[str] = mapped_column(String(32), default="")
    state: Mapped[dict[str, Any]] = mapped_column(JSON)

    __mapper_args__ = {"version_id_col": rev}  # noqa: RUF012  SQLAlchemy's own form


def state_of(row: CaseRow) -> Case:
    """The state, with who called."""
    case = from_json(row.state)
    if row.caller_name or row.caller_phone:
        case.caller = Caller(row.caller_name, row.caller_phone)
    return case


class CaseEntry(Base):
    """One line of a case's timeline. `said_at_ms`: by the clock of who said it, where he was without a line; nothing counts by it."""

    __tablename__ = "rescue_case_entry"
    __table_args__ = (Index("rescue_case_entry_case", "case", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("rescue_case.id"))
    at_ms: Mapped[int] = mapped_column(BigInteger)
    said_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))
    organisation: Mapped[str] = mapped_column(String(120))
    step: Mapped[str] = mapped_column(String(24))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class CaseStep(Base):
    """A step that was said, by the id that its client gave it: said again it changes nothing, and is answered as then."""

    __tablename__ = "rescue_case_step"
    # The op of a new call is looked up before there is a case.
    __table_args__ = (Index("rescue_case_step_op", "op"),)

    case: Mapped[str] = mapped_column(ForeignKey("rescue_case.id"), primary_key=True)
    op: Mapped[str] = mapped_column(String(64), primary_key=True)
    by: Mapped[str] = mapped_column(String(16))
    at_ms: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class CaseIncident(Base):
    """An incident in a case, and up to which revision the case knows it. One that comes alive again may be in several cases."""

    __tablename__ = "rescue_case_incident"
    __table_args__ = (Index("rescue_case_incident_case", "case"),)

    incident: Mapped[str] = mapped_column(String(64), primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("rescue_case.id"), primary_key=True)
    rev: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)


class CaseUnit(Base):
    """An organisation that was sent: it sees the case, whatever else it may see."""

    __tablename__ = "rescue_case_unit"
    __table_args__ = (Index("rescue_case_unit_organisation", "organisation"),)

    case: Mapped[str] = mapped_column(ForeignKey("rescue_case.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)


class CasePhoto(Base):
    """A photo from the place, in the database so that one backup holds all."""

    __tablename__ = "rescue_case_photo"
    __table_args__ = (Index("rescue_case_photo_case", "case"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    case: Mapped[str] = mapped_column(ForeignKey("rescue_case.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(16))
    size_bytes: Mapped[int] = mapped_column(Integer)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class GatewayWatch(Base):
    """When a gateway was heard last, and its lifts then seen occupied or moving: so that a restart of the cloud knows whom to miss."""

    __tablename__ = "gateway_watch"

    gateway: Mapped[str] = mapped_column(String(32), primary_key=True)
    last_heard_ms: Mapped[int] = mapped_column(BigInteger)
    at_risk: Mapped[list[str]] = mapped_column(JSON)
    paged_at_ms: Mapped[int | None] = mapped_column(BigInteger)
