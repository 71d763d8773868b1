"""A car at its stop: doors, people in and out, what they do to the doors, levelling again. It does not know where to go next."""

from hil_tests.bench.door import NEVER, Door
from hil_tests.bench.lift import Lift, Run
from hil_tests.bench.motion import RELEVEL, Trip
from hil_tests.bench.passengers import Passenger

BOARDING_MS = 1200  # per person, ours
HOLD_LANDING_CALL_MS = 5000  # Fb-11
HOLD_CAR_CALL_MS = 3000  # Fb-12
HURRIED_HOLD_MS = 1500  # somebody presses the closing button
REOPENED_HOLD_MS = 2000
OPENING_TRY_MS = 10_000  # Fb-06
OPENING_PAUSE_MS = 3000
FORCED_CLOSE_MS = 120_000  # Fb-17
BLOCKED_AT = 0.4
# Ordinary annoyances, as shares of door cycles (ours): a hand in the closing door, goods carried in, one of twenty so
# heavy that the ropes give and the car is levelled again.
LATE_SHARE, GOODS_SHARE, HEAVY_SHARE = 0.06, 0.01, 0.05
# A neighbour who talks, a bicycle that is turned round; children who keep the door from closing a few times (ours).
TALK_SHARE, CHILDREN_SHARE = 0.004, 0.003
SAG_MM = 22.0
RELEVEL_MM = 15.0  # a car so far off level is levelled again with its door open (ours)
# A door that was reversed so often is reported by the controller itself.
REVERSALS_TOLD = 5


class Stop(Lift):
    """What happens between an arrival and the next departure; `_decide` is the controller's."""

    def _decide(self) -> None:
        """What next, from standstill with no door in motion."""
        raise NotImplementedError

    def _enter(self, phase: str, deadline_ms: int = NEVER) -> None:
        self.phase = phase
        self._deadline = deadline_ms

    def _stand(self, height_mm: float) -> None:
        """The car has come to rest."""
        assert self._run is not None
        self.run_ms += max(0, self.now_ms - self._run.start_ms)
        self._rest_mm = height_mm
        self._run = None
        self._parked_ms = self.now_ms

    # -- doors ----------------------------------------------------------------------------------------

    @property
    def _door(self) -> Door:
        """The door that serves this stop: with two of them, the second serves all stops but the lowest."""
        return self.doors[-1] if self.floor > 1 else self.doors[0]

    def _open(self) -> None:
        self.calls.discard(self.floor)
        self._door.open(self.now_ms)
        self._attempted_ms = self.now_ms
        self._enter("opening", min(self._door.done_ms(), self.now_ms + OPENING_TRY_MS))

    def _after_opening(self) -> None:
        if self._door.position(self.now_ms) >= 1.0:
            self._opened = True
            self._exchange()
        else:
            self.fault_number = 48
            self._door.halt(self.now_ms)
            self._enter("unopened", self.now_ms + OPENING_PAUSE_MS)

    def _after_unopened(self) -> None:
        self._decide()

    def _exchange(self) -> None:
        """The door is open: who is here goes out and in. Sets how long it stays open."""
        if self.fault_number == 48:
            self.fault_number = 0
        now, floor = self.now_ms, self.floor
        if self._run is not None and now >= self._run.end_ms:
            self._stand(self._run.at(now)[0])  # relevelled
        hold = self._hold_ms(self._out_and_in())
        off_mm = self.floor_mm(floor) - self._rest_mm
        if self._run is None and abs(off_mm) > RELEVEL_MM:
            self._run = Run(now + 500, self._rest_mm, 1 if off_mm > 0 else -1, Trip(abs(off_mm), RELEVEL))
        if self._run is not None:
            hold = max(hold, self._run.end_ms - now)
        self.calls.discard(floor)
        stays_open = self.mode == "firefighter" or (self.mode == "fire" and floor == 1)
        self._enter("open", NEVER if stays_open else now + (FORCED_CLOSE_MS if self.door_held else hold))

    def _out_and_in(self) -> list[Passenger]:
        """Those who left and those who got in."""
        moved = []
        for passenger in list(self.passengers):
            if passenger.aboard:
                if (passenger.target == self.floor or self.mode != "automatic") and not passenger.stays:
                    self.passengers.remove(passenger)
                    self._left_ms = self.now_ms
                    moved.append(passenger)
            elif passenger.origin == self.floor and self.mode == "automatic":
                passenger.aboard = True
                moved.append(passenger)
                passenger.calls_ms = self.now_ms + len(moved) * BOARDING_MS + passenger.decides_ms
        return moved

    def _hold_ms(self, moved: list[Passenger]) -> int:
        """How long the door stays open for those who move, and for what they do beside moving."""
        rng = self._rng
        if self.hurried:
            self.hurried = False
            return HURRIED_HOLD_MS
        if self._reopens:
            return REOPENED_HOLD_MS
        if moved and rng.random() < CHILDREN_SHARE:
            self._teased = rng.randint(2, 4)
        hold = max((passenger.goods_ms for passenger in moved), default=0)
        if moved and not hold and rng.random() < GOODS_SHARE:
            hold = rng.randint(15_000, 55_000)
        if hold and self._run is None and rng.random() < HEAVY_SHARE:
            self._rest_mm -= SAG_MM
        if moved and not hold and rng.random() < TALK_SHARE:
            hold = rng.randint(20_000, 100_000)
        if hold:
            self._curtain_until = self.now_ms + hold
            return hold
        return HOLD_LANDING_CALL_MS if any(p.calls_ms for p in self.aboard) else HOLD_CAR_CALL_MS

    def _after_open(self) -> None:
        if self._run is not None:  # relevelled
            self._stand(self._run.at(self.now_ms)[0])
        self._close()

    def _close(self) -> None:
        door = self._door
        blocked = self.door_obstacle or self.door_held
        door.close(self.now_ms, BLOCKED_AT if blocked else 0.0)
        done = door.done_ms()
        teased = self._teased > 0
        self._teased -= teased
        if not blocked and self.door_zone and (teased or (self._reopens < 3 and self._rng.random() < LATE_SHARE)):
            # A hand in the light curtain, somewhere on the way.
            done = self.now_ms + int((done - self.now_ms) * self._rng.uniform(0.3, 0.95))
        self._enter("closing", done)

    def _after_closing(self) -> None:
        if self._door.is_shut(self.now_ms):
            self._reopens = 0
            self._park()
            return
        if self.door_held:  # it pushes, and does not open again
            self._enter("closing")
            return
        self.reversals += 1
        self._reopens += 1
        self._curtain_until = self.now_ms + 700
        if self._reopens >= REVERSALS_TOLD:
            self.fault_number = 49
        self._open()

    def _park(self) -> None:
        for door in self.doors:
            door.halt(self.now_ms)
        if self.fault_number in (48, 49):
            self.fault_number = 0
        self._parked_ms = self.now_ms
        self._enter("parked")
        self._decide()
