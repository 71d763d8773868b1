"""Routes of organisations, people, roles, tokens and of one's own account."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.accounts import service, sessions, signing_in, tokens
from cloud.accounts.access import Config, Db, Now, Requires, SignedIn
from cloud.accounts.errors import NotThere
from cloud.accounts.models import Person as PersonRow
from cloud.accounts.models import Token as TokenRow
from cloud.accounts.roles import PERMISSIONS
from cloud.accounts.schemas import (
    GatewayTokenCreate,
    Link,
    LinkCreate,
    Me,
    Membership,
    MembershipCreate,
    Organisation,
    OrganisationChange,
    OrganisationCreate,
    Person,
    PersonChange,
    PersonCreate,
    Session,
    Token,
    TokenCreate,
    TokenMade,
)
from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.paging import Pages
from cloud.problems import describes
from cloud.tagging import Tagged

router = APIRouter(prefix="/api/v1", route_class=Tagged)

DAY_MS = 86_400_000
Limit = Annotated[int, Query(ge=1, le=500)]
Managing = Annotated[Scope, Depends(Requires("organisations.manage"))]
PeopleManager = Annotated[Scope, Depends(Requires("people.manage"))]
PeopleReader = Annotated[Scope, Depends(Requires("people.manage", personal=True))]
TokenManager = Annotated[Scope, Depends(Requires("tokens.manage"))]
GatewayManager = Annotated[Scope, Depends(Requires("gateways.manage"))]
Myself = Annotated[Scope, Depends(Requires("signed_in", people=True))]

# -- organisations ------------------------------------------------------------------------------------------------------


@router.get("/organisations", tags=["accounts"])
async def list_organisations(
    session: Db, scope: SignedIn, page: Pages, after: str = "", limit: Limit = 100
) -> list[Organisation]:
    """One's own organisations, by name; all of them for who administers the platform. `after` = the last name seen."""
    rows = await service.organisations(session, scope, after=after, limit=limit)
    return page.of([Organisation.of(row) for row in rows], limit, after=rows[-1].name if rows else "")


@router.post("/organisations", status_code=201, tags=["accounts"], responses=describes(409, 422))
async def make_organisation(session: Db, now: Now, scope: Managing, body: OrganisationCreate) -> Organisation:
    """A new organisation."""
    row = await service.make_organisation(session, now, scope, body.kind, body.name, body.districts)
    await session.commit()
    return Organisation.of(row)


@router.get("/organisations/{organisation}", tags=["accounts"], responses=describes(404))
async def one_organisation(session: Db, scope: SignedIn, organisation: str) -> Organisation:
    """One organisation."""
    return Organisation.of(await service.organisation(session, scope, organisation))


@router.patch("/organisations/{organisation}", tags=["accounts"], responses=describes(404, 409, 422))
async def change_organisation(
    session: Db, now: Now, scope: Managing, request: Request, organisation: str, body: OrganisationChange
) -> Organisation:
    """Another name, other districts. Whoever loses a district by it loses its lifts at once."""
    row = await service.change_organisation(session, now, scope, organisation, body.name, body.districts)
    await session.commit()
    await request.app.state.access_changed()
    return Organisation.of(row)


# -- people -------------------------------------------------------------------------------------------------------------


@router.get("/people", tags=["accounts"])
async def list_people(
    session: Db, scope: PeopleReader, page: Pages, after: str = "", limit: Limit = 100
) -> list[Person]:
    """People of the organisations whose people one manages, by sign-in name. `after` = the last one seen."""
    rows = await service.people(session, scope, after=after, limit=limit)
    found = [Person.of(row, service.visible_memberships(scope, row)) for row in rows]
    return page.of(found, limit, after=rows[-1].sign_in_name if rows else "")


@router.post("/people", status_code=201, tags=["accounts"], responses=describes(404, 409, 422))
async def make_person(session: Db, now: Now, scope: PeopleManager, body: PersonCreate) -> Person:
    """A new person with a first role."""
    row = await service.make_person(
        session, now, scope, sign_in_name=body.sign_in_name, name=body.name, phone=body.phone, language=body.language,
        organisation_id=body.organisation, role=body.role, district=body.district,
    )  # fmt: skip
    await session.commit()
    return Person.of(row, service.visible_memberships(scope, row))


@router.get("/people/{person}", tags=["accounts"], responses=describes(404))
async def one_person(session: Db, scope: PeopleReader, person: str) -> Person:
    """One person."""
    row = await service.person(session, scope, person)
    return Person.of(row, service.visible_memberships(scope, row))


@router.patch("/people/{person}", tags=["accounts"], responses=describes(404, 422))
async def change_person(
    session: Db, now: Now, scope: PeopleManager, request: Request, person: str, body: PersonChange
) -> Person:
    """Name, telephone, language, and whether he may come in at all."""
    changes = {name: value for name, value in body.model_dump().items() if value is not None}
    row = await service.change_person(session, now, scope, person, changes)
    await session.commit()
    await request.app.state.access_changed()
    return Person.of(row, service.visible_memberships(scope, row))


@router.post("/people/{person}/links", status_code=201, tags=["accounts"], responses=describes(404))
async def make_link(
    session: Db, now: Now, scope: PeopleManager, config: Config, request: Request, person: str, body: LinkCreate
) -> Link:
    """A one-time link for him to set a password or to sign in: give it to him by a way that you trust."""
    row = await service.person(session, scope, person, to_change=True)
    text = await signing_in.make_link(session, now, scope, row, body.purpose, config.link_ms)
    await session.commit()
    return Link(url=link_url(request, config.origin, text), ends_at_ms=now + config.link_ms)


