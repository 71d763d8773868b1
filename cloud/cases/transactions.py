"""One change of a case as one transaction: read, worked on by the machine, kept against the revision that was read, told after the commit."""

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from cloud.accounts.errors import Conflict
from cloud.accounts.scope import Scope
from cloud.cases import reading
from cloud.cases.doing import Car
from cloud.cases.keeping import announce
from cloud.cases.limits import Rescue
from cloud.cases.machine import Result
from cloud.cases.models import CaseRow, state_of
from cloud.cases.parties import Place, names_of, place_of
from cloud.cases.reading import Whole
from cloud.cases.state import By, Case, Who
from cloud.cases.whose import who
from cloud.live.feed import Feed

T = TypeVar("T")

TRIES = 12
# Told after the commit: case, lift, gateway, word.
TellCar = Callable[[str, str, str, Car], None]


class Transactions:
    """What all changes share. Several processes may do them over one database."""

    def __init__(self, sessions: Any, feed: Feed, rescue: Rescue, clock: Callable[[], int], tell_car: TellCar) -> None:
        self._sessions, self._feed, self.rescue, self._clock, self._tell_car = sessions, feed, rescue, clock, tell_car
        self.changed = asyncio.Event()
        # Called after each commit: what is in the outbox need not wait until the sender looks by itself.
        self.send: Callable[[], None] = lambda: None
        self._one = asyncio.Lock()
        self.late = 0
        self.collisions = 0

    async def _again(self, what: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do it in a session of its own; once more where another process was quicker, or has opened the same case meanwhile.

        In this process one goes after the other: each takes some ms, and a storm of incidents comes one by one as well.
        """
        for left in reversed(range(TRIES)):
            async with self._one, self._sessions() as session:
                try:
                    return await what(session)
                except (StaleDataError, IntegrityError):
                    await session.rollback()
                    self.collisions += 1
                    if left == 0:
                        raise Conflict(
                            "busy", "others are changing this case at the same moment; say it again"
                        ) from None
            await asyncio.sleep(random.uniform(0.005, 0.05))
        raise AssertionError("not reached")

    async def _commit(
        self, session: AsyncSession, now: int, row: CaseRow, result: Result | None = None, scope: Scope | None = None
    ) -> dict[str, Any]:
        """Commit what was kept, tell the viewers and the car; the case as `scope` sees it.

        Whoever writes takes his locks in one order: rows of cases by `keep`, the audit log, the alarm channel.
        """
        await session.flush()
        (whole,) = await reading.wholes(session, [row])
        seq = await announce(session, now, row)
        await session.commit()
        self._feed.push(seq, "case", row.lift or row.gateway, {"case": whole})
        self.changed.set()
        self.send()
        for effect in result.effects if result is not None else ():
            if isinstance(effect, Car):
                self._tell_car(row.id, row.lift, row.gateway, effect)
        return {} if scope is None else await self._shown(session, scope, whole)

    async def _shown(self, session: AsyncSession, scope: Scope, whole: Whole) -> dict[str, Any]:
        return whole.shown_to(scope, await reading.seen_lifts(session, scope, [whole]))

    async def _as_it_is(self, session: AsyncSession, scope: Scope, row: CaseRow) -> dict[str, Any]:
        (whole,) = await reading.wholes(session, [row])
        return await self._shown(session, scope, whole)

    async def _read(self, session: AsyncSession, row: CaseRow) -> tuple[Case, Place]:
        case = state_of(row)
        return case, await place_of(session, self.rescue, case, row.id)

    async def _who(self, session: AsyncSession, scope: Scope, case: Case, place: Place, now: int) -> Who:
        by = By(scope.actor.id, scope.actor.name, at_ms=now)
        held = dataclasses.replace(case, parties=place.parties)
        found = who(scope.grants, by, held, place.whose, person=scope.actor.kind == "person")
        names = await names_of(session, [found.by.organisation])
        named = dataclasses.replace(found.by, organisation_name=names.get(found.by.organisation, ""))
        return dataclasses.replace(found, by=named)

    async def _open_of(self, session: AsyncSession, subject: str) -> CaseRow | None:
        query = select(CaseRow).where(CaseRow.subject == subject, CaseRow.phase == "open").with_for_update()
        found: CaseRow | None = await session.scalar(query)
        return found


def both(first: Result, second: Result) -> Result:
    """One after the other, as one."""
    return Result(second.case, [*first.entries, *second.entries], [*first.effects, *second.effects])
