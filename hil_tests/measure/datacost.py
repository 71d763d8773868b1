"""What a lift's link costs in bytes a month: as its node counts it, held against what really passed a proxy. It judges no delivery.

Nobody runs a month: a parked lift and a busy one are measured at real speed, and a month is put together from the two.
"""

import math
import pathlib
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hil_tests.demo.stack import SITE, Stack
from hil_tests.measure.judgement import Judgement
from hil_tests.services import wait_until
from hil_tests.wires import Traffic, Wires
from protocols import messages
from protocols.identity import topic
from protocols.link_cost import MONTH_MS, SEGMENT_BYTES, LinkCost
from protocols.mqtt.packets import publish

# Factors of the twin's ordinary traffic: next to nobody, and about a start a minute.
PARKED, BUSY = 0.001, 12.0
# What the twin's ordinary estate has at most (starts a day).
STARTS_PER_DAY = 125
DAYS = 30
# Ours: a node's clean connections a day, with a handshake each. A real line is cut more often on some days than in a week.
CONNECTIONS_PER_DAY = 4
ALLOWED_BYTES = 60_000_000
# So long apart are two states of a parked lift on a metered link only if nothing changed meanwhile. On a machine that is busy the
# twin's controller misses polls, which a lift's does not, and each time costs two states.
CALM_MS = 85_000
TELLS_S = 100.0  # a parked node on a metered link says something each 90 s
# Nothing is on its way once nothing has passed for so long: what was sent has been read and counted, and each end has acknowledged
# (Linux delays that by 40 ms).
QUIET_S = 0.25
LOOK_S = 0.02
# What TLS may add to a message of a node.
MOST_RECORD_BYTES = 64


@dataclass
class Telling:
    """What a node said its link has cost, when, and what the proxy had seen of it."""

    up_ms: int
    told: int
    starts: int
    seen: Traffic

    @property
    def span(self) -> str:
        """One of it."""
        return "once"

    @property
    def captured(self) -> int:
        """Bytes on the wire: payload of TCP as it passed, segments and acknowledgements as the kernel counted them."""
        return self.seen.payload + SEGMENT_BYTES * self.seen.segments


@dataclass
class Cost:
    """One lift over its measured stretch."""

    first: Telling
    last: Telling

    @property
    def minutes(self) -> float:
        """How long it was measured."""
        return (self.last.up_ms - self.first.up_ms) / 60_000

    @property
    def span(self) -> str:
        """In words."""
        return f"{self.minutes:.1f} min, {self.starts} starts"

    @property
    def told(self) -> int:
        """Bytes that the node counted."""
        return self.last.told - self.first.told

    @property
    def captured(self) -> int:
        """Bytes that the proxy saw."""
        return self.last.captured - self.first.captured

    @property
    def starts(self) -> int:
        """Starts of the lift."""
        return self.last.starts - self.first.starts


@dataclass
class Result:
    """What was measured, and the month put together from it. `failures` are of the judgement on the same run."""

    parked: Cost
    busy: Cost
    opening: Telling
    calm: tuple[int, int]  # (ms, bytes) of the parked lift's time in which nothing changed, (0, 0) if there was none
    failures: list[str]

    @property
    def start_bytes(self) -> float:
        """What one start costs beyond the same time parked."""
        beyond = self.busy.told - self.parked.told * self.busy.minutes / self.parked.minutes
        return max(0.0, beyond) / max(1, self.busy.starts)

    @property
    def month_bytes(self) -> float:
        """A month of STARTS_PER_DAY starts a day."""
        ms, told = self.calm if self.calm[0] else (int(60_000 * self.parked.minutes), self.parked.told)
        parked = told / ms * MONTH_MS
        return parked + DAYS * (STARTS_PER_DAY * self.start_bytes + CONNECTIONS_PER_DAY * self.opening.captured)


