"""A twin and a detector joined in process, as node and bus join them: samples at the bus's pace, the button's edges at once."""

from hil_tests.bench.twin import Twin
from protocols.detector import Detector, Settings, Transition
from protocols.state import LiftState


def settings_of(twin: Twin) -> Settings:
    """What a detector is told of this lift at its commissioning."""
    spec = twin.spec
    return Settings(spec.rated_speed_mm_s, (spec.stops - 1) * spec.floor_pitch_mm, spec.doors)


class Watched:
    """One lift under watch. `state` is the newest sample."""

    def __init__(self, twin: Twin, detector: Detector | None = None) -> None:
        self.twin = twin
        self.detector = detector or Detector(settings_of(twin))
        self.state = LiftState()
        self._edges = len(twin.button_edges)

    def look(self) -> list[Transition]:
        """Take what the twin shows now, behind the edges of its button since the last look; what the detector tells of it."""
        twin, told = self.twin, []
        state = self.state = LiftState(**twin.sample())
        if len(twin.button_edges) > self._edges:
            for at_ms, down in twin.button_edges[self._edges :]:
                if down:
                    told += self.detector.press(at_ms, state)
                else:
                    self.detector.release()
            self._edges = len(twin.button_edges)
        return told + self.detector.step(state, twin.now_ms)

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
