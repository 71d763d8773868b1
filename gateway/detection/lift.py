"""Detection for one lift whose terminal does not detect: its states in, revisions of events out, held until all have them. No I/O.

What a node does for its own events (protocols/delivery/node.py) is done here without its wire: the journal is in this process.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.config import Lift
from gateway.detection.states import StateDetector, Values
from gateway.intake import canonical
from gateway.lifts import OURS_FROM, LiftEnd, is_ours
from protocols import codes
from protocols.delivery.held import begun, tell
from protocols.delivery.node import REV_STEP
from protocols.detector import Settings, Transition
from protocols.errors import SettingsError
from protocols.faults import BY_NAME
from protocols.identity import event_id, parse_event_id
from protocols.messages import EVENT_ITEMS

_log = logging.getLogger(__name__)

Event = dict[str, Any]
# What a lift's cities have not answered for: beyond it the oldest that has ended is left to the journal alone.
MAX_HELD = 64
_UNTOLD = {item[0]: item[2] for item in EVENT_ITEMS}
# What an event keeps from its opening; and what it keeps where a revision brings nothing new.
_OF_OPENING = ("onset", "detected")
_OF_SNAPSHOT = {"snapshot": "snapshot", "last_known": "last_known", "last_known_up_ms": "last_known_at_ms"}


def settings_of(record: Lift, link: Values) -> Settings:
    """What the detector is told of a lift: its terminal's birth, and the record for what that leaves out."""
    try:
        return Settings(
            link.get("rated_speed_mm_s") or record.rated_speed_mm_s, record.travel_mm(link.get("stops")),
            link.get("doors") or record.doors, record.confirm_ms, link.get("profile") or "", record.button_filter,
        )  # fmt: skip
    except SettingsError as error:
        _log.warning("lift %s: %s; the detector takes an ordinary lift's", record.id, error)
        return Settings(confirm_ms=record.confirm_ms, profile=link.get("profile") or "")


@dataclass
class Known:
    """What the journal has of one incident: its newest revision, `event` only while it is open."""

    name: str
    rev: int
    done: bool
    event: Event | None


@dataclass
class Held:
    """The newest revision of one event; `level` as in receipts, 0 = the journal has not got it, `is_asked`: it is on its way there."""

    event: Event
    level: int = 0
    is_asked: bool = True

    @property
    def is_closed(self) -> bool:
        """It has ended."""
        return bool(self.event["phase"] == codes.CLOSED)


