"""Plays the simple terminal of one lift on the bench: no node, no serial line; its states go to a broker. It detects nothing."""

import asyncio
import contextlib
import time

from hil_tests.bench.lift_bench import LiftBench
from hil_tests.bench.terminal import Terminal
from hil_tests.bench.watched import Watched
from protocols.detector import Settings, Transition
from protocols.identity import client_id, topic
from protocols.mqtt.client import Connection
from protocols.mqtt.packets import MqttError
from protocols.state import LiftState

LOOK_S = 0.05
RETRY_S = 1.0
KEEPALIVE_MS = 15_000


class _Outbox:
    """The terminal with a detector's face, so that whoever joins twin and detector joins it too: it tells what it is shown."""

    def __init__(self, terminal: Terminal, begun_ms: int) -> None:
        self.near_misses: dict[str, int] = {}
        self.suppressed: dict[str, int] = {}
        self.waiting: list[bytes] = []
        self._terminal, self._begun_ms = terminal, begun_ms

    def step(self, state: LiftState, now: int) -> list[Transition]:
        self.waiting += self._terminal.look(state, now - self._begun_ms)
        return []

    def press(self, now: int, state: LiftState) -> list[Transition]:
        self._terminal.press()
        return []

    def release(self) -> None:
        self._terminal.release()

    def resume(self, kind: str, presses: int, now: int, withheld: str = "") -> None:
        """It knows of no events."""

    def open_kinds(self) -> list[str]:
        return []


class Publisher:
    """One boot of a terminal; the second of its start is the boot's number, so that it rises."""

    def __init__(self, lift: LiftBench, site: str, host: str, port: int) -> None:
        self._lift, self._site, self._host, self._port = lift, site, host, port
        self._terminal = Terminal(int(time.time()))
        self._outbox = _Outbox(self._terminal, lift.twin.now_ms)
        self._watched = Watched(lift.twin, self._make)
        self._conn = 0

    def _make(self, settings: Settings) -> _Outbox:
        return self._outbox

    async def run(self) -> None:
        """One connection after another, for ever."""
        while True:
            with contextlib.suppress(OSError, MqttError, asyncio.IncompleteReadError):
                await self._session()
            await asyncio.sleep(RETRY_S)

    def _now(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def _session(self) -> None:
        id, spec = self._lift.spec.id, self._lift.spec
        self._conn += 1
        name = topic(self._site, id, "link")
        link = Connection(
            client_id(self._site, id),
            KEEPALIVE_MS,
            [topic(self._site, id, "ack")],
            (name, self._terminal.will(self._conn)),
        )
        reader, writer = await asyncio.open_connection(self._host, self._port)
        sending: asyncio.Task[None] | None = None
        try:
            writer.write(link.start(self._now()))
            while data := await reader.read(65536):
                out, _ = link.receive(data, self._now())
                writer.write(out)
                if sending is None and link.state == "up":
                    birth = self._terminal.birth(
                        self._conn,
                        profile="nice3000",
                        stops=spec.stops,
                        doors=spec.doors,
                        rated_speed_mm_s=spec.rated_speed_mm_s,
                    )
                    writer.write(link.publish(name, birth, self._now(), retain=True))
                    sending = asyncio.create_task(self._send(link, writer))
                    # A line that answers no more is given up by the sender; this reader would wait for ever.
                    sending.add_done_callback(lambda done: writer.transport.abort())
        finally:
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            writer.transport.abort()

    async def _send(self, link: Connection, writer: asyncio.StreamWriter) -> None:
        name = topic(self._site, self._lift.spec.id, "state")
        while True:
            self._lift.refresh()
            self._watched.look()
            for payload in self._outbox.waiting:
                writer.write(link.publish(name, payload, self._now()))
            self._outbox.waiting.clear()
            writer.write(link.tick(self._now()))
            await writer.drain()
            await asyncio.sleep(LOOK_S)