class Listener:
    """Hears the states of all lifts at the broker; `first` and `last` tellings by lift, of moments at which nothing was on its way.

    A node tells what passed before the message in which it tells it: that is held against what had passed when it was quiet, if
    nothing came between.
    """

    def __init__(self, stack: Stack, wires: Wires) -> None:
        self._wires = wires
        self._lifts = stack.lift_ids()
        self._lock = threading.Lock()
        # By lift: the time of the last chunk before it was quiet, and all that had passed by then.
        self._quiet: dict[str, tuple[float, Traffic]] = {}
        self._newest: dict[str, Telling] = {}
        self.first: dict[str, Telling] = {}
        self.last: dict[str, Telling] = {}
        self.calm: dict[str, tuple[int, int]] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda client, data, found: self._hear(found.topic, bytes(found.payload))
        self._client.on_connect = lambda client, *_: client.subscribe(topic(SITE, "+", "state"))
        self._client.connect("127.0.0.1", stack.plain_port)
        self._client.loop_start()

    def look(self) -> None:
        """See whether it is quiet; to be called each LOOK_S."""
        for lift in self._lifts:
            passed = self._wires.passings(lift)
            if passed and time.monotonic() - passed[-1].at_s >= QUIET_S:
                seen = self._wires.traffic(lift)
                if self._wires.passings(lift)[-1] == passed[-1]:
                    with self._lock:
                        self._quiet[lift] = passed[-1].at_s, seen

    def _hear(self, name: str, payload: bytes) -> None:
        values = messages.decode("state", payload)
        starts = values["state"].starts
        if values["link_bytes"] is None or starts is None:
            return
        lift = name.split("/")[3]
        with self._lock:
            quiet_s, seen = self._quiet.get(lift, (0.0, Traffic(0, 0, 0)))
        telling = Telling(values["up_ms"], values["link_bytes"], starts, seen)
        newest = self._newest.get(lift)
        if newest is not None and telling.up_ms - newest.up_ms >= CALM_MS:
            ms, told = self.calm.get(lift, (0, 0))
            self.calm[lift] = ms + telling.up_ms - newest.up_ms, told + telling.told - newest.told
        self._newest[lift] = telling
        since = [passing for passing in self._wires.passings(lift) if passing.at_s > quiet_s]
        size = len(publish(name, payload))
        if quiet_s and since[0].from_near and size < since[0].size <= size + MOST_RECORD_BYTES:
            with self._lock:
                self.first.setdefault(lift, telling)
                self.last[lift] = telling

    def cost(self, lift: str) -> Cost | None:
        """Of one lift; None before its second telling."""
        with self._lock:
            first, last = self.first.get(lift), self.last.get(lift)
        return Cost(first, last) if first is not None and last is not None and last.up_ms > first.up_ms else None

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()


def run(minutes: float, metered: bool, tell: Callable[[str], None], *, judged: bool = True) -> Result:
    """Measure for `minutes` on a stack of its own, with TLS and certificates on both sides; at the end it is `judged`."""
    wires = Wires()
    with tempfile.TemporaryDirectory(prefix="liftwatch-datacost-") as folder:
        settings = {"metered": True} if metered else None
        stack = Stack(
            pathlib.Path(folder), 2, traffic=[PARKED, BUSY], wires=wires, tls=True, node=settings, wire_each=True
        )
        try:
            stack.start()
            listener = Listener(stack, wires)
            try:
                _listen(listener, stack.lift_ids(), minutes, tell)
            finally:
                listener.stop()
            parked, busy = (listener.cost(lift) for lift in stack.lift_ids())
            assert parked is not None
            assert busy is not None
            judgement = Judgement(stack, {})
            if judged:
                judgement.run()
            calm = listener.calm.get(stack.lift_ids()[0], (0, 0))
            return Result(parked, busy, _opening(stack, wires), calm, judgement.failures)
        finally:
            stack.stop()
            wires.close()


def _listen(listener: Listener, lifts: list[str], minutes: float, tell: Callable[[str], None]) -> None:
    """Until each of `lifts` has been measured over `minutes` at least; TimeoutError if one does not come to it."""
    until = time.monotonic() + 60 * minutes
    said = math.ceil(minutes)
    while not all(cost is not None and cost.minutes >= minutes for cost in map(listener.cost, lifts)):
        if time.monotonic() > until + 4 * TELLS_S:
            raise TimeoutError("the nodes did not tell what their links cost while nothing else was on its way")
        time.sleep(LOOK_S)
        listener.look()
        left = max(0, math.ceil((until - time.monotonic()) / 60))
        if left < said:
            said = left
            tell(f"{left} min left")


def _opening(stack: Stack, wires: Wires) -> Telling:
    """What a connection of a node costs up to its birth: TCP, TLS, CONNECT, subscription and birth, as told in it and as seen."""
    lift = stack.lift_ids()[0]
    births: list[Telling] = []

    def hear(payload: bytes) -> None:
        birth = messages.decode("link", payload)
        if birth["online"]:
            told = LinkCost(tls=True)
            told.passed(len(publish(topic(SITE, lift, "link"), payload, retain=True)))
            births.append(Telling(0, birth["counters"]["link_bytes"] + told.total(), 0, wires.traffic(lift)))

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda client, data, found: None if found.retain else hear(bytes(found.payload))
    client.on_connect = lambda client, *_: client.subscribe(topic(SITE, lift, "link"))
    client.connect("127.0.0.1", stack.plain_port)
    client.loop_start()
    try:
        stack.nodes[lift].kill()
        time.sleep(0.2)  # it boots after half a second; what the old line had on its way is counted by then
        before = wires.traffic(lift)
        wait_until(lambda: bool(births), 30, "the birth of the next boot")
        told, after = births[0].told, births[0].seen
        seen = Traffic(after.payload - before.payload, after.segments - before.segments, 1)
        return Telling(0, told, 0, seen)
    finally:
        client.disconnect()
        client.loop_stop()
