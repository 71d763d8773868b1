"""A lift as it is now: what was built, the state of car, doors, people and switches, and what can be seen of it. Nothing moves here."""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hil_tests.bench.ageing import Ageing, Wear
from hil_tests.bench.battery import Battery
from hil_tests.bench.door import AJAR, NEVER, Door
from hil_tests.bench.motion import JERKS, Limits, Motion
from hil_tests.bench.passengers import Passenger, Traffic
from hil_tests.bench.switches import Switches

ZONE_MM = 150.0  # half of the door zone; ±200 mm is usual (domain notes 5.2)
PERSON_PERMILLE = 120
PRESENCE_LAG_MS = 1500  # a radar sensor lets go a little later

# A worn switch or sensor is looked at in steps of so long; within one it keeps its mood (ours).
FLICKER_MS, NOISE_MS = 700, 2500
FLICKER_PERCENT, MISS_PERCENT, ECHO_PERCENT = 35, 30, 12
# Phases in which the controller drives the car, or thinks so.
DRIVEN = ("starting", "running", "braking", "failing")
# Phases in which the car moves although the controller does not drive it.
UNDRIVEN = ("sliding", "falling")

Value = int | bool | None

SERVICE_MODES = {
    "locked": 0, "automatic": 1, "inspection": 2, "fire": 3, "firefighter": 4, "emergency_power": 5, "earthquake": 6,
}  # fmt: skip


@dataclass(frozen=True)
class LiftSpec:
    """What was built: `stops` 4 to 7 as a rule, `doors` 1 or 2 (2 = a car that one walks through), and who lives there.

    `curve` is "brisk" or "factory", the two settings of the drive in use.
    """

    id: str = "lift-1"
    stops: int = 6
    floor_pitch_mm: int = 2900
    rated_speed_mm_s: int = 1000
    doors: int = 1
    curve: str = "brisk"
    door_ms: int = 2600
    starts_per_day: float = 100.0
    traffic_factor: float = 1.0
    seed: int = 1
    utc_offset_h: int = 8
    ageing: Ageing = field(default_factory=Ageing)


@dataclass
class Run:
    """A motion of the car: from where, which way, by what curve. `slip` is the share of it that the ropes lose."""

    start_ms: int
    from_mm: float
    sign: int
    curve: Motion
    slip: float = 0.0
    door_shows_open: bool = False

    def at(self, now_ms: int) -> tuple[float, float]:
        """(car's height in mm, drive's speed in mm/s)."""
        covered, speed = self.curve.at((now_ms - self.start_ms) / 1000)
        return self.from_mm + self.sign * covered * (1.0 - self.slip), speed

    @property
    def end_ms(self) -> int:
        """When it is over."""
        return self.start_ms + math.ceil(self.curve.seconds * 1000)


