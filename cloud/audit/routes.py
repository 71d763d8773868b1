"""The route of the audit log: read only, and each read of it is an entry itself."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cloud.accounts.access import Db, Requires
from cloud.accounts.scope import Scope
from cloud.audit import service
from cloud.audit.schemas import AuditEntry
from cloud.paging import Pages
from cloud.problems import describes

router = APIRouter(prefix="/api/v1", tags=["audit"])

Auditor = Annotated[Scope, Depends(Requires("audit.read", personal=True))]


@router.get("/audit", responses=describes(422))
async def list_entries(
    session: Db,
    scope: Auditor,
    page: Pages,
    before: Annotated[int | None, Query(description="number of the last entry seen")] = None,
    actor: Annotated[str | None, Query(description="id of a person or a token")] = None,
    object: Annotated[str | None, Query(description="as person:ID, lift:ID")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[AuditEntry]:
    """Entries, newest first. `liftwatch audit verify` checks the chain."""
    rows = await service.newest(session, before=before, actor=actor, object=object, limit=limit)
    found = [AuditEntry.model_validate({name: getattr(row, name) for name in AuditEntry.model_fields}) for row in rows]
    return page.of(found, limit, before=rows[-1].number if rows else "")
