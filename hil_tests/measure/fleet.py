"""Nodes without lifts: the node's own log and delivery over real MQTT connections, as many as wanted, with hours of backlog.

No firmware and no bus: what is measured with them is what stands behind the broker.
"""

import asyncio
import contextlib
import copy
import itertools
import random
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any

from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.ordinary import DAY_MS, Life
from hil_tests.services import end_with_parent
from protocols import codes, messages, records
from protocols.delivery.log import FLUSH_MS, ChangeLog, RamStore
from protocols.delivery.node import NodeDelivery
from protocols.detector import Transition
from protocols.errors import DecodeError
from protocols.faults import BY_NAME
from protocols.identity import client_id, topic
from protocols.mqtt.client import Connection
from protocols.mqtt.packets import MqttError
from protocols.state import LiftState

SITE = "fleet"
BOOT = 1
KEEPALIVE_MS = 15_000
RETRY_S = 1.0
# The shaft: a record each second needs more than the log's deadband of 400 mm from one to the next.
TOP_MM = 14_500
STEP_MM = (500, 1_000)
PITCH_MM = 2_900
# Days that differ; each is given to a share of the nodes.
DAYS = 10
LOG_BYTES = 10_000_000


class Travel:
    """A car that never rests: each second is a change record."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._up = 1
        self.state = LiftState(service_mode=0, car_status=0, mains=True, safety_circuit=True, position_mm=0, floor=1)

    def step(self) -> LiftState:
        """The state a second later."""
        state = self.state
        moved = self._random.randint(*STEP_MM)
        place = (state.position_mm or 0) + self._up * moved
        if not 0 <= place <= TOP_MM:
            self._up = -self._up
            place += 2 * self._up * moved
        state.position_mm, state.speed_mm_s = place, moved
        state.floor, state.direction = place // PITCH_MM + 1, 1 if self._up > 0 else 2
        return state


@dataclass
class Day:
    """A log with its past, the car that goes on from it, and the uptime that it has come to."""

    log: ChangeLog
    travel: Travel
    up_ms: int
    records: int


def day(seconds: int, seed: int) -> Day:
    """`seconds` of a node without a link, a record each."""
    log, travel = ChangeLog(RamStore(BOOT, LOG_BYTES), BOOT), Travel(seed)
    begun_ms = time.time_ns() // 1_000_000 - seconds * 1000
    made = 0
    for second in range(seconds):
        up_ms = second * 1000
        made += log.record(travel.step(), up_ms, begun_ms + up_ms)
        log.flush(up_ms, soon=False)
    return Day(log, travel, seconds * 1000, made)


def lived(spec: LiftSpec, days: int, end_ms: int) -> Day:
    """`days` of a twin's ordinary life that end at unix ms, as its node has them that had no link all the while."""
    log, begin_ms = ChangeLog(RamStore(BOOT, LOG_BYTES), BOOT), end_ms - days * DAY_MS

    def look(state: LiftState, now_ms: int) -> None:
        log.record(state, now_ms - begin_ms, now_ms)
        log.flush(now_ms - begin_ms, soon=False)

    Life(spec, begin_ms, look, FLUSH_MS).watch(end_ms)
    log.flush(end_ms - begin_ms + DAY_MS)
    return Day(log, Travel(spec.seed), end_ms - begin_ms, log.records)


@dataclass
class Press:
    """One press of an alarm button; times in unix ms, None until they happen."""

    published_ms: float | None = None
    committed_ms: float | None = None
    done_ms: float | None = None
    lift: str = field(default="", compare=False)


def _unix_ms() -> float:
    return time.time_ns() / 1e6


