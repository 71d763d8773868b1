"""The detector at the end of a wire: `state` messages of one lift in, transitions out. No clock, no I/O, no event ids.

What nobody told is unknown: silence neither confirms nor clears. Between two messages only that is inferred which the contract
promises: each discrete change is told, at the latest after the period of the terminal's birth.
"""

from typing import Any

from gateway.live import BUS_SILENT_MS, STALE_PERIODS
from protocols import codes
from protocols.conditions import STANDSTILL_MM_S
from protocols.detector import BUTTON, HOLE_MS, Detector, Settings, Transition
from protocols.fields import DISCRETE_NAMES, NAMES
from protocols.state import LiftState

# Steps in which time passes between two states that are far apart: shorter than any hole that evidence does not survive.
STEP_MS = 2500
# A longer time between two states is a hole, whatever period was announced (ours: three times the longest of our own nodes).
LONGEST_MS = 1_800_000
NUMBERS = tuple(name for name in NAMES if name not in DISCRETE_NAMES)

Values = dict[str, Any]
# (fields that a silent controller told last, when in ms since boot)
LastKnown = tuple[dict[str, Any], int | None]


class StateDetector:
    """Feed it each state that is newer than the last, by (boot, seq). All times in transitions are the terminal's, ms since boot."""

    def __init__(self, settings: Settings, told_within_ms: int = 1000) -> None:
        """`told_within_ms` is how late a change may be told: the period of the terminal's birth."""
        self._settings = settings
        self._told_within_ms = told_within_ms
        self._detector = Detector(settings)
        self._before: Values | None = None  # the newest state taken
        self._down: bool | None = None  # the button, as told last
        self._open: dict[str, tuple[int, str]] = {}  # kind -> (presses, withheld)
        self._answered: LiftState | None = None  # the controller's last answer
        self._answered_ms = 0
        self._is_changed = False  # the settings are
        self.state = LiftState()  # as the detector saw it last
        self.holes = 0
        self.lost = 0
        self.samples = 0

    @property
    def near_misses(self) -> dict[str, int]:
        """{fault: how often} since the terminal's boot, or since ours if that was later."""
        return self._detector.near_misses

    @property
    def suppressed(self) -> dict[str, int]:
        """As `near_misses`."""
        return self._detector.suppressed

    def open_kinds(self) -> list[str]:
        """Names of the events open now, in the table's order; before the first state those resumed."""
        return [*self._open] if self._before is None else self._detector.open_kinds()

    def withheld_kinds(self) -> list[str]:
        """Those of the events open now that are withheld."""
        return [kind for kind in self.open_kinds() if self._open[kind][1]]

    def last_known(self) -> LastKnown:
        """What the controller told before it fell silent in this boot, and when."""
        return ({}, None) if self._answered is None else (self._answered.known_of_bus(), self._answered_ms)

    def resume(self, kind: str, presses: int, withheld: str) -> None:
        """Before the first state: the event of `kind` is open still, until what clears it is seen."""
        self._open[kind] = (presses, withheld)

    def set(self, settings: Settings, told_within_ms: int) -> None:
        """The terminal's birth says so; what ripens begins anew if that is news."""
        self._told_within_ms = told_within_ms
        if vars(settings) != vars(self._settings):
            self._settings = settings
            self._is_changed = True

    def end_alarm(self, since_ms: int) -> tuple[Values, list[Transition]] | None:
        """A competent person ended the alarm, `since_ms` after the newest state: (of what boot and time, what it ends). None before any state."""
        if self._before is None:
            return None
        values = {**self._before, "up_ms": self._before["up_ms"] + since_ms}
        out = self._detector.end_alarm(values["up_ms"])
        for transition in out:
            self._open.pop(transition.kind, None)
        return values, out

    # -- states ---------------------------------------------------------------------------------------------------

    def take(self, values: Values) -> list[Transition]:
        """Take one decoded state; the transitions that it causes."""
        state, now, before = as_sampled(values), values["up_ms"], self._before
        is_reset = before is not None and values["boot"] != before["boot"]
        # One time that is wrong must not stop the clock for ever.
        is_back = before is not None and now < before["up_ms"] - HOLE_MS
        if before is None or is_reset or is_back or self._is_changed:
            out = self._begin(state, now, is_reset)
        else:
            now = max(now, before["up_ms"])
            out = self._pass(before, values, state, now)
        out += self._follow_button(state, now)
        out += self._detector.step(state, now)
        for transition in out:
            # Whatever ripened between two states, nobody knew before this one.
            transition.detected_ms = now
            if transition.phase == codes.CLOSED:
                self._open.pop(transition.kind, None)
            else:
                self._open[transition.kind] = (transition.presses, transition.withheld)
        if state.controller_link:
            self._answered, self._answered_ms = state, values["sample_up_ms"] or now
        self._before = {"boot": values["boot"], "seq": values["seq"], "up_ms": now, "period_ms": values["period_ms"]}
        self.state = state
        self.samples += 1
        return out

    def _begin(self, state: LiftState, now: int, is_reset: bool) -> list[Transition]:
        """A detector that knows only what is open; `is_reset`: the terminal has booted, and its counts begin anew."""
        old, detector = self._detector, Detector(self._settings)
        self._detector, self._is_changed = detector, False
        if is_reset:
            self._answered, self._down = None, None
        else:
            detector.near_misses, detector.suppressed = old.near_misses, old.suppressed
        out: list[Transition] = []
        for kind, (presses, withheld) in self._open.items():
            # A press that outlasts a restart of ours is the one that we knew; after one of the terminal's it is told anew, as a
            # node does.
            is_known = kind == BUTTON and state.button is True and not is_reset
            detector.resume(kind, presses - is_known, now, withheld)
            if is_known:
                self._down = True
                out += [told for told in detector.press(now, state) if told.withheld != withheld]
        return out

    def _follow_button(self, state: LiftState, now: int) -> list[Transition]:
        """The edges, as far as states show them: a terminal holds a press until one has told it."""
        out: list[Transition] = []
        if state.button is True and self._down is not True:
            out = self._detector.press(now, state)
        elif state.button is False:
            self._detector.release()
        if state.button is not None:
            self._down = state.button
        return out

    # -- between two states ---------------------------------------------------------------------------------------

    def _pass(self, before: Values, values: Values, state: LiftState, now: int) -> list[Transition]:
        """Let the time pass from the last state to this one: what is known of it, and the rest unknown."""
        span_ms = now - before["up_ms"]
        skipped = values["seq"] - before["seq"] - 1
        self.lost += skipped
        out: list[Transition] = []
        if span_ms > HOLE_MS:
            if skipped or span_ms > min(LONGEST_MS, STALE_PERIODS * before["period_ms"]):
                self.holes += 1
                # Nobody has seen the technician leave.
                return self._detector.step(LiftState(work_mode=self.state.work_mode), now - 1)
            told, certain = _agreed(self.state, state, NUMBERS), _agreed(self.state, state, NAMES)
            for at in range(before["up_ms"] + STEP_MS, now, STEP_MS):
                out += self._detector.step(told if at <= now - self._told_within_ms else certain, at)
        if span_ms > 1 and _has_ended(self.state, state):
            # It was so until it was told that it is so no more: what follows a run or a power cut counts from here.
            out += self._detector.step(self.state, now - 1)
        return out


def as_sampled(values: Values) -> LiftState:
    """The state that a decoded message tells of; what only the controller knows is unknown if it has not answered for long."""
    state: LiftState = values["state"]
    sampled_ms = values["sample_up_ms"]
    is_old = sampled_ms is not None and values["up_ms"] - sampled_ms > BUS_SILENT_MS
    if is_old or state.controller_link is False:
        state = state.copy()
        state.forget_bus()
        state.controller_link = False
    return state


def _agreed(one: LiftState, other: LiftState, names: tuple[str, ...]) -> LiftState:
    """`one`, and unknown which of `names` the `other` has otherwise. Work mode ends only where that is told."""
    both = one.copy()
    for name in names:
        if getattr(one, name) != getattr(other, name) and name != "work_mode":
            setattr(both, name, None)
    return both


def _runs(state: LiftState) -> bool:
    return state.car_status == codes.RUNNING or (state.speed_mm_s or 0) >= STANDSTILL_MM_S


def _has_ended(one: LiftState, other: LiftState) -> bool:
    """Did a run or a power cut end from `one` to the `other`?"""
    return (_runs(one) and not _runs(other)) or (one.mains is False and other.mains is not False)
