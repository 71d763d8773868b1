"""The route that gateways dial in by, each with its own token."""

from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket

from cloud.accounts.access import GatewayOnly, bearer
from protocols.identity import is_id

router = APIRouter()

POLICY_VIOLATION = 1008


@router.websocket("/api/v1/gateways/{gateway}/link")
async def link(socket: WebSocket, gateway: str, known: Annotated[str | None, Depends(GatewayOnly())]) -> None:
    """Hold the link of one gateway. Without its token the handshake is answered with 403."""
    if known is None or not is_id(gateway):
        await socket.close(code=POLICY_VIOLATION)
        return
    await socket.app.state.links.serve(gateway, socket, bearer(socket) or "")
