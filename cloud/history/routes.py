"""The route of history, which is asked of the lift's gateway: no telemetry is kept here."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request

from cloud.clock import unix_ms
from cloud.gateways.links import NoGateway
from cloud.live.lookup import SeenLift
from cloud.problems import describes
from protocols.fields import BY_NAME

DAY_MS = 86_400_000

router = APIRouter()


@router.get("/api/v1/lifts/{lift}/history", tags=["history"], responses=describes(404, 502, 503, 504))
async def history(
    request: Request,
    lift: SeenLift,
    from_ms: Annotated[int | None, Query(alias="from", description="unix ms; default: 10 minutes ago")] = None,
    to_ms: Annotated[int | None, Query(alias="to", description="unix ms; default: now")] = None,
    fields: Annotated[str, Query(description="names of the field table, by comma; default: all")] = "",
    source: Literal["local", "influx"] = "local",
    limit: Annotated[int, Query(ge=1, le=20_000)] = 20_000,
) -> dict[str, Any]:
    """Change records of one lift from its gateway: {fields: {name: [[t_ms, value or null], …]}, gaps, truncated}."""
    state = request.app.state
    names = [name for name in fields.split(",") if name]
    wrong = [name for name in names if name not in BY_NAME]
    if wrong:
        raise HTTPException(422, f"no such field: {', '.join(wrong)[:200]}; there are {', '.join(BY_NAME)}")
    to_ms = unix_ms() if to_ms is None else to_ms
    from_ms = to_ms - 600_000 if from_ms is None else from_ms
    if not 0 <= to_ms - from_ms <= 31 * DAY_MS:
        raise HTTPException(422, "from must not lie behind to, nor more than 31 days before it")
    what = {
        "what": "history", "lift": lift["id"], "from_ms": from_ms, "to_ms": to_ms, "fields": names, "source": source, "limit": limit,
    }  # fmt: skip
    try:
        found = await state.links.query(lift["gateway"], what)
    except NoGateway:
        raise HTTPException(503, "the gateway of this lift is not connected; its history is there when it is") from None
    except TimeoutError:
        raise HTTPException(504, "the gateway did not answer in time; ask for less, or again") from None
    if "error" in found:
        raise HTTPException(502, str(found["error"]))
    return {name: value for name, value in found.items() if name not in ("type", "q")}
