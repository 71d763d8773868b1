"""Routes of incidents."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query

from cloud.accounts.access import Db, Reader
from cloud.incidents import service
from cloud.incidents.schemas import Incident
from cloud.paging import Pages
from cloud.problems import describes
from cloud.tagging import Tagged

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"], route_class=Tagged)


@router.get("", response_model=list[Incident], response_model_by_alias=True, responses=describes(422))
async def list_incidents(
    session: Db,
    scope: Reader,
    page: Pages,
    lift: str | None = None,
    phase: Literal["open", "updated", "closed"] | None = None,
    area: Annotated[str | None, Query(description="only those of this area event")] = None,
    folded: Annotated[bool, Query(description="false leaves out what is of an area event")] = True,
    before_ms: Annotated[int | None, Query(description="opened_at_ms of the last one seen: turns the page")] = None,
    before_id: Annotated[str, Query(description="its id: many may have opened in the same ms")] = "",
    limit: Annotated[int, Query(ge=1, le=service.MAX_LIST)] = 100,
) -> Any:
    """Incidents, newest first. A full page links the next one."""
    found = await service.newest(
        session, scope, lift=lift, phase=phase, area=area, folded=folded, before=(before_ms, before_id), limit=limit
    )
    if not found:
        return []
    opened_ms = found[-1]["opened_at_ms"] or found[-1]["stages"]["received"]
    return page.of(found, limit, before_ms=opened_ms, before_id=found[-1]["id"])


@router.get("/{incident}", response_model=Incident, response_model_by_alias=True, responses=describes(404))
async def one_incident(session: Db, scope: Reader, incident: str) -> Any:
    """One incident."""
    found = await service.one(session, scope, incident)
    if found is None:
        raise HTTPException(404, f"there is no incident {incident[:80]!r}")
    return found
