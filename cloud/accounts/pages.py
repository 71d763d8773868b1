"""Pages of one's own account, server-rendered: sign in and out, one-time links, sessions, password."""

import urllib.parse
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import passkeys, sessions, signing_in
from cloud.accounts.access import Config, Db, From, Now, Public, Requires, SignInNeeded, scope_of
from cloud.accounts.errors import AccountError, NotThere, Refused, TooMany
from cloud.accounts.models import Person
from cloud.accounts.scope import Actor, Scope
from cloud.accounts.sessions import Client
from cloud.audit import service as audit
from cloud.pages.menu import sections_of
from cloud.pages.render import LANGUAGE_COOKIE, YEAR_S, page
from cloud.settings import Settings

router = APIRouter(include_in_schema=False)

Open = Depends(Public())
Somebody = Annotated[Scope, Depends(Requires("signed_in", page=True))]
Field = Annotated[str, Form(max_length=300)]


def local(path: str) -> str:
    """A path of our own to go on to; the live page where it is anything else."""
    fits = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fits and len(path) <= 500 else "/"


def see(path: str) -> RedirectResponse:
    """Go on there by GET."""
    return RedirectResponse(path, status_code=303)


async def to_sign_in(request: Request, error: Exception) -> Response:
    """Handler of SignInNeeded: to the sign-in page, and back afterwards."""
    assert isinstance(error, SignInNeeded)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = wanted if request.method == "GET" else "/"
    return see("/sign-in" + (f"?{urllib.parse.urlencode({'next': back})}" if back != "/" else ""))


async def let_in(
    session: AsyncSession, now_ms: int, person: Person, method: str, client: Client, settings: Settings, to: str
) -> Response:
    """Begin a session and go on to `to` with its cookie. Commits."""
    token = await sessions.begin(session, now_ms, person, method, client, settings.absolute_ms)
    await session.commit()
    answer = see(local(to))
    set_cookie(answer, settings, token)
    answer.set_cookie(LANGUAGE_COOKIE, person.language, max_age=YEAR_S, httponly=True, samesite="lax")
    return answer


def set_cookie(answer: Response, settings: Settings, token: str) -> None:
    """The session's cookie: for this host alone, never for scripts, never from another site's form."""
    answer.set_cookie(
        settings.cookie, token, max_age=settings.absolute_ms // 1000, path="/", secure=settings.https, httponly=True,
        samesite="lax",
    )  # fmt: skip


# Paths of the one document of cloud/web, which shows by the path what is asked for (src/app/pages.ts).
@router.get("/")
@router.get("/lift/{name}")
@router.get("/desk")
@router.get("/desk/{name}")
@router.get("/phone")
@router.get("/phone/{name}")
@router.get("/wall")
async def live_page(request: Request, scope: Somebody) -> Response:
    """The page, for who is signed in. It holds nothing of anybody: what it shows it reads by the API."""
    index = request.app.state.static / "index.html"
    if not index.exists():
        return page(
            request, "message.html", status=503, title="error", text="not_there", to="/account", to_word="account"
        )
    return FileResponse(index, headers={"Cache-Control": "no-cache"})


