"""Pages of organisations and of whose each lift is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import service
from cloud.accounts.access import Db, Now, Requires
from cloud.accounts.errors import AccountError, NotThere
from cloud.accounts.pages import see
from cloud.accounts.roles import BY_DISTRICT, KINDS
from cloud.accounts.scope import Assignment, Scope
from cloud.lifts import service as lifts
from cloud.manage.frame import Field, gone, managed

router = APIRouter(prefix="/manage", include_in_schema=False)

Manager = Annotated[Scope, Depends(Requires("organisations.manage", page=True))]
Assigner = Annotated[Scope, Depends(Requires("lifts.assign", page=True))]
MOST = 1000
PAGE = 50


async def _organisations(
    request: Request, session: AsyncSession, scope: Scope, *, status: int = 200, problem: str = "", typed: str = ""
) -> Response:
    return managed(
        request, scope, "organisations.html", "/manage/organisations", status=status, problem=problem, typed=typed,
        organisations=await service.organisations(session, scope, limit=MOST), kinds=KINDS[1:], by_district=BY_DISTRICT,
    )  # fmt: skip


@router.get("/organisations")
async def organisations(request: Request, session: Db, scope: Manager) -> Response:
    """All organisations."""
    return await _organisations(request, session, scope)


@router.post("/organisations")
async def make(
    request: Request, session: Db, now: Now, scope: Manager, kind: Field = "", name: Field = "", districts: Field = ""
) -> Response:
    """A new one."""
    try:
        if not name.strip():
            raise NotThere("name_empty")
        await service.make_organisation(session, now, scope, kind, name, districts.split())
    except AccountError as error:
        await session.rollback()
        return await _organisations(request, session, scope, status=error.status, problem=error.key, typed=name)
    await session.commit()
    return see("/manage/organisations")


@router.post("/organisations/{organisation}")
async def change(
    request: Request, session: Db, now: Now, scope: Manager, organisation: str, name: Field = "", districts: Field = ""
) -> Response:
    """Another name, other districts."""
    try:
        await service.change_organisation(
            session,
            now,
            scope,
            organisation,
            name.strip() or None,
            districts.split() if districts or not name else None,
        )
    except AccountError as error:
        await session.rollback()
        return await _organisations(request, session, scope, status=error.status, problem=error.key)
    await session.commit()
    await request.app.state.access_changed()
    return see("/manage/organisations")


# -- lifts --------------------------------------------------------------------------------------------------------------


@router.get("/lifts")
async def list_lifts(request: Request, session: Db, scope: Assigner, after: str = "", unassigned: str = "") -> Response:
    """Lifts and whose they are; `unassigned` shows those that lack a contractor or a district."""
    rows = await lifts.listed(session, scope, unassigned=bool(unassigned), after=after, limit=PAGE)
    board = request.app.state.board.lifts
    return managed(
        request, scope, "lifts.html", "/manage/lifts", lifts=rows, names=await lifts.names_of(session, rows),
        titles={row.id: board[row.id]["name"] for row in rows if row.id in board}, unassigned=unassigned,
        more=rows[-1].id if len(rows) == PAGE else "",
    )  # fmt: skip


async def _lift(
    request: Request, session: AsyncSession, scope: Scope, name: str, *, status: int = 200, problem: str = ""
) -> Response:
    try:
        row = await lifts.one(session, scope, name)
    except NotThere:
        return gone(request)
    known = await service.organisations(session, scope, limit=MOST)
    choices = {slot: [(o.id, o.name) for o in known if o.kind == kind] for slot, kind in lifts.SLOTS.items()}
    return managed(
        request, scope, "lift.html", "/manage/lifts", status=status, problem=problem, lift=row, choices=choices,
        title=request.app.state.board.lifts.get(name, {}).get("name", name),
    )  # fmt: skip


@router.get("/lifts/{lift}")
async def one_lift(request: Request, session: Db, scope: Assigner, lift: str) -> Response:
    """Whose one lift is."""
    return await _lift(request, session, scope, lift)


@router.post("/lifts/{lift}")
async def assign(
    request: Request, session: Db, now: Now, scope: Assigner, lift: str,
    contractor: Field = "", owner: Field = "", manager: Field = "", district: Field = "", gateway: Field = "",
) -> Response:  # fmt: skip
    """Say whose it is."""
    try:
        wanted = Assignment(contractor, owner, manager, district.strip())
        await lifts.assign(session, now, scope, lift, wanted, gateway.strip() or None)
    except AccountError as error:
        await session.rollback()
        return await _lift(request, session, scope, lift, status=error.status, problem=error.key)
    await session.commit()
    await request.app.state.access_changed()
    return see("/manage/lifts?unassigned=1")
