"""Routes of live state: lifts, gateways, the stream."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import StreamingResponse

from cloud.clock import mono_ms
from cloud.incidents import service as incidents
from cloud.live.feed import MAX_VIEWERS
from cloud.live.schemas import Lift
from cloud.problems import describes

router = APIRouter()


@router.get("/api/v1/lifts", response_model=list[Lift], tags=["live"])
async def lifts(request: Request) -> Any:
    """All lifts with their newest state, its age and its quality."""
    return request.app.state.board.all(mono_ms())


@router.get("/api/v1/lifts/{lift}", response_model=Lift, tags=["live"], responses=describes(404))
async def one_lift(request: Request, lift: str) -> Any:
    """One lift."""
    board = request.app.state.board
    if lift not in board.lifts:
        raise HTTPException(404, f"there is no lift {lift[:40]!r}; GET /api/v1/lifts lists them")
    return board.view(lift, mono_ms())


@router.get("/api/v1/gateways", tags=["live"])
async def gateways(request: Request) -> dict[str, Any]:
    """Connected gateways, and those silent for a minute with their lifts at risk."""
    board, now = request.app.state.board, mono_ms()
    listed = [
        {"id": g.id, "version": g.version, "connected": g.connected, "silent_ms": now - g.heard_ms}
        for g in board.gateways.values()
    ]
    return {"gateways": listed, "silent": board.silent_gateways(now)}


@router.get("/api/v1/live", tags=["live"], response_class=StreamingResponse, responses=describes(503))
async def live(request: Request, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
    """Server-sent events: `snapshot`, then `lifts` at 4-5 Hz, `incident` at once, `heartbeat` every 5 s."""
    feed = request.app.state.feed
    if len(feed.viewers) >= MAX_VIEWERS:
        feed.refused += 1
        raise HTTPException(503, "too many viewers")
    seen = int(last_event_id) if last_event_id and last_event_id.isdigit() else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(feed.watch(seen), media_type="text/event-stream", headers=headers)


@router.get("/healthz", tags=["operation"])
async def healthz(request: Request) -> dict[str, Any]:
    """Does the database answer?"""
    state = request.app.state
    async with state.sessions() as session:
        await incidents.newest(session, limit=1)
    return {"ok": True, "viewers": len(state.feed.viewers), "malformed": state.links.malformed}
