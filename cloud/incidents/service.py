"""Incidents: stored by the highest version, receipted after the commit, read newest first. The gateway's word is the fact."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.scope import Scope
from cloud.clock import unix_ms
from cloud.incidents.models import Incident
from cloud.lifts import filters as lift_filters
from cloud.lifts.models import Lift
from protocols.condition_texts import explained
from protocols.controller_fault_texts import told

MAX_LIST = 500


async def store(
    session: AsyncSession, gateway: str, found: dict[str, Any], sent_ms: int | None
) -> tuple[int, dict[str, Any] | None]:
    """Store one incident if its version is newer; (version held now, the incident as shown or None if nothing changed)."""
    name, version = str(found["id"]), int(found["version"])
    row = await session.get(Incident, name)
    if row is not None and row.lift != str(found["lift"]):
        raise ValueError(f"incident {name[:80]} is one of another lift")
    if row is not None and row.version >= version:
        return row.version, None
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
    await session.commit()
    return version, shown(row)


def visible(scope: Scope) -> ColumnElement[bool]:
    """Incidents of lifts that the scope covers, and those of a gateway itself for who sees a lift of it."""
    if scope.everywhere:
        return true()
    lifts = lift_filters.visible(scope)
    own = and_(Incident.lift == Incident.gateway, Incident.gateway.in_(select(Lift.gateway).where(lifts)))
    return or_(Incident.lift.in_(select(Lift.id).where(lifts)), own)


async def newest(
    session: AsyncSession,
    scope: Scope,
    *,
    lift: str | None = None,
    phase: str | None = None,
    area: str | None = None,
    folded: bool = True,
    before_ms: int | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Incidents, newest first; `phase` "open" means not closed. `area`: those of one area event; `folded` False: those of none."""
    query = (
        select(Incident)
        .where(visible(scope))
        .order_by(Incident.opened_at_ms.desc(), Incident.id.desc())
        .limit(min(limit, MAX_LIST))
    )
    if lift is not None:
        query = query.where(Incident.lift == lift)
    if area is not None:
        query = query.where(Incident.area == area)
    if not folded:
        query = query.where(Incident.area.is_(None))
    if phase == "open":
        query = query.where(Incident.phase != "closed")
    elif phase is not None:
        query = query.where(Incident.phase == phase)
    if before_ms is not None:
        query = query.where(Incident.opened_at_ms < before_ms)
    return [shown(row) for row in (await session.scalars(query)).all()]


async def one(session: AsyncSession, scope: Scope, name: str) -> dict[str, Any] | None:
    """One incident, None if there is none of that id that the scope covers."""
    row = await session.scalar(select(Incident).where(Incident.id == name, visible(scope)))
    return None if row is None else shown(row)


def shown(row: Incident) -> dict[str, Any]:
    """As the API shows it: the gateway's body, the cloud's own receipts among the deliveries; evidence and controller's word in words."""
    body = row.body
    word = told(body["snapshot"].get("controller_fault"), body.get("profile"))
    return {
        **body, "gateway": row.gateway, "deliveries": [*body["deliveries"], *row.receipts], "controller_fault": word,
        "explanation": explained(body["kind"], body["evidence"], body["cause"]),
    }  # fmt: skip