class FleetNode:
    """One node. `run` keeps it connected; `presses` are those of `press`, by the event's id."""

    def __init__(self, lift: str, past: Day, *, records_on: bool = True) -> None:
        self.lift = lift
        self.records = past.records
        self.records_on = records_on
        self.presses: dict[str, Press] = {}
        self.delivery = NodeDelivery(lift, BOOT, past.log, lambda up_ms: int(_unix_ms()))
        self._past = past
        self._begun = time.monotonic()
        self._seq = itertools.count(1)
        self._wake = asyncio.Event()

    def now(self) -> int:
        """Ms since its boot."""
        return self._past.up_ms + int((time.monotonic() - self._begun) * 1000)

    def press(self) -> str | None:
        """Press the button: an alarm opens. Its id; None if it went on with one that is not over yet."""
        name = self._transition(codes.OPEN)
        if name is None or name in self.presses:
            return None
        self.presses[name] = Press(lift=self.lift)
        return name

    def release(self) -> None:
        """The alarm is over."""
        self._transition(codes.CLOSED)

    def _transition(self, phase: str) -> str | None:
        now = self.now()
        change = Transition("button_pressed", phase, now, now, "pressed", [("button", now)], 1)
        name = self.delivery.raise_transition(change, BY_NAME["button_pressed"], self._past.travel.state, now)
        self._wake.set()
        return name

    # -- link -----------------------------------------------------------------------------------------------------

    async def run(self, port: int) -> None:
        """One connection after another, for ever."""
        while True:
            with contextlib.suppress(OSError, MqttError, asyncio.IncompleteReadError):
                await self._session(port)
            self.delivery.link_down()
            await asyncio.sleep(RETRY_S)

    async def _session(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        link = Connection(client_id(SITE, self.lift), KEEPALIVE_MS, [topic(SITE, self.lift, "ack")])
        writer.write(link.start(self.now()))
        sending: asyncio.Task[None] | None = None
        try:
            while data := await reader.read(65536):
                out, got = link.receive(data, self.now())
                writer.write(out)
                for _, payload, _ in got:
                    self._on_ack(payload)
                if sending is None and link.state == "up":
                    self.delivery.link_up(self.now())
                    sending = asyncio.create_task(self._send(link, writer))
        finally:
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            writer.transport.abort()

    def _on_ack(self, payload: bytes) -> None:
        at_ms = _unix_ms()
        with contextlib.suppress(DecodeError):
            ack = messages.decode("ack", payload)
            self.delivery.on_ack(ack, self.now())
            for name, rev, level in ack["events"]:
                press = self.presses.get(name)
                if press is None or rev != 1:
                    continue
                press.committed_ms = press.committed_ms or at_ms
                if level >= codes.DONE:
                    press.done_ms = press.done_ms or at_ms
        self._wake.set()

    async def _send(self, link: Connection, writer: asyncio.StreamWriter) -> None:
        second = self.now()
        while True:
            self._wake.clear()
            now = self.now()
            writer.write(link.tick(now))
            if now >= second:
                second += 1000
                self._live(link, writer, now)
            for kind, value in self.delivery.due(now):
                payload = records.wire(*value) if kind == "log" else messages.encode(kind, value)
                if kind == "event":
                    press = self.presses.get(value["id"])
                    if press is not None and press.published_ms is None:
                        press.published_ms = _unix_ms()
                writer.write(link.publish(topic(SITE, self.lift, kind), payload, now))
            await writer.drain()
            wait_ms = min(self.delivery.next_due_ms(now), second) - self.now()
            if wait_ms > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait_ms / 1000)

    def _live(self, link: Connection, writer: asyncio.StreamWriter, now: int) -> None:
        if self.records_on:
            self.records += self._past.log.record(self._past.travel.step(), now, int(_unix_ms()))
        self._past.log.flush(now)
        values = {"boot": BOOT, "conn": 1, "seq": next(self._seq), "up_ms": now, "sample_up_ms": now}
        payload = messages.encode("state", values, self._past.travel.state)
        writer.write(link.publish(topic(SITE, self.lift, "state"), payload, now))


# -- a fleet in a process of its own --------------------------------------------------------------------------------


def names(count: int) -> list[str]:
    """Ids of the fleet's lifts."""
    return [f"fleet-{number}" for number in range(1, count + 1)]


def serve(pipe: Pipe, port: int, count: int, seconds: int) -> None:
    """The process: answers "ready" once the past is made, then each of "connect", "rest" and "tell"."""
    end_with_parent()
    days = [day(seconds, seed) for seed in range(min(count, DAYS))]
    nodes = [FleetNode(name, copy.deepcopy(days[number % len(days)])) for number, name in enumerate(names(count))]
    pipe.send("ready")
    asyncio.run(_serve(pipe, port, nodes))


async def _serve(pipe: Pipe, port: int, nodes: list[FleetNode]) -> None:
    running: list[asyncio.Task[None]] = []
    while True:
        wanted = await asyncio.to_thread(pipe.recv)
        if wanted == "connect":
            running += [asyncio.create_task(node.run(port)) for node in nodes]
        elif wanted == "rest":
            for node in nodes:
                node.records_on = False
        pipe.send(_told(nodes))


def _told(nodes: list[FleetNode]) -> dict[str, Any]:
    return {
        "records": {node.lift: node.records for node in nodes},
        "backlog": sum(node.delivery.log_backlog() for node in nodes),
    }
