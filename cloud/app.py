"""The cloud's app factory: resources live in the lifespan, routes in their domains, errors are problem details (RFC 9457)."""

import asyncio
import logging
import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from cloud import description, problems
from cloud.accounts import oidc_routes, pages, passkey_routes
from cloud.accounts import routes as accounts
from cloud.accounts.access import Public, SignInNeeded, check_rules
from cloud.accounts.changes import access_number
from cloud.accounts.errors import AccountError, TooMany
from cloud.accounts.limiter import Limiter
from cloud.accounts.oidc import TIMEOUT_S, Oidc
from cloud.accounts.scope import Assignment
from cloud.audit import routes as audit
from cloud.cases import photos
from cloud.cases import reading as case_reading
from cloud.cases import routes as cases
from cloud.cases.people import NotNow
from cloud.cases.running import CasesRunning
from cloud.clock import mono_ms
from cloud.database import make_engine, make_sessions, migrate
from cloud.gateways import routes as gateways
from cloud.gateways.links import GatewayLinks
from cloud.health import routes as health
from cloud.health.reports import HealthReports
from cloud.history import routes as history
from cloud.incidents import routes as incidents
from cloud.incidents import service as incident_service
from cloud.keeping.sweep import Sweeper
from cloud.lifts import routes as lifts
from cloud.lifts import service as lift_service
from cloud.live import routes as live
from cloud.live.board import Board
from cloud.live.channel import Channel
from cloud.live.feed import Feed
from cloud.manage import channels, organisations, people, tokens
from cloud.notices import routes as notices
from cloud.notices.outward import Outward
from cloud.notices.sender import Sender
from cloud.pages.render import FILES
from cloud.security import Guard
from cloud.settings import Settings
from cloud.tagging import Tagged

_log = logging.getLogger(__name__)

STATIC = pathlib.Path(__file__).parent / "static"
# Another process (the command in a shell) may change who sees what: so soon open streams follow it.
ACCESS_S = 1.0

# Of a request: far above any form or document of ours.
MAX_BODY = 1 << 20

router = APIRouter(include_in_schema=False, route_class=Tagged)


@router.get("/openapi.json", dependencies=[Depends(Public())])
async def openapi(request: Request) -> JSONResponse:
    """The description of the API."""
    return JSONResponse(description.of(request.app))


def create_app(database_url: str, settings: Settings | None = None) -> FastAPI:
    """The app over the database at `database_url`. Nothing is opened before its lifespan begins."""
    settings = settings or Settings()
    board = Board()
    feed = Feed(board, {"case": case_reading.shown_to})
    reports = HealthReports(board)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = make_engine(database_url)
        await migrate(engine)
        state = app.state
        state.sessions = make_sessions(engine)
        state.links = GatewayLinks(board, feed, state.sessions, reports)
        state.limiter = Limiter(settings.limits)
        # No proxy out of the environment: where providers are reached is said in their addresses.
        http = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        state.oidc = Oidc(settings.oidc, http)
        async with state.sessions() as session:
            board.known(await lift_service.kept_records(session), mono_ms())
        await feed.begin(Channel(state.sessions, {"incident": incident_service.bodies, "case": case_reading.bodies}))
        state.cases_running = CasesRunning(state.sessions, board, feed, state.links, settings)
        state.cases = state.cases_running.cases
        await state.cases_running.check(state.sessions, settings.rescue)
        outward = Outward(settings.notice_hosts)
        state.notices = Sender(state.sessions, outward, settings.clock, settings.origin)
        state.cases.send = state.notices.wake
        watch = AccessWatch(state.sessions, feed, state.links, state.cases_running.loop.assigned)
        state.access_changed = watch.look
        await watch.look()
        loops = [
            ("the live feed", feed.run),
            ("the alarm channel", feed.carry),
            ("the watch on access", watch.run),
            ("the sender of notices", state.notices.run),
            ("the daily sweep", Sweeper(state.sessions, settings.retention, settings.clock).run),
            *state.cases_running.loops(),
        ]
        tasks = [asyncio.create_task(_supervised(name, run)) for name, run in loops]
        yield
        await state.cases_running.turns.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await state.cases_running.cars.stop()
        await http.aclose()
        await outward.close()
        await engine.dispose()

    app = FastAPI(
        title="Liftwatch", version="0.1.0", lifespan=lifespan, description="Live state and incidents of lifts.",
        openapi_url=None, docs_url=None, redoc_url=None,  # their pages fetch from other hosts
        max_body_size=MAX_BODY,
    )  # fmt: skip
    app.state.reports = reports
    app.state.board, app.state.feed, app.state.settings, app.state.static = board, feed, settings, STATIC
    problems.install(app)
    app.add_exception_handler(AccountError, _account_problem)
    app.add_exception_handler(NotNow, cases.not_now)
    app.add_exception_handler(SignInNeeded, pages.to_sign_in)
    app.include_router(router)
    for part in (
        live,
        incidents,
        history,
        health,
        gateways,
        lifts,
        cases,
        photos,
        accounts,
        audit,
        pages,
        passkey_routes,
        oidc_routes,
        people,
        organisations,
        tokens,
        notices,
        channels,
    ):
        app.include_router(part.router)
    app.mount("/files", StaticFiles(directory=FILES), name="files")
    app.mount("/assets", StaticFiles(directory=STATIC / "assets", check_dir=False), name="assets")
    app.add_middleware(Guard, settings=settings)
    check_rules(app)
    return app


class AccessWatch:
    """Looks whether anybody's access has changed, and lets streams and links look again."""

    def __init__(
        self, sessions: Any, feed: Feed, links: GatewayLinks, assigned: Callable[[Mapping[str, Assignment]], None]
    ) -> None:
        self._sessions, self._feed, self._links, self._assigned = sessions, feed, links, assigned
        self._number = -1

    async def look(self) -> None:
        """Once; cheap when nothing has changed."""
        async with self._sessions() as session:
            number = await access_number(session)
            if number == self._number:
                return
            assignments = await lift_service.assignments(session)
        self._number = number
        self._feed.access_changed(assignments)
        self._assigned(assignments)
        await self._links.access_changed()

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(ACCESS_S)
            await self.look()


async def _account_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AccountError)
    headers = {"Retry-After": str(error.retry_s)} if isinstance(error, TooMany) else None
    return problems.problem(error.status, str(error), headers=headers)


async def _supervised(name: str, run: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await run()
        except asyncio.CancelledError:
            raise
        except Exception:  # the top of the loop
            _log.exception("%s failed; going on", name)
            await asyncio.sleep(0.5)
