"""Routes of a lift's health: the newest report, and its days, which the lift's gateway is asked for."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request

from cloud.gateways.links import NoGateway
from cloud.health.schemas import MAX_DAYS, Health, HealthDays
from cloud.live.lookup import SeenLift
from cloud.problems import describes

router = APIRouter(prefix="/api/v1/lifts/{lift}/health", tags=["health"])


@router.get("", response_model=Health, responses=describes(404))
async def health(request: Request, lift: SeenLift) -> Any:
    """The health of one lift: a score with its parts, each with value, baseline, trend and mark, or why it is not known."""
    found = request.app.state.reports.of(lift["id"])
    if found is None:
        raise HTTPException(404, "the gateway of this lift has told nothing of its health yet; it does within minutes")
    return found


@router.get("/days", response_model=HealthDays, responses=describes(404, 502, 503, 504))
async def days(
    request: Request,
    lift: SeenLift,
    since: Annotated[dt.date | None, Query(alias="from", description="local day; default: 12 weeks ago")] = None,
    to: Annotated[dt.date | None, Query(description="local day; default: today")] = None,
) -> Any:
    """Each part day by day, from the lift's gateway."""
    # The lift's own today may be one ahead of ours.
    to = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1) if to is None else to
    since = to - dt.timedelta(days=85) if since is None else since
    if not 0 <= (to - since).days <= MAX_DAYS:
        raise HTTPException(422, f"from must not lie behind to, nor more than {MAX_DAYS} days before it")
    what = {"what": "health_days", "lift": lift["id"], "from": since.isoformat(), "to": to.isoformat()}
    try:
        found = await request.app.state.links.query(lift["gateway"], what)
    except NoGateway:
        raise HTTPException(503, "the gateway of this lift is not connected; its days are there when it is") from None
    except TimeoutError:
        raise HTTPException(504, "the gateway did not answer in time; ask for less, or again") from None
    if "error" in found:
        raise HTTPException(502, str(found["error"]))
    return {"lift": lift["id"], "days": found.get("days", [])}
