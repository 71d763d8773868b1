"""Pages of machines' tokens and of the audit log."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import service, tokens
from cloud.accounts.access import Db, Now, Requires
from cloud.accounts.errors import AccountError, NotAllowed, NotThere, Refused
from cloud.accounts.pages import see
from cloud.accounts.roles import ROLES
from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.manage.frame import Field, gone, managed
from protocols.identity import is_id

router = APIRouter(prefix="/manage", include_in_schema=False)

Manager = Annotated[Scope, Depends(Requires("tokens.manage", page=True))]
Auditor = Annotated[Scope, Depends(Requires("audit.read", page=True, personal=True))]
DAY_MS = 86_400_000
PAGE = 100


async def _tokens(
    request: Request, session: AsyncSession, scope: Scope, *, status: int = 200, problem: str = "", made: str = ""
) -> Response:
    known = await service.organisations(session, scope, limit=1000)
    places = [
        (row.id, row.name, list(ROLES[row.kind]))  # type: ignore[index]  # kinds are checked where they are made
        for row in known
        if scope.may_in("tokens.manage", row.id)
    ]
    return managed(
        request, scope, "tokens.html", "/manage/tokens", status=status, problem=problem, made=made, places=places,
        tokens=await tokens.listed(session, scope), names={row.id: row.name for row in known},
        gateways=scope.may("gateways.manage"),
    )  # fmt: skip


@router.get("/tokens")
async def list_tokens(request: Request, session: Db, scope: Manager) -> Response:
    """Tokens of one's organisations, and for who may those of gateways."""
    return await _tokens(request, session, scope)


@router.post("/tokens")
async def make(
    request: Request, session: Db, now: Now, scope: Manager,
    name: Field = "", place: Field = "", gateway: Field = "", days: Field = "365",
) -> Response:  # fmt: skip
    """A new one; its text is on the page that answers and nowhere else."""
    organisation, _, role = place.partition(" ")
    try:
        if gateway.strip():
            if not scope.may("gateways.manage"):
                raise NotAllowed("not_allowed")
            if not is_id(gateway.strip()):
                raise Refused("gateway_form")
            _, text = await tokens.make_gateway_token(session, now, scope, gateway.strip(), name)
        else:
            if not scope.may_in("tokens.manage", organisation):
                raise NotThere("not_there")
            row = await service.organisation(session, scope, organisation)
            life = min(max(int(days), 1), 3650) if days.isdecimal() else 365
            _, text = await tokens.make_api_token(
                session, now, scope, row, role, name=name.strip() or role, ends_at_ms=now + life * DAY_MS
            )
    except AccountError as error:
        await session.rollback()
        return await _tokens(request, session, scope, status=error.status, problem=error.key)
    await session.commit()
    return await _tokens(request, session, scope, made=text)


@router.post("/tokens/{token}/revoke")
async def revoke(request: Request, session: Db, now: Now, scope: Manager, token: str) -> Response:
    """Revoke one."""
    try:
        await tokens.revoke(session, now, scope, token)
    except AccountError as error:
        return gone(request, error.status, error.key)
    await session.commit()
    await request.app.state.access_changed()
    return see("/manage/tokens")


@router.get("/log")
async def log(
    request: Request, session: Db, scope: Auditor, before: int | None = None, actor: str = "", object: str = ""
) -> Response:
    """The audit log, newest first."""
    rows = await audit.newest(session, before=before, actor=actor or None, object=object or None, limit=PAGE)
    return managed(
        request, scope, "log.html", "/manage/log", entries=rows, actor=actor, object=object,
        more=rows[-1].number if len(rows) == PAGE else "",
    )  # fmt: skip
