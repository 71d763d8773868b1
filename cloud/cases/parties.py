"""Finds whom a case concerns: by its lift, its gateway, or the district of a call, and by the file of districts."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Organisation, OrganisationDistrict
from cloud.accounts.scope import Assignment
from cloud.cases.limits import District, Rescue
from cloud.cases.models import CaseUnit
from cloud.cases.state import Case, Parties
from cloud.cases.whose import Whose
from cloud.lifts.models import Lift

STATIONS = ("rescue_centre", "contractor")


@dataclass(frozen=True)
class Place:
    """What a case is about, as the tables have it now."""

    whose: Whose
    parties: Parties
    district: District
    lift: Lift | None = None
    lifts: tuple[Lift, ...] = ()


async def place_of(session: AsyncSession, rescue: Rescue, case: Case, id: str = "") -> Place:
    """Of a case; `id` finds who was sent to it."""
    units = frozenset((await session.scalars(select(CaseUnit.organisation).where(CaseUnit.case == id))).all())
    lifts: list[Lift] = []
    if case.lift:
        lifts = list((await session.scalars(select(Lift).where(Lift.id == case.lift))).all())
    elif case.gateway:
        found = select(Lift).where(Lift.gateway == case.gateway).order_by(Lift.id)
        lifts = list((await session.scalars(found)).all())
    code = (lifts[0].district if lifts else "") or case.district
    district = rescue.of(code)
    assignments = tuple(dict.fromkeys(lift.assignment for lift in lifts))
    parties = await _parties(session, district, code, assignments)
    whose = Whose(assignments, code, not (case.lift or case.gateway), units)
    return Place(whose, parties, district, lifts[0] if case.lift and lifts else None, tuple(lifts))


async def _parties(
    session: AsyncSession, district: District, code: str, assignments: tuple[Assignment, ...]
) -> Parties:
    def only(ids: Iterable[str]) -> list[str]:
        return [id for id in dict.fromkeys(ids) if id]

    return Parties(
        contractors=only(found.contractor for found in assignments),
        desk=await _named(session, district.desk, ("rescue_centre",)) or await _desk_of(session, code),
        station=await _named(session, district.station, STATIONS),
        manager=next(iter(only(found.manager for found in assignments)), ""),
        owner=next(iter(only(found.owner for found in assignments)), ""),
        platform=await session.scalar(select(Organisation.id).where(Organisation.kind == "platform").limit(1)) or "",
    )


async def _named(session: AsyncSession, name: str, kinds: tuple[str, ...]) -> str:
    """The organisation of that name; empty where there is none of these kinds."""
    if not name:
        return ""
    query = select(Organisation.id).where(Organisation.name == name, Organisation.kind.in_(kinds))
    return await session.scalar(query) or ""


async def unknown_names(session: AsyncSession, rescue: Rescue) -> list[str]:
    """Desks and stations of the file that no organisation is called: whom they stand for would have to be telephoned."""
    wanted = {
        name for found in (rescue.default, *rescue.districts.values()) for name in (found.desk, found.station) if name
    }
    held = (await session.scalars(select(Organisation.name).where(Organisation.name.in_(wanted)))).all()
    return sorted(wanted - set(held))


async def _desk_of(session: AsyncSession, code: str) -> str:
    """The rescue centre whose district is the nearest to the place."""
    if not code:
        return ""
    begins = [code[:end] for end in range(2, len(code) + 1)]
    query = (
        select(OrganisationDistrict.organisation, OrganisationDistrict.code)
        .join(Organisation, Organisation.id == OrganisationDistrict.organisation)
        .where(Organisation.kind == "rescue_centre", OrganisationDistrict.code.in_(begins))
    )
    found = sorted((-len(own), id) for id, own in (await session.execute(query)).all())
    return found[0][1] if found else ""


async def names_of(session: AsyncSession, ids: Iterable[str]) -> dict[str, str]:
    """Names of organisations."""
    wanted = {id for id in ids if id}
    if not wanted:
        return {}
    rows = await session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(wanted)))
    return dict(rows.all())
