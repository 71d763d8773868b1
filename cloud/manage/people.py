"""Pages of people: who is there, what he may do, a one-time link for him, and shutting him out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import service, sessions, signing_in
from cloud.accounts.access import Config, Db, Now, Requires
from cloud.accounts.errors import AccountError, NotThere
from cloud.accounts.pages import see
from cloud.accounts.roles import ROLES
from cloud.accounts.routes import link_url
from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.manage.frame import Field, gone, managed

router = APIRouter(prefix="/manage/people", include_in_schema=False)

Manager = Annotated[Scope, Depends(Requires("people.manage", page=True))]
Reader = Annotated[Scope, Depends(Requires("people.manage", page=True, personal=True))]
PAGE = 100


async def _list(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    *,
    after: str = "",
    status: int = 200,
    problem: str = "",
    **typed: str,
) -> Response:
    rows = await service.people(session, scope, after=after, limit=PAGE)
    places = await _places(session, scope)
    return managed(
        request, scope, "people.html", "/manage/people", status=status, problem=problem, typed=typed, places=places,
        people=[(row, service.visible_memberships(scope, row)) for row in rows],
        more=rows[-1].sign_in_name if len(rows) == PAGE else "",
    )  # fmt: skip


async def _places(session: AsyncSession, scope: Scope) -> list[tuple[str, str, list[str]]]:
    """(id, name, roles) of the organisations in which roles can be given."""
    rows = await service.organisations(session, scope, limit=500)
    return [
        (row.id, row.name, list(ROLES[row.kind]))  # type: ignore[index]  # kinds are checked where they are made
        for row in rows
        if scope.may_in("people.manage", row.id)
    ]


async def _one(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    person: str,
    *,
    status: int = 200,
    problem: str = "",
    link: str = "",
) -> Response:
    session.expire_all()
    try:
        row = await service.person(session, scope, person)
    except NotThere:
        return gone(request)
    return managed(
        request, scope, "person.html", "/manage/people", status=status, problem=problem, person=row, link=link,
        memberships=service.visible_memberships(scope, row), places=await _places(session, scope),
    )  # fmt: skip


def _pair(place: str) -> tuple[str, str]:
    """(organisation, role) of a choice in the form."""
    organisation, _, role = place.partition(" ")
    return organisation[:16], role[:16]


@router.get("")
async def people(request: Request, session: Db, scope: Reader, after: str = "") -> Response:
    """People of one's organisations."""
    return await _list(request, session, scope, after=after)


@router.post("")
async def make(
    request: Request, session: Db, now: Now, scope: Manager,
    sign_in_name: Field = "", name: Field = "", phone: Field = "", place: Field = "", district: Field = "",
) -> Response:  # fmt: skip
    """A new person."""
    organisation, role = _pair(place)
    try:
        row = await service.make_person(
            session, now, scope, sign_in_name=sign_in_name, name=name or sign_in_name, phone=phone, language="zh",
            organisation_id=organisation, role=role, district=district.strip(),
        )  # fmt: skip
    except AccountError as error:
        await session.rollback()
        typed = {"sign_in_name": sign_in_name, "name": name, "phone": phone}
        return await _list(request, session, scope, status=error.status, problem=error.key, **typed)
    await session.commit()
    return see(f"/manage/people/{row.id}")


@router.get("/{person}")
async def person(request: Request, session: Db, scope: Reader, person: str) -> Response:
    """One person."""
    return await _one(request, session, scope, person)


@router.post("/{person}")
async def change(
    request: Request, session: Db, now: Now, scope: Manager, person: str,
    name: Field = "", phone: Field = "", active: Field = "",
) -> Response:  # fmt: skip
    """Name, telephone, and whether he may come in."""
    wanted = {
        "name": audit.clean(name.strip(), 120),
        "phone": audit.clean(phone.strip(), 32),
        "active": active == "yes",
    }
    try:
        row = await service.person(session, scope, person)
        wanted = {key: value for key, value in wanted.items() if value != getattr(row, key) and value != ""}
        if wanted:
            await service.change_person(session, now, scope, person, wanted)
    except AccountError as error:
        return await _refused(request, session, scope, person, error)
    await session.commit()
    await request.app.state.access_changed()
    return see(f"/manage/people/{person}")


@router.post("/{person}/link")
async def make_link(
    request: Request,
    session: Db,
    now: Now,
    scope: Manager,
    config: Config,
    person: str,
    purpose: Field = "set_password",
) -> Response:
    """A one-time link, shown on the page that answers and nowhere else."""
    try:
        row = await service.person(session, scope, person, to_change=True)
        kind = "sign_in" if purpose == "sign_in" else "set_password"
        text = await signing_in.make_link(session, now, scope, row, kind, config.link_ms)
    except AccountError as error:
        return await _refused(request, session, scope, person, error)
    await session.commit()
    return await _one(request, session, scope, person, link=link_url(request, config.origin, text))


@router.post("/{person}/sign-out")
async def sign_out(request: Request, session: Db, now: Now, scope: Manager, person: str) -> Response:
    """Sign him out everywhere."""
    try:
        row = await service.person(session, scope, person, to_change=True)
    except AccountError as error:
        return await _refused(request, session, scope, person, error)
    ended = await sessions.end(session, row.id)
    await audit.write(session, now, scope, "signed_out", f"person:{row.id}", sessions=ended)
    await session.commit()
    await request.app.state.access_changed()
    return see(f"/manage/people/{person}")


@router.post("/{person}/roles")
async def give_role(
    request: Request, session: Db, now: Now, scope: Manager, person: str, place: Field = "", district: Field = ""
) -> Response:
    """A further role."""
    organisation, role = _pair(place)
    try:
        await service.give_role(session, now, scope, person, organisation, role, district.strip())
    except AccountError as error:
        return await _refused(request, session, scope, person, error)
    await session.commit()
    await request.app.state.access_changed()
    return see(f"/manage/people/{person}")


@router.post("/{person}/roles/{membership}/take")
async def take_role(request: Request, session: Db, now: Now, scope: Manager, person: str, membership: str) -> Response:
    """Take a role away."""
    try:
        await service.take_role(session, now, scope, person, membership)
    except AccountError as error:
        return await _refused(request, session, scope, person, error)
    await session.commit()
    await request.app.state.access_changed()
    return see(f"/manage/people/{person}" if person != scope.actor.id else "/account")


async def _refused(request: Request, session: AsyncSession, scope: Scope, person: str, error: AccountError) -> Response:
    await session.rollback()
    return await _one(request, session, scope, person, status=error.status, problem=error.key)
