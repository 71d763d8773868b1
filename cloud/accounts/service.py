"""Organisations, people and roles. Each function takes the scope of who asks; what it does not cover is not there for him."""

import re
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload

from cloud.accounts import changes, sessions
from cloud.accounts.errors import Conflict, NotAllowed, NotThere, Refused
from cloud.accounts.models import Membership, Organisation, OrganisationDistrict, Person
from cloud.accounts.roles import BY_DISTRICT, KINDS, permissions
from cloud.accounts.scope import Scope
from cloud.audit import service as audit

SIGN_IN_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
DISTRICT = re.compile(r"[0-9]{2,12}")


def check_district(code: str) -> str:
    """The code, or Refused: 2 to 12 digits of the national list, or empty."""
    if code and not DISTRICT.fullmatch(code):
        raise Refused("district_form", f"{code!r:.40}: a district is 2 to 12 digits, as 3301 or 330106")
    return code


# -- organisations ------------------------------------------------------------------------------------------------------


def _own(scope: Scope) -> ColumnElement[bool]:
    """Organisations that he belongs to; all of them for who administers the platform."""
    return true() if scope.everywhere else Organisation.id.in_({grant.organisation for grant in scope.grants})


async def organisations(
    session: AsyncSession, scope: Scope, *, after: str = "", limit: int = 100
) -> list[Organisation]:
    """By name; `after` = name of the last one seen turns the page."""
    query = select(Organisation).where(_own(scope), Organisation.name > after).order_by(Organisation.name)
    return list((await session.scalars(query.limit(limit).options(selectinload(Organisation.districts)))).all())


async def organisation(session: AsyncSession, scope: Scope, name: str) -> Organisation:
    """One; NotThere if he does not belong to it."""
    query = select(Organisation).where(_own(scope), Organisation.id == name)
    found = await session.scalar(query.options(selectinload(Organisation.districts)))
    if found is None:
        raise NotThere("not_there", "there is no such organisation")
    return found


async def make_organisation(
    session: AsyncSession, now_ms: int, scope: Scope, kind: str, name: str, districts: list[str]
) -> Organisation:
    """A new one; Conflict if the name is taken."""
    if kind not in KINDS or kind == "platform":
        raise Refused("no_such_kind", f"kind {kind!r:.40}: there are {', '.join(KINDS[1:])}")
    found = Organisation(kind=kind, name=audit.clean(name.strip(), 120), made_at_ms=now_ms, districts=[])
    _set_districts(found, districts)
    session.add(found)
    await _flushed(session, "name_taken", f"there is an organisation {name[:40]!r} already")
    await audit.write(
        session,
        now_ms,
        scope,
        "organisation.made",
        f"organisation:{found.id}",
        kind=kind,
        name=name,
        districts=districts,
    )
    return found


async def change_organisation(
    session: AsyncSession, now_ms: int, scope: Scope, id: str, name: str | None, districts: list[str] | None
) -> Organisation:
    """Another name, other districts; None leaves what is there."""
    found = await organisation(session, scope, id)
    before = {"name": found.name, "districts": [district.code for district in found.districts]}
    if name is not None:
        found.name = audit.clean(name.strip(), 120)
    if districts is not None:
        _set_districts(found, districts)
        await changes.access_changed(session)
    await _flushed(session, "name_taken", "there is an organisation of that name already")
    after = {"name": found.name, "districts": [district.code for district in found.districts]}
    await audit.write(session, now_ms, scope, "organisation.changed", f"organisation:{id}", before=before, after=after)
    return found


def _set_districts(found: Organisation, codes: list[str]) -> None:
    if codes and found.kind not in BY_DISTRICT:
        raise Refused("no_districts", f"an organisation of kind {found.kind} has no districts; give them to its lifts")
    wanted = {check_district(code) for code in codes if code}
    kept = [district for district in found.districts if district.code in wanted]
    fresh = wanted - {district.code for district in kept}
    found.districts = [*kept, *(OrganisationDistrict(code=code) for code in sorted(fresh))]


# -- people -------------------------------------------------------------------------------------------------------------


def _managed(scope: Scope) -> ColumnElement[bool]:
    """People with a role in an organisation whose people he manages. To see one is not yet to change him: `_changeable`."""
    if scope.everywhere:
        return true()
    return exists().where(
        Membership.person == Person.id, Membership.organisation.in_(scope.organisations("people.manage"))
    )


def _solely_managed(scope: Scope) -> ColumnElement[bool]:
    """People all of whose roles are in his organisations: else he could take over somebody of another one."""
    if scope.everywhere:
        return true()
    other = aliased(Membership)
    foreign = exists().where(other.person == Person.id, other.organisation.not_in(scope.organisations("people.manage")))
    return and_(_managed(scope), ~foreign)


async def people(session: AsyncSession, scope: Scope, *, after: str = "", limit: int = 100) -> list[Person]:
    """People whom he manages, by sign-in name; `after` = that of the last one seen turns the page."""
    query = select(Person).where(_managed(scope), Person.sign_in_name > after).order_by(Person.sign_in_name)
    return list((await session.scalars(query.limit(limit).options(sessions.WITH_GRANTS))).all())


