"""The lift twin: car, doors, controller logic and passengers of one retrofitted lift. No I/O, no clock: `advance(now_ms)`.

What a bench needs to break is a public switch (`drive_tripped`, `door_obstacle`, …); the faults by name are in faults.py.
"""

import random
from dataclasses import dataclass

from hil_tests.bench.motion import Limits, Trip

TICK_MS = 50
ZONE_MM = 150.0  # half of the door zone; ±200 mm is usual (domain notes 5.2)
START_DELAY_MS = 800  # zero-speed start and curve delay of the factory setting (domain notes 7)
HOLD_CAR_CALL_MS = 3000
HOLD_LANDING_CALL_MS = 5000
IDLE_RETURN_MS = 600_000
OPENING_TRY_MS = 10_000
BRAKE_MM_S2 = 1500.0
CREEP = Limits(speed=100.0, acceleration=200.0, jerk=400.0)  # rescue speed of the factory setting
PERSON_PERMILLE = 120

# Shares of the day's starts by hour: mornings and evenings (domain notes 3.5 and 7).
HOURLY = (1, 1, 1, 1, 1, 2, 5, 9, 8, 6, 5, 6, 6, 4, 4, 4, 5, 7, 9, 8, 6, 4, 2, 1)


@dataclass
class Passenger:
    """One person's trip. `stays` = does not leave the car, for faults that need someone inside."""

    origin: int
    target: int
    aboard: bool = False
    stays: bool = False


@dataclass
class Door:
    """One car door: 0 closed … 1 open, and what the controller wants of it."""

    position: float = 0.0
    command: str = ""  # "open", "close" or ""

    def move(self, ms: int, door_ms: int, blocked_at: float, jammed: bool) -> None:
        """Move for `ms`; it takes `door_ms` for the whole way, does not pass `blocked_at` closing, nor move if jammed."""
        if jammed or not self.command:
            return
        step = ms / door_ms
        if self.command == "open":
            self.position = min(1.0, self.position + step)
        else:
            self.position = max(min(self.position, blocked_at), self.position - step)


@dataclass
class LiftSpec:
    """What was built: `stops` from 4 to 7 as a rule, `floor_pitch_mm`, rated speed, doors, starts a day."""

    id: str = "lift-1"
    stops: int = 6
    floor_pitch_mm: int = 2900
    rated_speed_mm_s: int = 1000
    doors: int = 1
    door_ms: int = 2600
    starts_per_day: float = 100.0
    traffic_factor: float = 1.0
    seed: int = 1


