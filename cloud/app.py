"""The cloud's app factory: resources live in the lifespan, routes are thin, errors are problem details (RFC 9457)."""

import asyncio
import logging
import pathlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, HTTPException, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from cloud.database import make_engine, make_sessions, migrate
from cloud.gateways.links import GatewayLinks, NoGateway
from cloud.health.reports import HealthReports
from cloud.health.routes import health_routes
from cloud.incidents import service as incidents
from cloud.incidents.schemas import Incident
from cloud.live.board import Board
from cloud.live.feed import MAX_VIEWERS, Feed, mono_ms
from cloud.live.schemas import Lift
from protocols.fields import BY_NAME
from protocols.identity import is_id

_log = logging.getLogger(__name__)

STATIC = pathlib.Path(__file__).parent / "static"
DAY_MS = 86_400_000


def problem(status: int, title: str, detail: Any = None) -> JSONResponse:
    """A problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def create_app(database_url: str) -> FastAPI:
    """The app over the database at `database_url`. Nothing is opened before its lifespan begins."""
    board = Board()
    feed = Feed(board)
    reports = HealthReports(board)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = make_engine(database_url)
        await migrate(engine)
        app.state.sessions = make_sessions(engine)
        app.state.links = GatewayLinks(board, feed, app.state.sessions, reports)
        ticker = asyncio.create_task(_supervised(feed))
        yield
        ticker.cancel()
        await engine.dispose()

    app = FastAPI(
        title="Liftwatch", version="0.1.0", lifespan=lifespan, description="Live state and incidents of lifts."
    )
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    _live_routes(app, board, feed)
    _incident_routes(app)
    _history_routes(app, board)
    health_routes(app, board, reports)
    if STATIC.exists():
        app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    return app


async def _supervised(feed: Feed) -> None:
    while True:
        try:
            await feed.run()
        except asyncio.CancelledError:
            raise
        except Exception:  # the top of the loop
            _log.exception("the live feed failed; going on")
            await asyncio.sleep(0.5)


async def _http_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail))


async def _validation_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    places = [{"where": ".".join(map(str, e["loc"])), "what": e["msg"]} for e in error.errors()]
    return problem(422, "the request is not understood", places)


def _live_routes(app: FastAPI, board: Board, feed: Feed) -> None:
    @app.get("/api/v1/lifts", response_model=list[Lift], tags=["live"])
    async def lifts() -> Any:
        """All lifts with their newest state, its age and its quality."""
        return board.all(mono_ms())

    @app.get("/api/v1/lifts/{lift}", response_model=Lift, tags=["live"])
    async def one_lift(lift: str) -> Any:
        """One lift."""
        if lift not in board.lifts:
            raise HTTPException(404, f"there is no lift {lift[:40]!r}; GET /api/v1/lifts lists them")
        return board.view(lift, mono_ms())

    @app.get("/api/v1/gateways", tags=["live"])
    async def gateways() -> dict[str, Any]:
        """Connected gateways, and those silent for a minute with their lifts at risk."""
        now = mono_ms()
        listed = [
            {"id": g.id, "version": g.version, "connected": g.connected, "silent_ms": now - g.heard_ms}
            for g in board.gateways.values()
        ]
        return {"gateways": listed, "silent": board.silent_gateways(now)}

    @app.get("/api/v1/live", tags=["live"], response_class=StreamingResponse)
    async def live(last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """Server-sent events: `snapshot`, then `lifts` at 4-5 Hz, `incident` at once, `heartbeat` every 5 s."""
        if len(feed.viewers) >= MAX_VIEWERS:
            feed.refused += 1
            raise HTTPException(503, "too many viewers")
        seen = int(last_event_id) if last_event_id and last_event_id.isdigit() else None
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(feed.watch(seen), media_type="text/event-stream", headers=headers)

    @app.get("/healthz", tags=["operation"])
    async def healthz(request: Request) -> dict[str, Any]:
        """Does the database answer?"""
        async with request.app.state.sessions() as session:
            await incidents.newest(session, limit=1)
        return {"ok": True, "viewers": len(feed.viewers), "malformed": request.app.state.links.malformed}

    @app.websocket("/api/v1/gateways/{gateway}/link")
    async def link(socket: WebSocket, gateway: str) -> None:
        if not is_id(gateway):
            await socket.close(code=1008)
            return
        await socket.app.state.links.serve(gateway, socket)


def _incident_routes(app: FastAPI) -> None:
    @app.get("/api/v1/incidents", response_model=list[Incident], response_model_by_alias=True, tags=["incidents"])
    async def list_incidents(
        request: Request,
        lift: str | None = None,
        phase: Literal["open", "updated", "closed"] | None = None,
        area: Annotated[str | None, Query(description="only those of this area event")] = None,
        folded: Annotated[bool, Query(description="false leaves out what is of an area event")] = True,
        before_ms: int | None = None,
        limit: Annotated[int, Query(ge=1, le=incidents.MAX_LIST)] = 100,
    ) -> Any:
        """Incidents, newest first. `before_ms` = opened_at_ms of the last one seen turns the page."""
        async with request.app.state.sessions() as session:
            return await incidents.newest(
                session, lift=lift, phase=phase, area=area, folded=folded, before_ms=before_ms, limit=limit
            )

    @app.get("/api/v1/incidents/{incident}", response_model=Incident, response_model_by_alias=True, tags=["incidents"])
    async def one_incident(request: Request, incident: str) -> Any:
        """One incident."""
        async with request.app.state.sessions() as session:
            found = await incidents.one(session, incident)
        if found is None:
            raise HTTPException(404, f"there is no incident {incident[:80]!r}")
        return found


def _history_routes(app: FastAPI, board: Board) -> None:
    @app.get("/api/v1/lifts/{lift}/history", tags=["history"])
    async def history(
        request: Request,
        lift: str,
        from_ms: Annotated[int | None, Query(alias="from", description="unix ms; default: 10 minutes ago")] = None,
        to_ms: Annotated[int | None, Query(alias="to", description="unix ms; default: now")] = None,
        fields: Annotated[str, Query(description="names of the field table, by comma; default: all")] = "",
        source: Literal["local", "influx"] = "local",
        limit: Annotated[int, Query(ge=1, le=20_000)] = 20_000,
    ) -> dict[str, Any]:
        """Change records of one lift from its gateway: {fields: {name: [[t_ms, value or null], …]}, gaps, truncated}."""
        if lift not in board.lifts:
            raise HTTPException(404, f"there is no lift {lift[:40]!r}; GET /api/v1/lifts lists them")
        names = [name for name in fields.split(",") if name]
        wrong = [name for name in names if name not in BY_NAME]
        if wrong:
            raise HTTPException(422, f"no such field: {', '.join(wrong)[:200]}; there are {', '.join(BY_NAME)}")
        to_ms = incidents.unix_ms() if to_ms is None else to_ms
        from_ms = to_ms - 600_000 if from_ms is None else from_ms
        if not 0 <= to_ms - from_ms <= 31 * DAY_MS:
            raise HTTPException(422, "from must not lie behind to, nor more than 31 days before it")
        what = {
            "what": "history", "lift": lift, "from_ms": from_ms, "to_ms": to_ms, "fields": names, "source": source, "limit": limit,
        }  # fmt: skip
        try:
            found = await request.app.state.links.query(board.lifts[lift]["gateway"], what)
        except NoGateway:
            raise HTTPException(
                503, "the gateway of this lift is not connected; its history is there when it is"
            ) from None
        except TimeoutError:
            raise HTTPException(504, "the gateway did not answer in time; ask for less, or again") from None
        if "error" in found:
            raise HTTPException(502, str(found["error"]))
        return {name: value for name, value in found.items() if name not in ("type", "q")}
