"""Routes of history and of black boxes, which are asked of the lift's gateway: no telemetry is kept here."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ValidationError

from cloud.accounts.access import Db, Reader
from cloud.clock import unix_ms
from cloud.gateways.links import NoGateway
from cloud.history.schemas import BlackBox, History
from cloud.incidents import service as incidents
from cloud.live.lookup import SeenLift
from cloud.problems import describes
from protocols.fields import BY_NAME

DAY_MS = 86_400_000

router = APIRouter()


@router.get(
    "/api/v1/lifts/{lift}/history", response_model=History, tags=["history"], responses=describes(404, 502, 503, 504)
)
async def history(
    request: Request,
    lift: SeenLift,
    from_ms: Annotated[int | None, Query(alias="from", description="unix ms; default: 10 minutes ago")] = None,
    to_ms: Annotated[int | None, Query(alias="to", description="unix ms; default: now")] = None,
    fields: Annotated[str, Query(description="names of the field table, by comma; default: all")] = "",
    source: Literal["local", "influx"] = "local",
    limit: Annotated[int, Query(ge=1, le=20_000)] = 20_000,
    points: Annotated[
        int,
        Query(
            ge=0,
            le=2000,
            description="0: every record up to `limit`. Else into so many spans of time, of which a few stay",
        ),
    ] = 0,
) -> Any:
    """Change records of one lift from its gateway. A value holds until the next record, at most 11 minutes.

    With `points`, of each span the first, lowest, highest and last record stay and the first unknown, so that a month can be drawn.
    """
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
        "points": points,
    }  # fmt: skip
    return _understood(History, await _asked(request, lift["gateway"], what))


@router.get(
    "/api/v1/incidents/{incident}/black-box",
    response_model=BlackBox,
    tags=["history"],
    responses=describes(404, 502, 503, 504),
)
async def black_box(request: Request, session: Db, scope: Reader, incident: str) -> Any:
    """What the node recorded a minute before and after a serious incident, at its full sample rate, from the gateway that keeps it."""
    found = await incidents.one(session, scope, incident)
    if found is None:
        raise HTTPException(404, f"there is no incident {incident[:80]!r}")
    what = {"what": "black_box", "lift": found["lift"], "incident": found["id"]}
    box = await _asked(request, found["gateway"], what)
    if box.get("missing") == "waiting":
        raise HTTPException(404, "the minute behind the incident is not recorded yet; ask again in a minute")
    if "missing" in box:
        raise HTTPException(404, "nothing was kept of this incident; recordings are kept of those of severity 3 and 4")
    return _understood(BlackBox, {**box, "incident": found["id"], "lift": found["lift"]})


async def _asked(request: Request, gateway: str, what: dict[str, Any]) -> dict[str, Any]:
    """The answer of a gateway; a problem where there is none."""
    try:
        found: dict[str, Any] = await request.app.state.links.query(gateway, what)
    except NoGateway:
        raise HTTPException(503, "the gateway of this lift is not connected; its history is there when it is") from None
    except TimeoutError:
        raise HTTPException(504, "the gateway did not answer in time; ask for less, or again") from None
    if "error" in found:
        raise HTTPException(502, str(found["error"]))
    return found


def _understood(shape: type[BaseModel], found: dict[str, Any]) -> BaseModel:
    """In its shape; 502 where a gateway answers something else."""
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        raise HTTPException(502, f"the gateway's answer is not understood: {str(error).splitlines()[0]}") from None