class LiftDetection:
    """Everything of it is touched under `Lifts.lock`. `is_on`: the terminal says that it does not detect."""

    def __init__(self, end: LiftEnd, newest: int = 0) -> None:
        """`newest` is the highest number that was ever given to an event of ours, as far as is known."""
        self._end = end
        self._held: dict[str, Held] = {}
        self._open: dict[str, list[str]] = {}  # kind -> ids
        self.newest = newest
        self.states = StateDetector(Settings())
        self.is_on = True
        self.is_ready = False  # what was open is known
        self.is_asking = False
        self.payload = b""  # of the newest state
        self.is_changed = False  # what is held is, for whoever keeps a copy
        self.left_out = 0
        self.born()

    def born(self) -> None:
        """The terminal's birth was taken."""
        link = self._end.live.link
        self.is_on = link.get("detects") is False
        self.states.set(settings_of(self._end.record, link), link.get("period_ms", 1000))

    # -- what was before ------------------------------------------------------------------------------------------

    def resume(self, known: Iterable[Known], kept: Iterable[Event]) -> None:
        """Go on from what the journal knows of this lift and what was kept beside it, in case the journal was lost."""
        self.is_asking, self.is_ready, self.is_changed = False, True, True
        stored = {row.name: row for row in known}
        for name in [*stored, *(event["id"] for event in kept)]:
            number = parse_event_id(name)[2]
            self.newest = max(self.newest, number if number >= OURS_FROM else 0)
        for event in kept:
            row = stored.get(event["id"])
            if row is None or row.rev < event["rev"]:
                stored.pop(event["id"], None)
                self._hold(event, Held(event, is_asked=False))
        for row in stored.values():
            if row.event is not None and self._goes_on(row.event):
                self._hold(row.event, Held(row.event, codes.DONE if row.done else codes.COMMITTED))

    def _goes_on(self, event: Event) -> bool:
        """Ours, or of a node that was here in an earlier boot and detects no more: nobody else would ever end it."""
        if event["kind"] not in BY_NAME or event["id"] in self._held:
            return False
        return is_ours(event["id"]) or parse_event_id(event["id"])[1] < self._end.live.boot

    def _hold(self, event: Event, held: Held) -> None:
        self._held[event["id"]] = held
        if not held.is_closed:
            self._open.setdefault(event["kind"], []).append(event["id"])
            self.states.resume(event["kind"], event["presses"], event.get("withheld", ""))

    # -- states ---------------------------------------------------------------------------------------------------

    def on_state(self, values: Values, received_ms: int) -> list[Event]:
        """Take a state that is newer than the last; the revisions that it causes, whose commit is the caller's.

        What only a detector knows is put into `values`, as a node would have told it.
        """
        if not self.is_ready:
            return []
        found = [
            event for step in self.states.take(values) for event in self._revisions(step, values, received_ms)
        ]  # fmt: skip
        values["state"] = self.states.state
        if self.is_on:
            values["faults"] = kinds = self.states.open_kinds()
            values["withheld"] = self.states.withheld_kinds() if kinds else kinds
            values["near_misses"] = dict(self.states.near_misses)
            values["suppressed"] = dict(self.states.suppressed)
        return found

    def end_alarm(self, now_ms: int) -> list[Event] | None:
        """A competent person ended the alarm at unix `now_ms`: the last revisions of the open alarms held here. None: it cannot be said yet."""
        heard_ms = self._end.live.state_unix_ms
        ended = self.states.end_alarm(max(0, now_ms - heard_ms)) if self.is_ready and heard_ms is not None else None
        if ended is None:
            return None
        values, steps = ended
        return [event for step in steps for event in self._revisions(step, values, now_ms)]

    def _revisions(self, step: Transition, values: Values, received_ms: int) -> Iterator[Event]:
        names = self._open.get(step.kind)
        if names is not None:
            # Where the terminal detects again, its own events tell what begins; what we have begun we end.
            if self.is_on or step.phase == codes.CLOSED:
                for name in names:
                    yield self._revise(name, step, values, received_ms)
            if step.phase == codes.CLOSED:
                del self._open[step.kind]
        elif step.phase == codes.OPEN and self.is_on:
            self.newest = max(received_ms // 1000, self.newest + 1)
            name = event_id(self._end.record.id, values["boot"], self.newest)
            self._open[step.kind] = [name]
            yield self._revise(name, step, values, received_ms)

    def _revise(self, name: str, step: Transition, values: Values, received_ms: int) -> Event:
        """The next revision of the event `name`, or its first."""
        states, held = self.states, self._held.get(name)
        before = None if held is None else held.event
        told: Values = begun(name, values["boot"], step, BY_NAME[step.kind])
        tell(told, step, 0, states.state, (), states.last_known())
        if before is not None:
            # A node that comes back may still tell of its own event under the numbers that follow.
            told["rev"] = before["rev"] if is_ours(name) or "detected_by" in before else before["rev"] + REV_STEP - 1
        told["rev"] += 1
        told["phase"] = codes.UPDATED if before is not None and step.phase == codes.OPEN else step.phase
        told["up_ms"] = told["published_up_ms"] = values["up_ms"]
        event = canonical(self._end, {**_UNTOLD, **told}, received_ms)
        event["detected_by"] = "gateway"
        if before is not None:
            event["stages"] |= {stage: before["stages"][stage] for stage in _OF_OPENING}
            event |= {kept: before[kept] for part, kept in _OF_SNAPSHOT.items() if part not in told}
        self._held[name] = Held(event)
        self.is_changed = True
        self._leave_out()
        return event

    def _leave_out(self) -> None:
        if len(self._held) > MAX_HELD:
            over = next((name for name, held in self._held.items() if held.is_closed and held.level), None)
            if over is not None:
                del self._held[over]
                self.left_out += 1

    # -- what became of them --------------------------------------------------------------------------------------

    def holds(self, name: str) -> bool:
        """Is the event one of those held here?"""
        return name in self._held

    def is_over(self) -> bool:
        """Has the terminal taken over, and is nothing left to be ended or stored?"""
        left = self.open_events() or any(not held.level for held in self._held.values())
        return self.is_ready and not self.is_on and not left

    def event_failed(self, name: str, rev: int) -> None:
        """The journal could not take it: `unstored` tells it again."""
        held = self._held.get(name)
        if held is not None and held.event["rev"] == rev and not held.level:
            held.is_asked = False

    def committed(self, name: str, rev: int, level: int = codes.COMMITTED) -> None:
        """As of LiftIntake: the journal holds (name, rev); with DONE all that must have answered."""
        held = self._held.get(name)
        if held is None or held.event["rev"] != rev:
            return
        held.level = max(held.level, level)
        if held.is_closed and held.level == codes.DONE:
            del self._held[name]
            self.is_changed = True

    def done(self, name: str, rev: int, phase: str) -> None:
        """As of LiftIntake."""
        self.committed(name, rev, codes.DONE)

    def overtaken(self, event: Event) -> None:
        """The terminal itself told a revision of an event held here: it knows better."""
        held = self._held.pop(event["id"])
        self.is_changed = True
        if not held.is_closed:
            self._open[event["kind"]].remove(event["id"])

    def store_replaced(self) -> None:
        """The journal was made anew: what is still held is told it again."""
        for held in self._held.values():
            held.level, held.is_asked = 0, False

    def unstored(self) -> list[Event]:
        """Revisions that the journal has not got and is not about to: for another try."""
        waiting = [held for held in self._held.values() if not held.level and not held.is_asked]
        for held in waiting:
            held.is_asked = True
        return [held.event for held in waiting]

    def events(self) -> list[Event]:
        """The newest revision of each event held."""
        return [held.event for held in self._held.values()]

    def open_events(self) -> int:
        """How many are open."""
        return sum(len(names) for names in self._open.values())
