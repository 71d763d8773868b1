"""What a failing drive or brake does to the car: starts that do not move, creeping, falling, overrunning. Switches are in lift.py."""

from hil_tests.bench.automatic import Automatic
from hil_tests.bench.lift import Run
from hil_tests.bench.motion import Braking, Creep, Falling

NO_MOTION_MS = 1500  # without a step of the encoder the drive gives a run up (ours)
CONTACTOR_WORD, UNINTENDED_WORD = 37, 65  # E37 brake contactor, E65 unintended movement (domain notes 6.2)
LIMIT_WORD_UP, LIMIT_WORD_DOWN = 43, 44
SLIPS_AFTER_MS = 4000
# A worn lining creeps this far and bites again: out of the zone, not beyond what an end of the shaft leaves (ours).
SLIP_MM = 175.0
SLIP_MM_S = (40.0, 70.0)
# An empty car is lighter than its counterweight and is drawn up (acceleration ours); the protection against unintended
# movement acts after some 200 to 350 mm.
FALL_MM_S2 = (250.0, 600.0)
FALL_MM = (200.0, 350.0)
LETS_GO_AFTER_MS = 1500
# The slow-down before the end of the shaft fails at half a metre a second; it comes to rest so far beyond the landing (ours).
OVERRUN_MM_S = 500.0
OVERRUN_MM = (260.0, 340.0)


class Failing(Automatic):
    """The automatic controller with a drive and a brake that can fail."""

    def _after_starting(self) -> None:
        if self.brake_stays_shut and not self.aboard:
            self._run = None
            self._enter("failing", self.now_ms + NO_MOTION_MS)
        else:
            super()._after_starting()

    def _after_failing(self) -> None:
        self.fault_number = CONTACTOR_WORD
        self._enter("failed", self.now_ms + self.fate.randint(6000, 15_000))

    def _after_failed(self) -> None:
        self.fault_number = 0
        self._start_to(self._target)

    def _decide(self) -> None:
        super()._decide()
        if self.phase == "parked" and self._may_slip():
            self._deadline = self._parked_ms + SLIPS_AFTER_MS

    def _may_slip(self) -> bool:
        return self.brake_slips and not self.aboard and not self.calls

    def _after_parked(self) -> None:
        if not self._may_slip():
            super()._after_parked()
            return
        up = self.floor < self.spec.stops
        self._run = Run(self.now_ms, self._rest_mm, 1 if up else -1, Creep(self.fate.uniform(*SLIP_MM_S), SLIP_MM))
        self._enter("sliding", self._run.end_ms)

    def _after_sliding(self) -> None:
        assert self._run is not None
        self._stand(self._run.at(self.now_ms)[0])
        self._enter("stopped")
        self._decide()

    def _exchange(self) -> None:
        super()._exchange()
        if self.brake_lets_go and not self.aboard and self.floor < self.spec.stops:
            self._deadline = self.now_ms + LETS_GO_AFTER_MS

    def _after_open(self) -> None:
        if not self.brake_lets_go or self.aboard or self.floor == self.spec.stops:
            super()._after_open()
            return
        self.brake_lets_go = False
        fall = Falling(self.fate.uniform(*FALL_MM_S2), self.fate.uniform(*FALL_MM))
        self._run = Run(self.now_ms, self._rest_mm, 1, fall)
        self._enter("falling", self._run.end_ms)

    def _after_falling(self) -> None:
        assert self._run is not None
        self._stand(self._run.at(self.now_ms)[0])
        self.latched = self.fault_number = UNINTENDED_WORD
        self._enter("stopped")

    def _plan_end(self) -> None:
        super()._plan_end()
        if self._overruns():
            assert self._run is not None
            at = self._run.end_ms
            while at > self.now_ms and self._run.at(at)[1] < OVERRUN_MM_S:
                at -= 20
            self._deadline = min(self._deadline, at)

    def _overruns(self) -> bool:
        return not self.aboard and self._target == {"top": self.spec.stops, "bottom": 1}.get(self.overruns)

    def _after_running(self) -> None:
        assert self._run is not None
        if not self._overruns() or self.now_ms >= self._run.end_ms:
            super()._after_running()
            return
        self.overruns = ""
        height, speed = self._run.at(self.now_ms)
        left = abs(self._goal_mm - height) + self.fate.uniform(*OVERRUN_MM)
        self._run = Run(self.now_ms, height, self._run.sign, Braking(speed, speed**2 / (2 * left)))
        self.fault_number = LIMIT_WORD_UP if self._run.sign > 0 else LIMIT_WORD_DOWN
        self._enter("braking", self._run.end_ms)
