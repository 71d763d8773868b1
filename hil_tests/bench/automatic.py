"""The automatic controller of a lift: collective calls, runs, doors, recovery. Each `_after_PHASE` ends one phase, at its deadline."""

from dataclasses import replace

from hil_tests.bench.door import NEVER, Door
from hil_tests.bench.lift import Lift, Run
from hil_tests.bench.motion import RELEVEL, RESCUE, Braking, Limits, Trip
from hil_tests.bench.passengers import Passenger

START_DELAY_MS = 800  # zero-speed start and curve delay of the factory setting (domain notes 7)
END_DELAY_MS = 300  # its end delay
BOARDING_MS = 1200  # per person, ours
HOLD_LANDING_CALL_MS = 5000  # Fb-11
HOLD_CAR_CALL_MS = 3000  # Fb-12
HURRIED_HOLD_MS = 1500  # somebody presses the closing button
REOPENED_HOLD_MS = 2000
IDLE_RETURN_MS = 600_000
OPENING_TRY_MS = 10_000  # Fb-06
OPENING_PAUSE_MS = 3000
RECOVERY_MS = 1000
CHAIN_OPENS_MS = 900  # the car has come some 70 mm
BLOCKED_AT = 0.4
# Ordinary annoyances, as shares of door cycles (ours): a hand in the closing door, goods carried in, one of three so heavy
# that the ropes give and the car is levelled again.
LATE_SHARE, GOODS_SHARE, HEAVY_SHARE = 0.06, 0.01, 0.3
SAG_MM = 22.0
# A car so far off level is levelled again with its door open; so far off, it must be brought back first (ours).
RELEVEL_MM, LOST_MM = 15.0, 50.0
FORCED_CLOSE_MS = 120_000  # Fb-17
LIMIT_PAUSE_MS = 10_000  # at a limit switch the drive waits before it goes the other way (ours)
LIMIT_WORDS = (43, 44)
EARTHQUAKE_WORD = 26  # E26 (domain notes 6.2)
# A door that was reversed so often is reported by the controller itself.
REVERSALS_TOLD = 5


