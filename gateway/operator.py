"""What a person at the gateway may ask and do, on loopback: dead letters, quarantine, fault words, commands. It decides nothing by itself."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from gateway import dead_letters
from gateway.commands import Commands
from gateway.deliveries import Deliveries
from gateway.errors import ConfigError, NotDelivered
from gateway.fault_words import UnknownWords
from gateway.journal import Journal
from gateway.locallog import LocalLog

# Entries in one answer.
LISTED = 1000


class Operator:
    """The routes; `malformed` is what the lanes could not read: (unix ms, reason, payload's beginning)."""

    def __init__(
        self,
        journal: Journal,
        deliveries: Deliveries,
        malformed: Iterable[tuple[int, str, bytes]],
        log: LocalLog,
        words: UnknownWords,
        commands: Commands,
    ) -> None:
        self._journal, self._deliveries, self._malformed, self._log = journal, deliveries, malformed, log
        self._words, self._commands = words, commands

    def routes(self) -> list[web.RouteDef]:
        """GET /dead-letters, POST /dead-letters/replay, GET /quarantine, GET /fault-words, POST /commands."""
        return [
            web.get("/dead-letters", self._list),
            web.post("/dead-letters/replay", self._replay),
            web.get("/quarantine", self._quarantine),
            web.get("/fault-words", self._fault_words),
            web.post("/commands", self._command),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(await self._journal.ask(dead_letters.listed(LISTED)))
        except (NotDelivered, TimeoutError) as error:
            return _trouble(503, f"the journal does not answer: {error}")

    async def _replay(self, request: web.Request) -> web.Response:
        """Body: {"destination": …} with "id" and "rev" to name one; answers {"replayed": how many, "left": …}."""
        # A page in a browser on this machine can post texts and forms anywhere, but no JSON without our leave.
        if request.content_type != "application/json":
            return _trouble(415, "send JSON, with its content type")
        try:
            wanted: Any = await request.json()
            destination, name, rev = str(wanted["destination"]), wanted.get("id"), wanted.get("rev")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _trouble(400, "a JSON object with a destination is wanted")
        if (name is not None and not isinstance(name, str)) or (rev is not None and not isinstance(rev, int)):
            return _trouble(400, "id is a text and rev a number")
        try:
            replayed, left = await self._deliveries.replay(destination, name, rev)
        except ConfigError as error:
            return _trouble(404, str(error))
        except (NotDelivered, TimeoutError) as error:
            return _trouble(503, f"the journal does not answer: {error}")
        return web.json_response({"replayed": replayed, "left": left})

    async def _command(self, request: web.Request) -> web.Response:
        """Body: {"lift", "what", "args"}; answers with the node's reply."""
        try:
            wanted: Any = await request.json()
            lift, what, args = str(wanted["lift"]), str(wanted["what"]), wanted.get("args") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return _trouble(400, "a JSON object with lift and what is wanted")
        if not isinstance(args, dict):
            return _trouble(400, "args is an object")
        try:
            return web.json_response(await self._commands.send(lift, what, args))
        except ConfigError as error:
            return _trouble(404, str(error))
        except NotDelivered as error:
            return _trouble(504, str(error))

    async def _quarantine(self, request: web.Request) -> web.Response:
        """{"malformed": payloads that break the contract, "influx": lines that the database refused}, newest first."""
        malformed = [
            {"at_ms": at_ms, "reason": reason, "payload": payload.hex()} for at_ms, reason, payload in self._malformed
        ]
        lines = await asyncio.to_thread(lambda: self._log.reader().quarantined(LISTED))
        return web.json_response({"malformed": malformed[::-1], "influx": lines})

    async def _fault_words(self, request: web.Request) -> web.Response:
        """Fault words of controllers that no table names: [{profile, word, seen, lifts, first_ms, last_ms}], newest first."""
        return web.json_response(self._words.listed())


def _trouble(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
