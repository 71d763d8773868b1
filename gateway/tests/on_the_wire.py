"""The gateway's place of the detector, with the face of the node's: samples become states at a terminal's pace, encoded and decoded."""

import random

from gateway.detection.states import StateDetector, _agreed
from hil_tests.bench.terminal import SOONEST_MS, Terminal
from protocols import messages
from protocols.detector import Settings, Transition
from protocols.fields import NAMES
from protocols.state import LiftState
from protocols.tests.place import Place

POLL_MS = 150
# No bus is polled more slowly.
SKIPPED_MS = 900


class DetectorOnWire:
    """As protocols.detector.Detector. `lost_share` of the states gets lost on the way."""

    def __init__(self, settings: Settings | None = None, period_ms: int = 1000, lost_share: float = 0.0) -> None:
        self.terminal = Terminal(1, period_ms)
        self.states = StateDetector(settings or Settings(), period_ms)
        self._state = LiftState()
        self._now: int | None = None
        self._lost_share = lost_share
        self._rng = random.Random(1)

    @property
    def near_misses(self) -> dict[str, int]:
        return self.states.near_misses

    @property
    def suppressed(self) -> dict[str, int]:
        return self.states.suppressed

    def open_kinds(self) -> list[str]:
        return self.states.open_kinds()

    def resume(self, kind: str, presses: int, now: int, withheld: str = "") -> None:
        self.states.resume(kind, presses, withheld)

    def step(self, state: LiftState, now: int) -> list[Transition]:
        told: list[Transition] = []
        if self._now is not None and now - self._now > SKIPPED_MS:
            # Who skips idle time has not seen when something changed; the bus was polled all the same.
            between = _agreed(self._state, state, NAMES)
            between.controller_link = self._state.controller_link or state.controller_link
            self._state = between
            told += self._look(self._now + POLL_MS)
        self._state, self._now = state, now
        return told + self._look(now)

    def press(self, now: int, state: LiftState) -> list[Transition]:
        """What the terminal knows with it is what it sampled last, and `state`. Told as soon as the pace allows."""
        known = state.known_fields()
        self._state = self._state.copy()
        for name, value in known.items():
            setattr(self._state, name, value)
        self.terminal.press()
        told: list[Transition] = []
        while self.terminal.has_edges:
            now = max(now, self.terminal.sent_ms + SOONEST_MS)
            told += self._look(now)
        return told

    def release(self) -> None:
        self.terminal.release()

    def _look(self, now: int) -> list[Transition]:
        told: list[Transition] = []
        for payload in self.terminal.look(self._state, now):
            if not self._lost_share or self._rng.random() >= self._lost_share:
                told += self.states.take(messages.decode("state", payload))
        return told


# A change is told within 200 ms of the one before it, a number with the next state.
GATEWAY = Place(DetectorOnWire, 1000, 1000 + SOONEST_MS)
