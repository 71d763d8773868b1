"""The automatic controller of a lift: collective calls, runs, recovery. Each `_after_PHASE` ends one phase, at its deadline."""

from dataclasses import replace

from hil_tests.bench.door import NEVER
from hil_tests.bench.lift import Run
from hil_tests.bench.motion import RESCUE, Braking, Limits, Trip
from hil_tests.bench.passengers import Passenger
from hil_tests.bench.stop import Stop

START_DELAY_MS = 800  # zero-speed start and curve delay of the factory setting (domain notes 7)
END_DELAY_MS = 300  # its end delay
IDLE_RETURN_MS = 600_000
RECOVERY_MS = 1000
CHAIN_OPENS_MS = 900  # the car has come some 70 mm
LOST_MM = 50.0  # a car so far off level must be brought back first (ours)
LIMIT_PAUSE_MS = 10_000  # at a limit switch the drive waits before it goes the other way (ours)
LIMIT_WORDS = (43, 44)
EARTHQUAKE_WORD = 26  # E26 (domain notes 6.2)


class Automatic(Stop):
    """What the controller does by itself. It is moved by the twin, which knows the time."""

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
        self._reopens = self._teased = 0
        self.starts += 1
        # With slipping ropes the drive turns on until the car is there; the car follows by what does not slip.
        limits = limits or replace(self._limits, speed=self._limits.speed * self.drive_overspeeds)
        curve = Trip(abs(distance) / (1.0 - self.slip), limits)
        self._run = Run(self.now_ms + START_DELAY_MS, self._rest_mm, self._heading, curve, self.slip)
        self._enter("starting", self._run.start_ms)

    def _stop_error(self) -> float:
        """How far from level this run will end."""
        if self.stop_error_mm:
            return self.stop_error_mm * self.fate.uniform(0.9, 1.2)
        return self._wear.stop_error_mm()

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
