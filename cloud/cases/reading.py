"""Cases as they are shown: found by scope, put together with their timeline, and with what each viewer can say."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.errors import NotThere
from cloud.accounts.scope import Assignment, Scope
from cloud.cases.clocks import clocks
from cloud.cases.doing import chain
from cloud.cases.filters import visible, visible_in_lists
from cloud.cases.ladder import organisation_of
from cloud.cases.machine import possible
from cloud.cases.models import CaseEntry, CasePhoto, CaseRow, CaseUnit, state_of
from cloud.cases.parties import names_of
from cloud.cases.state import By, Case, Leg
from cloud.cases.whose import Whose, sees, was_sent, who
from cloud.lifts import filters as lift_filters
from cloud.lifts.models import Lift
from cloud.live.alarms import Eyes

MAX_LIST = 200
# Lines of the timeline that are sent: of one case, and of each in a list or the stream.
TIMELINE = 500
TIMELINE_IN_LIST = 20
IN_A_QUERY = 500


@dataclasses.dataclass(frozen=True)
class Whole:
    """A case as it is shown but for what depends on who looks; `whose` and `state` find that out."""

    body: dict[str, Any]
    state: Case
    whose: Whose

    def shown_to(self, who_looks: Scope, lifts: set[str] | None = None) -> dict[str, Any]:
        """For one viewer; `lifts` are those that he sees of the ones at risk, None = all."""
        by = By(who_looks.actor.id)
        found = who(who_looks.grants, by, self.state, self.whose, person=who_looks.actor.kind == "person")
        body = _with_steps(self.body, possible(self.state, found))
        return body if lifts is None else body | {"at_risk": [name for name in self.state.at_risk if name in lifts]}


def shown_to(message: dict[str, Any], eyes: Eyes) -> dict[str, Any] | None:
    """The same for viewers of the alarm channel, all of one role; None if it is not for them."""
    whole: Whole = message["case"]
    case, whose = whole.state, whole.whose
    by_lift = bool(case.lift) and eyes.sees(case.lift)
    by_gateway = not case.lift and bool(case.gateway) and eyes.sees_place(case.gateway)
    elsewhere = dataclasses.replace(whose, assignments=()) if not whose.of_call else whose
    if not (by_lift or by_gateway or sees_otherwise(eyes, elsewhere)):
        return None
    found = who(eyes.grants, By(), case, whose)
    at_risk = [name for name in case.at_risk if eyes.sees(name)]
    return _with_steps(whole.body, possible(case, found)) | {"at_risk": at_risk}


def sees_otherwise(eyes: Eyes, whose: Whose) -> bool:
    """Not by a lift: it is a call, or his organisation was sent."""
    if whose.of_call:
        return sees(eyes.grants, whose)
    return any(was_sent(grant, whose) for grant in eyes.grants)


def _with_steps(body: dict[str, Any], names: list[str]) -> dict[str, Any]:
    legs = [
        {**leg, "steps_allowed": [name.partition(":")[0] for name in names if name.endswith(f":{leg['level']}")]}
        for leg in body["legs"]
    ]
    return {**body, "legs": legs, "steps_allowed": names}


# -- finding -------------------------------------------------------------------------------------------------------------


async def one(session: AsyncSession, scope: Scope, id: str, *, to_change: bool = False) -> CaseRow:
    """One case; NotThere where the scope does not cover it. `to_change`: other processes wait (PostgreSQL) until it is committed."""
    query = select(CaseRow).where(CaseRow.id == id, visible(scope))
    found = await session.scalar(query.with_for_update(of=CaseRow) if to_change else query)
    if found is None:
        raise NotThere("not_there", f"there is no case {id[:40]!r}; GET /api/v1/cases lists them")
    return found


async def newest(
    session: AsyncSession,
    scope: Scope,
    *,
    phase: str | None = None,
    lift: str | None = None,
    kind: str | None = None,
    before: tuple[int | None, int | None] = (None, None),
    limit: int = 100,
) -> Sequence[CaseRow]:
    """Cases, newest first; `phase` "open" means not closed. `before`: opened_at_ms and number of the last one seen."""
    query = select(CaseRow).where(await visible_in_lists(session, scope))
    if phase == "open":
        query = query.where(CaseRow.phase != "closed")
    elif phase is not None:
        query = query.where(CaseRow.phase == phase)
    if lift is not None:
        query = query.where(CaseRow.lift == lift)
    if kind is not None:
        query = query.where(CaseRow.kind == kind)
    before_ms, before_number = before
    if before_ms is not None and before_number is not None:
        same = and_(CaseRow.opened_at_ms == before_ms, CaseRow.number < before_number)
        query = query.where(CaseRow.opened_at_ms <= before_ms, or_(CaseRow.opened_at_ms < before_ms, same))
    elif before_ms is not None:
        query = query.where(CaseRow.opened_at_ms < before_ms)
    order = (CaseRow.opened_at_ms.desc(), CaseRow.number.desc())
    return (await session.scalars(query.order_by(*order).limit(min(limit, MAX_LIST)))).all()


async def seen_lifts(session: AsyncSession, scope: Scope, wholes: Sequence[Whole]) -> set[str] | None:
    """Of the lifts at risk those that the scope covers; None = all."""
    names = sorted({name for whole in wholes for name in whole.state.at_risk})
    if scope.everywhere or not names:
        return None
    out: set[str] = set()
    for at in range(0, len(names), IN_A_QUERY):
        query = select(Lift.id).where(Lift.id.in_(names[at : at + IN_A_QUERY]), lift_filters.visible(scope))
        out |= set((await session.scalars(query)).all())
    return out


async def bodies(session: AsyncSession, ids: list[str]) -> dict[str, dict[str, Any]]:
    """{id: message} for the alarm channel."""
    rows = (await session.scalars(select(CaseRow).where(CaseRow.id.in_(ids)))).all()
    return {row.id: {"case": found} for row, found in zip(rows, await wholes(session, rows), strict=True)}


# -- putting together -------------------------------------------------------------------------------------------------


async def wholes(session: AsyncSession, rows: Sequence[CaseRow], timeline: int = TIMELINE_IN_LIST) -> list[Whole]:
    """The rows with all that is shown of them, in a few queries for all of them."""
    ids = [row.id for row in rows]
    states = {row.id: state_of(row) for row in rows}
    lifts = await _lifts(session, {state.lift for state in states.values() if state.lift})
    gateways = {state.gateway for state in states.values() if state.gateway and not state.lift}
    of_gateways = await _assignments(session, gateways)
    entries, totals = await _timelines(session, ids, timeline)
    units = await _grouped(session, select(CaseUnit.case, CaseUnit.organisation), CaseUnit.case, ids)
    photos: dict[str, list[CasePhoto]] = {}
    for photo in (
        await session.scalars(select(CasePhoto).where(CasePhoto.case.in_(ids)).order_by(CasePhoto.at_ms))
    ).all():
        photos.setdefault(photo.case, []).append(photo)
    names = await names_of(session, _organisations(states.values(), entries))
    out = []
    for row in rows:
        state = states[row.id]
        lift = lifts.get(state.lift)
        assignments = (lift.assignment,) if lift else of_gateways.get(state.gateway, ()) if not state.lift else ()
        code = (assignments[0].district if assignments else "") or state.district
        whose = Whose(assignments, code, not (state.lift or state.gateway), frozenset(units.get(row.id, [])))
        body = _body(row, state, lift, names)
        body |= {
            "district": code, "incidents": sorted(state.incidents), "timeline_total": totals.get(row.id, 0),
            "timeline": [_entry(entry, names) for entry in entries.get(row.id, [])],
            "photos": [
                {"id": p.id, "media_type": p.media_type, "size_bytes": p.size_bytes, "at_ms": p.at_ms, "by": p.by, "name": p.name}
                for p in photos.get(row.id, [])
            ],
        }  # fmt: skip
        out.append(Whole(body, state, whose))
    return out


async def _lifts(session: AsyncSession, names: set[str]) -> dict[str, Lift]:
    if not names:
        return {}
    return {lift.id: lift for lift in (await session.scalars(select(Lift).where(Lift.id.in_(names)))).all()}


async def _assignments(session: AsyncSession, gateways: set[str]) -> dict[str, tuple[Assignment, ...]]:
    """Whose the lifts of each gateway are, each once: a silent gateway may have hundreds, and many may be silent."""
    if not gateways:
        return {}
    whose = (Lift.gateway, Lift.contractor, Lift.owner, Lift.manager, Lift.district)
    query = select(*whose).where(Lift.gateway.in_(gateways)).group_by(*whose).order_by(func.min(Lift.id))
    out: dict[str, tuple[Assignment, ...]] = {}
    for gateway, contractor, owner, manager, district in (await session.execute(query)).all():
        out[gateway] = (*out.get(gateway, ()), Assignment(contractor or "", owner or "", manager or "", district))
    return out


async def _grouped(session: AsyncSession, query: Any, column: Any, ids: list[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for case, value in (await session.execute(query.where(column.in_(ids)).order_by(query.selected_columns[1]))).all():
        out.setdefault(case, []).append(value)
    return out


async def _timelines(
    session: AsyncSession, ids: list[str], most: int
) -> tuple[dict[str, list[CaseEntry]], dict[str, int]]:
    counted = select(CaseEntry.case, func.count()).where(CaseEntry.case.in_(ids)).group_by(CaseEntry.case)
    totals = dict((await session.execute(counted)).all())
    place = func.row_number().over(partition_by=CaseEntry.case, order_by=CaseEntry.id.desc())
    ranked = select(CaseEntry.id, place.label("place")).where(CaseEntry.case.in_(ids)).subquery()
    query = select(CaseEntry).join(ranked, ranked.c.id == CaseEntry.id).where(ranked.c.place <= most)
    out: dict[str, list[CaseEntry]] = {}
    for entry in (await session.scalars(query.order_by(CaseEntry.id))).all():
        out.setdefault(entry.case, []).append(entry)
    return out, totals


def _organisations(states: Any, entries: dict[str, list[CaseEntry]]) -> set[str]:
    found: set[str] = set()
    for case in states:
        parties = case.parties
        found |= {parties.desk, parties.station, parties.manager, parties.owner, parties.platform, *parties.contractors}
        found |= {leg.organisation for leg in case.legs}
    return found | {
        str(entry.detail["organisation"])
        for held in entries.values()
        for entry in held
        if "organisation" in entry.detail
    }


def _entry(entry: CaseEntry, names: dict[str, str]) -> dict[str, Any]:
    detail = entry.detail
    if "organisation" in detail:
        detail = {**detail, "organisation": names.get(str(detail["organisation"]), "")}
    return {
        "id": entry.id, "at_ms": entry.at_ms, "said_at_ms": entry.said_at_ms, "by": entry.by, "name": entry.name,
        "organisation": entry.organisation, "step": entry.step, "detail": detail,
    }  # fmt: skip


def _by(by: By) -> dict[str, Any]:
    return {
        "by": by.id, "name": by.name, "organisation": by.organisation_name, "organisation_id": by.organisation,
        "at_ms": by.at_ms,
    }  # fmt: skip


def _body(row: CaseRow, case: Case, lift: Lift | None, names: dict[str, str]) -> dict[str, Any]:
    running = clocks(case)
    shelf, call, end = case.shelved, case.call_back, case.end_of_alarm
    return {
        "id": row.id, "number": row.number, "rev": row.rev, "lift": case.lift, "gateway": case.gateway,
        "lift_name": (lift.name or lift.id) if lift else "", "rescue_code": lift.rescue_code if lift else "",
        "kind": case.kind, "source": case.source, "severity": case.severity, "active": case.active, "phase": case.phase,
        "areas": sorted({fact.area for fact in case.incidents.values() if fact.area}),
        "acknowledged": _by(case.acknowledged) if case.acknowledged else None, "reminders": case.reminders,
        "shelved": {**_by(shelf.by), "until_ms": shelf.until_ms, "reason": shelf.reason} if shelf else None,
        "persons": dataclasses.asdict(case.persons) if case.persons else None,
        "caller": {"name": case.caller.name, "has_phone": bool(case.caller.phone)} if case.caller else None,
        "place": case.place or (lift.address if lift else ""), "comfort": case.comfort,
        "opened_at_ms": case.opened_at_ms, "since_ms": case.since_ms, "released_at_ms": case.released_at_ms, "closed_at_ms": case.closed_at_ms,
        "owner": _owner(case, names), "legs": [_leg(case, leg, names) for leg in case.legs],
        "clocks": [dataclasses.asdict(clock) for clock in running],
        "next_due_ms": running[0].due_ms if running else None,
        "outcome": case.outcome, "cause": case.cause, "cause_note": case.cause_note,
        "call_back": {**_by(call.by), "done": call.done, "note": call.note} if call else None,
        "end_of_alarm": {name: getattr(end, name) for name in _END} if end else None,
        "at_risk": case.at_risk, "silent_since_ms": case.silent_since_ms, "heard_at_ms": case.heard_at_ms,
    }  # fmt: skip


_END = ("asked_at_ms", "competent", "told_at_ms", "over", "tries", "detail")
_TIMES = (
    "ordered_at_ms", "answered_at_ms", "on_the_way_at_ms", "arrived_at_ms", "ended_at_ms", "answer_due_ms", "arrive_due_ms",
    "free_due_ms", "call_due_ms", "eta_ms",
)  # fmt: skip


def _leg(case: Case, leg: Leg, names: dict[str, str]) -> dict[str, Any]:
    """A level that stands by tells who would be sent."""
    organisation = leg.organisation or (organisation_of(case, leg.level) if leg.state == "standby" else "")
    return {
        "level": leg.level, "state": leg.state, "organisation_id": organisation,
        "organisation": names.get(organisation, "") if organisation else None,
        "responder": leg.responder.name if leg.responder else "", "missed": leg.missed, "steps_allowed": [],
        **{name: getattr(leg, name) for name in _TIMES},
    }  # fmt: skip


def _owner(case: Case, names: dict[str, str]) -> dict[str, Any] | None:
    if case.phase == "closed":
        return None
    has = case.acknowledged
    if has is not None:
        return {
            "organisation": has.organisation_name, "organisation_id": has.organisation, "name": has.name,
            "role": "acknowledged",
        }  # fmt: skip
    role = chain(case)[0]
    found = getattr(case.parties, role)
    id = found[0] if isinstance(found, list) else found
    return {"organisation": names.get(id, ""), "organisation_id": id, "name": "", "role": role}