async def person(session: AsyncSession, scope: Scope, id: str, *, to_change: bool = False) -> Person:
    """One whom he manages; NotThere otherwise. `to_change`: NotAllowed where somebody else manages him too."""
    query = select(Person).where(_managed(scope), Person.id == id).options(sessions.WITH_GRANTS)
    found = await session.scalar(query)
    if found is None:
        raise NotThere("not_there", "there is no such person")
    if to_change and await session.scalar(select(Person.id).where(_solely_managed(scope), Person.id == id)) is None:
        raise NotAllowed("also_elsewhere", "he has a role elsewhere too: only an administrator of the platform may")
    return found


def visible_memberships(scope: Scope, found: Person) -> list[Membership]:
    """Those of a person that lie in organisations whose people he manages."""
    return [m for m in found.memberships if scope.may_in("people.manage", m.organisation)]


async def make_person(
    session: AsyncSession,
    now_ms: int,
    scope: Scope,
    *,
    sign_in_name: str,
    name: str,
    phone: str,
    language: str,
    organisation_id: str,
    role: str,
    district: str,
) -> Person:
    """A new person with a first role; without a password until a one-time link was used."""
    sign_in_name = sign_in_name.strip().lower()
    if not SIGN_IN_NAME.fullmatch(sign_in_name):
        raise Refused(
            "sign_in_name_form", "a sign-in name has 1 to 64 of a-z, 0-9 and . _ @ -, and begins with a letter or digit"
        )
    place = await _place_for(session, scope, organisation_id, role, district)
    found = Person(
        sign_in_name=sign_in_name, name=audit.clean(name.strip(), 120), phone=audit.clean(phone.strip(), 32),
        language=language, made_at_ms=now_ms,
    )  # fmt: skip
    session.add(found)
    await _flushed(session, "sign_in_name_taken", "somebody has this sign-in name already")
    session.add(Membership(person=found.id, organisation=place.id, role=role, district=district))
    await session.flush()
    await audit.write(
        session, now_ms, scope, "person.made", f"person:{found.id}", sign_in_name=sign_in_name, organisation=place.id,
        role=role, district=district,
    )  # fmt: skip
    return await person(session, scope, found.id)


async def change_person(session: AsyncSession, now_ms: int, scope: Scope, id: str, wanted: dict[str, Any]) -> Person:
    """`wanted`: some of name, phone, language, active. Who is no longer active is signed out at once."""
    found = await person(session, scope, id, to_change=True)
    if wanted.get("active") is False and scope.actor.id == id:
        raise Refused("not_yourself", "you cannot shut yourself out; another administrator can")
    before = {name: getattr(found, name) for name in wanted}
    for name, value in wanted.items():
        setattr(found, name, value)
    if wanted.get("active") is False:
        await sessions.end(session, id)
        await changes.access_changed(session)
    await session.flush()
    await audit.write(session, now_ms, scope, "person.changed", f"person:{id}", before=before, after=wanted)
    return found


async def _place_for(
    session: AsyncSession, scope: Scope, organisation_id: str, role: str, district: str
) -> Organisation:
    """The organisation, checked: it is his to give roles in, has this role, and the district is one."""
    if not scope.may_in("people.manage", organisation_id):
        raise NotThere("not_there", "there is no such organisation")
    found = await organisation(session, scope, organisation_id)
    if not permissions(found.kind, role):
        raise Refused("no_such_role", f"an organisation of kind {found.kind} has no role {role!r:.40}")
    check_district(district)
    return found


async def give_role(
    session: AsyncSession, now_ms: int, scope: Scope, id: str, organisation_id: str, role: str, district: str
) -> Membership:
    """A further role of a person whom he manages; Conflict if he has it."""
    found = await person(session, scope, id)
    place = await _place_for(session, scope, organisation_id, role, district)
    given = Membership(person=found.id, organisation=place.id, role=role, district=district)
    session.add(given)
    await _flushed(session, "has_role", "he has this role already")
    await changes.access_changed(session)
    await audit.write(
        session, now_ms, scope, "role.given", f"person:{id}", organisation=place.id, role=role, district=district
    )
    return given


async def take_role(session: AsyncSession, now_ms: int, scope: Scope, id: str, membership: str) -> None:
    """Take a role away; open pages of his lose it at once. The last administrator of the platform stays."""
    found = await person(session, scope, id)
    taken = next((m for m in visible_memberships(scope, found) if m.id == membership), None)
    if taken is None:
        raise NotThere("not_there", "he has no such role")
    if taken.of.kind == "platform" and taken.role == "administrator":
        query = select(Membership.id).join(Organisation).where(
            Organisation.kind == "platform", Membership.role == "administrator", Membership.id != membership
        )  # fmt: skip
        if await session.scalar(query.limit(1)) is None:
            raise Conflict("last_administrator", "somebody must administer the platform; make another one first")
    await session.execute(delete(Membership).where(Membership.id == membership))
    await changes.access_changed(session)
    await audit.write(
        session, now_ms, scope, "role.taken", f"person:{id}", organisation=taken.organisation, role=taken.role,
        district=taken.district,
    )  # fmt: skip


async def _flushed(session: AsyncSession, key: str, detail: str) -> None:
    """Send what is new to the database; Conflict with `key` where a unique column has it already."""
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(key, detail) from error
