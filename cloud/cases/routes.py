"""Routes of cases: lists, one case, calls by telephone, steps, contacts, and the lift that a rescue code names."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.access import Db, Reader, Requires
from cloud.accounts.scope import Scope
from cloud.cases import contacts, reading
from cloud.cases.models import CaseRow
from cloud.cases.parties import names_of
from cloud.cases.people import NotNow
from cloud.cases.said import CaseCreate, CaseStep
from cloud.cases.schemas import Case, CaseProblem, CodeFound, Contact
from cloud.lifts import service as lift_service
from cloud.paging import Pages
from cloud.problems import MEDIA_TYPE, describes, problem

router = APIRouter(prefix="/api/v1")

Worker = Annotated[Scope, Depends(Requires("cases.work"))]
ContactReader = Annotated[Scope, Depends(Requires("cases.work", personal=True))]
_REFUSED: dict[int | str, dict[str, Any]] = {409: {"model": CaseProblem, "content": {MEDIA_TYPE: {}}}}


@router.get("/cases", response_model=list[Case], tags=["cases"])
async def list_cases(
    request: Request,
    session: Db,
    scope: Reader,
    page: Pages,
    phase: Annotated[Literal["open", "closed"] | None, Query(description="open means not closed")] = None,
    lift: str | None = None,
    kind: Literal["trapped", "fault", "gateway_silent", "other"] | None = None,
    before_ms: Annotated[int | None, Query(description="opened_at_ms of the last one seen: turns the page")] = None,
    before_number: Annotated[int | None, Query(description="its number: many may have opened in the same ms")] = None,
    limit: Annotated[int, Query(ge=1, le=reading.MAX_LIST)] = 100,
) -> Any:
    """Cases, newest first, each with the newest lines of its timeline."""
    rows = await reading.newest(
        session, scope, phase=phase, lift=lift, kind=kind, before=(before_ms, before_number), limit=limit
    )
    found = await reading.wholes(session, rows)
    seen = await reading.seen_lifts(session, scope, found)
    shown = [whole.shown_to(scope, seen) for whole in found]
    return page.of(shown, limit, before_ms=rows[-1].opened_at_ms, before_number=rows[-1].number) if rows else []


@router.post(
    "/cases", response_model=Case, status_code=201, tags=["cases"],
    responses={200: {"model": Case, "description": "it joined the lift's open case"}, **describes(404, 409, 422)},
)  # fmt: skip
async def enter_case(request: Request, response: Response, scope: Worker, body: CaseCreate) -> Any:
    """A call by telephone. About a lift with an open case it joins that (200), and raises it if somebody is shut in."""
    shown, fresh = await request.app.state.cases.enter(scope, body.model_dump())
    if not fresh:
        response.status_code = 200
    return _tagged(response, shown)


@router.get("/cases/{case}", response_model=Case, tags=["cases"], responses=describes(404))
async def one_case(
    request: Request,
    response: Response,
    session: Db,
    scope: Reader,
    case: str,
    if_none_match: Annotated[str, Header()] = "",
) -> Any:
    """One case, with up to 500 lines of its timeline. Its ETag is its revision: 304 where nothing has changed."""
    row = await reading.one(session, scope, case)
    if _tag(row.rev) in if_none_match:
        return Response(status_code=304, headers={"ETag": _tag(row.rev)})
    (whole,) = await reading.wholes(session, [row], reading.TIMELINE)
    return _tagged(response, whole.shown_to(scope, await reading.seen_lifts(session, scope, [whole])))


@router.post("/cases/{case}/steps", response_model=Case, tags=["cases"], responses={**describes(404, 422), **_REFUSED})
async def say_step(request: Request, response: Response, scope: Worker, case: str, body: CaseStep) -> Any:
    """Say a step. The same `op` again changes nothing and is answered as before, so that a phone can say all of its queue anew.

    409 where the machine has no place for it, with the reason, what is possible, and the case as it is; one that was said without
    a line (`said_at_ms`) and comes too late is `kept` in the timeline.
    """
    return _tagged(response, await request.app.state.cases.say(scope, case, body.model_dump(exclude_unset=False)))


@router.get("/cases/{case}/contacts", tags=["cases"], responses=describes(404))
async def case_contacts(request: Request, session: Db, scope: ContactReader, case: str) -> list[Contact]:
    """Whom to call: who telephoned, who was sent, contractor, property manager, owner, desk. Each read is in the audit log."""
    row = await reading.one(session, scope, case)
    return await contacts.of_case(session, request.app.state.cases.rescue, row)


@router.get("/lifts/by-code/{code}", tags=["cases"], responses=describes(404, 422))
async def lift_by_code(
    session: Db, scope: Reader, code: Annotated[str, Path(pattern=r"^[0-9]{6}$", examples=["330117"])]
) -> CodeFound:
    """The lift that a caller's 6-digit rescue code names, and its open case."""
    found = await lift_service.by_code(session, scope, code)
    if found is None:
        raise HTTPException(404, f"no lift that you see has rescue code {code}")
    names = await names_of(session, [found.contractor or ""])
    return CodeFound(
        lift=found.id, name=found.name or found.id, address=found.address, site=found.site, rescue_code=code,
        registration_code=found.registration_code, gateway=found.gateway, district=found.district,
        contractor=names.get(found.contractor or "", ""), latitude_deg=found.latitude_deg,
        longitude_deg=found.longitude_deg, case=await _open_case(session, found.id),
    )  # fmt: skip


async def _open_case(session: AsyncSession, lift: str) -> str | None:
    query = select(CaseRow.id).where(CaseRow.lift == lift, CaseRow.phase != "closed")
    found: str | None = await session.scalar(query.order_by(CaseRow.number.desc()).limit(1))
    return found


async def not_now(request: Request, error: Exception) -> JSONResponse:
    """A step that the machine refuses, as a problem document."""
    assert isinstance(error, NotNow)
    told = error.refused
    detail = {
        "reason": told["reason"], "text": told["detail"], "possible": told["possible"], "kept": error.kept, "case": error.shown,
    }  # fmt: skip
    return problem(409, str(told["detail"]), detail, headers={"ETag": _tag(int(error.shown["rev"]))})


def _tag(rev: int) -> str:
    return f'W/"{rev}"'


def _tagged(response: Response, shown: dict[str, Any]) -> dict[str, Any]:
    response.headers["ETag"] = _tag(int(shown["rev"]))
    return shown
