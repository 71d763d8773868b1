"""Ordinary days of a lift, new or aged, lived by a twin before the detector. What it tells is true or a false alarm: all is labelled.

Ordinary is not smooth: goods, removals, children, maintenance, fire drills, supply dips and cuts, lost polls, people who dawdle.
"""

import concurrent.futures
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields

from hil_tests.bench.ageing import Ageing
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
from hil_tests.bench.watched import Make, Watched
from protocols.codes import OPEN
from protocols.detector import Detector
from protocols.state import LiftState

DAY_MS = 86_400_000
SAMPLE_MS = (100, 200)  # between two looks at the bus, as a 9600 baud line allows
LOST_POLL_SHARE = 0.002
# While nothing changes and an event is open it is looked at so often: evidence outlives no longer hole.
OPEN_STEP_MS = 2000
CHUNK_DAYS = 10
# Nobody uses a lift without a pause for so long; more than that is a mistake of the twin's.
LONGEST_USE_MS = 4 * 3_600_000
CONTROL_FAULT = "trapped_between_floors"
# So long after its cause has ended an event may still be told (a mode's end is told behind it).
GRACE_MS = 15_000
# act: every so many days; those who begin when nobody uses the lift; what is rightly told of it.
ACTS = {
    "visit": 15.0, "drill": 90.0, "locked": 30.0, "removal": 90.0, "cut": 45.0, "press": 20.0, "dip": 5.0, "hush": 0.05,
}  # fmt: skip
# What is rightly told of a worn part, while it misbehaves and for so long afterwards as the table counts back.
TRUE_OF_FLAWS = {"input_flickering": "zone_flickers", "presence_stuck": "presence_stuck"}
FLAW_GRACE_MS = 60_000
WHEN_FREE = ("visit", "drill", "locked", "cut")
TRUE = {
    "visit": ("work_mode", "inspection", "automatic_restored"), "drill": ("fire_return", "automatic_restored"),
    "locked": ("out_of_service", "automatic_restored"), "cut": ("mains_lost",), "press": ("button_pressed",),
}  # fmt: skip