class Lift(Switches):
    """The state and its readable side."""

    def __init__(self, spec: LiftSpec, now_ms: int = 0) -> None:
        super().__init__(random.Random(spec.seed ^ 0x5EED))
        self.spec = spec
        self.now_ms = now_ms
        self._rng = random.Random(spec.seed)
        self._limits = Limits(speed=float(spec.rated_speed_mm_s), jerk=JERKS[spec.curve])
        per_day = spec.starts_per_day * spec.traffic_factor
        self._wear = Wear(spec.ageing, spec.seed)
        self._stream = Traffic(spec.stops, per_day, spec.utc_offset_h, self._rng)
        self._rest_mm = 0.0
        self._run: Run | None = None
        self._deadline = NEVER
        self._target = 1
        self._goal_mm = 0.0
        self._heading = 1
        self._opened = False  # the door was open since the car came to this stop
        self._attempted_ms = 0
        self._reopens = 0
        self._teased = 0  # how often children will still keep this door from closing
        self._parked_ms = now_ms
        self._left_ms = -PRESENCE_LAG_MS
        self._curtain_until = 0
        self._boots_until = 0
        # parked starting running arrived opening unopened open closing braking stopped dead visit
        # failing failed sliding falling
        self.phase = "parked"
        self.doors = [Door(self._door_ms(spec.ageing)) for _ in range(spec.doors)]
        self.passengers: list[Passenger] = []
        self.calls: set[int] = set()
        self._next_traffic_ms = self._stream.next_ms(now_ms)
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._later_number = 0
        self.battery = Battery(now_ms)
        self._wear.begin(self)
        # What chain and counters say.
        self.safety_closed = True
        self.fault_number = 0
        self.starts = 0
        self.run_ms = 0
        self.reversals = 0
        self.button_edges: list[tuple[int, bool]] = []

    def _door_ms(self, ageing: Ageing) -> int:
        return int(self.spec.door_ms * (1.0 + ageing.door_slower))

    def age(self, ageing: Ageing) -> None:
        """From now on it is worn so, whatever it was built with; while it is parked."""
        for door in self.doors:
            door.wear(self._door_ms(ageing))
        self._wear.go_on(self, ageing)

    # -- geometry -------------------------------------------------------------------------------------------------

    def floor_mm(self, floor: int) -> float:
        """Height of stop `floor` (lowest 1)."""
        return (floor - 1) * float(self.spec.floor_pitch_mm)

    def _floor_at(self, height_mm: float) -> int:
        return max(1, min(self.spec.stops, round(height_mm / self.spec.floor_pitch_mm) + 1))

    @property
    def position_mm(self) -> float:
        """Height of the car."""
        return self._rest_mm if self._run is None else self._run.at(self.now_ms)[0]

    @property
    def speed_mm_s(self) -> float:
        """Speed of the drive, >= 0."""
        return 0.0 if self._run is None else self._run.at(self.now_ms)[1]

    @property
    def floor(self) -> int:
        """The nearest stop."""
        return self._floor_at(self.position_mm)

    @property
    def far_end(self) -> int:
        """The stop farthest from the car: the longest trip there is."""
        return self.spec.stops if self.floor <= self.spec.stops / 2 else 1

    @property
    def door_zone(self) -> bool:
        """What the zone switch says: the car is inside the unlocking zone of a stop. A worn one makes and breaks by itself."""
        return self._zone_says(self.position_mm)

    def _zone_says(self, height_mm: float) -> bool:
        inside = abs(height_mm - self.floor_mm(self._floor_at(height_mm))) <= ZONE_MM
        if inside and "zone_flickers" in self.flaws:
            return self._mood(FLICKER_MS, 1) >= FLICKER_PERCENT
        return inside

    def _mood(self, step_ms: int, part: int) -> int:
        """0-99, the same whoever looks how often: what a worn part does in this step of time. The mixing is ours."""
        value = (self.now_ms // step_ms * 2654435761 + self.spec.seed * 40503 + part * 97) & 0xFFFFFFFF
        value = (value ^ value >> 15) * 2246822519 & 0xFFFFFFFF
        return (value ^ value >> 13) % 100

    def later(self, ms: int, act: Callable[[], None]) -> None:
        """Let `act` happen `ms` from now."""
        self._later_number += 1
        heapq.heappush(self._later, (self.now_ms + ms, self._later_number, act))

    # -- doors ----------------------------------------------------------------------------------------------------

    @property
    def door_shows_open(self) -> bool:
        """A failed contact says open while the car is under way between floors."""
        return self._run is not None and self._run.door_shows_open and not self.door_zone

    def door_state(self, index: int) -> int:
        """2023-style state of door `index`: 1 closing, 2 closed, 3 opening, 4 open, 6 not fully closed."""
        if self.door_shows_open and index == 0:
            return AJAR
        return self.doors[index].state(self.now_ms)

    @property
    def door_lock_closed(self) -> bool:
        """The lock circuit: made only with all doors shut."""
        return not self.door_shows_open and all(door.is_shut(self.now_ms) for door in self.doors)

    @property
    def light_curtain(self) -> bool:
        """Something is in the doorway."""
        held = self.door_held and self.phase in ("open", "closing")
        return held or self.now_ms < self._curtain_until

    # -- sensors and controller -----------------------------------------------------------------------------------

    @property
    def aboard(self) -> list[Passenger]:
        """Who is in the car."""
        return [passenger for passenger in self.passengers if passenger.aboard]

    @property
    def presence(self) -> bool:
        """What the presence sensor says: a stuck one sees somebody always, a noisy one misses people and sees ghosts."""
        if "presence_stuck" in self.flaws:
            return True
        there = any(p.aboard for p in self.passengers) or self.now_ms - self._left_ms < PRESENCE_LAG_MS
        if "presence_noisy" in self.flaws:
            mood = self._mood(NOISE_MS, 2)
            return mood >= MISS_PERCENT if there else mood < ECHO_PERCENT
        return there

    @property
    def battery_low(self) -> bool:
        """The contact of the node's own supply."""
        return self.battery.low(self.now_ms)

    @property
    def load_permille(self) -> int:
        """Load of the car."""
        return PERSON_PERMILLE * len(self.aboard)

    @property
    def running(self) -> bool:
        """The controller drives the car, or says so."""
        return self.phase in DRIVEN or (self.phase not in UNDRIVEN and self.speed_mm_s > 0)

    @property
    def direction(self) -> int:
        """0 none, 1 up, 2 down."""
        if self._run is None or not self.running:
            return 0
        return 1 if self._run.sign > 0 else 2

    @property
    def controller_answers(self) -> bool:
        """The controller has power, is up and is not mute."""
        return self.mains and not self.controller_silent and self.now_ms >= self._boots_until

    def sample(self) -> dict[str, Value]:
        """The truth by names of the contract's fields; what a dead or silent controller cannot tell is missing."""
        told: dict[str, Value] = {
            "mains": self.mains and not self.mains_sense_dips,
            "passenger": self.presence,
            "button": self.button,
            "battery_low": self.battery_low,
            "work_mode": int(self.work_key),
            "controller_link": self.controller_answers,
        }
        if not self.controller_answers:
            return told
        # Each thing once: a benchmark takes hundreds of millions of samples.
        now_ms, run = self.now_ms, self._run
        height, speed = (self._rest_mm, 0.0) if run is None else run.at(now_ms)
        zone = self._zone_says(height)
        running = self.phase in DRIVEN or (speed > 0 and self.phase not in UNDRIVEN)
        load_permille = self.load_permille
        doors = [door.state(now_ms) for door in self.doors]
        shut = all(door.is_shut(now_ms) for door in self.doors)
        if run is not None and run.door_shows_open and not zone:
            doors[0], shut = AJAR, False
        told["door_1"] = doors[0]
        if len(doors) > 1:
            told["door_2"] = doors[1]
        told["service_mode"] = SERVICE_MODES[self.mode]
        told["car_status"] = int(running)
        told["direction"] = 0 if run is None or not running else 1 if run.sign > 0 else 2
        told["door_zone"] = zone
        told["floor"] = self._floor_at(height)
        told["speed_mm_s"] = int(speed)
        told["position_mm"] = int(height)
        told["load_permille"] = load_permille
        told["safety_circuit"] = self.safety_closed
        told["door_lock"] = shut
        told["light_curtain"] = self.light_curtain
        told["overload"] = load_permille > 1100
        told["controller_fault"] = self.fault_number
        told["run_hours"] = self.run_ms // 3_600_000
        told["starts"] = self.starts
        return told
