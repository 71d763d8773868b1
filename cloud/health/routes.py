"""Routes of a lift's health: the newest report, and its days, which the lift's gateway is asked for."""

import datetime as dt
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request

from cloud.gateways.links import NoGateway
from cloud.health.reports import HealthReports
from cloud.health.schemas import MAX_DAYS, Health, HealthDays
from cloud.live.board import Board


def health_routes(app: FastAPI, board: Board, reports: HealthReports) -> None:
    """Add them to `app`."""

    @app.get("/api/v1/lifts/{lift}/health", response_model=Health, tags=["health"])
    async def health(lift: str) -> Any:
        """The health of one lift: a score with its parts, each with value, baseline, trend and mark, or why it is not known."""
        _check(board, lift)
        found = reports.of(lift)
        if found is None:
            raise HTTPException(
                404, "the gateway of this lift has told nothing of its health yet; it does within minutes"
            )
        return found

    @app.get("/api/v1/lifts/{lift}/health/days", response_model=HealthDays, tags=["health"])
    async def days(
        request: Request,
        lift: str,
        since: Annotated[dt.date | None, Query(alias="from", description="local day; default: 12 weeks ago")] = None,
        to: Annotated[dt.date | None, Query(description="local day; default: today")] = None,
    ) -> Any:
        """Each part day by day, from the lift's gateway."""
        _check(board, lift)
        # The lift's own today may be one ahead of ours.
        to = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1) if to is None else to
        since = to - dt.timedelta(days=85) if since is None else since
        if not 0 <= (to - since).days <= MAX_DAYS:
            raise HTTPException(422, f"from must not lie behind to, nor more than {MAX_DAYS} days before it")
        what = {"what": "health_days", "lift": lift, "from": since.isoformat(), "to": to.isoformat()}
        try:
            found = await request.app.state.links.query(board.lifts[lift]["gateway"], what)
        except NoGateway:
            raise HTTPException(
                503, "the gateway of this lift is not connected; its days are there when it is"
            ) from None
        except TimeoutError:
            raise HTTPException(504, "the gateway did not answer in time; ask for less, or again") from None
        if "error" in found:
            raise HTTPException(502, str(found["error"]))
        return {"lift": lift, "days": found.get("days", [])}


def _check(board: Board, lift: str) -> None:
    if lift not in board.lifts:
        raise HTTPException(404, f"there is no lift {lift[:40]!r}; GET /api/v1/lifts lists them")