class Twin:
    """One lift. Call `advance(now_ms)` with rising times; read `sample()`; break it through its switches."""

    def __init__(self, spec: LiftSpec, now_ms: int = 0) -> None:
        self.spec = spec
        self.now_ms = now_ms
        self._random = random.Random(spec.seed)
        self._limits = Limits(speed=float(spec.rated_speed_mm_s))
        self.position_mm = 0.0
        self.speed_mm_s = 0.0
        self.direction = 0  # 0 none, 1 up, 2 down
        self.phase = "parked"  # parked, opening, dwelling, closing, starting, running, braking, stopped
        self.doors = [Door() for _ in range(spec.doors)]
        self.passengers: list[Passenger] = []
        self.calls: set[int] = set()
        self._trip: Trip | None = None
        self._trip_from_mm = 0.0
        self._trip_ms = 0.0
        self._target = 1
        self._phase_since = now_ms
        self._dwell_ms = HOLD_CAR_CALL_MS
        self._next_traffic_ms = now_ms + self._gap_ms()
        # Switches of the bench.
        self.traffic = True
        self.drive_blocked = False  # the drive does not start
        self.stop_between = False  # the drive trips when the car is between floors
        self.chain_opens = False  # the safety chain opens when the car is between floors, for CHAIN_MS
        self.door_obstacle = False
        self.door_jammed = False
        self.jam_on_run = False  # the door jams once the car is under way
        self.door_shows_open_running = False
        self.slip = 1.0  # share of the drive's motion that reaches the car
        self.mains = True
        self.controller_silent = False
        self.inspection = False
        # What the chain and the counters say.
        self.safety_closed = True
        self._chain_until = 0
        self.fault_number = 0
        self.starts = 0
        self.run_ms = 0.0
        self.reversals = 0

    # -- geometry -------------------------------------------------------------------------------------------------

    def floor_mm(self, floor: int) -> float:
        """Height of stop `floor` (lowest 1)."""
        return (floor - 1) * float(self.spec.floor_pitch_mm)

    @property
    def floor(self) -> int:
        """The nearest stop."""
        nearest = round(self.position_mm / self.spec.floor_pitch_mm) + 1
        return max(1, min(self.spec.stops, nearest))

    @property
    def door_zone(self) -> bool:
        """The car is inside the unlocking zone of a stop."""
        return abs(self.position_mm - self.floor_mm(self.floor)) <= ZONE_MM

    @property
    def aboard(self) -> list[Passenger]:
        """Who is in the car."""
        return [passenger for passenger in self.passengers if passenger.aboard]

    # -- time -----------------------------------------------------------------------------------------------------

    def advance(self, now_ms: int) -> None:
        """Let the world go on until `now_ms`, in ticks while something moves, in one step while nothing does."""
        while self.now_ms < now_ms:
            idle_until = self._idle_until()
            if idle_until > self.now_ms:
                self.now_ms = min(now_ms, idle_until)
                continue
            step = min(TICK_MS, now_ms - self.now_ms)
            self.now_ms += step
            self._tick(step)

    def _idle_until(self) -> int:
        """Until when nothing can happen by itself."""
        if self.phase != "parked" or self.calls or not self.mains or self.drive_blocked:
            return self.now_ms
        until = self._next_traffic_ms if self.traffic else self.now_ms + 3_600_000
        if self.position_mm > 1:
            until = min(until, self._phase_since + IDLE_RETURN_MS)
        return until

    def _tick(self, ms: int) -> None:
        self._bring_traffic()
        if not self.mains:
            self._lose_power(ms)
            return
        for door in self.doors:
            door.move(ms, self.spec.door_ms, 0.4 if self.door_obstacle else 0.0, self.door_jammed)
        getattr(self, "_while_" + self.phase)(ms)

    def _enter(self, phase: str) -> None:
        self.phase = phase
        self._phase_since = self.now_ms

    def _in_phase_ms(self) -> int:
        return self.now_ms - self._phase_since

    # -- traffic --------------------------------------------------------------------------------------------------

    def _gap_ms(self) -> int:
        """Time to the next passenger: exponential, by the hour of the day; a start needs about one passenger each two."""
        hour = self.now_ms // 3_600_000 % 24
        per_hour = self.spec.starts_per_day * self.spec.traffic_factor * HOURLY[hour] / sum(HOURLY) / 1.7
        return int(self._random.expovariate(max(per_hour, 0.05) / 3_600_000)) + 1000

    def _bring_traffic(self) -> None:
        if not self.traffic or self.now_ms < self._next_traffic_ms:
            return
        self._next_traffic_ms = self.now_ms + self._gap_ms()
        if len(self.passengers) < 4 and not self.inspection:
            # Half of all trips begin, the other half end at the lowest stop.
            upper = self._random.randint(2, self.spec.stops)
            pair = (1, upper) if self._random.random() < 0.5 else (upper, 1)
            self.travel(*pair)

    def travel(self, origin: int, target: int, *, stays: bool = False) -> Passenger:
        """A passenger calls the lift at `origin` to go to `target`."""
        passenger = Passenger(origin, target, stays=stays)
        self.passengers.append(passenger)
        self.calls.add(origin)
        return passenger

    # -- controller -----------------------------------------------------------------------------------------------

    def _while_parked(self, ms: int) -> None:
        if self.inspection or self.fault_number:
            return
        if self.drive_blocked and self.aboard:
            return
        if self.floor in self.calls and self.door_zone:
            self._arrive()
        elif self.calls:
            self._start_to(self._next_call())
        elif self.aboard and self.door_zone:
            self._arrive()  # whoever is inside presses the opening button
        elif self.position_mm > 1 and self._in_phase_ms() >= IDLE_RETURN_MS:
            self._start_to(1)

    def _next_call(self) -> int:
        """Collective: the nearest call ahead, else the nearest at all."""
        ahead = [call for call in self.calls if (call - self.floor) * (1 if self.direction != 2 else -1) > 0]
        return min(ahead or self.calls, key=lambda call: abs(call - self.floor))

    def _start_to(self, target: int, limits: Limits | None = None) -> None:
        if self.drive_blocked:
            return
        distance = self.floor_mm(target) - self.position_mm
        if abs(distance) < 1:
            self._arrive()
            return
        self._target = target
        self._trip = Trip(abs(distance), limits or self._limits)
        self._trip_from_mm = self.position_mm
        self._trip_ms = 0.0
        self.direction = 1 if distance > 0 else 2
        self.starts += 1
        self._enter("starting")

    def _while_starting(self, ms: int) -> None:
        if self._in_phase_ms() >= START_DELAY_MS:
            self.door_jammed = self.door_jammed or self.jam_on_run
            self._enter("running")

    def _while_running(self, ms: int) -> None:
        assert self._trip is not None
        self.run_ms += ms
        self._trip_ms += ms * self.slip
        covered, speed = self._trip.at(self._trip_ms / 1000)
        sign = 1 if self.direction == 1 else -1
        self.position_mm = self._trip_from_mm + sign * covered
        self.speed_mm_s = speed if self.slip == 1.0 else max(speed * self.slip, 200.0)
        if self.stop_between and self._is_between():
            self._enter("braking")
        elif self.chain_opens and self._is_between():
            self.chain_opens = False
            self.safety_closed = False
            self.fault_number = 41
            self._chain_until = self.now_ms + 2000
            self._enter("braking")
        elif self._trip_ms / 1000 >= self._trip.seconds:
            self.speed_mm_s = 0.0
            self.position_mm = self.floor_mm(self._target)
            self._arrive() if self._target in self.calls or self.aboard else self._enter("parked")
            self.direction = 0

    def _is_between(self) -> bool:
        away = abs(self.position_mm - self.floor_mm(self.floor))
        return away > self.spec.floor_pitch_mm * 0.3 and self.speed_mm_s > 300

    def _while_braking(self, ms: int) -> None:
        sign = 1 if self.direction == 1 else -1
        self.position_mm += sign * self.speed_mm_s * ms / 1000
        self.speed_mm_s = max(0.0, self.speed_mm_s - BRAKE_MM_S2 * ms / 1000)
        if self.speed_mm_s == 0.0:
            self.direction = 0
            self._trip = None
            self._enter("stopped")

    def _while_stopped(self, ms: int) -> None:
        """Stopped where no stop was due: creeps to the nearest floor once nothing prevents it."""
        if not self.safety_closed and self.now_ms >= self._chain_until:
            self.safety_closed = True
            self.fault_number = 0
        if self.stop_between or self.drive_blocked or not self.safety_closed or self._in_phase_ms() < 1000:
            return
        self.calls.add(self.floor)
        self._start_to(self.floor, CREEP)

    def _arrive(self) -> None:
        self.calls.discard(self.floor)
        self.direction = 0
        for door in self.doors:
            door.command = "open"
        self._enter("opening")

    def _while_opening(self, ms: int) -> None:
        if all(door.position >= 1.0 for door in self.doors):
            self._exchange()
        elif self._in_phase_ms() >= OPENING_TRY_MS:
            for door in self.doors:
                door.command = "" if door.command else "open"
            self._phase_since = self.now_ms

    def _exchange(self) -> None:
        """Doors are open: who is here goes in or out."""
        landing = False
        for passenger in list(self.passengers):
            if passenger.aboard and passenger.target == self.floor and not passenger.stays:
                self.passengers.remove(passenger)
            elif not passenger.aboard and passenger.origin == self.floor:
                passenger.aboard = landing = True
                self.calls.add(passenger.target)
        self.calls.discard(self.floor)
        self._dwell_ms = HOLD_LANDING_CALL_MS if landing else HOLD_CAR_CALL_MS
        self._enter("dwelling")

    def _while_dwelling(self, ms: int) -> None:
        if self._in_phase_ms() >= self._dwell_ms:
            for door in self.doors:
                door.command = "close"
            self._enter("closing")

    def _while_closing(self, ms: int) -> None:
        if self.floor in self.calls or (self.door_obstacle and any(d.position <= 0.4 for d in self.doors)):
            self.reversals += 1
            self._arrive()
        elif all(door.position <= 0.0 for door in self.doors):
            for door in self.doors:
                door.command = ""
            self._enter("parked")

    def _lose_power(self, ms: int) -> None:
        """No mains: the brake falls; doors stay; the controller is dead until the supply returns."""
        for door in self.doors:
            door.command = ""
        if self.speed_mm_s > 0:
            if self.phase != "braking":
                self._enter("braking")
            self._while_braking(ms)
        elif self.phase not in ("stopped", "parked"):
            if self.door_zone and any(door.position > 0 for door in self.doors):
                self._enter("closing")
            else:
                self._enter("stopped")
            self.direction = 0

    def restore_power(self) -> None:
        """The supply is back: the controller goes on from where the car stands."""
        self.mains = True
        for door in self.doors:
            door.command = "close" if door.position > 0 else ""

    def release_passengers(self) -> None:
        """Whoever was made to stay wants out now, at the next opening."""
        for passenger in self.aboard:
            passenger.stays = False
            passenger.target = self.floor
        for passenger in list(self.passengers):
            if not passenger.aboard and passenger.stays:
                self.passengers.remove(passenger)
        if self.aboard:
            self.calls.add(self.floor)

    # -- what can be seen -----------------------------------------------------------------------------------------

    @property
    def door_lock_closed(self) -> bool:
        """The lock circuit: closed only with all doors shut."""
        return not self.door_shows_open and all(door.position <= 0.0 for door in self.doors)

    @property
    def door_shows_open(self) -> bool:
        """The switch of a broken door says open while the car is under way between floors."""
        return self.door_shows_open_running and self.phase == "running" and not self.door_zone

    def door_state(self, index: int) -> int:
        """2023-style door state of door `index`: 1 closing, 2 closed, 3 opening, 4 open, 6 not fully closed."""
        door = self.doors[index]
        if self.door_shows_open:
            return 6
        if door.position >= 1.0:
            return 4
        if door.command == "open":
            return 3
        if door.position <= 0.0:
            return 2
        return 1 if door.command == "close" else 6

    @property
    def presence(self) -> bool:
        """What the presence sensor sees."""
        return bool(self.aboard)

    @property
    def load_permille(self) -> int:
        """Load of the car."""
        return PERSON_PERMILLE * len(self.aboard)

    @property
    def running(self) -> bool:
        """The controller drives the car."""
        return self.phase in ("starting", "running", "braking")

    def sample(self) -> dict[str, int | bool | None]:
        """The truth by names of the contract's fields; what a dead or silent controller cannot tell is None."""
        inputs: dict[str, int | bool | None] = {"mains": self.mains, "passenger": self.presence}
        if not self.mains or self.controller_silent:
            return {**inputs, "controller_link": False}
        bus: dict[str, int | bool | None] = {
            "service_mode": 2 if self.inspection else 1,
            "car_status": int(self.running),
            "direction": self.direction,
            "door_zone": self.door_zone,
            "floor": self.floor,
            "speed_mm_s": int(self.speed_mm_s),
            "position_mm": int(self.position_mm),
            "load_permille": self.load_permille,
            "safety_circuit": self.safety_closed,
            "door_lock": self.door_lock_closed,
            "controller_link": True,
        }
        for index in range(len(self.doors)):
            bus[f"door_{index + 1}"] = self.door_state(index)
        return {**inputs, **bus}

