"""The loop that clocks and incidents wake: what is due is done, what was told is taken, what was missed is found. One bad case loses no other."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import exists, func, or_, select

from cloud.accounts.scope import Assignment
from cloud.cases import machine
from cloud.cases.models import CaseIncident, CaseRow
from cloud.cases.service import Cases
from cloud.cases.state import LEAST_SEVERITY
from cloud.cases.world import JUST_OVER_MS
from cloud.incidents.models import Incident
from cloud.turns import Turns

_log = logging.getLogger(__name__)

# Another process may have changed a clock: so soon it is looked at anew.
POLL_S = 1.0
SWEEP_MS = 30_000
IN_A_TURN = 200
MOST_TOLD = 10_000
# After a failure the same case is left alone for so long; its clocks stay.
AGAIN_MS = 30_000


class CaseLoop:
    """Runs for ever; all that it has to know is in the database."""

    def __init__(self, sessions: Any, cases: Cases, clock: Callable[[], int], turns: Turns) -> None:
        self._sessions, self._cases, self._clock, self._turns = sessions, cases, clock, turns
        self._told: dict[str, None] = {}
        self._moved: dict[str, None] = {}
        self._assignments: Mapping[str, Assignment] | None = None
        self._left_alone: dict[str, int] = {}
        self._swept_ms = 0
        self._turning = asyncio.Lock()
        self.failures = 0

    def told(self, incident: str) -> None:
        """An incident was stored. The link that brought it does not wait for its case; what has no room is found by the sweep."""
        if len(self._told) < MOST_TOLD:
            self._told[incident] = None
        self._cases.changed.set()

    def assigned(self, assignments: Mapping[str, Assignment]) -> None:
        """Whose each lift is now; their open cases follow. The mapping is kept as it is."""
        before, self._assignments = self._assignments, assignments
        if before is None:
            return  # what was changed while we were away is seen with the case's next change
        self._moved |= {lift: None for lift, found in assignments.items() if before.get(lift) != found}
        self._cases.changed.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            next_ms = await self.turn()
            wait = POLL_S if next_ms is None else min(POLL_S, max(0.0, (next_ms - self._clock()) / 1000))
            with contextlib.suppress(TimeoutError):
                # Not by wait_for: that of Python 3.11 swallows an end that comes together with a change.
                async with asyncio.timeout(wait):
                    await self._cases.changed.wait()
            self._cases.changed.clear()

    async def turn(self) -> int | None:
        """All that is there to do now; when the next clock is over, None if none runs. One turn at a time."""
        async with self._turns.turn(), self._turning:
            return await self._turn()

    async def _turn(self) -> int | None:
        now = self._clock()
        if abs(now - self._swept_ms) >= SWEEP_MS:
            self._swept_ms = now
            for name in await self.missed():
                self._told.setdefault(name, None)
        while self._told:
            name = next(iter(self._told))
            del self._told[name]
            await self._guarded(f"incident {name}", name, lambda name=name: self._cases.incident(name))  # type: ignore[misc]
        while self._moved:
            lift = next(iter(self._moved))
            del self._moved[lift]
            await self._guarded(f"cases of lift {lift}", lift, lambda lift=lift: self._cases.concerns(lift))  # type: ignore[misc]
        for name in await self._due(now):
            await self._guarded(
                f"the clocks of case {name}",
                name,
                lambda name=name: self._cases.change(name, machine.due),  # type: ignore[misc]
            )
        self._left_alone = {name: until for name, until in self._left_alone.items() if until > now}
        query = select(func.min(CaseRow.next_due_ms)).where(CaseRow.id.not_in(self._left_alone))
        async with self._sessions() as session:
            found: int | None = await session.scalar(query)
        return found

    async def _due(self, now: int) -> list[str]:
        query = select(CaseRow.id).where(CaseRow.next_due_ms <= now, CaseRow.id.not_in(self._left_alone))
        async with self._sessions() as session:
            return list((await session.scalars(query.order_by(CaseRow.next_due_ms).limit(IN_A_TURN))).all())

    async def missed(self) -> list[str]:
        """Incidents without a case, or newer than their case knows: the server was killed between the two."""
        told = Incident.body
        bare = select(Incident.id).where(
            or_(Incident.phase != "closed", Incident.opened_at_ms >= self._clock() - JUST_OVER_MS),
            told["severity"].as_integer() >= LEAST_SEVERITY,
            func.coalesce(told["withheld"].as_string(), "") == "",
            ~told["kind"].as_string().startswith("area_", autoescape=True),
            ~exists().where(CaseIncident.incident == Incident.id),
        )
        newer = (
            select(Incident.id)
            .join(CaseIncident, CaseIncident.incident == Incident.id)
            .join(CaseRow, CaseRow.id == CaseIncident.case)
            .where(CaseRow.phase != "closed", Incident.version != CaseIncident.version)
        )
        async with self._sessions() as session:
            found = [*(await session.scalars(bare)).all(), *(await session.scalars(newer)).all()]
        return [name for name in found if name not in self._left_alone]

    async def _guarded(self, what: str, name: str, do: Callable[[], Awaitable[None]]) -> None:
        try:
            await do()
        except Exception:  # one case must not stop the others
            self.failures += 1
            self._left_alone[name] = self._clock() + AGAIN_MS
            _log.exception("%s failed; again in %d s", what, AGAIN_MS // 1000)
