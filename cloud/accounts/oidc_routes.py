"""Routes of signing in by an OpenID provider, and of giving its identities to people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from cloud.accounts import oidc, service
from cloud.accounts.access import Config, Db, From, Now, Public, Requires
from cloud.accounts.errors import AccountError, Refused
from cloud.accounts.pages import let_in, local, see
from cloud.accounts.schemas import Body, example
from cloud.accounts.scope import Actor, Scope
from cloud.audit import service as audit
from cloud.pages.render import page
from cloud.problems import describes
from cloud.settings import OidcProvider, Settings

router = APIRouter()

Open = Depends(Public())
PeopleManager = Annotated[Scope, Depends(Requires("people.manage"))]


class Identity(Body):
    """Somebody as a provider knows him."""

    model_config = example(issuer="https://login.example", subject="248289761001")

    issuer: Annotated[str, Field(min_length=1, max_length=200, examples=["https://login.example"])]
    subject: Annotated[str, Field(min_length=1, max_length=200)]


def cookie_name(settings: Settings) -> str:
    """The cookie that binds what was begun to this browser."""
    return "__Host-liftwatch-oidc" if settings.https else "liftwatch-oidc"


def _back(request: Request, settings: Settings, provider: OidcProvider) -> str:
    return f"{settings.origin or str(request.base_url).rstrip('/')}/oidc/{provider.id}/callback"


def _failed(request: Request, error: AccountError) -> Response:
    return page(
        request, "message.html", status=error.status, title="error", text=error.key, to="/sign-in", to_word="sign_in"
    )


@router.get("/oidc/{provider}", dependencies=[Open], include_in_schema=False)
async def begin(
    request: Request, session: Db, now: Now, client: From, settings: Config, provider: str, next: str = "/"
) -> Response:
    """To the provider."""
    providers: oidc.Oidc = request.app.state.oidc
    try:
        await request.app.state.limiter.attempt(client.ip)
        found = providers.provider(provider)
        url, token = await providers.begin(session, now, found, _back(request, settings, found), local(next))
    except AccountError as error:
        return _failed(request, error)
    await session.commit()
    answer = see(url)
    # Lax, not Strict: it must come along when the provider sends the browser back.
    answer.set_cookie(
        cookie_name(settings), token, max_age=300, path="/", secure=settings.https, httponly=True, samesite="lax"
    )
    return answer


@router.get("/oidc/{provider}/callback", dependencies=[Open], include_in_schema=False)
async def callback(request: Request, session: Db, now: Now, client: From, settings: Config, provider: str) -> Response:
    """Back from the provider."""
    providers: oidc.Oidc = request.app.state.oidc
    try:
        await request.app.state.limiter.attempt(client.ip)
        found = providers.provider(provider)
        cookie = request.cookies.get(cookie_name(settings), "")
        query = dict(request.query_params)
        back = _back(request, settings, found)
        subject, next = await providers.finish(session, now, found, back, cookie, query)
        person = await oidc.person_of(session, now, found.issuer, subject, client)
    except AccountError as error:
        if isinstance(error, Refused | oidc.Failed) and error.key == "oidc_failed":
            nobody = Actor("nobody", "", "", client.ip, client.request)
            await audit.write(session, now, nobody, "sign_in.refused", "", why=f"oidc {provider[:32]}: {error}"[:300])
            await session.commit()
        answer = _failed(request, error)
    else:
        answer = await let_in(session, now, person, "oidc", client, settings, next)
    answer.delete_cookie(cookie_name(settings), path="/", secure=settings.https, httponly=True, samesite="lax")
    return answer


@router.post(
    "/api/v1/people/{person}/identities", status_code=204, tags=["accounts"], responses=describes(403, 404, 409, 422)
)
async def give_identity(
    request: Request, session: Db, now: Now, scope: PeopleManager, person: str, body: Identity
) -> Response:
    """Let him in by an identity of a configured provider. Nobody gets in whom nobody has linked."""
    row = await service.person(session, scope, person, to_change=True)
    issuers = [provider.issuer for provider in request.app.state.settings.oidc]
    if body.issuer not in issuers:
        raise Refused("no_such_provider", f"no provider has this issuer; there are: {', '.join(issuers) or 'none'}")
    await oidc.link(session, now, scope, row, body.issuer, body.subject)
    await session.commit()
    return Response(status_code=204)


@router.delete("/api/v1/people/{person}/identities", status_code=204, tags=["accounts"], responses=describes(403, 404))
async def take_identity(
    session: Db, now: Now, scope: PeopleManager, person: str, issuer: str, subject: str
) -> Response:
    """Take it away again; sessions that it began go on until they end or are ended."""
    row = await service.person(session, scope, person, to_change=True)
    await oidc.unlink(session, now, scope, row, issuer, subject)
    await session.commit()
    return Response(status_code=204)
