"""The links that gateways dial in by: their messages in, receipts and queries out. One bad message loses nothing else."""

import asyncio
import itertools
import json
import logging
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from cloud.clock import mono_ms, unix_ms
from cloud.incidents import service as incidents
from cloud.live.board import Board
from cloud.live.feed import Feed

_log = logging.getLogger(__name__)

QUERY_S = 9.0


class NoGateway(Exception):
    """No gateway that holds this lift is connected."""


class GatewayLinks:
    """All connected gateways."""

    def __init__(self, board: Board, feed: Feed, sessions: Any) -> None:
        self._board, self._feed, self._sessions = board, feed, sessions
        self._sockets: dict[str, WebSocket] = {}
        self._queries: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self.malformed = 0

    async def serve(self, gateway: str, socket: WebSocket) -> None:
        """Hold the link of one gateway until it ends."""
        await socket.accept()
        self._sockets[gateway] = socket
        try:
            while True:
                text = await socket.receive_text()
                try:
                    await self._take(gateway, socket, json.loads(text))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    self.malformed += 1
                    _log.warning("gateway %s: a malformed message: %r", gateway, error)
                    await socket.send_json({"type": "error", "detail": f"malformed message: {error!r}"[:300]})
        except WebSocketDisconnect:
            _log.info("gateway %s: gone", gateway)
        finally:
            if self._sockets.get(gateway) is socket:
                del self._sockets[gateway]
                self._board.lost(gateway)

    async def _take(self, gateway: str, socket: WebSocket, message: dict[str, Any]) -> None:
        now = mono_ms()
        kind = message["type"]
        self._board.heard(gateway, now)
        if kind == "live":
            self._feed.changed(self._board.live(gateway, message["lifts"], now))
        elif kind == "incident":
            async with self._sessions() as session:
                version, shown = await incidents.store(session, gateway, message["incident"], message.get("sent_ms"))
            if shown is not None:
                self._feed.alarm(shown)
            await socket.send_json({"type": "receipt", "id": message["incident"]["id"], "version": version})
        elif kind == "hello":
            self._board.hello(gateway, str(message.get("version", "")), message["lifts"], now)
            self._feed.changed([record["id"] for record in message["lifts"]])
            await socket.send_json({"type": "welcome", "t_ms": unix_ms()})
        elif kind == "answer":
            waiting = self._queries.pop(int(message["q"]), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif kind != "heartbeat":
            raise ValueError(f"unknown type {kind!r}")

    async def query(self, gateway: str, what: dict[str, Any]) -> dict[str, Any]:
        """Ask a gateway; raises NoGateway if it is not connected, TimeoutError if it does not answer."""
        socket = self._sockets.get(gateway)
        if socket is None:
            raise NoGateway(gateway)
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._queries[number] = future
        try:
            await socket.send_json({"type": "query", "q": number, **what})
            return await asyncio.wait_for(future, QUERY_S)
        finally:
            self._queries.pop(number, None)