@dataclass
class Report:
    """What came of it. `false` are the false alarms; `true_events` of `true_expected` were told of what really was, `of_flaws` of worn parts."""

    lift_days: float = 0
    starts: int = 0
    samples: int = 0
    acts: int = 0
    cpu_s: float = 0.0
    controls: int = 0
    controls_found: int = 0
    true_events: int = 0
    true_expected: int = 0
    of_flaws: int = 0
    false: list[str] = field(default_factory=list)
    near_misses: Counter[str] = field(default_factory=Counter)
    suppressed: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Report") -> None:
        """Take another's counts in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def kinds(self) -> Counter[str]:
        """{fault: how often it was told falsely}."""
        return Counter(text.split()[0] for text in self.false)

    def times_real_time(self) -> float:
        """Of one core."""
        return self.lift_days * 86_400 / self.cpu_s if self.cpu_s else 0.0


def _acts(rng: random.Random, days: float, begin_ms: int) -> list[tuple[int, str]]:
    """[(unix ms, act)] in order: half-monthly visits, a fire drill a quarter, locked nights, removals, supply cuts and dips."""
    acts: list[tuple[int, str]] = []
    for name, every_days in ACTS.items():
        at = rng.uniform(0, every_days)
        while at < days - 0.1:
            acts.append((begin_ms + int(at * DAY_MS), name))
            at += rng.uniform(0.6, 1.4) * every_days
    return sorted(acts)


def _visit(twin: Twin, rng: random.Random) -> Iterator[int]:
    """A technician on the car: rides at inspection speed and stands between floors for minutes. Yields waiting times in ms."""
    twin.work_key = True
    twin.set_mode("inspection")
    top = twin.floor_mm(twin.spec.stops)
    for _ in range(rng.randint(3, 10)):
        yield rng.randint(5_000, 60_000)
        twin.inspect_to(rng.uniform(0, top))
        yield rng.randint(20_000, 180_000)
    twin.set_mode("automatic")
    twin.work_key = False


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


def _removal(twin: Twin, rng: random.Random) -> Iterator[int]:
    """Somebody moves house: load after load, each with the door held open at both ends."""
    home = rng.randint(2, twin.spec.stops)
    for _ in range(rng.randint(6, 20)):
        load = twin.travel(home, 1, goods_ms=rng.randint(30_000, 110_000))
        while load in twin.passengers:
            yield 2000
        yield rng.randint(10_000, 120_000)


def _press(twin: Twin, rng: random.Random) -> Iterator[int]:
    """A child tries the alarm button."""
    twin.press(True)
    yield rng.randint(200, 2000)
    twin.press(False)
    yield 5000
    twin.travel(twin.floor, 1 + twin.floor % twin.spec.stops)
    yield 60_000


def _cut(twin: Twin, rng: random.Random) -> Iterator[int]:
    """The house is without power; nobody is in the car."""
    twin.lose_mains()
    yield rng.randint(5000, 3_600_000)
    twin.restore_mains()
    yield 30_000


def _act(name: str, twin: Twin, rng: random.Random) -> Iterator[int]:
    acts = {"visit": _visit, "removal": _removal, "press": _press, "cut": _cut, "dip": _dip, "hush": _hush}
    if name in acts:
        return acts[name](twin, rng)
    return _other_mode(twin, "fire" if name == "drill" else "locked", 12 if name == "drill" else 300)


class Life:
    """One lift and its detector, joined in process."""

    def __init__(
        self,
        spec: LiftSpec,
        begin_ms: int,
        look: Callable[[LiftState, int], None] | None = None,
        longest_step_ms: int = DAY_MS,
        make: Make = Detector,
    ) -> None:
        """`look(state, now_ms)` is shown each sample, `longest_step_ms` apart at most while nothing changes; so is a detector of `make`."""
        self._look = look
        self._longest_step_ms = longest_step_ms
        self.twin = Twin(spec, begin_ms)
        self.report = Report()
        self._rng = random.Random(spec.seed * 7919)
        self._begin_ms = begin_ms
        self._watched = Watched(self.twin, make)
        self._flawed_ms: dict[str, int] = {}  # when a worn part last misbehaved
        self._true_until: dict[str, int] = {}  # what is rightly told, and until when

    def live(self, days: float) -> Report:
        """Live through `days` of ordinary life, then through one control fault; returns the report."""
        cpu = time.process_time()
        rng, report = self._rng, self.report
        for at, name in _acts(rng, days, self._begin_ms):
            self.watch(max(at, self.twin.now_ms))
            if name in WHEN_FREE:
                self._wait_until_free()
            report.acts += name in TRUE
            for kind in TRUE.get(name, ()):
                report.true_expected += 1
                self._true_until[kind] = self.twin.now_ms + DAY_MS
            for wait_ms in _act(name, self.twin, rng):
                self.watch(self.twin.now_ms + wait_ms)
            for kind in TRUE.get(name, ()):
                self._true_until[kind] = self.twin.now_ms + GRACE_MS
        self.watch(self._begin_ms + int(days * DAY_MS))
        report.lift_days = days
        report.starts = self.twin.starts
        report.near_misses = Counter(self._watched.detector.near_misses)
        report.suppressed = Counter(self._watched.detector.suppressed)
        self._control()
        report.cpu_s = time.process_time() - cpu
        return report

    def _wait_until_free(self) -> None:
        """Whoever switches a lift over waits until nobody uses it; RuntimeError if somebody uses it for ever."""
        begin_ms = self.twin.now_ms
        while self.twin.phase != "parked" or self.twin.passengers:
            self.watch(self.twin.now_ms + 1000)
            if self.twin.now_ms - begin_ms > LONGEST_USE_MS:
                raise RuntimeError(f"{self.twin.spec} was never free; phase {self.twin.phase}")

    def watch(self, until_ms: int) -> None:
        """Step the detector at the bus's pace until then; hours in which nothing changes are one step."""
        twin, watched, report, rng = self.twin, self._watched, self.report, self._rng
        shortest_ms, span_ms = SAMPLE_MS[0], SAMPLE_MS[1] - SAMPLE_MS[0] + 1
        while twin.now_ms < until_ms:
            pace = twin.now_ms + shortest_ms + int(span_ms * rng.random())
            longest_ms = OPEN_STEP_MS if watched.detector.open_kinds() else self._longest_step_ms
            pace = max(pace, min(twin.idle_until_ms(), twin.now_ms + longest_ms))
            twin.advance(min(pace, until_ms))
            if rng.random() < LOST_POLL_SHARE:
                continue
            report.samples += 1
            for flaw in twin.flaws:
                self._flawed_ms[flaw] = twin.now_ms
            for step in watched.look():
                if step.phase == OPEN:
                    self._judge(step.kind, step.cause)
            if self._look is not None:
                self._look(watched.state, twin.now_ms)

    def _judge(self, kind: str, cause: str) -> None:
        now_ms = self.twin.now_ms
        if self._true_until.pop(kind, 0) >= now_ms:
            self.report.true_events += 1
            return
        flaw = TRUE_OF_FLAWS.get(kind)
        if flaw is not None and now_ms - self._flawed_ms.get(flaw, -DAY_MS) <= FLAW_GRACE_MS:
            self.report.of_flaws += 1
            return
        day = (now_ms - self._begin_ms) / DAY_MS
        flaws = "+".join(sorted(self.twin.flaws)) or "no flaw"
        self.report.false.append(f"{kind} ({cause}) on day {day:.4f}, {flaws}, {self.twin.spec}")

    def _control(self) -> None:
        """Is the detector awake at all? One real fault, not counted as an event."""
        report = self.report
        self._wait_until_free()
        # Where the presence sensor comes and goes, the same is told as code 4 with unsteady occupancy: never silence.
        kinds = (CONTROL_FAULT, "stopped_outside_door_zone") if self.twin.flaws else (CONTROL_FAULT,)
        self._true_until = dict.fromkeys(kinds, self.twin.now_ms + DAY_MS)
        before, told = report.true_events, len(report.false)
        SCRIPTS[CONTROL_FAULT].inject(self.twin)
        self.watch(self.twin.now_ms + 120_000)
        report.controls += 1
        report.controls_found += report.true_events > before
        report.true_events = before
        del report.false[told:]


