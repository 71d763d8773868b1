"""Takes away what has been kept long enough: in small batches, each audited in its own transaction. The audit log itself stays."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Ceremony, OneTimeLink, Session
from cloud.accounts.scope import Actor, Scope
from cloud.audit import service as audit
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


@dataclass(frozen=True)
class Rule:
    """Rows of a table that are of a kind of data, and over since `before` a time. With `cleared` only these columns are emptied."""

    kind: str
    table: Table
    over: Callable[[int], ColumnElement[bool]]
    cleared: tuple[tuple[str, Any], ...] = ()


def _table(model: Any) -> Table:
    found: Table = model.__table__
    return found


RULES: tuple[Rule, ...] = (
    Rule("sessions", _table(Session), lambda before: Session.ends_at_ms < before),
    Rule("sessions", _table(OneTimeLink), lambda before: OneTimeLink.ends_at_ms < before),
    Rule("sessions", _table(Ceremony), lambda before: Ceremony.ends_at_ms < before),
    Rule(
        "notices", _table(NoticeRow), lambda before: and_(NoticeRow.state != "waiting", NoticeRow.made_at_ms < before)
    ),
    # What was not yet opened was not yet changed: by that they are found, without a walk over all.
    Rule(
        "incidents",
        _table(Incident),
        lambda before: and_(
            Incident.opened_at_ms < before, Incident.changed_at_ms < before, Incident.phase == "closed"
        ),
    ),
)


@dataclass(frozen=True)
class Swept:
    """What a rule found, or took away."""

    kind: str
    table: str
    rows: int


async def would_sweep(session: AsyncSession, now_ms: int, retention: Retention) -> list[Swept]:
    """What a sweep would take away now; nothing is changed."""
    out = []
    for rule in RULES:
        query = select(func.count()).select_from(rule.table).where(rule.over(_before(now_ms, retention, rule)))
        out.append(Swept(rule.kind, rule.table.name, await session.scalar(query) or 0))
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
        out.append(Swept(rule.kind, rule.table.name, rows))
    return out


def _before(now_ms: int, retention: Retention, rule: Rule) -> int:
    days: int = getattr(retention, rule.kind)
    return now_ms - days * DAY_MS


async def _batch(session: AsyncSession, now_ms: int, rule: Rule, before: int, who: Scope | Actor, batch: int) -> int:
    (key,) = rule.table.primary_key.columns
    names = (await session.scalars(select(key).where(rule.over(before)).limit(batch))).all()
    if not names:
        return 0
    mine = key.in_(names)
    await session.execute(
        update(rule.table).where(mine).values(dict(rule.cleared)) if rule.cleared else delete(rule.table).where(mine)
    )
    action = "retention.cleared" if rule.cleared else "retention.swept"
    await audit.write(session, now_ms, who, action, rule.table.name, kind=rule.kind, rows=len(names), before_ms=before)
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
