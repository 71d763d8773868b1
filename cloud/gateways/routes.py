"""The route that gateways dial in by."""

from fastapi import APIRouter, WebSocket

from protocols.identity import is_id

router = APIRouter()


@router.websocket("/api/v1/gateways/{gateway}/link")
async def link(socket: WebSocket, gateway: str) -> None:
    """Hold the link of one gateway."""
    if not is_id(gateway):
        await socket.close(code=1008)
        return
    await socket.app.state.links.serve(gateway, socket)
