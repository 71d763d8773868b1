"""What the world tells of cases: incidents, silent gateways, clocks and cars, in the system's name."""

import dataclasses
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.errors import NotThere
from cloud.cases import facts
from cloud.cases.keeping import keep, new_row, subject_of
from cloud.cases.limits import MINUTE_MS, Limits
from cloud.cases.machine import Result
from cloud.cases.models import CaseIncident, CaseRow, state_of
from cloud.cases.parties import Place, place_of
from cloud.cases.state import LEAST_SEVERITY, Case, Fact
from cloud.cases.transactions import Transactions, both
from cloud.incidents.models import Incident

# So long behind the release or the mending a fault belongs to it (ours). The case itself may wait for its cause for days.
FOLLOWS_MS = 10 * MINUTE_MS

# An alarm that came and went while the cloud was busy, or away for a moment, is a case all the same; what is older is history. Ours.
JUST_OVER_MS = 10 * MINUTE_MS


def just_over(body: dict[str, Any], now_ms: int) -> bool:
    """The incident ended a moment ago by its gateway's clock: somebody must still look after it."""
    ended_ms = body.get("closed_at_ms")
    return ended_ms is not None and abs(now_ms - int(ended_ms)) < JUST_OVER_MS


class World(Transactions):
    """Incidents, gateways, clocks."""

    async def incident(self, id: str) -> None:
        """An incident has a newer revision: it opens a case, joins one, or changes what is active."""
        for older in await self._again(lambda session: self._incident(session, id)):
            await self.change(older, lambda case, limits, now: _over(case, limits, now, id))

    async def _incident(self, session: AsyncSession, id: str) -> list[str]:
        """Where it is over: the earlier cases that are not closed, for whom it is over too."""
        found = await session.get(Incident, id)
        if found is None:
            return []
        body = found.body
        known = (
            await session.execute(
                select(CaseRow, CaseIncident)
                .join(CaseIncident, CaseIncident.case == CaseRow.id)
                .where(CaseIncident.incident == id)
                .order_by(CaseRow.number.desc())
            )
        ).all()
        fact = _fact(body, found.area)
        now = self._clock()
        row, link = known[0] if known else (None, None)
        if row is not None and link is not None:
            before = state_of(row).incidents.get(id)
            # Somebody who presses again, after the case is over, is shut in again.
            pressed = before is not None and fact.open and fact.presses > before.presses
            graver = before is not None and fact.open and fact.trapped and not before.trapped
            if row.phase == "open" or not (pressed or graver):
                link.rev, link.version = body["rev"], found.version
                await self._tell(session, now, row, id, fact)
                return [older.id for older, _ in known[1:] if older.phase != "closed" and not fact.open]
        if not (fact.open or just_over(body, now)) or not opens_case(body):
            return []
        gateway = found.lift == found.gateway
        case = Case(
            "trapped" if fact.trapped else "fault", "incident", fact.severity, now, lift="" if gateway else found.lift,
            gateway=found.gateway, incidents={id: fact},
        )  # fmt: skip
        other = await self._open_of(session, subject_of(case)) or (
            None if fact.trapped else await self._followed(session, case)
        )
        if other is not None:
            session.add(CaseIncident(incident=id, case=other.id, rev=body["rev"], version=found.version))
            await self._tell(session, now, other, id, fact)
            return []
        row = new_row(case)
        place = await place_of(session, self.rescue, case)
        case.parties = place.parties
        result = facts.opened(case, place.district.limits, now)
        session.add(row)
        await keep(session, now, row, result, place)
        session.add(CaseIncident(incident=id, case=row.id, rev=body["rev"], version=found.version))
        await self._commit(session, now, row, result)
        return []

    async def _tell(self, session: AsyncSession, now: int, row: CaseRow, id: str, fact: Fact) -> None:
        case, place = await self._read(session, row)
        if case.incidents.get(id) == fact:
            await session.commit()
            return
        limits = place.district.limits
        first = facts.concerns(case, limits, now, place.parties) if case.phase != "closed" else Result(case, [], [])
        result = both(first, facts.incident(first.case, limits, now, id, fact))
        await self._put(session, now, row, result, place)

    async def change(self, id: str, what: Callable[[Case, Limits, int], Result | None]) -> None:
        """Let `what` change a case, by the system; None = nothing to change."""

        async def once(session: AsyncSession) -> None:
            row = await session.scalar(select(CaseRow).where(CaseRow.id == id).with_for_update())
            if row is None:
                raise NotThere("not_there", f"there is no case {id[:40]!r}")
            case, place = await self._read(session, row)
            now, limits = self._clock(), place.district.limits
            first = facts.concerns(case, limits, now, place.parties) if case.phase != "closed" else Result(case, [], [])
            result = what(first.case, limits, now)
            if result is not None:
                await self._put(session, now, row, both(first, result), place)

        await self._again(once)

    async def concerns(self, lift: str) -> None:
        """Whose a lift is has changed: its open cases go to who has it now, who is sent if nobody was."""
        async with self._sessions() as session:
            query = select(CaseRow.id).where(CaseRow.lift == lift, CaseRow.phase != "closed")
            ids = (await session.scalars(query)).all()
        for id in ids:
            await self.change(id, lambda case, limits, now: Result(case, [], []))

    async def silent(self, gateway: str, since_ms: int, at_risk: list[str]) -> None:
        """A gateway is not heard any more."""

        async def once(session: AsyncSession) -> None:
            now = self._clock()
            case = Case(
                "gateway_silent", "dead_man", 3, now, gateway=gateway, silent_since_ms=since_ms, at_risk=at_risk
            )
            row = await self._open_of(session, subject_of(case))
            if row is not None:
                held, place = await self._read(session, row)
                if held.heard_at_ms is not None:
                    result = facts.silent_again(held, place.district.limits, now, since_ms, at_risk)
                    await self._put(session, now, row, result, place)
                return
            row = new_row(case)
            place = await place_of(session, self.rescue, case)
            case.parties = place.parties
            result = facts.opened(case, place.district.limits, now)
            session.add(row)
            await self._put(session, now, row, result, place)

        await self._again(once)

    async def heard(self, gateway: str) -> None:
        """It is heard again."""
        async with self._sessions() as session:
            row = await self._open_of(session, f"silent:{gateway}")
        if row is not None:
            await self.change(
                row.id, lambda case, limits, now: None if case.heard_at_ms else facts.heard_again(case, limits, now)
            )

    async def _put(self, session: AsyncSession, now: int, row: CaseRow, result: Result, place: Place) -> None:
        await keep(session, now, row, result, place)
        await self._commit(session, now, row, result)

    async def _followed(self, session: AsyncSession, case: Case) -> CaseRow | None:
        """A further fault just after the work on site, while the lift is tried out, is part of that. A later one is work anew."""
        query = select(CaseRow).where(CaseRow.subject == subject_of(case), CaseRow.phase == "follow_up")
        found: CaseRow | None = await session.scalar(query.order_by(CaseRow.number.desc()).limit(1))
        if found is None or case.opened_at_ms - (state_of(found).released_at_ms or 0) > FOLLOWS_MS:
            return None
        return found


def _over(case: Case, limits: Limits, now: int, id: str) -> Result | None:
    held = case.incidents.get(id)
    if held is None or not held.open:
        return None
    return facts.incident(case, limits, now, id, dataclasses.replace(held, open=False))


def opens_case(body: dict[str, Any]) -> bool:
    """The incident is work for people: not of an area as a whole, not withheld, and grave enough."""
    of_area = bool(body.get("members")) or str(body["kind"]).startswith("area_")
    return not of_area and not body.get("withheld") and int(body["severity"]) >= LEAST_SEVERITY


def _fact(body: dict[str, Any], area: str | None) -> Fact:
    severity = int(body["severity"])
    trapped = body.get("class") == "alarm" and severity >= 4
    begun = body["stages"].get("onset") or body["opened_at_ms"] or body["stages"]["received"]
    presses = int(body.get("presses") or 0)
    return Fact(str(body["kind"]), severity, body["phase"] != "closed", trapped, presses, area, int(begun))
