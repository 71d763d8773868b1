"""Takes away what has been kept long enough: in small batches, each audited in its own transaction. The audit log itself stays."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud.accounts.models import Ceremony, OneTimeLink, Session
from cloud.accounts.scope import Actor, Scope
from cloud.audit import service as audit
from cloud.cases.models import CaseEntry, CaseIncident, CasePhoto, CaseRow, CaseStep, CaseUnit
from cloud.incidents.models import Incident
from cloud.keeping.retention import Retention
from cloud.notices.models import NoticeRow

_log = logging.getLogger(__name__)

DAY_MS = 86_400_000
# Rows in one transaction: one holds up others for some ms.
BATCH = 500
# The first sweep is so long after a start, which has other things to do; then each day.
FIRST_S, EVERY_S = 600.0, 86_400.0
SWEEPER = Actor("cloud", "", "sweep of what was kept long enough")
Column = InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Rule:
    """Rows of a kind of data that are over since `before` a time, found by `key`; what has their key in `parts` goes with them.

    With `cleared` these columns alone get these values, and the row stays.
    """

    kind: str
    key: Column
    over: Callable[[int], ColumnElement[bool]]
    parts: tuple[Column, ...] = ()
    cleared: Mapping[Column, Any] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The table's name."""
        return str(self.key.class_.__tablename__)


def _closed(before: int) -> ColumnElement[bool]:
    return and_(CaseRow.phase == "closed", CaseRow.opened_at_ms < before, CaseRow.closed_at_ms < before)


def _named(before: int) -> ColumnElement[bool]:
    return and_(_closed(before), or_(CaseRow.caller_name != "", CaseRow.caller_phone != ""))


def _unneeded(before: int) -> ColumnElement[bool]:
    """Of an incident that no case holds any more. What was not yet opened was not yet changed: so it is found without a walk over all."""
    over = and_(Incident.opened_at_ms < before, Incident.changed_at_ms < before, Incident.phase == "closed")
    return and_(over, ~exists().where(CaseIncident.incident == Incident.id))


# In this order: photos and callers go before their case, and an incident behind it.
RULES: tuple[Rule, ...] = (
    Rule("sessions", Session.id, lambda before: Session.ends_at_ms < before),
    Rule("sessions", OneTimeLink.token_hash, lambda before: OneTimeLink.ends_at_ms < before),
    Rule("sessions", Ceremony.token_hash, lambda before: Ceremony.ends_at_ms < before),
    Rule("notices", NoticeRow.number, lambda before: and_(NoticeRow.state != "waiting", NoticeRow.made_at_ms < before)),
    Rule("photos", CasePhoto.id, lambda before: CasePhoto.case.in_(select(CaseRow.id).where(_closed(before)))),
    Rule(
        "callers", CaseRow.id, _named,
        cleared={CaseRow.caller_name: "", CaseRow.caller_phone: "", CaseRow.rev: CaseRow.rev + 1},
    ),
    Rule(
        "cases", CaseRow.id, _closed,
        parts=(CaseEntry.case, CaseStep.case, CaseIncident.case, CaseUnit.case, CasePhoto.case),
    ),
    Rule("incidents", Incident.id, _unneeded),
)  # fmt: skip


@dataclass(frozen=True)
class Swept:
    """What a rule found, or took away."""

    kind: str
    table: str
    rows: int


async def would_sweep(session: AsyncSession, now_ms: int, retention: Retention) -> list[Swept]:
    """What a sweep would take away now; nothing is changed. Incidents that a case still holds count when it is gone."""
    out = []
    for rule in RULES:
        query = select(func.count(rule.key)).where(rule.over(_before(now_ms, retention, rule)))
        out.append(Swept(rule.kind, rule.table, await session.scalar(query) or 0))
    return out


async def sweep(
    sessions: Callable[[], Any], now_ms: int, retention: Retention, who: Scope | Actor = SWEEPER, batch: int = BATCH
) -> list[Swept]:
    """Take away what has been kept long enough; others get their turn between the batches."""
    out = []
    for rule in RULES:
        before, rows = _before(now_ms, retention, rule), 0
        while True:
            async with sessions() as session:
                gone = await _batch(session, now_ms, rule, before, who, batch)
                await session.commit()
            rows += gone
            if gone < batch:
                break
            await asyncio.sleep(0)
        out.append(Swept(rule.kind, rule.table, rows))
    return out


def _before(now_ms: int, retention: Retention, rule: Rule) -> int:
    days: int = getattr(retention, rule.kind)
    return now_ms - days * DAY_MS


async def _batch(session: AsyncSession, now_ms: int, rule: Rule, before: int, who: Scope | Actor, batch: int) -> int:
    names = (await session.scalars(select(rule.key).where(rule.over(before)).limit(batch))).all()
    if not names:
        return 0
    plain: Any = {"synchronize_session": False}
    for part in rule.parts:
        await session.execute(delete(part.class_).where(part.in_(names)), execution_options=plain)
    mine = rule.key.in_(names)
    if rule.cleared:
        await session.execute(update(rule.key.class_).where(mine).values(dict(rule.cleared)), execution_options=plain)
    else:
        await session.execute(delete(rule.key.class_).where(mine), execution_options=plain)
    action = "retention.cleared" if rule.cleared else "retention.swept"
    await audit.write(session, now_ms, who, action, rule.table, kind=rule.kind, rows=len(names), before_ms=before)
    return len(names)


class Sweeper:
    """Sweeps each day."""

    def __init__(self, sessions: Callable[[], Any], retention: Retention, clock: Callable[[], int]) -> None:
        self._sessions, self._retention, self._clock = sessions, retention, clock

    async def run(self) -> None:
        """For ever."""
        await asyncio.sleep(FIRST_S)
        while True:
            swept = await sweep(self._sessions, self._clock(), self._retention)
            _log.info(
                "swept %s", ", ".join(f"{entry.table} {entry.rows}" for entry in swept if entry.rows) or "nothing"
            )
            await asyncio.sleep(EVERY_S)
