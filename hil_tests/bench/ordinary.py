"""Ordinary days of a lift, lived by a twin before the detector: every event that comes of them is a false alarm.

Ordinary is not smooth: goods, hands in doors, maintenance, fire drills, supply dips, lost polls, people who dawdle.
"""

import concurrent.futures
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
from protocols.detector import Detector, Settings
from protocols.state import LiftState

DAY_MS = 86_400_000
SAMPLE_MS = (100, 200)  # between two looks at the bus, as a 9600 baud line allows
LOST_POLL_SHARE = 0.002
CHUNK_DAYS = 10
# Nobody uses a lift without a pause for so long; more than that is a mistake of the twin's.
LONGEST_USE_MS = 4 * 3_600_000
CONTROL_FAULT = "trapped_between_floors"


@dataclass
class Report:
    """What came of it. `events` is empty when all is well; `control_found` says that the detector was awake."""

    lift_days: float = 0
    starts: int = 0
    samples: int = 0
    visits: int = 0
    cpu_s: float = 0.0
    events: list[str] = field(default_factory=list)
    near_misses: dict[str, int] = field(default_factory=dict)
    suppressed: dict[str, int] = field(default_factory=dict)
    controls: int = 0
    controls_found: int = 0

    def add(self, other: "Report") -> None:
        """Take another's counts in."""
        for name in ("lift_days", "starts", "samples", "visits", "cpu_s", "controls", "controls_found"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.events += other.events
        for mine, theirs in ((self.near_misses, other.near_misses), (self.suppressed, other.suppressed)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count

    def text(self) -> str:
        """For a person."""
        speed = self.lift_days * 86_400 / self.cpu_s if self.cpu_s else 0
        lines = [
            f"{self.lift_days:g} lift-days, {self.starts} starts, {self.visits} visits and drills, {self.samples} samples",
            f"events raised: {len(self.events)}",
            *[f"  {event}" for event in self.events[:20]],
            f"near misses: {self.near_misses or 'none'}; suppressed at work: {self.suppressed or 'none'}",
            f"control: {self.controls_found} of {self.controls} injected {CONTROL_FAULT} found",
            f"{self.cpu_s:.1f} s of CPU, {speed:,.0f} times real time a core",
        ]
        return "\n".join(lines)


def _acts(rng: random.Random, days: float, begin_ms: int) -> list[tuple[int, str]]:
    """[(unix ms, act)] in order: half-monthly visits, a fire drill a half year, some locked nights, supply dips."""
    acts: list[tuple[int, str]] = []
    for name, every_days in (("visit", 15.0), ("drill", 90.0), ("locked", 30.0), ("dip", 5.0), ("hush", 0.05)):
        at = rng.uniform(0, every_days)
        while at < days - 0.1:
            acts.append((begin_ms + int(at * DAY_MS), name))
            at += rng.uniform(0.6, 1.4) * every_days
    return sorted(acts)


def _visit(twin: Twin, rng: random.Random) -> Iterator[int]:
    """A technician on the car: rides at inspection speed and stands between floors for minutes. Yields waiting times in ms."""
    twin.set_mode("inspection")
    top = twin.floor_mm(twin.spec.stops)
    for _ in range(rng.randint(3, 10)):
        yield rng.randint(5_000, 60_000)
        twin.inspect_to(rng.uniform(0, top))
        yield rng.randint(20_000, 180_000)
    twin.set_mode("automatic")


def _other_mode(twin: Twin, mode: str, minutes: int) -> Iterator[int]:
    twin.set_mode(mode)
    yield minutes * 60_000
    twin.set_mode("automatic")


def _dip(twin: Twin, rng: random.Random) -> Iterator[int]:
    """The sense sees it, the controller rides through."""
    twin.mains_sense_dips = True
    yield rng.randint(50, 1200)
    twin.mains_sense_dips = False


def _hush(twin: Twin, rng: random.Random) -> Iterator[int]:
    """The controller is busy with itself: no answer for a while that is no fault yet."""
    twin.controller_silent = True
    yield rng.randint(300, 4500)
    twin.controller_silent = False
    yield 5000


def _act(name: str, twin: Twin, rng: random.Random) -> Iterator[int]:
    if name == "visit":
        return _visit(twin, rng)
    if name == "dip":
        return _dip(twin, rng)
    if name == "hush":
        return _hush(twin, rng)
    return _other_mode(twin, "fire" if name == "drill" else "locked", 12 if name == "drill" else 300)


class Life:
    """One lift and its detector, joined in process."""

    def __init__(
        self,
        spec: LiftSpec,
        begin_ms: int,
        look: Callable[[LiftState, int], None] | None = None,
        longest_step_ms: int = DAY_MS,
    ) -> None:
        """`look(state, now_ms)` is shown each sample, `longest_step_ms` apart at most while nothing changes."""
        self._look = look
        self._longest_step_ms = longest_step_ms
        self.twin = Twin(spec, begin_ms)
        self.report = Report()
        self._rng = random.Random(spec.seed * 7919)
        self._begin_ms = begin_ms
        travel = (spec.stops - 1) * spec.floor_pitch_mm
        self._detector = Detector(Settings(spec.rated_speed_mm_s, travel, spec.doors))

    def live(self, days: float) -> Report:
        """Live through `days` of ordinary life, then through one control fault; returns the report."""
        cpu = time.process_time()
        rng = self._rng
        for at, name in _acts(rng, days, self._begin_ms):
            self.watch(max(at, self.twin.now_ms))
            if name not in ("dip", "hush"):
                self._wait_until_free()
                self.report.visits += 1
            for wait_ms in _act(name, self.twin, rng):
                self.watch(self.twin.now_ms + wait_ms)
        self.watch(self._begin_ms + int(days * DAY_MS))
        self.report.lift_days = days
        self.report.starts = self.twin.starts
        self.report.near_misses = dict(self._detector.near_misses)
        self.report.suppressed = dict(self._detector.suppressed)
        self._control()
        self.report.cpu_s = time.process_time() - cpu
        return self.report

    def _wait_until_free(self) -> None:
        """Whoever switches a lift over waits until nobody uses it; RuntimeError if somebody uses it for ever."""
        begin_ms = self.twin.now_ms
        while self.twin.phase != "parked" or self.twin.passengers:
            self.watch(self.twin.now_ms + 1000)
            if self.twin.now_ms - begin_ms > LONGEST_USE_MS:
                raise RuntimeError(f"{self.twin.spec} was never free; phase {self.twin.phase}")

    def watch(self, until_ms: int) -> None:
        """Step the detector at the bus's pace until then; hours in which nothing changes are one step."""
        twin, detector, report, rng = self.twin, self._detector, self.report, self._rng
        while twin.now_ms < until_ms:
            pace = twin.now_ms + rng.randint(*SAMPLE_MS)
            if not detector.open_kinds():
                pace = max(pace, min(twin.idle_until_ms(), twin.now_ms + self._longest_step_ms))
            twin.advance(min(pace, until_ms))
            if rng.random() < LOST_POLL_SHARE:
                continue
            report.samples += 1
            state = LiftState(**twin.sample())
            if self._look is not None:
                self._look(state, twin.now_ms)
            for transition in detector.step(state, twin.now_ms):
                day = (transition.detected_ms - self._begin_ms) / DAY_MS
                told = (
                    f"{transition.kind} {transition.phase} on day {day:.4f} ({transition.cause}), seed {twin.spec.seed}"
                )
                report.events.append(told)

    def _control(self) -> None:
        """Is the detector awake at all? One real fault, not counted as an event."""
        told = len(self.report.events)
        self._wait_until_free()
        SCRIPTS[CONTROL_FAULT].inject(self.twin)
        self.watch(self.twin.now_ms + 120_000)
        self.report.controls += 1
        self.report.controls_found += any(text.startswith(CONTROL_FAULT) for text in self.report.events[told:])
        del self.report.events[told:]


def house(number: int, seed: int) -> LiftSpec:
    """The `number`-th lift of an ordinary estate: 4 to 7 stops, classes 1 and 2, every third with two doors."""
    return LiftSpec(
        id=f"lift-{number + 1}",
        stops=4 + number % 4,
        doors=2 if number % 3 == 2 else 1,
        starts_per_day=float((50, 75, 100, 125)[number // 2 % 4]),
        seed=seed * 100_003 + number,
    )


def live(number: int, seed: int, days: float) -> Report:
    """One lift's life, for a worker process."""
    return Life(house(number, seed), 1_700_000_000_000 + number * 3_600_000).live(days)


def run_many(lift_days: int, seed: int, jobs: int, progress: Callable[[int], None]) -> Report:
    """Spread `lift_days` over lifts of an estate and over processes; `progress(days done)`."""
    whole, rest = divmod(lift_days, CHUNK_DAYS)
    chunks = [CHUNK_DAYS] * whole + ([rest] if rest else [])
    total = Report()
    with concurrent.futures.ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        lives = [pool.submit(live, number, seed, days) for number, days in enumerate(chunks)]
        for life in concurrent.futures.as_completed(lives):
            total.add(life.result())
            progress(int(total.lift_days))
    return total
