"""What can be wrong with a running stack for a while: parts killed, stopped and frozen, wires cut, a city's moods, a clock that jumps."""

import os
import pathlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil_tests.demo.stack import Stack
from hil_tests.disk import SmallDisk
from hil_tests.wires import Wires

DAY_S = 86400
SERVED = ("broker", "gateway", "cloud", "city", "influx")
CITY_MOODS: tuple[dict[str, Any], ...] = (
    {"mode": "slow"}, {"mode": "refuse"}, {"mode": "down"}, {"drop_answer": 0.5}, {"lose_request": 0.5}, {"error": 0.5},
    {"garbage": 0.5}, {"answer_twice": 0.7},
)  # fmt: skip
# Enough for a node's task to miss its turn, not for its watchdog (12 s), which goes on counting while the process is stopped.
NODE_FREEZE_S = 8.0


@dataclass
class Mishap:
    """One thing that can be wrong for a while, at most `longest_s`. Two of the same `part` never overlap."""

    name: str
    part: str
    begin: Callable[[], None]
    end: Callable[[], None]
    longest_s: float = float("inf")


class Mishaps:
    """All that can go wrong with `stack`. `frozen` are {lift: [(from, to)]} of its nodes, monotonic seconds."""

    def __init__(
        self, stack: Stack, wires: Wires, clock: pathlib.Path | None, disk: SmallDisk | None, node_kills: bool
    ) -> None:
        """`clock` is the file of the gateway's clock offset, `disk` what its stores lie on; None where there is none to spoil."""
        self._stack = stack
        self._wires = wires
        self._clock = clock
        self._disk = disk
        self._node_kills = node_kills
        self.frozen: dict[str, list[tuple[float, float]]] = {}

    def all(self) -> list[Mishap]:
        """The list from which a seed chooses, always in the same order."""
        parts = [mishap for name in SERVED if name in self._stack.children for mishap in self._of_part(name)]
        wires = [mishap for wire in self._wires.names() for mishap in self._of_wire(wire)]
        moods = [self._of_city(mood) for mood in CITY_MOODS]
        nodes = [mishap for lift in self._stack.lift_ids() for mishap in self._of_node(lift)]
        return parts + wires + moods + nodes + self._of_clock() + self._of_disk()

    def _of_part(self, name: str) -> list[Mishap]:
        child = self._stack.children[name]

        def start() -> None:
            self._stack.start_part(name)

        def signals(number: signal.Signals) -> Callable[[], None]:
            def act() -> None:
                if child.process is not None and child.process.poll() is None:
                    child.process.send_signal(number)

            return act

        return [
            Mishap(f"kill -9 {name}", name, child.kill, start),
            Mishap(f"stop {name}", name, child.stop, start),
            Mishap(f"freeze {name}", name, signals(signal.SIGSTOP), signals(signal.SIGCONT)),
        ]

    def _of_wire(self, wire: str) -> list[Mishap]:
        def sets(mood: str) -> Callable[[], None]:
            return lambda: self._wires.set(wire, mood)

        def dies() -> None:
            self._wires.reset(wire)
            self._wires.set(wire, "open")

        found = [Mishap(f"{mood} {wire}", wire, sets(mood), sets("open")) for mood in ("cut", "silent", "slow")]
        return [*found, Mishap(f"half-open {wire}", wire, sets("silent"), dies)]

    def _of_city(self, mood: dict[str, Any]) -> Mishap:
        told = " ".join(f"{key} {value}" for key, value in mood.items())
        return Mishap(f"city {told}", "city", lambda: self._stack.behave(**mood), lambda: self._stack.behave(mode="ok"))

    def _of_node(self, lift: str) -> list[Mishap]:
        node = self._stack.nodes[lift]

        def freeze() -> None:
            self.frozen.setdefault(lift, []).append((time.monotonic(), float("inf")))
            os.kill(node.pid, signal.SIGSTOP)

        def thaw() -> None:
            os.kill(node.pid, signal.SIGCONT)
            begun, _ = self.frozen[lift].pop()
            self.frozen[lift].append((begun, time.monotonic() + 1.0))

        found = [Mishap(f"freeze node {lift}", lift, freeze, thaw, NODE_FREEZE_S)]
        if self._node_kills:
            found.append(Mishap(f"kill -9 node {lift}", lift, node.kill, lambda: None))
        return found

    def _of_clock(self) -> list[Mishap]:
        clock = self._clock
        if clock is None:
            return []

        def sets(days: int) -> Callable[[], None]:
            def act() -> None:
                clock.write_text(f"{days * DAY_S:+d}")

            return act

        return [Mishap(f"clock of the gateway {days:+d} day", "clock", sets(days), sets(0)) for days in (1, -1)]

    def _of_disk(self) -> list[Mishap]:
        disk = self._disk
        return [] if disk is None else [Mishap("fill the gateway's disk", "disk", disk.fill, disk.free)]