def _age(rng: random.Random) -> Ageing:
    """Some twenty years: every lift is slow and beside its level, and every other part is worn in some lifts (shares ours)."""
    return Ageing(
        door_slower=rng.uniform(0.2, 0.8),
        stop_error_mm=rng.uniform(3.0, 8.0),
        zone_flickers=rng.choice((0.0, 0.3, 3.0)),
        presence_noisy=rng.choice((0.0, 0.0, 2.0)),
        presence_stuck=rng.choice((0.0, 0.0, 0.0, 2 / 365)),
        button_bounce_ms=rng.randint(10, 120),
    )


def house(number: int, seed: int, *, aged: bool = False) -> LiftSpec:
    """The `number`-th lift of an ordinary estate: 4 to 7 stops, classes 1 and 2, every third with two doors, both drive curves."""
    own = seed * 100_003 + number
    return LiftSpec(
        id=f"lift-{number + 1}",
        stops=4 + number % 4,
        doors=2 if number % 3 == 2 else 1,
        curve="factory" if number % 5 in (1, 3) else "brisk",
        starts_per_day=float((50, 75, 100, 125)[number // 2 % 4]),
        seed=own,
        ageing=_age(random.Random(own)) if aged else Ageing(),
    )


def live(number: int, seed: int, days: float, aged: bool = False) -> Report:
    """One lift's life, for a worker process."""
    return Life(house(number, seed, aged=aged), 1_700_000_000_000 + number * 3_600_000).live(days)


def run_many(
    lift_days: int, seed: int, aged: bool, pool: concurrent.futures.Executor
) -> list["concurrent.futures.Future[Report]"]:
    """Spread `lift_days` over lifts of an estate, as tasks of `pool`."""
    whole, rest = divmod(lift_days, CHUNK_DAYS)
    chunks = [CHUNK_DAYS] * whole + ([rest] if rest else [])
    return [pool.submit(live, number, seed, days, aged) for number, days in enumerate(chunks)]
