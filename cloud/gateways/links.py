"""The links that gateways dial in by: their messages in, receipts and queries out. One bad message loses nothing else."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from cloud.accounts import tokens
from cloud.clock import mono_ms, unix_ms
from cloud.gateways.live_states import LiveStates
from cloud.health.reports import HealthReports
from cloud.incidents import service as incidents
from cloud.lifts import service as lifts
from cloud.lifts.schemas import ToldLift, told_lift
from cloud.live.board import Board
from cloud.live.feed import Feed

_log = logging.getLogger(__name__)


class Kind(msgspec.Struct):
    """What a message is."""

    type: str


_kind = msgspec.json.Decoder(Kind).decode
_decode = msgspec.json.Decoder(dict[str, Any]).decode

QUERY_S = 9.0
POLICY_VIOLATION = 1008


class NoGateway(Exception):
    """No gateway that holds this lift is connected."""


class NotIts(ValueError):
    """A gateway told of a lift, or of an incident, that is another one's."""


class Link:
    """One connection: its token, and which lifts were found to be its own or another one's."""

    def __init__(self, gateway: str, socket: WebSocket, token: str) -> None:
        self.gateway, self.socket, self.token = gateway, socket, token
        self.states = LiveStates()
        self.own: set[str] = set()
        self.others: set[str] = set()


class GatewayLinks:
    """All connected gateways."""

    def __init__(self, board: Board, feed: Feed, sessions: Any, reports: HealthReports) -> None:
        self._board, self._feed, self._sessions, self._reports = board, feed, sessions, reports
        self._links: dict[str, Link] = {}
        self._queries: dict[int, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._numbers = itertools.count(1)
        self.malformed = 0
        self.foreign = 0
        # Called with the id of each incident that was stored anew; must not wait.
        self.incident_stored: Callable[[str], None] = lambda name: None

    async def serve(self, gateway: str, socket: WebSocket, token: str) -> None:
        """Hold the link of one gateway until it ends."""
        await socket.accept()
        link = self._links[gateway] = Link(gateway, socket, token)
        try:
            while True:
                text = await socket.receive_text()
                try:
                    if _kind(text).type == "live":
                        await self._take_live(link, text)
                    else:
                        await self._take(link, _decode(text))
                except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as error:
                    self.malformed += 1
                    _log.warning("gateway %s: a malformed message: %r", gateway, error)
                    await socket.send_json({"type": "error", "detail": f"malformed message: {error!r}"[:300]})
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: it was closed by us meanwhile
            _log.info("gateway %s: gone", gateway)
        finally:
            if self._links.get(gateway) is link:
                del self._links[gateway]
                self._board.lost(gateway)

    async def access_changed(self) -> None:
        """Tokens, or whose a lift is, have changed: links without a token any more end, the others look anew."""
        for link in list(self._links.values()):
            link.own.clear()
            link.others.clear()
            async with self._sessions() as session:
                known = await tokens.is_gateway(session, unix_ms(), link.token, link.gateway)
            if not known:
                _log.warning("gateway %s: its token was revoked", link.gateway)
                with contextlib.suppress(RuntimeError):
                    await link.socket.close(code=POLICY_VIOLATION)

    async def _its(self, link: Link, names: Iterable[str]) -> set[str]:
        """Those of `names` that this gateway may tell of; the others are counted, and told to it once."""
        wanted = set(names)
        unclear = wanted - link.own - link.others
        if unclear:
            async with self._sessions() as session:
                own = await lifts.known(session, unix_ms(), link.gateway, sorted(unclear))
            link.own |= own
            refused = unclear - own
            link.others |= refused
            if refused:
                self.foreign += len(refused)
                text = f"not lifts of this gateway: {', '.join(sorted(refused))[:200]}; an administrator can move them"
                _log.warning("gateway %s: %s", link.gateway, text)
                await link.socket.send_json({"type": "error", "detail": text})
        return wanted & link.own

    async def _take_live(self, link: Link, text: str) -> None:
        found = link.states.read(text)
        now = mono_ms()
        self._board.heard(link.gateway, now)
        its = await self._its(link, [told.id for told in found])
        whole = [link.states.whole(told) for told in found if told.id in its]
        self._feed.changed(self._board.live(link.gateway, whole, now))

    async def _take(self, link: Link, message: dict[str, Any]) -> None:
        now = mono_ms()
        kind = message["type"]
        gateway, socket = link.gateway, link.socket
        self._board.heard(gateway, now)
        if kind == "incident":
            await self._take_incident(link, message)
        elif kind == "hello":
            its = await self._its(link, [str(record["id"]) for record in message["lifts"]])
            told = await self._records(link, [record for record in message["lifts"] if str(record["id"]) in its])
            async with self._sessions() as session:
                await lifts.keep_records(session, unix_ms(), told)
            self._board.hello(gateway, str(message.get("version", "")), [record.model_dump() for record in told], now)
            self._feed.changed([record.id for record in told])
            await socket.send_json({"type": "welcome", "t_ms": unix_ms()})
        elif kind == "health":
            self._reports.take(gateway, message["lifts"])
        elif kind == "answer":
            asked, future = self._queries.get(int(message["q"]), ("", None))
            if future is not None and asked == gateway and not future.done():
                future.set_result(message)
        elif kind != "heartbeat":
            raise ValueError(f"no such message: {kind!r}"[:80])

    async def _records(self, link: Link, found: list[dict[str, Any]]) -> list[ToldLift]:
        """The lifts' records; a field that cannot be used is counted, told, and left out of its record alone."""
        out = []
        for entry in found:
            record, wrong = told_lift(entry)
            if record is not None:
                out.append(record)
            if wrong:
                self.malformed += 1
                text = f"lift {str(entry['id'])[:32]}: not usable: {', '.join(wrong)[:200]}; they are taken as not told"
                _log.warning("gateway %s: %s", link.gateway, text)
                await link.socket.send_json({"type": "error", "detail": text})
        return out

    async def _take_incident(self, link: Link, message: dict[str, Any]) -> None:
        found = message["incident"]
        lift = str(found["lift"])
        # What a gateway tells of itself (a damaged store) has its own id for the lift.
        if lift != link.gateway and lift not in await self._its(link, [lift]):
            raise NotIts(f"incident {str(found['id'])[:80]}: {lift[:40]} is not a lift of this gateway")
        async with self._sessions() as session:
            if lift == link.gateway and await lifts.is_anothers(session, link.gateway, lift):
                raise NotIts(f"incident {str(found['id'])[:80]}: a lift of another gateway has this gateway's id")
            stored = await incidents.store(session, link.gateway, found, message.get("sent_ms"))
        if stored.shown is not None:
            self._feed.push(stored.seq, "incident", lift, stored.shown)
            self.incident_stored(str(found["id"]))
        await link.socket.send_json({"type": "receipt", "id": found["id"], "version": stored.version})

    async def query(self, gateway: str, what: dict[str, Any]) -> dict[str, Any]:
        """Ask a gateway; NoGateway if it is not connected, TimeoutError if it does not answer."""
        link = self._links.get(gateway)
        if link is None:
            raise NoGateway(gateway)
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._queries[number] = (gateway, future)
        try:
            try:
                await link.socket.send_json({"type": "query", "q": number, **what})
            except (WebSocketDisconnect, RuntimeError) as error:  # it has just gone
                raise NoGateway(gateway) from error
            return await asyncio.wait_for(future, QUERY_S)
        finally:
            self._queries.pop(number, None)
