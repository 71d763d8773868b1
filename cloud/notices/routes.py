"""Routes of the channels by which organisations are told, and of what became of each notice."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.accounts.access import Db, Now, Reader, Requires
from cloud.accounts.scope import Scope
from cloud.cases import reading
from cloud.notices import channels, service
from cloud.notices.models import NoticeChannel
from cloud.notices.schemas import Channel, ChannelChange, ChannelCreate, ChannelMade, Receipt
from cloud.paging import Pages
from cloud.problems import describes
from cloud.tagging import Tagged

router = APIRouter(prefix="/api/v1", tags=["notices"], route_class=Tagged)

Manager = Annotated[Scope, Depends(Requires("channels.manage"))]
Limit = Annotated[int, Query(ge=1, le=200)]


async def _shown(session: Db, row: NoticeChannel) -> Channel:
    return Channel.of(row, (await channels.counts(session, [row.id]))[row.id])


@router.get("/channels")
async def list_channels(
    session: Db,
    scope: Manager,
    page: Pages,
    after: Annotated[str, Query(description="id of the last one seen")] = "",
    limit: Limit = 100,
) -> list[Channel]:
    """Channels of the organisations in which one manages them, by id, with how many notices each sent, holds and gave up."""
    rows = await channels.listed(session, scope, after=after, limit=limit)
    counts = await channels.counts(session, [row.id for row in rows])
    return page.of([Channel.of(row, counts[row.id]) for row in rows], limit, after=rows[-1].id if rows else "")


@router.post("/channels", status_code=201, responses=describes(404, 422))
async def make_channel(session: Db, now: Now, scope: Manager, body: ChannelCreate) -> ChannelMade:
    """A new channel. Where its host leads is looked at when it is sent to: send a test."""
    values = body.model_dump(exclude={"organisation", "kind", "settings"})
    row, secret = await channels.make(
        session, now, scope, body.organisation, body.kind, body.settings.model_dump(), **values
    )
    await session.commit()
    return ChannelMade(**(await _shown(session, row)).model_dump(), secret=secret)


@router.get("/channels/{channel}", responses=describes(404))
async def one_channel(session: Db, scope: Manager, channel: str) -> Channel:
    """One channel, without its secret."""
    return await _shown(session, await channels.one(session, scope, channel))


@router.patch("/channels/{channel}", responses=describes(404, 422))
async def change_channel(session: Db, now: Now, scope: Manager, channel: str, body: ChannelChange) -> Channel:
    """What is left out stays. What waits on one that is switched off is given up."""
    wanted = body.model_dump(exclude_unset=True, exclude={"settings"})
    wanted = {name: value for name, value in wanted.items() if value is not None}
    if body.settings is not None:
        wanted["settings"] = body.settings.model_dump()
    row = await channels.change(session, now, scope, channel, wanted)
    await session.commit()
    return await _shown(session, row)


@router.delete("/channels/{channel}", status_code=204, responses=describes(404))
async def remove_channel(session: Db, now: Now, scope: Manager, channel: str) -> Response:
    """Remove it, with its receipts and what waits on it."""
    await channels.remove(session, now, scope, channel)
    await session.commit()
    return Response(status_code=204)


@router.post("/channels/{channel}/tests", status_code=202, responses=describes(404, 422))
async def test_channel(session: Db, now: Now, scope: Manager, request: Request, channel: str) -> Receipt:
    """Send a test notice by it. What came of it is in the channel's notices, within SEND_S as a rule."""
    row = await channels.test(session, now, scope, channel)
    told = Receipt.of(row, await channels.one(session, scope, channel))
    await session.commit()
    request.app.state.notices.wake()
    return told


@router.get("/channels/{channel}/notices", responses=describes(404))
async def list_channel_notices(
    session: Db,
    scope: Manager,
    page: Pages,
    channel: str,
    before: Annotated[str, Query(description="id of the last one seen")] = "",
    state: Literal["waiting", "sent", "dead"] | None = None,
    limit: Limit = 50,
) -> list[Receipt]:
    """What went by a channel, newest first, each with its receipt."""
    found = await channels.receipts(session, scope, channel, before=before, state=state, limit=limit)
    return page.of([Receipt.of(row, place) for row, place in found], limit, before=found[-1][0].id if found else "")


@router.get("/cases/{case}/notices", responses=describes(404))
async def list_case_notices(session: Db, scope: Reader, case: str) -> list[Receipt]:
    """Who was told what of a case, in order, and whether the receiver took it. Telephone numbers are masked."""
    row = await reading.one(session, scope, case)
    found = await service.of_case(session, row.id)
    return [
        Receipt.of(notice, place, own=scope.may_in("channels.manage", place.organisation)) for notice, place in found
    ]
