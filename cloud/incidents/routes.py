"""Routes of incidents."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query

from cloud.accounts.access import Db, Reader
from cloud.incidents import service
from cloud.incidents.schemas import Incident
from cloud.problems import describes

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])


@router.get("", response_model=list[Incident], response_model_by_alias=True)
async def list_incidents(
    session: Db,
    scope: Reader,
    lift: str | None = None,
    phase: Literal["open", "updated", "closed"] | None = None,
    area: Annotated[str | None, Query(description="only those of this area event")] = None,
    folded: Annotated[bool, Query(description="false leaves out what is of an area event")] = True,
    before_ms: int | None = None,
    limit: Annotated[int, Query(ge=1, le=service.MAX_LIST)] = 100,
) -> Any:
    """Incidents, newest first. `before_ms` = opened_at_ms of the last one seen turns the page."""
    return await service.newest(
        session, scope, lift=lift, phase=phase, area=area, folded=folded, before_ms=before_ms, limit=limit
    )


@router.get("/{incident}", response_model=Incident, response_model_by_alias=True, responses=describes(404))
async def one_incident(session: Db, scope: Reader, incident: str) -> Any:
    """One incident."""
    found = await service.one(session, scope, incident)
    if found is None:
        raise HTTPException(404, f"there is no incident {incident[:80]!r}")
    return found