@router.delete("/people/{person}/sessions", status_code=204, tags=["accounts"], responses=describes(404))
async def sign_person_out(session: Db, now: Now, scope: PeopleManager, request: Request, person: str) -> Response:
    """Sign him out everywhere."""
    row = await service.person(session, scope, person, to_change=True)
    ended = await sessions.end(session, row.id)
    await audit.write(session, now, scope, "signed_out", f"person:{row.id}", sessions=ended)
    await session.commit()
    await request.app.state.access_changed()
    return Response(status_code=204)


@router.post("/people/{person}/memberships", status_code=201, tags=["accounts"], responses=describes(404, 409, 422))
async def give_role(
    session: Db, now: Now, scope: PeopleManager, request: Request, person: str, body: MembershipCreate
) -> Person:
    """A further role. Open pages of his show more at once."""
    await service.give_role(session, now, scope, person, body.organisation, body.role, body.district)
    await session.commit()
    await request.app.state.access_changed()
    return await _anew(session, scope, person)


@router.delete("/people/{person}/memberships/{membership}", tags=["accounts"], responses=describes(404, 409))
async def take_role(
    session: Db, now: Now, scope: PeopleManager, request: Request, person: str, membership: str
) -> Person:
    """Take a role away. Open pages of his lose it at once; without any role the person stays, for the log's sake."""
    row = await service.person(session, scope, person)
    left = [m for m in service.visible_memberships(scope, row) if m.id != membership]
    await service.take_role(session, now, scope, person, membership)
    await session.commit()
    await request.app.state.access_changed()
    return Person.of(row, left)


async def _anew(session: Any, scope: Scope, person: str) -> Person:
    session.expire_all()
    row = await service.person(session, scope, person)
    return Person.of(row, service.visible_memberships(scope, row))


def link_url(request: Request, origin: str, text: str) -> str:
    """Where a one-time link leads."""
    return f"{origin or str(request.base_url).rstrip('/')}/link/{text}"


# -- tokens of machines -------------------------------------------------------------------------------------------------


def _token(row: TokenRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Token.model_fields}


@router.get("/tokens", tags=["accounts"])
async def list_tokens(
    session: Db, scope: TokenManager, page: Pages, after: str = "", limit: Limit = 100
) -> list[Token]:
    """Tokens of the organisations in which one manages them, by id, without their text. `after` = the last one seen."""
    rows = await tokens.listed(session, scope, after=after, limit=limit)
    return page.of([Token.model_validate(_token(row)) for row in rows], limit, after=rows[-1].id if rows else "")


@router.post("/tokens", status_code=201, tags=["accounts"], responses=describes(403, 404, 422))
async def make_token(session: Db, now: Now, scope: TokenManager, body: TokenCreate) -> TokenMade:
    """A token for the API, which may do what a role of an organisation may; its text is in this answer alone."""
    if not scope.may_in("tokens.manage", body.organisation):
        raise NotThere("not_there", "there is no such organisation")
    organisation = await service.organisation(session, scope, body.organisation)
    row, text = await tokens.make_api_token(
        session, now, scope, organisation, body.role, name=body.name, district=body.district,
        ends_at_ms=None if body.days is None else now + body.days * DAY_MS,
    )  # fmt: skip
    await session.commit()
    return TokenMade.model_validate({**_token(row), "token": text})


@router.post("/gateway-tokens", status_code=201, tags=["accounts"], responses=describes(422))
async def make_gateway_token(session: Db, now: Now, scope: GatewayManager, body: GatewayTokenCreate) -> TokenMade:
    """A token with which one gateway dials in; its text is in this answer alone."""
    row, text = await tokens.make_gateway_token(session, now, scope, body.gateway, body.name)
    await session.commit()
    return TokenMade.model_validate({**_token(row), "token": text})


@router.delete("/tokens/{token}", status_code=204, tags=["accounts"], responses=describes(404))
async def revoke_token(session: Db, now: Now, scope: TokenManager, request: Request, token: str) -> Response:
    """Revoke a token. A gateway that is connected with it is cut off at once."""
    await tokens.revoke(session, now, scope, token)
    await session.commit()
    await request.app.state.access_changed()
    return Response(status_code=204)


# -- one's own account --------------------------------------------------------------------------------------------------


@router.get("/me", tags=["accounts"])
async def me(session: Db, scope: SignedIn) -> Me:
    """Who asks, and what he may do."""
    row = None
    if scope.actor.kind == "person":
        row = await session.get(PersonRow, scope.actor.id, options=[sessions.WITH_GRANTS])
    return Me(
        kind="token" if row is None else "person",
        id=scope.actor.id,
        name=scope.actor.name,
        language=None if row is None else "en" if row.language == "en" else "zh",
        permissions=[name for name in PERMISSIONS if scope.may(name)],
        memberships=[] if row is None else [Membership.of(m) for m in row.memberships],
    )


@router.get("/me/sessions", tags=["accounts"])
async def my_sessions(session: Db, now: Now, scope: Myself, config: Config) -> list[Session]:
    """One's own signed-in browsers, newest first."""
    rows = await sessions.of_person(session, now, scope.actor.id, config.idle_ms)
    names = [name for name in Session.model_fields if name != "this"]
    return [Session(**{name: getattr(row, name) for name in names}, this=row.id == scope.session) for row in rows]


@router.delete("/me/sessions/{name}", status_code=204, tags=["accounts"], responses=describes(404))
async def end_my_session(session: Db, now: Now, scope: Myself, request: Request, name: str) -> Response:
    """Sign one of one's own browsers out."""
    if not await sessions.end(session, scope.actor.id, only=name):
        raise NotThere("not_there", "there is no such session of yours")
    await audit.write(session, now, scope, "signed_out", f"person:{scope.actor.id}", session=name)
    await session.commit()
    await request.app.state.access_changed()
    return Response(status_code=204)