class Automatic(Lift):
    """What the controller does by itself. It is moved by the twin, which knows the time."""

    def _enter(self, phase: str, deadline_ms: int = NEVER) -> None:
        self.phase = phase
        self._deadline = deadline_ms

    def call(self, floor: int) -> None:
        """Somebody presses a call for `floor`, in the car or on the landing."""
        if not self.mains or self.now_ms < self._boots_until or self.mode != "automatic":
            return
        if floor == self.floor and self.phase == "open":
            self._exchange()
            return
        self.calls.add(floor)
        if floor == self.floor and self.phase == "closing":
            self._open()
        elif self.phase == "parked":
            self._decide()

    # -- at rest --------------------------------------------------------------------------------------

    def _decide(self) -> None:
        """What next, from standstill with no door in motion."""
        self._deadline = NEVER
        if self.mode == "inspection":
            self._enter("visit")
        elif (
            not self.safety_closed
            or self.latched
            or (self.drive_dead_with_passenger and any(p.stays for p in self.aboard))
        ):
            return
        elif abs(self._rest_mm - self.floor_mm(self.floor)) > LOST_MM:
            self._recover()
        elif self.mode in ("fire", "locked"):
            if self.floor != 1:
                self._start_to(1)
            elif not self._opened:
                self._open()
        elif self.phase == "unopened" or self.floor in self.calls or (self.mode != "automatic" and not self._opened):
            self._open()
        else:
            self._decide_where()

    def _decide_where(self) -> None:
        """The next run, if there is one to make: level at a stop, with nothing to do here."""
        if self.calls:
            self._start_to(self._next_call())
        elif self.errand and not self.aboard:
            self._run_errand()
        elif self.rush and not self.passengers:
            self._come(self._stream.draw())
        elif self.floor != 1 and not self.aboard:
            self._deadline = self._parked_ms + IDLE_RETURN_MS

    def _run_errand(self) -> None:
        """To where the errand goes; by way of the far end, if the car is there."""
        goal = {"top": self.spec.stops, "bottom": 1}.get(self.errand, self.far_end)
        if goal == self.floor:
            goal = self.far_end
        else:
            self.errand = ""
        self._start_to(goal)

    def _come(self, passenger: Passenger) -> None:
        """Somebody comes to a landing and calls."""
        self.passengers.append(passenger)
        self.call(passenger.origin)

    def _after_parked(self) -> None:
        if self.now_ms - self._parked_ms >= IDLE_RETURN_MS and not self.calls and not self.aboard and self.floor != 1:
            self._start_to(1)
        else:
            self._decide()

    def _next_call(self) -> int:
        """Collective: the nearest call in the heading, else the nearest the other way."""
        ahead = [call for call in self.calls if (call - self.floor) * self._heading > 0]
        return min(ahead or self.calls, key=lambda call: abs(call - self.floor))

    def _recover(self) -> None:
        """Not level with a stop: creep to the nearest one, unless the drive is still dead."""
        if not self.drive_trips_between:
            pause_ms = LIMIT_PAUSE_MS if self.fault_number in LIMIT_WORDS else RECOVERY_MS
            if pause_ms == RECOVERY_MS:
                self._clear_word()
            self._enter("stopped", self.now_ms + pause_ms)

    def _clear_word(self) -> None:
        """No fault any more; the earthquake's word stands while its mode does."""
        self.fault_number = EARTHQUAKE_WORD if self.mode == "earthquake" else 0

    def _after_stopped(self) -> None:
        if self.mode == "inspection":
            self._enter("visit")
        elif not all(door.is_shut(self.now_ms) for door in self.doors):
            self._close()
        elif self.safety_closed and not self.drive_trips_between:
            self._clear_word()
            self.calls.add(self.floor)
            self._start_to(self.floor, RESCUE)

    # -- under way ------------------------------------------------------------------------------------

    def _start_to(self, floor: int, limits: Limits | None = None) -> None:
        goal_mm = self.floor_mm(floor) + (0.0 if limits else self._stop_error())
        distance = goal_mm - self._rest_mm
        if abs(distance) < 1.0:
            self._open()
            return
        self._target, self._goal_mm = floor, goal_mm
        self._heading = 1 if distance > 0 else -1
        self._opened = False
        self._reopens = 0
        self.starts += 1
        # With slipping ropes the drive turns on until the car is there; the car follows by what does not slip.
        limits = limits or replace(self._limits, speed=self._limits.speed * self.drive_overspeeds)
        curve = Trip(abs(distance) / (1.0 - self.slip), limits)
        self._run = Run(self.now_ms + START_DELAY_MS, self._rest_mm, self._heading, curve, self.slip)
        self._enter("starting", self._run.start_ms)

    def _stop_error(self) -> float:
        """How far from level this run will end."""
        return self.stop_error_mm and self.stop_error_mm * self.fate.uniform(0.9, 1.2)

    def _after_starting(self) -> None:
        assert self._run is not None
        if self.on_departure is not None and any(p.stays for p in self.aboard):
            act, self.on_departure = self.on_departure, None
            act()
        # Chain and contact fail in an empty car only: so each of these faults comes alone.
        if self.door_contact_fails and not self.aboard:
            self._run.door_shows_open = True
            self.errand = ""
        if self.door_jams_on_run:
            for door in self.doors:
                door.jam(self.now_ms, True)
        self._enter("running")
        self._plan_end()

    def _plan_end(self) -> None:
        """When this run ends: at its target, or earlier where a switch of the bench says so."""
        assert self._run is not None
        self._deadline = self._run.end_ms
        if self._run.slip > self.slip:
            self._brake()
        elif self._chain_opens_at(self._run.start_ms + CHAIN_OPENS_MS):
            self._deadline = self._run.start_ms + CHAIN_OPENS_MS
        elif self.drive_trips_between == ("occupied" if self.aboard else "empty"):
            for at in range(self.now_ms, self._deadline, 50):
                height, speed = self._run.at(at)
                if speed > 300 and abs(height - self.floor_mm(self._floor_at(height))) > self.spec.floor_pitch_mm * 0.3:
                    self._deadline = at
                    break

    def _chain_opens_at(self, at_ms: int) -> bool:
        """The chain opens at `at_ms`, under way but still in the door zone: so nobody is stranded."""
        assert self._run is not None
        due = self.now_ms <= at_ms <= self._run.start_ms + CHAIN_OPENS_MS
        return due and self.chain_opens_on_start and not self.aboard

    def _after_running(self) -> None:
        assert self._run is not None
        if self._chain_opens_at(self.now_ms):
            self.chain_opens_on_start = False
            self.safety_closed = False
            self.fault_number = 41
            self._brake()
        elif self.now_ms < self._run.end_ms:
            self.fault_number = 33
            self._brake()
        else:
            self._stand(self._goal_mm)
            if self.trips_at_stop and not self.aboard:
                self.latched = self.fault_number = self.trips_at_stop
            self._enter("arrived", self.now_ms + END_DELAY_MS)

    def _stand(self, height_mm: float) -> None:
        """The car has come to rest."""
        assert self._run is not None
        self.run_ms += max(0, self.now_ms - self._run.start_ms)
        self._rest_mm = height_mm
        self._run = None
        self._parked_ms = self.now_ms

    def _brake(self) -> None:
        assert self._run is not None
        height, speed = self._run.at(self.now_ms)
        sign = self._run.sign
        self.run_ms += max(0, self.now_ms - self._run.start_ms)
        self._run = Run(self.now_ms, height, sign, Braking(speed))
        self._enter("braking", self._run.end_ms)

    def _after_braking(self) -> None:
        assert self._run is not None
        self._stand(self._run.at(self.now_ms)[0])
        self._enter("stopped")
        if self.mains:
            self._decide()
        else:
            self._enter("dead")

    def _after_arrived(self) -> None:
        if self.latched:
            self._park()
        elif self._target in self.calls or self.aboard or self.door_jams_on_run or self.mode != "automatic":
            self._open()
        else:
            self._park()

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
        rng, now, floor = self._rng, self.now_ms, self.floor
        if self._run is not None and now >= self._run.end_ms:
            self._stand(self._run.at(now)[0])  # relevelled
        moved = 0
        for passenger in list(self.passengers):
            if passenger.aboard and (passenger.target == floor or self.mode != "automatic") and not passenger.stays:
                self.passengers.remove(passenger)
                self._left_ms = now
                moved += 1
            elif not passenger.aboard and passenger.origin == floor and self.mode == "automatic":
                passenger.aboard = True
                moved += 1
                passenger.calls_ms = now + moved * BOARDING_MS + passenger.decides_ms
        hold = HOLD_LANDING_CALL_MS if any(p.calls_ms for p in self.aboard) else HOLD_CAR_CALL_MS
        if self.hurried:
            hold, self.hurried = HURRIED_HOLD_MS, False
        elif self._reopens:
            hold = REOPENED_HOLD_MS
        elif moved and rng.random() < GOODS_SHARE:
            hold = rng.randint(15_000, 55_000)
            self._curtain_until = now + hold
            if self._run is None and rng.random() < HEAVY_SHARE:
                self._rest_mm -= SAG_MM
        off_mm = self.floor_mm(floor) - self._rest_mm
        if self._run is None and abs(off_mm) > RELEVEL_MM:
            self._run = Run(now + 500, self._rest_mm, 1 if off_mm > 0 else -1, Trip(abs(off_mm), RELEVEL))
        if self._run is not None:
            hold = max(hold, self._run.end_ms - now)
        self.calls.discard(floor)
        stays_open = self.mode == "firefighter" or (self.mode == "fire" and floor == 1)
        self._enter("open", NEVER if stays_open else now + (FORCED_CLOSE_MS if self.door_held else hold))

    def _after_open(self) -> None:
        if self._run is not None:  # relevelled
            self._stand(self._run.at(self.now_ms)[0])
        self._close()

    def _close(self) -> None:
        door = self._door
        blocked = self.door_obstacle or self.door_held
        door.close(self.now_ms, BLOCKED_AT if blocked else 0.0)
        done = door.done_ms()
        if not blocked and self.door_zone and self._reopens < 3 and self._rng.random() < LATE_SHARE:
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
