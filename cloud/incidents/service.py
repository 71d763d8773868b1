"""Incidents: stored by the highest version, receipted after the commit, read newest first. The gateway's word is the fact."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.scope import Scope
from cloud.clock import unix_ms
from cloud.incidents.members import of_members
from cloud.incidents.models import Incident
from cloud.lifts import filters as lift_filters
from cloud.lifts.models import Lift
from cloud.live import channel
from protocols.condition_texts import explained
from protocols.controller_fault_texts import told

MAX_LIST = 500
FEW_LIFTS = 100
IN_A_QUERY = 500
GRAVEST = 4


class Stored(NamedTuple):
    """The version held now, and if that is news, the incident as shown and its number in the alarm channel."""

    version: int
    shown: dict[str, Any] | None = None
    seq: int = 0


async def store(session: AsyncSession, gateway: str, found: dict[str, Any], sent_ms: int | None) -> Stored:
    """Store one incident if its revision or else its version is newer.

    Versions are the journal's: one that was made anew counts from its clock, which may be behind that of the one before.
    """
    name, version, rev = str(found["id"]), int(found["version"]), int(found["rev"])
    _check(found)
    row = await session.get(Incident, name)
    if row is not None and row.lift != str(found["lift"]):
        raise ValueError(f"incident {name[:80]} is one of another lift")
    if row is not None and (row.body["rev"], row.version) >= (rev, version):
        return Stored(row.version)
    now = unix_ms()
    if row is None:
        row = Incident(id=name, receipts=[])
        session.add(row)
    known = {entry["rev"] for entry in row.receipts}
    fresh = [
        {
            "destination": "cloud",
            "rev": rev["rev"],
            "phase": rev["phase"],
            "sent": sent_ms,
            "receipted": now,
            "attempts": 1,
        }
        for rev in found["revisions"]
        if rev["rev"] not in known
    ]
    row.gateway, row.lift, row.version = gateway, str(found["lift"]), version
    row.phase, row.body, row.area = str(found["phase"]), found, found.get("area")
    row.opened_at_ms, row.changed_at_ms = int(found["opened_at_ms"] or found["stages"]["received"]), now
    row.receipts = [*row.receipts, *fresh]
    seq = await channel.append(session, "incident", name, row.lift, now)
    await session.commit()
    return Stored(version, shown(row), seq)


def _check(found: dict[str, Any]) -> None:
    """What is searched by and decided by is as it must be; ValueError. PostgreSQL could not search among the others either."""
    severity = found["severity"]
    wrong = [name for name in ("kind", "class", "phase") if not isinstance(found[name], str)]
    if type(severity) is not int or not 1 <= severity <= GRAVEST:
        wrong.append("severity")
    if wrong:
        raise ValueError(f"incident {str(found['id'])[:80]}: not usable: {', '.join(wrong)}")


async def bodies(session: AsyncSession, names: list[str]) -> dict[str, dict[str, Any]]:
    """Incidents for the alarm channel, which finds out who may see them."""
    rows = await session.scalars(select(Incident).where(Incident.id.in_(names)))
    return {row.id: shown(row) for row in rows}


def visible(scope: Scope) -> ColumnElement[bool]:
    """Incidents of lifts that the scope covers, and those of a gateway itself for who sees a lift of it."""
    if scope.everywhere:
        return true()
    lifts = lift_filters.visible(scope)
    return or_(exists().where(Lift.id == Incident.lift, lifts), _of_gateways(lifts))


def _of_gateways(lifts: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(Incident.lift == Incident.gateway, Incident.gateway.in_(select(Lift.gateway).where(lifts)))


async def _visible_in_lists(session: AsyncSession, scope: Scope) -> ColumnElement[bool]:
    """The same as `visible`. Of few lifts each one's newest are looked up; of many the newest of all are walked until enough fit.

    Measured on 500,000 incidents of 10,000 lifts: the wrong way of the two takes seconds, the right one under 10 ms.
    """
    if scope.everywhere:
        return true()
    lifts = lift_filters.visible(scope)
    names = (await session.scalars(select(Lift.id).where(lifts).limit(FEW_LIFTS + 1))).all()
    if len(names) > FEW_LIFTS:
        return visible(scope)
    gateways = (await session.scalars(select(Lift.gateway).where(lifts).distinct())).all()
    of_gateways = and_(Incident.lift == Incident.gateway, Incident.gateway.in_(gateways))
    return and_(Incident.lift.in_([*names, *gateways]), or_(Incident.lift.in_(names), of_gateways))


async def newest(
    session: AsyncSession,
    scope: Scope,
    *,
    lift: str | None = None,
    phase: str | None = None,
    area: str | None = None,
    folded: bool = True,
    before: tuple[int | None, str] = (None, ""),
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Incidents, newest first; `phase` "open" means not closed. `before`: opened_at_ms and id of the last one seen. `area`: those of one area event; `folded` False: those of none."""
    order = (Incident.opened_at_ms.desc(), Incident.id.desc())
    mine = await _visible_in_lists(session, scope)
    query = select(Incident.id).where(mine).order_by(*order).limit(min(limit, MAX_LIST))
    if lift is not None:
        query = query.where(Incident.lift == lift)
    if area is not None:
        query = query.where(Incident.area == area)
    if not folded:
        # In a form that no index fits: nearly all are of no area, and the index of areas would be walked for them.
        query = query.where(func.coalesce(Incident.area, "") == "")
    if phase == "open":
        query = query.where(Incident.phase != "closed")
    elif phase is not None:
        query = query.where(Incident.phase == phase)
    before_ms, before_id = before
    if before_ms is not None and before_id:
        same = and_(Incident.opened_at_ms == before_ms, Incident.id < before_id)
        query = query.where(Incident.opened_at_ms <= before_ms, or_(Incident.opened_at_ms < before_ms, same))
    elif before_ms is not None:
        query = query.where(Incident.opened_at_ms < before_ms)
    # Only what is shown is read whole: bodies are long, and sorting them is not free.
    whole = select(Incident).where(Incident.id.in_(query)).order_by(*order)
    return await _for_eyes(session, scope, [shown(row) for row in (await session.scalars(whole)).all()])


async def one(session: AsyncSession, scope: Scope, name: str) -> dict[str, Any] | None:
    """One incident, None if there is none of that id that the scope covers."""
    row = await session.scalar(select(Incident).where(Incident.id == name, visible(scope)))
    return None if row is None else (await _for_eyes(session, scope, [shown(row)]))[0]


async def _for_eyes(session: AsyncSession, scope: Scope, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same without the members that the scope does not cover: an area event of a gateway has lifts of many."""
    names = sorted({str(member["lift"]) for incident in found for member in incident.get("members") or []})
    if scope.everywhere or not names:
        return found
    seen: set[str] = set()
    for at in range(0, len(names), IN_A_QUERY):
        query = select(Lift.id).where(Lift.id.in_(names[at : at + IN_A_QUERY]), lift_filters.visible(scope))
        seen |= set((await session.scalars(query)).all())
    return [of_members(incident, seen.__contains__) for incident in found]


def shown(row: Incident) -> dict[str, Any]:
    """As the API shows it: the gateway's body, the cloud's own receipts among the deliveries; evidence and controller's word in words."""
    body = row.body
    word = told(body["snapshot"].get("controller_fault"), body.get("profile"))
    return {
        **body, "gateway": row.gateway, "deliveries": [*body["deliveries"], *row.receipts], "controller_fault": word,
        "explanation": explained(body["kind"], body["evidence"], body["cause"], body.get("end_cause", "")),
    }  # fmt: skip
