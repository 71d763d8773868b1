"""Lifts: told by gateways, assigned by administrators, asked by every read. One copy in memory for the live stream."""

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import changes
from cloud.accounts.errors import NotThere, Refused
from cloud.accounts.models import Organisation
from cloud.accounts.scope import Assignment, Scope
from cloud.accounts.service import check_district
from cloud.audit import service as audit
from cloud.lifts.filters import visible
from cloud.lifts.models import RECORD, Lift
from cloud.lifts.schemas import ToldLift
from protocols.identity import is_id

IN_A_QUERY = 500
SLOTS = {"contractor": "contractor", "owner": "owner", "manager": "property_manager"}


async def known(session: AsyncSession, now_ms: int, gateway: str, lifts: list[str]) -> set[str]:
    """Those of `lifts` that this gateway may tell of. New ones become its own, and are nobody's yet."""
    names = [name for name in dict.fromkeys(lifts) if is_id(name)]
    held: dict[str, str] = {}
    for at in range(0, len(names), IN_A_QUERY):
        rows = await session.execute(select(Lift.id, Lift.gateway).where(Lift.id.in_(names[at : at + IN_A_QUERY])))
        held |= dict(rows.all())
    fresh = [name for name in names if name not in held]
    if fresh:
        session.add_all(Lift(id=name, gateway=gateway, district="", made_at_ms=now_ms) for name in fresh)
        try:
            await session.commit()
        except IntegrityError:  # another gateway has told of one of them meanwhile: it is that one's
            await session.rollback()
            return await known(session, now_ms, gateway, names)
    return {name for name in names if held.get(name, gateway) == gateway}


async def keep_records(session: AsyncSession, now_ms: int, told: list[ToldLift]) -> None:
    """Keep what a gateway told of its own lifts, so that they are known before it dials in again."""
    records = {record.id: record for record in told}
    names = list(records)
    for at in range(0, len(names), IN_A_QUERY):
        for row in (await session.scalars(select(Lift).where(Lift.id.in_(names[at : at + IN_A_QUERY])))).all():
            for name in RECORD:
                value = getattr(records[row.id], name)
                if getattr(row, name) != value:
                    setattr(row, name, value)
            # Not each time: a gateway on a bad line dials in often.
            if row.told_at_ms is None or session.is_modified(row):
                row.told_at_ms = now_ms
    await session.commit()


async def kept_records(session: AsyncSession) -> list[tuple[str, dict[str, Any]]]:
    """(gateway, record) of every lift that is known."""
    return [(row.gateway, row.record) for row in (await session.scalars(select(Lift).order_by(Lift.id))).all()]


async def by_code(session: AsyncSession, scope: Scope, code: str) -> Lift | None:
    """The lift with this 6-digit rescue code that the scope covers; the first by id where a code was given twice."""
    if not code:
        return None
    query = select(Lift).where(Lift.rescue_code == code, visible(scope)).order_by(Lift.id).limit(1)
    found: Lift | None = await session.scalar(query)
    return found


async def is_anothers(session: AsyncSession, gateway: str, name: str) -> bool:
    """There is a lift of that id, and another gateway tells of it."""
    owner = await session.scalar(select(Lift.gateway).where(Lift.id == name))
    return owner is not None and owner != gateway


async def assignments(session: AsyncSession) -> dict[str, Assignment]:
    """Of all lifts, for the memory of the live stream."""
    rows = await session.execute(select(Lift.id, Lift.contractor, Lift.owner, Lift.manager, Lift.district))
    shared: dict[Assignment, Assignment] = {}
    out = {}
    for name, contractor, owner, manager, district in rows:
        found = Assignment(contractor or "", owner or "", manager or "", district)
        out[name] = shared.setdefault(found, found)
    return out


async def one(session: AsyncSession, scope: Scope, name: str) -> Lift:
    """One lift; NotThere where the scope does not cover it."""
    found = await session.scalar(select(Lift).where(Lift.id == name, visible(scope)))
    if found is None:
        raise NotThere("not_there", f"there is no lift {name[:40]!r}; GET /api/v1/lifts lists them")
    return found


async def listed(
    session: AsyncSession, scope: Scope, *, unassigned: bool = False, after: str = "", limit: int = 100
) -> list[Lift]:
    """Lifts by id; `after` = id of the last one seen turns the page. `unassigned`: those that lack a contractor or a district."""
    query = select(Lift).where(visible(scope), Lift.id > after).order_by(Lift.id).limit(limit)
    if unassigned:
        query = query.where(or_(Lift.contractor.is_(None), Lift.district == ""))
    return list((await session.scalars(query)).all())


async def names_of(session: AsyncSession, lifts: list[Lift]) -> dict[str, str]:
    """Names of the organisations that these lifts name."""
    wanted = {id for lift in lifts for id in (lift.contractor, lift.owner, lift.manager) if id}
    rows = await session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(wanted)))
    return dict(rows.all())


async def assign(
    session: AsyncSession, now_ms: int, scope: Scope, name: str, wanted: Assignment, gateway: str | None = None
) -> Lift:
    """Say whose a lift is, and with `gateway` which gateway tells of it from now on. Open streams follow at once."""
    lift = await one(session, scope, name)
    for slot, kind in SLOTS.items():
        id = getattr(wanted, slot)
        found = await session.get(Organisation, id) if id else None
        if id and (found is None or found.kind != kind):
            raise Refused("wrong_kind", f"{slot} {id!r:.40} is no organisation of kind {kind}")
    check_district(wanted.district)
    if gateway is not None and not is_id(gateway):
        raise Refused("gateway_form", f"{gateway!r:.40}: a gateway's id is 1 to 32 of a-z, 0-9 and '-'")
    before = {"gateway": lift.gateway, **vars(lift.assignment)}
    lift.contractor, lift.owner, lift.manager = wanted.contractor or None, wanted.owner or None, wanted.manager or None
    lift.district = wanted.district
    lift.gateway = gateway or lift.gateway
    await changes.access_changed(session)
    after = {"gateway": lift.gateway, **vars(wanted)}
    await audit.write(session, now_ms, scope, "lift.assigned", f"lift:{name}", before=before, after=after)
    return lift
