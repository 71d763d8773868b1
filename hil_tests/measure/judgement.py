"""The promise, checked on a stack that was broken and healed: nothing lost, nothing doubled, history whole and the same everywhere.

What the nodes' consoles and the bench say is the truth; city, cloud, InfluxDB and the gateway's log are what is judged.
"""

import contextlib
import itertools
import sqlite3
import time
from typing import Any

from hil_tests.demo.stack import Stack
from hil_tests.measure.mishaps import DAY_S
from hil_tests.measure.truth import Told, read_consoles
from hil_tests.services import StartError, wait_until
from protocols.records import Batch

# Ours: back-off of the node is 8 s at most, of relay and cloud 60 s; a minute more for a loaded machine.
SETTLE_S = 150.0
# What is on its way: a batch is closed after 5 s.
FRESH_MS = 15_000


class Judgement:
    """`figures` and `failures` of one stack after all is healed. An empty list of failures is what was promised."""

    def __init__(self, stack: Stack, seen_presses: dict[str, int], *, store_is_new: bool = False) -> None:
        """`seen_presses` {lift: how many its node must have counted}. `store_is_new`: the gateway's, and so the log begins late."""
        self._stack = stack
        self._store_is_new = store_is_new
        self._seen_presses = seen_presses
        self.failures: list[str] = []
        self.figures: dict[str, float] = {}

    def run(self) -> None:
        """Wait until all is even, at most SETTLE_S, and check."""
        stack, failures = self._stack, self.failures
        begun = time.monotonic()
        try:
            stack.wait_good(60)
            # What a node tells after that, an alarm that ends by itself, was not under any fault.
            wait_until(lambda: not self._missing(self._told()), SETTLE_S, "every revision at its destinations")
            if "influx" in stack.children:
                wait_until(lambda: stack.metric("influx_behind_batches") == 0, 60, "InfluxDB caught up")
        except StartError as error:
            failures += [str(error), *self._missing(self._told())]
        self.figures["settled_s"] = round(time.monotonic() - begun, 1)
        received = stack.received()
        told = self._told()
        keys = [(entry["id"], entry["rev"]) for entry in received]
        if len(keys) != len(set(keys)):
            failures.append(f"{len(keys) - len(set(keys))} of (id, rev) twice at the city")
        strangers = {name for name, _ in keys} - {event.name for event in told}
        if strangers:
            failures.append(f"the city has events that no node told: {sorted(strangers)[:5]}")
        self.figures |= {
            "events": len(told),
            "revisions": sum(event.revisions for event in told),
            "uncertain": sum(event.is_uncertain for event in told),
            "repeats": sum(entry["arrivals"] - 1 for entry in received),
        }
        self._presses(told)
        self._log()
        self._records()
        self._history()

    def _told(self) -> list[Told]:
        return read_consoles({lift: node.console for lift, node in self._stack.nodes.items()})

    def _missing(self, told: list[Told]) -> list[str]:
        """What a destination lacks of the newest revisions, in words."""
        at_city = {(entry["id"], entry["rev"]) for entry in self._stack.received()}
        at_cloud = {incident["id"]: incident for incident in self._stack.all_incidents()}
        out = []
        for event in told:
            if event.is_uncertain:
                continue
            incident = at_cloud.get(event.name)
            if incident is None or incident["rev"] != event.rev or incident["phase"] != event.phase:
                found = "nothing" if incident is None else f"rev {incident['rev']} {incident['phase']}"
                out.append(f"cloud: {event.name} {event.kind} rev {event.rev} {event.phase}, has {found}")
                continue
            states = {
                entry["rev"]: entry["state"] for entry in incident["deliveries"] if entry["destination"] == "city"
            }
            if states.get(event.rev) in ("not_mapped", "withheld"):
                continue
            if (event.name, event.rev) not in at_city:
                out.append(f"city: {event.name} {event.kind} rev {event.rev} {event.phase} is missing")
            elif states.get(event.rev) != "receipted":
                out.append(f"{event.name} rev {event.rev}: the city has it, its delivery is {states.get(event.rev)}")
        return out

    def _presses(self, told: list[Told]) -> None:
        counted = {incident["id"]: incident["presses"] for incident in self._stack.all_incidents()}
        for lift, seen in self._seen_presses.items():
            found = sum(
                counted.get(event.name, 0) for event in told if (event.kind, event.lift) == ("button_pressed", lift)
            )
            if found < seen:
                self.failures.append(f"{lift}: {seen} presses, {found} in its alarms")

    def _log(self) -> None:
        """Each life's numbers are whole, or the hole is booked as a gap."""
        lives: dict[tuple[str, int], set[int]] = {}
        for lift, life, number in self._ask_log("SELECT lift, life, number FROM batch"):
            lives.setdefault((lift, life), set()).add(number)
        gaps = self._ask_log("SELECT lift, life, first, last FROM gap")
        for (lift, life), numbers in lives.items():
            newest = max(numbers)
            booked = {
                number for at, of, first, last in gaps if (at, of) == (lift, life)
                for number in range(first, (last or newest) + 1)
            }  # fmt: skip
            holes = sorted(set(range(1, newest + 1)) - numbers - booked)
            if holes:
                self.failures.append(f"log of {lift}, life {life}: neither stored nor booked: {holes[:8]} of {newest}")
            if booked & numbers:
                self.failures.append(f"log of {lift}, life {life}: stored and booked: {sorted(booked & numbers)[:8]}")
        self.figures["batches"] = sum(len(numbers) for numbers in lives.values())
        self.figures["gaps"] = len(gaps)

    def _ask_log(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        path = self._stack.data / "gateway" / "log.db"
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def _door_cycles(self, lift: str) -> list[tuple[int, int]]:
        """[(boot, door cycles)] as the log's records have them, in the order of time: a counter that each boot begins at 0."""
        found: list[tuple[int, int, int, int]] = []
        for life, body in self._ask_log("SELECT life, body FROM batch WHERE lift = ?", lift):
            batch = Batch(body, 1)
            for up_ms, changes in batch.records():
                count = changes.get("door_cycles")
                if count is not None:
                    found.append((life, batch.boot, up_ms, count))
        return [(boot, count) for _, boot, _, count in sorted(found)]

    def _records(self) -> None:
        """No record within the batches is missing: a counter in them misses no number, and its last is the node's own."""
        stack = self._stack

        def is_current(lift: str) -> bool:
            live = next(entry for entry in stack.lifts() if entry["id"] == lift)
            return [count for _, count in self._door_cycles(lift)][-1:] == [live["state"]["door_cycles"]]

        counted = 0
        for lift in stack.lift_ids():
            try:
                # A batch is closed 5 s after its first record, 60 s on a metered link; a busy door changes meanwhile.
                wait_until(lambda lift=lift: is_current(lift), 150, f"the newest record of {lift} in the log")  # type: ignore[misc]
            except StartError as error:
                self.failures.append(str(error))
            if self._ask_log("SELECT 1 FROM gap WHERE lift = ?", lift):
                continue  # what is in a booked gap is known to be missing
            cycles = self._door_cycles(lift)
            holes = [
                (before, after) for before, after in itertools.pairwise(cycles)
                if before[0] == after[0] and not before[1] <= after[1] <= before[1] + 1
            ]  # fmt: skip
            if holes:
                self.failures.append(f"log of {lift}: door cycles (boot, count) jump at {holes[:5]}")
            counted += len(cycles)
        self.figures["door_cycles"] = counted

    def _history(self) -> None:
        """InfluxDB and the local log tell the same."""
        if "influx" not in self._stack.children:
            return
        to_ms = int(time.time() * 1000) - FRESH_MS
        for lift in self._stack.lift_ids():
            # What is told again of long ago is copied a moment later.
            with contextlib.suppress(StartError):
                wait_until(lambda lift=lift: not self._differences(lift, to_ms), 20, "")  # type: ignore[misc]
            self.failures += self._differences(lift, to_ms)

    def _differences(self, lift: str, to_ms: int) -> list[str]:
        url = f"/api/v1/lifts/{lift}/history?fields=floor,door_1,door_cycles,mains"
        span = f"&from={to_ms - 2 * DAY_S * 1000}&to={to_ms}"
        local, influx = (self._stack.get(f"{url}{span}&source={name}", 30)["fields"] for name in ("local", "influx"))
        out = []
        for name, points in local.items():
            known = [point for point in points if point[1] is not None]
            copied = influx.get(name, [])
            lost = [point for point in known if point not in copied]
            if lost or (known != copied and not self._store_is_new):
                out.append(f"history of {lift}: {name} differs; only in the local log: {lost[:5]}")
        return out
