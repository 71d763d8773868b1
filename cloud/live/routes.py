"""Routes of live state: lifts, gateways, the stream."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from cloud.accounts.access import Public, Reader, scope_of
from cloud.accounts.changes import access_number
from cloud.clock import mono_ms
from cloud.live.feed import MAX_PICKED, MAX_VIEWERS
from cloud.live.lookup import SeenLift
from cloud.live.schemas import Lift
from cloud.problems import describes

router = APIRouter()


@router.get("/api/v1/lifts", response_model=list[Lift], tags=["live"])
async def lifts(request: Request, scope: Reader) -> Any:
    """All lifts with their newest state, its age and its quality."""
    state = request.app.state
    board, now, sees = state.board, mono_ms(), state.feed.sees(scope)
    return [board.view(name, now) for name in sorted(board.lifts) if sees(name)]


@router.get("/api/v1/lifts/{lift}", response_model=Lift, tags=["live"], responses=describes(404))
async def one_lift(lift: SeenLift) -> Any:
    """One lift."""
    return lift


@router.get("/api/v1/gateways", tags=["live"])
async def gateways(request: Request, scope: Reader) -> dict[str, Any]:
    """Connected gateways, and those silent for a minute with their lifts at risk."""
    board, now, sees = request.app.state.board, mono_ms(), request.app.state.feed.sees(scope)
    listed = [
        {"id": g.id, "version": g.version, "connected": g.connected, "silent_ms": now - g.heard_ms}
        for g in board.gateways_of(sees)
    ]
    return {"gateways": listed, "silent": board.silent_gateways(now, sees)}


@router.get("/api/v1/live", tags=["live"], response_class=StreamingResponse, responses=describes(422, 503))
async def live(
    request: Request,
    scope: Reader,
    lifts: Annotated[
        str, Query(description=f"ids by comma, at most {MAX_PICKED}: these lifts alone; default: all")
    ] = "",
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Server-sent events: `snapshot`, then `lifts` (whole) and `changes` (of each lift what is otherwise) at 4-5 Hz.

    `incident` and `case` come at once, each with an id: who comes back with `Last-Event-ID` gets what was since; `reset` says that it
    is too long ago, so read the lists anew. Open the stream first, then read lists: so nothing falls between. `silent`: gateways not
    heard for a minute, all of them. `heartbeat`: nothing was said for 5 s. `access`: other lifts than before, what was
    shown is void and a snapshot follows; `ended`: sign in again.
    """
    feed = request.app.state.feed
    if len(feed.viewers) >= MAX_VIEWERS:
        feed.refused += 1
        raise HTTPException(503, "too many viewers")
    picked = frozenset(name for name in lifts.split(",") if name)
    if len(picked) > MAX_PICKED:
        raise HTTPException(422, f"{len(picked)} lifts; at most {MAX_PICKED}, or none for all")
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        feed.watch(seen, scope, lambda: scope_of(request), picked or None),
        media_type="text/event-stream",
        headers=headers,
    )


@router.get("/healthz", tags=["operation"], dependencies=[Depends(Public())])
async def healthz(request: Request) -> dict[str, Any]:
    """Does the database answer?"""
    state = request.app.state
    async with state.sessions() as session:
        await access_number(session)
    return {"ok": True, "viewers": len(state.feed.viewers), "malformed": state.links.malformed}
