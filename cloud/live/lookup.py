"""The lift that a path names, as a dependency: one outside the scope is not there."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from cloud.accounts.access import Reader
from cloud.clock import mono_ms


async def seen_lift(request: Request, scope: Reader, lift: str) -> dict[str, Any]:
    """The lift as the API shows it now; 404 where the scope does not cover it."""
    state = request.app.state
    if lift not in state.board.lifts or not state.feed.sees(scope)(lift):
        raise HTTPException(404, f"there is no lift {lift[:40]!r}; GET /api/v1/lifts lists them")
    found: dict[str, Any] = state.board.view(lift, mono_ms())
    return found


SeenLift = Annotated[dict[str, Any], Depends(seen_lift)]
