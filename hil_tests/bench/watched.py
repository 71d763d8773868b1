"""A twin and a detector joined in process, as node and bus join them: samples at the bus's pace, the button's edges at once."""

from collections.abc import Callable
from typing import Protocol

from hil_tests.bench.twin import Twin
from protocols.detector import Detector, Settings, Transition
from protocols.fields import NAMES
from protocols.state import LiftState

UNKNOWN = dict.fromkeys(NAMES)
BOUNCE_MS = 50  # the node's own (its inputs)


class AnyDetector(Protocol):
    """The face of protocols.detector.Detector, which the gateway's place of it can have too (gateway/tests/on_the_wire.py)."""

    @property
    def near_misses(self) -> dict[str, int]:
        """{fault: how often}."""

    @property
    def suppressed(self) -> dict[str, int]:
        """{fault: how often}."""

    def step(self, state: LiftState, now: int) -> list[Transition]:
        """Take a sample."""

    def press(self, now: int, state: LiftState) -> list[Transition]:
        """The button went down."""

    def release(self) -> None:
        """The button came up."""

    def resume(self, kind: str, presses: int, now: int, withheld: str = "") -> None:
        """An event is open still."""

    def open_kinds(self) -> list[str]:
        """Names of the events open now."""


Make = Callable[[Settings], AnyDetector]


def settings_of(twin: Twin) -> Settings:
    """What a detector is told of this lift at its commissioning."""
    spec = twin.spec
    return Settings(spec.rated_speed_mm_s, (spec.stops - 1) * spec.floor_pitch_mm, spec.doors)


class Watched:
    """One lift under watch. `state` is the newest sample."""

    def __init__(self, twin: Twin, make: Make = Detector) -> None:
        """`make(settings)` gives the detector, in one place or another."""
        self.twin = twin
        self.detector = make(settings_of(twin))
        self.state = LiftState()
        self._edges = len(twin.button_edges)
        self._down = twin.button

    def look(self) -> list[Transition]:
        """Take what the twin shows now, behind the edges of its button since the last look; what the detector tells of it."""
        twin, told = self.twin, []
        # As LiftState(**sample), at a third of its price: a benchmark does it hundreds of millions of times.
        state = self.state = LiftState.__new__(LiftState)
        vars(state).update(UNKNOWN, **twin.sample())
        if len(twin.button_edges) > self._edges:
            told += self._press_and_release()
        return told + self.detector.step(state, twin.now_ms)

    def _press_and_release(self) -> list[Transition]:
        """The edges as the node takes them: a contact that opens for less than its bounce has not opened."""
        told: list[Transition] = []
        edges = self.twin.button_edges
        while self._edges < len(edges):
            at_ms, down = edges[self._edges]
            after_ms = edges[self._edges + 1][0] if self._edges + 1 < len(edges) else self.twin.now_ms
            if down and not self._down:
                self._down = True
                told += self.detector.press(at_ms, self.state)
            elif not down and after_ms - at_ms >= BOUNCE_MS:
                self._down = False
                self.detector.release()
            elif not down and self._edges + 1 == len(edges):
                break  # perhaps a bounce: the next look knows
            self._edges += 1
        return told

    def follow(self, ms: int, step_ms: int = 100) -> list[Transition]:
        """Look each `step_ms` for the next `ms`."""
        told: list[Transition] = []
        for _ in range(ms // step_ms):
            self.twin.advance(self.twin.now_ms + step_ms)
            told += self.look()
        return told

    def until(self, kind: str, phase: str, limit_ms: int) -> list[Transition]:
        """Look until `kind` is told in `phase`, at most for `limit_ms`."""
        told: list[Transition] = []
        end_ms = self.twin.now_ms + limit_ms
        while self.twin.now_ms < end_ms and not any(t.kind == kind and t.phase == phase for t in told):
            told += self.follow(100)
        return told