@router.get("/phone-worker.js", dependencies=[Open])
async def phone_worker(request: Request) -> Response:
    """What lets the technician's page open without a line: a file of the page's own. Asked for anew each time, so that it can be mended."""
    path = request.app.state.static / "phone-worker.js"
    if not path.exists():
        raise NotThere("not_there", "the page is not built: python -m cloud.web.build")
    return FileResponse(path, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@router.get("/sign-in", dependencies=[Open])
async def sign_in_form(request: Request, next: str = "/") -> Response:
    """The form; who is signed in already goes on."""
    if await scope_of(request) is not None:
        return see(local(next))
    return _sign_in(request, next)


def _sign_in(request: Request, next: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    providers = request.app.state.settings.oidc
    return page(
        request, "sign_in.html", status=status, next=local(next), name=name, problem=problem, providers=providers
    )


@router.post("/sign-in", dependencies=[Open])
async def sign_in(
    request: Request, session: Db, now: Now, client: From, config: Config,
    name: Field = "", password: Field = "", next: Field = "/",
) -> Response:  # fmt: skip
    """Take name and password."""
    try:
        await request.app.state.limiter.attempt(client.ip)
        person = await signing_in.by_password(session, now, config.passwords, name, password, client)
    except TooMany as error:
        return _sign_in(request, next, name=name, problem=error.key, status=429)
    except Refused as error:
        return _sign_in(request, next, name=name, problem=error.key, status=401)
    return await let_in(session, now, person, "password", client, config, next)


@router.post("/sign-out")
async def sign_out(session: Db, now: Now, scope: Somebody, config: Config, request: Request) -> Response:
    """End this session."""
    await sessions.end(session, scope.actor.id, only=scope.session)
    await audit.write(session, now, scope, "signed_out", f"person:{scope.actor.id}", session=scope.session)
    await session.commit()
    await request.app.state.access_changed()
    answer = see("/sign-in")
    answer.delete_cookie(config.cookie, path="/", secure=config.https, httponly=True, samesite="lax")
    return answer


# -- one-time links -----------------------------------------------------------------------------------------------------


def _gone(request: Request, error: AccountError) -> Response:
    return page(
        request, "message.html", status=error.status, title="link_gone_title", text=error.key, to="/sign-in",
        to_word="sign_in",
    )  # fmt: skip


@router.get("/link/{token}", dependencies=[Open])
async def look_at_link(request: Request, session: Db, now: Now, client: From, token: str) -> Response:
    """What the link is for. Looking does not use it up: programs look at links before people do."""
    try:
        await request.app.state.limiter.attempt(client.ip)
        link, person = await signing_in.look_at_link(session, now, token)
    except (NotThere, TooMany) as error:
        return _gone(request, error)
    return page(request, "link.html", purpose=link.purpose, person=person, problem="")


@router.post("/link/{token}", dependencies=[Open])
async def use_link(
    request: Request, session: Db, now: Now, client: From, config: Config, token: str,
    password: Field = "", again: Field = "",
) -> Response:  # fmt: skip
    """Use it: set the password with it, or only come in."""
    try:
        await request.app.state.limiter.attempt(client.ip)
        link, person = await signing_in.look_at_link(session, now, token)
        purpose = link.purpose
    except (NotThere, TooMany) as error:
        return _gone(request, error)
    try:
        if purpose == "set_password" and password != again:
            raise Refused("password_differs")
        fresh = await signing_in.hashed(config.passwords, person, password) if purpose == "set_password" else ""
        person = await signing_in.use_link(session, now, token, purpose)
        if purpose == "set_password":
            who = Actor("person", person.id, person.name, client.ip, client.request)
            await signing_in.set_password(session, now, person, fresh, who)
    except NotThere as error:
        return _gone(request, error)
    except Refused as error:
        await session.rollback()  # the link is not used up by a password that does not do
        link, person = await signing_in.look_at_link(session, now, token)
        return page(request, "link.html", status=422, purpose=purpose, person=person, problem=error.key)
    answer = await let_in(session, now, person, "link", client, config, "/")
    await request.app.state.access_changed()
    return answer


# -- the account --------------------------------------------------------------------------------------------------------


async def _account(
    request: Request,
    session: AsyncSession,
    now_ms: int,
    scope: Scope,
    *,
    problem: str = "",
    note: str = "",
    status: int = 200,
) -> Response:
    person = await session.get_one(Person, scope.actor.id, options=[sessions.WITH_GRANTS], populate_existing=True)
    rows = await sessions.of_person(session, now_ms, person.id, request.app.state.settings.idle_ms)
    return page(
        request, "account.html", status=status, sections=sections_of(scope), person=person, roles=person.memberships, sessions=rows,
        this=scope.session, passkeys=await passkeys.of_person(session, person.id), problem=problem, note=note,
    )  # fmt: skip


@router.get("/account")
async def account(request: Request, session: Db, now: Now, scope: Somebody) -> Response:
    """One's roles, browsers, passkeys and password."""
    return await _account(request, session, now, scope)


@router.post("/account/password")
async def change_password(
    request: Request, session: Db, now_ms: Now, scope: Somebody, config: Config,
    now: Field = "", password: Field = "", again: Field = "",
) -> Response:  # fmt: skip
    """Change one's password; the current one is asked for, so that an open browser is not enough."""
    person = await session.get_one(Person, scope.actor.id)
    try:
        await request.app.state.limiter.attempt(scope.actor.id)
        if password != again:
            raise Refused("password_differs")
        if person.password_hash is not None and not (await config.passwords.verify(now, person.password_hash))[0]:
            await audit.write(session, now_ms, scope, "password.refused", f"person:{person.id}")
            await session.commit()
            raise Refused("password_wrong")
        fresh = await signing_in.hashed(config.passwords, person, password)
        await signing_in.set_password(session, now_ms, person, fresh, scope, keep=scope.session)
    except AccountError as error:
        await session.rollback()
        return await _account(request, session, now_ms, scope, problem=error.key, status=error.status)
    await session.commit()
    await request.app.state.access_changed()
    return await _account(request, session, now_ms, scope, note="password_changed")


@router.post("/account/language")
async def set_language(session: Db, scope: Somebody, language: Field = "zh") -> Response:
    """The language of pages and messages from now on."""
    person = await session.get_one(Person, scope.actor.id)
    person.language = "en" if language == "en" else "zh"
    await session.commit()
    answer = see("/account")
    answer.set_cookie(LANGUAGE_COOKIE, person.language, max_age=YEAR_S, httponly=True, samesite="lax")
    return answer


@router.post("/account/sessions/{name}/end")
async def end_session(request: Request, session: Db, now: Now, scope: Somebody, name: str) -> Response:
    """Sign another browser of one's own out."""
    if await sessions.end(session, scope.actor.id, only=name):
        await audit.write(session, now, scope, "signed_out", f"person:{scope.actor.id}", session=name)
        await session.commit()
        await request.app.state.access_changed()
    return see("/account")
