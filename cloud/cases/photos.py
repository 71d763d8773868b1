"""Photos of a case: checked by what they are, not by what they say they are; kept in the database."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import undefer

from cloud.accounts.access import Db, Now, Reader, Requires
from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.cases import reading
from cloud.cases.models import CasePhoto
from cloud.cases.schemas import PhotoShown
from cloud.problems import describes

router = APIRouter(prefix="/api/v1/cases/{case}/photos", tags=["cases"])

# Ours: a phone's picture made smaller has some 300 kB.
MOST_BYTES = 4 << 20
Worker = Annotated[Scope, Depends(Requires("cases.work"))]
_KINDS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS},
    }
}


def kind_of(body: bytes) -> str | None:
    """What a picture is, by its first bytes; None for what we do not take."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if body[:4] == b"RIFF" and body[8:12] == b"WEBP" else None


@router.post(
    "", status_code=201, max_body_size=MOST_BYTES, openapi_extra=_BODY, responses=describes(404, 409, 413, 415)
)
async def add_photo(
    request: Request, response: Response, session: Db, now: Now, scope: Worker, case: str
) -> PhotoShown:
    """Add a photo: the picture is the body. The same picture again is the same photo, so that it can be sent anew."""
    row = await reading.one(session, scope, case)
    body = await request.body()
    kind = kind_of(body)
    if kind is None:
        raise HTTPException(415, "send a JPEG, PNG or WebP picture as the body")
    if len(body) > MOST_BYTES:
        raise HTTPException(413, f"a photo has at most {MOST_BYTES >> 20} MB; make it smaller")
    sha256 = hashlib.sha256(body).hexdigest()
    photo = CasePhoto(
        case=row.id, sha256=sha256, media_type=kind, size_bytes=len(body), at_ms=now, by=scope.actor.id,
        name=audit.clean(scope.actor.name, 120), body=body,
    )  # fmt: skip
    kept = await request.app.state.cases.photo(scope, row.id, photo)
    if kept is not photo:
        response.status_code = 200
    return _shown(kept)


@router.get(
    "/{photo}", response_class=Response, responses={**describes(404), 200: {"content": {kind: {} for kind in _KINDS}}}
)
async def one_photo(session: Db, scope: Reader, case: str, photo: str) -> Response:
    """The picture."""
    row = await reading.one(session, scope, case)
    query = select(CasePhoto).where(CasePhoto.case == row.id, CasePhoto.id == photo).options(undefer(CasePhoto.body))
    found = await session.scalar(query)
    if found is None:
        raise HTTPException(404, f"case {row.number} has no photo {photo[:40]!r}")
    name = f"case-{row.number}-{found.id}.{_KINDS[found.media_type]}"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(found.body, media_type=found.media_type, headers=headers)


def _shown(photo: CasePhoto) -> PhotoShown:
    found: dict[str, Any] = {name: getattr(photo, name) for name in PhotoShown.model_fields}
    return PhotoShown(**found)
