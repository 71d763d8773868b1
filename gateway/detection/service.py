"""Detection for all lifts whose terminals do not detect: who they are, what was open, and what must be tried again.

Lanes and journal call it in their threads under `Lifts.lock`; `run` is its only task, whatever the number of lifts.
"""

import asyncio
import json
import logging
import pathlib
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from gateway.clock import unix_ms
from gateway.detection.keeping import Kept
from gateway.detection.lift import Event, Known, LiftDetection
from gateway.detection.states import Values
from gateway.errors import NotDelivered
from gateway.journal import Job, Journal
from gateway.lifts import LiftEnd, Lifts, is_ours
from protocols import codes
from protocols.identity import topic

_log = logging.getLogger(__name__)

ROUND_S = 1.0
# Writing the second copy may take this share of the time, so that ten thousand lifts without power do not starve the lanes (ours).
SAVING_SHARE = 0.05


class Detections:
    """`follow(topic)` has a lift's states brought on a lane that no other telemetry is on, `leave(topic)` ends it."""

    def __init__(
        self,
        lifts: Lifts,
        journal: Journal,
        path: pathlib.Path,
        follow: Callable[[str], None],
        leave: Callable[[str], None],
    ) -> None:
        self._lifts, self._journal, self._follow, self._leave = lifts, journal, follow, leave
        self._kept = Kept(path)
        # Of lifts that have not said yet what they are.
        self._waiting: dict[str, list[Event]] = {}
        self._newest = 0
        self._owing: set[str] = set()  # lifts for which the journal has open events of ours
        self._ends: dict[str, LiftEnd] = {}
        self._turns: list[tuple[Callable[[str], None], str]] = []  # what to follow and to leave, in order
        self._is_changed = False
        self._save_s = 0.0
        # Set by the wiring: hands a revision to journal and cities.
        self.take: Callable[[LiftEnd, Event], None] = lambda end, event: None
        self.foreign = 0
        self._warned: set[str] = set()

    # -- lanes, under the lock ------------------------------------------------------------------------------------

    def born(self, end: LiftEnd) -> None:
        """The birth of a terminal was taken: does it detect?"""
        lift, detects = end.record.id, end.live.link.get("detects") is not False
        detected = end.detected
        if detected is not None and (detects or detected.is_on):
            detected.born()
            return
        if detects and lift not in self._owing:
            return
        # What a node raised meanwhile is in the journal.
        kept = self._waiting.pop(lift, []) if detected is None else detected.events()
        self._waiting[lift] = kept
        self._owing.discard(lift)
        end.detected = LiftDetection(end, self._newest)
        self._ends[lift] = end
        if not detects:
            _log.info("lift %s: its terminal does not detect; the gateway does", lift)
        self._turns.append((self._follow, topic(end.record.site, lift, "state")))
        self._ask(end, end.detected)

    def is_copy(self, lift: str, payload: bytes) -> bool:
        """Without the lock: has the other lane brought this state already?"""
        end = self._ends.get(lift)
        return end is not None and end.detected is not None and end.detected.payload == payload

    def on_state(self, end: LiftEnd, values: Values, received_ms: int, payload: bytes) -> list[Event]:
        """A state, before the live view takes it; the revisions that it causes, for `take` without the lock."""
        detected = end.detected
        if detected is None or end.live.is_late(values):
            return []
        detected.payload = payload
        return detected.on_state(values, received_ms)

    def on_event(self, end: LiftEnd, event: Event | None) -> None:
        """An event of the terminal's own was taken, anew or (None) once more: it counts, whatever the link says."""
        if end.live.link.get("detects") is False:
            self.foreign += 1
            if end.record.id not in self._warned:
                self._warned.add(end.record.id)
                _log.warning(
                    "lift %s: its link says detects: false, and yet it raises events; both are told", end.record.id
                )
        if event is not None and end.detected is not None and end.detected.holds(event["id"]):
            end.detected.overtaken(event)

    def end_alarm(self, lift: str) -> int | None:
        """In the loop: a competent person ended the alarm; how many the gateway held for the lift, None where it detects nothing for it.

        NotDelivered: its terminal was not heard since the start, so that nobody knows when that is in its time.
        """
        with self._lifts.lock:
            end = self._lifts.known(lift)
            if end is None or end.detected is None:
                return None
            events = end.detected.end_alarm(unix_ms())
        if events is None:
            raise NotDelivered(f"{lift} has told no state since the gateway started; end its alarm again when it has")
        for event in events:
            self.take(end, event)
        return len(events)

    # -- what was open --------------------------------------------------------------------------------------------

    async def remember(self) -> None:
        """Before the lanes start: the second copy, and whose events are open, for terminals that have learnt to detect since."""
        self._newest, self._waiting = await asyncio.to_thread(self._kept.load)
        self._owing = set(self._waiting) | await self._journal.ask(lifts_owing())

    def _ask(self, end: LiftEnd, detected: LiftDetection) -> None:
        """Under the lock: the journal says what is open; until then the lift's states are only shown."""

        def told(known: Any, error: Exception | None) -> None:
            with self._lifts.lock:
                if end.detected is not detected:
                    return
                if error is not None:
                    detected.is_asking = False
                    return
                detected.resume(known, self._waiting.pop(end.record.id, []))

        detected.is_asking = self._journal.submit(of_lift(end.record.id), told)

    # -- the round ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever: what the journal could not take, and the second copy."""
        while True:
            await asyncio.sleep(ROUND_S)
            await self.round()

    async def round(self) -> None:
        """Once."""
        unstored: list[tuple[LiftEnd, Event]] = []
        with self._lifts.lock:
            for lift, end in list(self._ends.items()):
                detected = end.detected
                if detected is None:
                    continue
                if not detected.is_ready and not detected.is_asking:
                    self._ask(end, detected)
                unstored += [(end, event) for event in detected.unstored()]
                self._is_changed = self._is_changed or detected.is_changed
                detected.is_changed = False
                if detected.is_over():
                    self._newest = max(self._newest, detected.newest)
                    end.detected = None
                    del self._ends[lift]
                    self._turns.append((self._leave, topic(end.record.site, lift, "state")))
            turns, self._turns = self._turns, []
        for turn, name in turns:  # without the lock: a socket may be slow
            turn(name)
        for end, event in unstored:
            self.take(end, event)
        if self._is_changed and time.monotonic() >= self._save_s:
            await self._save()

    async def close(self) -> None:
        """Write the second copy as it stands, where there is one."""
        if self._ends or self._waiting:
            await self._save()

    async def _save(self) -> None:
        with self._lifts.lock:
            self._is_changed = False
            events = [event for kept in self._waiting.values() for event in kept]
            for end in self._ends.values():
                if end.detected is not None:
                    events += end.detected.events()
                    self._newest = max(self._newest, end.detected.newest)
        begun = time.monotonic()
        if not await asyncio.to_thread(self._kept.save, self._newest, events):
            self._is_changed = True
        self._save_s = time.monotonic() + (time.monotonic() - begun) / SAVING_SHARE

    # -- what is shown --------------------------------------------------------------------------------------------

    def values(self) -> dict[str, float]:
        """Gauges: lifts for which the gateway detects, and what came of it."""
        with self._lifts.lock:
            found = [end.detected for end in self._ends.values() if end.detected is not None]
            return {
                "detection_lifts": sum(one.is_on for one in found),
                "detection_open": sum(one.open_events() for one in found),
                "detection_states": sum(one.states.samples for one in found),
                "detection_states_lost": sum(one.states.lost for one in found),
                "detection_holes": sum(one.states.holes for one in found),
                "detection_near_misses": sum(sum(one.states.near_misses.values()) for one in found),
                "detection_suppressed": sum(sum(one.states.suppressed.values()) for one in found),
                "detection_left_out": sum(one.left_out for one in found),
                "detection_foreign_events": self.foreign,
                "detection_waiting": sum(len(kept) for kept in self._waiting.values()),
                "detection_kept_failed": self._kept.failed, "detection_kept_damaged": self._kept.damaged,
            }  # fmt: skip


def of_lift(lift: str) -> Job:
    """Job: all incidents of `lift`, as Known."""

    def job(database: sqlite3.Connection) -> list[Known]:
        # By the beginning of the id, which has an index; "." is the character behind "-".
        rows = database.execute(
            "SELECT i.id, i.rev, i.done, CASE r.phase WHEN ? THEN NULL ELSE r.body END FROM incident i "
            "JOIN revision r ON r.id = i.id AND r.rev = i.rev WHERE i.id > ? AND i.id < ? AND r.lift = ?",
            (codes.CLOSED, f"{lift}-", f"{lift}.", lift),
        )
        return [Known(name, rev, bool(done), body and json.loads(body)) for name, rev, done, body in rows]

    return job


def lifts_owing() -> Job:
    """Job: {lift} of those that have open events of ours."""

    def job(database: sqlite3.Connection) -> set[str]:
        rows = database.execute(
            "SELECT i.id, r.lift FROM incident i JOIN revision r ON r.id = i.id AND r.rev = i.rev WHERE r.phase != ?",
            (codes.CLOSED,),
        )
        return {lift for name, lift in rows if is_ours(name)}

    return job
