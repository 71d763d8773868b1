"""The cloud's app factory: resources live in the lifespan, routes in their domains, errors are problem details (RFC 9457)."""

import asyncio
import logging
import pathlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from cloud import problems
from cloud.database import make_engine, make_sessions, migrate
from cloud.gateways import routes as gateways
from cloud.gateways.links import GatewayLinks
from cloud.history import routes as history
from cloud.incidents import routes as incidents
from cloud.live import routes as live
from cloud.live.board import Board
from cloud.live.feed import Feed

_log = logging.getLogger(__name__)

STATIC = pathlib.Path(__file__).parent / "static"


def create_app(database_url: str) -> FastAPI:
    """The app over the database at `database_url`. Nothing is opened before its lifespan begins."""
    board = Board()
    feed = Feed(board)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = make_engine(database_url)
        await migrate(engine)
        app.state.sessions = make_sessions(engine)
        app.state.links = GatewayLinks(board, feed, app.state.sessions)
        ticker = asyncio.create_task(_supervised(feed))
        yield
        ticker.cancel()
        await engine.dispose()

    app = FastAPI(
        title="Liftwatch", version="0.1.0", lifespan=lifespan, description="Live state and incidents of lifts."
    )
    app.state.board, app.state.feed = board, feed
    problems.install(app)
    for part in (live, incidents, history, gateways):
        app.include_router(part.router)
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
