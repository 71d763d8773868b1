"""What a route demands of who asks. Each route has exactly one rule as a dependency; `check_rules` finds one without."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount

from cloud.accounts import sessions, tokens
from cloud.accounts.errors import TooMany
from cloud.accounts.roles import Permission
from cloud.accounts.scope import Actor, Scope
from cloud.accounts.sessions import Client
from cloud.audit import service as audit
from cloud.settings import Settings

# Files that hold nothing of anybody.
OPEN_MOUNTS = frozenset(("assets", "files"))


class SignInNeeded(Exception):
    """A page was asked for by nobody known: he is sent to the sign-in page and back."""


def settings_of(connection: HTTPConnection) -> Settings:
    """The app's settings."""
    found: Settings = connection.app.state.settings
    return found


def now_of(connection: HTTPConnection) -> int:
    """The app's clock, unix ms."""
    return settings_of(connection).clock()


def client_of(connection: HTTPConnection) -> Client:
    """Where a request comes from."""
    ip = connection.client.host if connection.client else ""
    return Client(ip, connection.headers.get("user-agent", ""), getattr(connection.state, "request", ""))


async def database(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """A session of the database for one request; what was not committed is undone."""
    async with connection.app.state.sessions() as session:
        yield session


Db = Annotated[AsyncSession, Depends(database)]
Now = Annotated[int, Depends(now_of)]
From = Annotated[Client, Depends(client_of)]
Config = Annotated[Settings, Depends(settings_of)]


def bearer(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header."""
    kind, _, text = connection.headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" and text.strip() else None


async def scope_of(connection: HTTPConnection) -> Scope | None:
    """Who asks, None if nobody known. A token in the header is all that counts where there is one."""
    app, client, now_ms = connection.app, client_of(connection), now_of(connection)
    text, cookie = bearer(connection), connection.cookies.get(settings_of(connection).cookie)
    if text is None and cookie is None:
        return None
    async with app.state.sessions() as session:
        if text is not None:
            return await tokens.scope_of(session, now_ms, text, {"ip": client.ip, "request": client.request})
        return await sessions.scope_of(session, now_ms, cookie or "", settings_of(connection).idle_ms, client)


class Rule:
    """What a route demands."""


class Public(Rule):
    """Nothing: the route tells nothing of anybody. Its answers are counted by address all the same."""

    async def __call__(self, request: Request) -> None:
        """Let in."""
        await request.app.state.limiter.address(client_of(request).ip)


class Requires(Rule):
    """A permission, or with `signed_in` only that somebody is known. `personal`: reading it goes into the audit log.

    `page`: it is for people, so who is not known is sent to sign in. `people`: machines' tokens do not get in.
    """

    def __init__(
        self,
        permission: Permission | Literal["signed_in"],
        *,
        personal: bool = False,
        page: bool = False,
        people: bool = False,
    ) -> None:
        self.permission, self.personal, self.page, self.people = permission, personal, page, people or page

    async def __call__(self, request: Request) -> Scope:
        """The scope of who asks; 401 or 403 else."""
        limiter, client = request.app.state.limiter, client_of(request)
        scope = await scope_of(request)
        if scope is None:
            await (limiter.attempt if bearer(request) else limiter.address)(client.ip)
            if self.page:
                raise SignInNeeded
            raise HTTPException(401, "sign in, or send a token", {"WWW-Authenticate": "Bearer"})
        await limiter.actor(scope.session or scope.actor.id)
        if (self.people and scope.actor.kind != "person") or not self._allows(scope):
            await self._note(request, scope, "refused", needs=self.permission)
            raise HTTPException(403, f"your role does not allow this; it needs {self.permission}")
        if self.personal and request.method == "GET":
            query = {"query": request.url.query[:200]} if request.url.query else {}
            await self._note(request, scope, "personal.read", **query)
        return scope

    def _allows(self, scope: Scope) -> bool:
        return self.permission == "signed_in" or scope.may(self.permission)

    @staticmethod
    async def _note(request: Request, scope: Scope, action: str, **detail: Any) -> None:
        async with request.app.state.sessions() as session:
            place = f"{request.method} {request.url.path}"
            await audit.write(session, now_of(request), scope, action, place, **detail)
            await session.commit()


class GatewayOnly(Rule):
    """A gateway's own token, for the id that stands in the path. Nothing else opens this door: no person, no other gateway."""

    async def __call__(self, socket: WebSocket, gateway: str) -> str | None:
        """Its id, None if it must not come in."""
        client, now_ms, text = client_of(socket), now_of(socket), bearer(socket)
        async with socket.app.state.sessions() as session:
            if text is not None and await tokens.is_gateway(session, now_ms, text, gateway):
                return gateway
            try:
                await socket.app.state.limiter.attempt(client.ip)
            except TooMany:
                return None  # it is refused all the same, and not written down each time
            actor = Actor("nobody", "", "", client.ip, client.request)
            why = "no token" if text is None else "not a token of this gateway"
            await audit.write(session, now_ms, actor, "gateway.refused", f"gateway:{gateway}", why=why)
            await session.commit()
        return None


def rule_of(route: BaseRoute) -> Rule | None:
    """The rule that a route declares; None if it has none, which `check_rules` does not let pass."""
    if isinstance(route, APIRoute | APIWebSocketRoute):
        found = list(_rules(route.dependant))
        return found[0] if len(found) == 1 else None
    return Public() if isinstance(route, Mount) and route.name in OPEN_MOUNTS else None


def _rules(dependant: Dependant) -> list[Rule]:
    call: object = dependant.call
    own = [call] if isinstance(call, Rule) else []
    return own + [rule for child in dependant.dependencies for rule in _rules(child)]


def check_rules(app: FastAPI) -> None:
    """The app does not start with a route that declares no rule: a forgotten one would be open to everybody."""
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    bare = [getattr(route, "path", repr(route)) for route in routes if rule_of(route) is None]
    if bare:
        raise RuntimeError(f"these routes need exactly one rule of cloud.accounts.access: {', '.join(bare)}")


Reader = Annotated[Scope, Depends(Requires("lifts.read"))]
SignedIn = Annotated[Scope, Depends(Requires("signed_in"))]
