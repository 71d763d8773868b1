"""Routes of live state: lifts, gateways, the stream."""

import bisect
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from cloud.accounts.access import Public, Reader, scope_of
from cloud.accounts.changes import access_number
from cloud.clock import mono_ms
from cloud.live.feed import MAX_PICKED, MAX_VIEWERS
from cloud.live.lookup import SeenLift
from cloud.live.schemas import Alive, Gateway, Gateways, Lift, SilentGateway
from cloud.live.trouble import Trouble
from cloud.paging import Pages
from cloud.problems import describes

router = APIRouter()

MAX_LIST = 500
SEARCHED = ("id", "name", "site", "address", "rescue_code", "registration_code")


@router.get("/api/v1/lifts", response_model=list[Lift], tags=["live"], responses=describes(422))
async def lifts(
    request: Request,
    scope: Reader,
    page: Pages,
    q: Annotated[str, Query(max_length=80, description="in its id, name, site, address or a code")] = "",
    site: str = "",
    trouble: Annotated[Trouble | None, Query(description="by what is known of it now, not by incidents")] = None,
    after: Annotated[str, Query(description="id of the last one seen: turns the page")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIST)] = 100,
) -> Response:
    """Lifts by id, with their newest state, its age and its quality. A full page links the next one."""
    board, now, sees = request.app.state.board, mono_ms(), request.app.state.feed.sees(scope)
    wanted = q.casefold()
    found: list[dict[str, Any]] = []
    for name in board.names[bisect.bisect_right(board.names, after) :]:
        lift = board.lifts[name]
        if (
            sees(name)
            and (not site or lift["site"] == site)
            and (not wanted or any(wanted in lift[key].casefold() for key in SEARCHED))
            and (trouble is None or board.trouble(name, now) == trouble)
        ):
            found.append(board.view(name, now))
            if len(found) == limit:
                break
    headers = page.link(found, limit, after=found[-1]["id"] if found else "")
    # They are in the API's form already: to validate them would take ten times as long as all the rest.
    return Response(msgspec.json.encode(found), media_type="application/json", headers=headers)


@router.get("/api/v1/lifts/{lift}", response_model=Lift, tags=["live"], responses=describes(404))
async def one_lift(lift: SeenLift) -> Any:
    """One lift."""
    return lift


@router.get("/api/v1/gateways", tags=["live"], responses=describes(422))
async def gateways(
    request: Request,
    scope: Reader,
    page: Pages,
    after: Annotated[str, Query(description="id of the last one seen: turns the page")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIST)] = 100,
) -> Gateways:
    """Gateways by id, and of all of them those silent for a minute with their lifts last seen occupied or moving."""
    board, now, sees = request.app.state.board, mono_ms(), request.app.state.feed.sees(scope)
    listed = [g for g in sorted(board.gateways_of(sees), key=lambda g: g.id) if g.id > after][:limit]
    page.of(listed, limit, after=listed[-1].id if listed else "")
    return Gateways(
        gateways=[
            Gateway(id=g.id, version=g.version, connected=g.connected, silent_ms=now - g.heard_ms) for g in listed
        ],
        silent=[SilentGateway(**found) for found in board.silent_gateways(now, sees)],
    )


@router.get(
    "/api/v1/live", tags=["live"], response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **describes(422, 503)},
)  # fmt: skip
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
async def healthz(request: Request) -> Alive:
    """Does the database answer?"""
    state = request.app.state
    async with state.sessions() as session:
        await access_number(session)
    return Alive(
        ok=True, viewers=len(state.feed.viewers), malformed=state.links.malformed, cases=state.cases_running.counts()
    )
