"""Routes of whose each lift is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from cloud.accounts.access import Db, Now, Reader, Requires
from cloud.accounts.scope import Assignment, Scope
from cloud.lifts import service
from cloud.lifts.schemas import LiftAssignment, LiftAssignmentChange
from cloud.paging import Pages
from cloud.problems import describes
from cloud.tagging import Tagged

router = APIRouter(prefix="/api/v1", tags=["lifts"], route_class=Tagged)

Assigner = Annotated[Scope, Depends(Requires("lifts.assign"))]


@router.get("/assignments", responses=describes(422))
async def list_assignments(
    session: Db,
    scope: Reader,
    page: Pages,
    unassigned: Annotated[bool, Query(description="only those that lack a contractor or a district")] = False,
    after: Annotated[str, Query(description="id of the last lift seen")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[LiftAssignment]:
    """Whose the lifts are, by id. A lift that a gateway has made known and nobody has assigned is here with nobody."""
    rows = await service.listed(session, scope, unassigned=unassigned, after=after, limit=limit)
    names = await service.names_of(session, rows)
    return page.of([LiftAssignment.of(row, names) for row in rows], limit, after=rows[-1].id if rows else "")


@router.get("/lifts/{lift}/assignment", responses=describes(404))
async def one_assignment(session: Db, scope: Reader, lift: str) -> LiftAssignment:
    """Whose a lift is."""
    row = await service.one(session, scope, lift)
    return LiftAssignment.of(row, await service.names_of(session, [row]))


@router.put("/lifts/{lift}/assignment", responses=describes(404, 422))
async def assign(
    session: Db, now: Now, scope: Assigner, request: Request, lift: str, body: LiftAssignmentChange
) -> LiftAssignment:
    """Say whose a lift is. Its incidents and history go with it; open pages gain or lose it at once."""
    wanted = Assignment(body.contractor, body.owner, body.manager, body.district)
    row = await service.assign(session, now, scope, lift, wanted, body.gateway)
    await session.commit()
    await request.app.state.access_changed()
    return LiftAssignment.of(row, await service.names_of(session, [row]))
