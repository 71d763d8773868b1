"""Whom to call about a case. Personal data: the route that shows it is audited."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Membership, Person
from cloud.cases.limits import Rescue
from cloud.cases.models import CaseRow, state_of
from cloud.cases.parties import names_of, place_of
from cloud.cases.schemas import Contact
from cloud.cases.state import Case

# Of one organisation: whom to call is a short list, not a directory.
MOST = 20
ROLES = ("technician", "dispatcher", "administrator")


async def of_case(session: AsyncSession, rescue: Rescue, row: CaseRow) -> list[Contact]:
    """Who telephoned first, then by level who was sent, then who the lift names. `here`: he has said a step of a level."""
    case = state_of(row)
    case.parties = (await place_of(session, rescue, case, row.id)).parties
    out = []
    if case.caller is not None:
        out.append(
            Contact(
                party="caller",
                level=None,
                organisation="",
                name=case.caller.name,
                role="",
                phone=case.caller.phone,
                here=False,
            )
        )
    wanted = _organisations(case)
    names = await names_of(session, wanted)
    here = {leg.responder.id for leg in case.legs if leg.responder is not None}
    people = await _people(session, list(wanted))
    for id, (party, level) in wanted.items():
        found = sorted(
            people.get(id, []), key=lambda pair: (pair[0].id not in here, ROLES.index(pair[1]), pair[0].name)
        )
        for person, role in found[:MOST]:
            out.append(
                Contact(
                    party=party,
                    level=level,
                    organisation=names.get(id, ""),
                    name=person.name,
                    role=role,
                    phone=person.phone,
                    here=person.id in here,
                )
            )
    return out


def _organisations(case: Case) -> dict[str, tuple[str, int | None]]:
    """{organisation: (party, level)}, in the order in which they are called."""
    parties = case.parties
    out: dict[str, tuple[str, int | None]] = {}
    for leg in case.legs:
        if leg.organisation:
            party = "contractor" if leg.organisation in parties.contractors else "station"
            out.setdefault(leg.organisation, (party, leg.level))
    for id in parties.contractors:
        out.setdefault(id, ("contractor", None))
    for party in ("manager", "owner", "station", "desk"):
        if getattr(parties, party):
            out.setdefault(getattr(parties, party), (party, None))
    return out


async def _people(session: AsyncSession, organisations: list[str]) -> dict[str, list[tuple[Person, str]]]:
    query = (
        select(Membership.organisation, Membership.role, Person)
        .join(Person, Person.id == Membership.person)
        .where(Membership.organisation.in_(organisations), Membership.role.in_(ROLES), Person.active)
    )
    out: dict[str, dict[str, tuple[Person, str]]] = {}
    for organisation, role, person in (await session.execute(query)).all():
        held = out.setdefault(organisation, {})
        before = held.get(person.id)
        if before is None or ROLES.index(role) < ROLES.index(before[1]):
            held[person.id] = (person, role)
    return {organisation: list(found.values()) for organisation, found in out.items()}
