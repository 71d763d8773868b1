"""The one outbound connection to the cloud: live state, incidents with receipts, health, heartbeat, history on request."""

import asyncio
import contextlib
import itertools
import json
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from gateway.clock import unix_ms
from gateway.errors import NotDelivered

_log = logging.getLogger(__name__)

LIVE_S = 0.2
FULL_S = 5.0
HEARTBEAT_S = 5.0
HEALTH_S = 1.0
RETRY_FIRST_S = 0.5
RETRY_MAX_S = 10.0
ANSWER_S = 8.0
# Incidents of a backlog on the way without a receipt, and of those just changed in one round; after RESEND_S they are sent again.
# The journal reads so many in some 3 ms (measured), and an alarm's commit waits for that.
IN_FLIGHT = 20
RESEND_S = 5.0
# Incidents that changed just now, told before any backlog; beyond so many they are found in it.
FRESH = 1000


class CloudLink:
    """Dials out for ever. What is sent comes from the callables given; nothing here is stored."""

    def __init__(
        self,
        url: str,
        token: str,
        gateway_id: str,
        hello: Callable[[], dict[str, Any]],
        live: Callable[[bool], list[dict[str, Any]]],
        behind: Callable[[list[str], dict[str, int], str, int], Awaitable[tuple[list[dict[str, Any]], str]]],
        receipted: Callable[[str, int], None],
        answer: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
        health: Callable[[bool], Awaitable[list[dict[str, Any]]]],
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/gateways/{gateway_id}/link"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._hello, self._live, self._behind = hello, live, behind
        self._receipted, self._answer, self._health = receipted, answer, health
        self._wake = asyncio.Event()
        self._fresh: dict[str, None] = {}
        self._first: dict[str, None] = {}
        self._fresh_first: dict[str, None] = {}
        self._after = ""
        self._in_flight: dict[str, tuple[int, float]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self.up = False
        self.counters = {"connects": 0, "incidents": 0, "receipts": 0, "malformed": 0, "refused": 0}

    def wake(self, incident: str) -> None:
        """An incident has a new version: it goes before any backlog."""
        fresh = self._fresh_first if incident in self._first else self._fresh
        if len(fresh) < FRESH:
            fresh[incident] = None
        self._wake.set()

    def first(self, incident: str) -> None:
        """People are in danger: whatever is new of this incident goes before what is new of a thousand others."""
        self._first[incident] = None
        if len(self._first) > FRESH:
            del self._first[next(iter(self._first))]

    async def run(self, session: aiohttp.ClientSession) -> None:
        """One connection after another."""
        pause_s = RETRY_FIRST_S
        told = False
        while True:
            try:
                async with session.ws_connect(
                    self._url,
                    heartbeat=10,
                    max_msg_size=1 << 22,
                    timeout=aiohttp.ClientWSTimeout(ws_close=2),
                    headers=self._headers,
                ) as socket:
                    self.up, told, pause_s = True, False, RETRY_FIRST_S
                    self.counters["connects"] += 1
                    _log.info("cloud: connected")
                    await self._session(socket)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if isinstance(error, aiohttp.WSServerHandshakeError) and error.status in (401, 403):
                    # Nothing is lost meanwhile: what the cloud has not receipted is sent when it takes the token.
                    self.counters["refused"] += 1
                    if not told:
                        _log.error(
                            "cloud: it does not take our token (%s); `liftwatch cloud admin gateway-token`", error
                        )
                elif not told:
                    _log.warning("cloud: %s; trying again", error)
                told = True
            self.up = False
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))
            pause_s = min(RETRY_MAX_S, pause_s * 2)

    async def _session(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._in_flight.clear()
        self._wake.set()
        await self._send(socket, {"type": "hello", "t_ms": unix_ms(), **self._hello()})
        tasks = [
            asyncio.create_task(self._send_live(socket)),
            asyncio.create_task(self._send_incidents(socket)),
            asyncio.create_task(self._send_heartbeats(socket)),
            asyncio.create_task(self._send_health(socket)),
            asyncio.create_task(self._hear(socket)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def _send(socket: aiohttp.ClientWebSocketResponse, message: dict[str, Any]) -> None:
        async with asyncio.timeout(ANSWER_S):
            await socket.send_str(json.dumps(message, ensure_ascii=False))

    async def _send_live(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        full_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            full = loop.time() >= full_at
            if full:
                full_at = loop.time() + FULL_S
            lifts = self._live(full)
            if lifts:
                await self._send(socket, {"type": "live", "t_ms": unix_ms(), "lifts": lifts})
            await asyncio.sleep(LIVE_S)

    async def _send_incidents(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now = loop.time()
            for name, (_, sent) in list(self._in_flight.items()):
                if now - sent > RESEND_S:
                    del self._in_flight[name]
            fresh = [*self._fresh_first, *itertools.islice(self._fresh, IN_FLIGHT)][:IN_FLIGHT]
            for name in fresh:
                self._fresh_first.pop(name, None)
                self._fresh.pop(name, None)
            flying = {name: version for name, (version, _) in self._in_flight.items()}
            room = max(0, IN_FLIGHT - len(flying))
            try:
                found, self._after = await self._behind(fresh, flying, self._after, room)
            except (NotDelivered, TimeoutError, sqlite3.Error) as error:
                _log.warning("cloud: the journal does not answer (%s); asking again", error)
                found = []
            for incident in found:
                self._in_flight[incident["id"]] = (incident["version"], now)
                self.counters["incidents"] += 1
                await self._send(socket, {"type": "incident", "sent_ms": unix_ms(), "incident": incident})
            if self._fresh_first or self._fresh or (found and len(self._in_flight) < IN_FLIGHT):
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._wake.wait()

    async def _send_heartbeats(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await self._send(socket, {"type": "heartbeat", "t_ms": unix_ms()})
            await asyncio.sleep(HEARTBEAT_S)

    async def _send_health(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        # Without receipts: a cloud that has lost what it was told connects anew, and is told all again.
        again = True
        while True:
            lifts = await self._health(again)
            again = False
            if lifts:
                await self._send(socket, {"type": "health", "t_ms": unix_ms(), "lifts": lifts})
            await asyncio.sleep(HEALTH_S)

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                found = json.loads(message.data)
                if found["type"] == "receipt":
                    self.counters["receipts"] += 1
                    flying = self._in_flight.get(found["id"])
                    if flying is not None and flying[0] <= found["version"]:
                        del self._in_flight[found["id"]]
                    self._receipted(found["id"], int(found["version"]))
                    if len(self._in_flight) == IN_FLIGHT // 2:
                        self._wake.set()
                elif found["type"] == "query":
                    task = asyncio.create_task(self._reply(socket, found))
                    self._answers.add(task)
                    task.add_done_callback(self._answers.discard)
            except (ValueError, KeyError, TypeError):
                self.counters["malformed"] += 1

    async def _reply(self, socket: aiohttp.ClientWebSocketResponse, query: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                result = await self._answer(query)
        except Exception as error:  # the asker is told, the link goes on
            result = {"error": f"{type(error).__name__}: {error}"[:300]}
        await self._send(socket, {"type": "answer", "q": query.get("q"), **result})
