"""The outbox: notices are queued in the transaction of what they tell of, one row for each channel that wants them.

Facts are data: cloud.notices.texts names those that are told, and says how.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from cloud.accounts.models import new_id
from cloud.accounts.scope import Actor
from cloud.audit import service as audit
from cloud.notices.models import NoticeChannel, NoticeRow

NoticeKind = Literal[
    "case_opened", "case_unacknowledged", "case_ordered", "case_unanswered", "case_not_arrived", "case_escalated",
    "case_arrived", "case_stood_down", "case_released", "case_closed", "case_reminder", "gateway_silent", "gateway_back", "test",
]  # fmt: skip
KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)

MINUTE_MS = 60_000
# How long a notice is worth sending, by severity; ours. What is later misleads more than it helps.
LIFE_MS = {4: 60 * MINUTE_MS, 3: 120 * MINUTE_MS, 2: 240 * MINUTE_MS, 1: 240 * MINUTE_MS}
# Of one channel; ours. Behind it the least grave newest one makes place, counted as dead.
MOST_WAITING = 500
# Who is said to have done what the outbox does by itself.
SENDER = Actor("cloud", "", "sender of notices")
# Of one fact: what is longer belongs on the page.
MOST_FACT = 200
MAX_LIST = 200


@dataclass(frozen=True)
class Notice:
    """What an organisation is to be told. The same (kind, case, organisation, facts["dedupe"]) is told once. `lift` may be a gateway's id."""

    kind: NoticeKind
    case: str
    lift: str
    organisation: str
    severity: int
    facts: dict[str, str | int] = field(default_factory=dict)


async def queue(session: AsyncSession, now_ms: int, notices: Iterable[Notice]) -> int:
    """Put them into the outbox in the caller's transaction; the number of rows. The sender finds them within half a second of the commit."""
    wanted = list(notices)
    names = {notice.organisation for notice in wanted}
    if not names:
        return 0
    query = select(NoticeChannel).where(NoticeChannel.organisation.in_(names), NoticeChannel.active)
    channels = (await session.scalars(query.order_by(NoticeChannel.made_at_ms, NoticeChannel.id))).all()
    made = 0
    for channel in channels:
        for notice in wanted:
            if notice.organisation == channel.organisation and _wants(channel, notice):
                made += await add(session, now_ms, channel, notice)
        await _bounded(session, now_ms, channel.id)
    return made


def _wants(channel: NoticeChannel, notice: Notice) -> bool:
    return notice.severity >= channel.least_severity and (not channel.kinds or notice.kind in channel.kinds)


async def add(session: AsyncSession, now_ms: int, channel: NoticeChannel, notice: Notice) -> int:
    """One row, whatever the channel wants; 0 if it was there already."""
    facts = {name: _short(value) for name, value in notice.facts.items() if name != "dedupe"}
    values = {
        "id": new_id(), "channel": channel.id, "organisation": notice.organisation, "kind": notice.kind,
        "case": notice.case[:64], "lift": notice.lift[:32], "dedupe": str(notice.facts.get("dedupe", ""))[:120],
        "severity": notice.severity, "facts": facts, "state": "waiting", "attempts": 0, "made_at_ms": now_ms,
        "next_at_ms": now_ms, "ends_at_ms": now_ms + LIFE_MS.get(notice.severity, LIFE_MS[1]), "receipt": {},
    }  # fmt: skip
    made = _insert(session)(NoticeRow).values(**values).on_conflict_do_nothing()
    return len((await session.execute(made.returning(NoticeRow.number))).all())


def _insert(session: AsyncSession) -> Any:
    """The dialect's own INSERT: only these know ON CONFLICT, and a failed one would undo the caller's transaction."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _short(value: str | int) -> str | int:
    return value[:MOST_FACT] if isinstance(value, str) else value


async def _bounded(session: AsyncSession, now_ms: int, channel: str) -> None:
    waiting = (NoticeRow.channel == channel, NoticeRow.state == "waiting")
    over = (await session.scalar(select(func.count()).where(*waiting)) or 0) - MOST_WAITING
    if over > 0:
        least = select(NoticeRow.number).where(*waiting).order_by(NoticeRow.severity, NoticeRow.number.desc())
        dead = {"state": "dead", "done_at_ms": now_ms, "receipt": {"code": "overflow"}}
        await session.execute(update(NoticeRow).where(NoticeRow.number.in_(least.limit(over))).values(**dead))
        await audit.write(session, now_ms, SENDER, "notice.dead", f"channel:{channel}", notices=over, code="overflow")


async def of_case(session: AsyncSession, case: str) -> list[tuple[NoticeRow, NoticeChannel]]:
    """Notices of a case that the caller may see, in order, MAX_LIST at most."""
    query = select(NoticeRow, NoticeChannel).join(NoticeChannel, NoticeChannel.id == NoticeRow.channel)
    query = query.where(NoticeRow.case == case).options(selectinload(NoticeChannel.of))
    found = await session.execute(query.order_by(NoticeRow.number).limit(MAX_LIST))
    return [(row, channel) for row, channel in found]
