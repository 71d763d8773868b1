"""The labelled benchmark of the detector: varied runs of each fault, and days on which nothing is to be told. Twins in process, fixed seeds."""

import concurrent.futures
import os
import random
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hil_tests.backtest.score import poisson_interval
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.ordinary import DAY_MS, Report, run_many
from hil_tests.bench.signs import Onset
from hil_tests.bench.twin import Twin
from hil_tests.bench.watched import Make, Watched, settings_of
from hil_tests.measure.figures import percentile, table
from protocols.codes import CLOSED, OPEN
from protocols.detector import Detector, Transition
from protocols.faults import BY_NAME, RUN_TIME_LIMIT

BEGIN_MS = 1_700_000_000_000
# A 9600 baud bus with one poll in a hundred lost.
POLL_MS = (110, 190)
LOST_SHARE = 0.01
# Longer than any fault needs to come and to be confirmed, and to end (levelling is calm ten minutes later).
COMES_MS, ENDS_MS = 20 * 60_000, 20 * 60_000
# The goals (ours): false alarms a lift-year of ordinary and of aged traffic.
GOALS = {"ordinary": 1.0, "aged": 5.0}
FAULT_NAMES = tuple(name for name in SCRIPTS if not SCRIPTS[name].noise)


@dataclass
class Run:
    """One run of one fault: told how long after it was there (None = missed), what the table asks for, what else was told."""

    name: str
    number: int
    delay_ms: int | None
    confirm_ms: int
    ended: bool
    others: list[str]


@dataclass
class Outcome:
    """All runs, and the days by kind."""

    runs: list[Run] = field(default_factory=list)
    days: dict[str, Report] = field(default_factory=lambda: {kind: Report() for kind in GOALS})


def varied(rng: random.Random) -> Twin:
    """Some lift at some moment of some day: stops, doors, speed, curve, traffic."""
    stops = rng.randint(4, 7)
    spec = LiftSpec(
        stops=stops,
        doors=rng.randint(1, 2),
        floor_pitch_mm=rng.choice((2800, 2900, 3000)),
        rated_speed_mm_s=rng.choice((1000, 1000, 1600)) if stops >= 6 else 1000,
        curve=rng.choice(("brisk", "factory")),
        door_ms=rng.randint(2000, 3500),
        traffic_factor=rng.choice((1.0, 5.0, 25.0)),
        seed=rng.randrange(1 << 30),
    )
    twin = Twin(spec, BEGIN_MS + rng.randrange(365) * DAY_MS + rng.randrange(DAY_MS))
    twin.advance(twin.now_ms + rng.randint(60_000, 1_800_000))
    return twin


class Trial:
    """One lift under watch at the pace of a bus that loses polls, with the truth about one fault beside it."""

    def __init__(self, name: str, twin: Twin, rng: random.Random, make: Make) -> None:
        self.name = name
        self.twin = twin
        self.onset = Onset(name)
        self.told: list[Transition] = []
        self._rng = rng
        self._watched = Watched(twin, make)

    def follow(self, ms: int, until: str = "") -> Transition | None:
        """Go on for `ms`, or until the fault is told in the phase `until`: then that transition."""
        twin, rng = self.twin, self._rng
        end_ms = twin.now_ms + ms
        while twin.now_ms < end_ms:
            twin.advance(twin.now_ms + rng.randint(*POLL_MS))
            self.onset.look(twin)
            if rng.random() < LOST_SHARE:
                continue
            told = self._watched.look()
            self.told += told
            for step in told:
                if step.kind == self.name and step.phase == until:
                    return step
        return None

    def load(self) -> None:
        """Up to four more people go with whoever is to be trapped."""
        for passenger in [p for p in self.twin.passengers if p.stays and not p.aboard]:
            for _ in range(self._rng.randint(0, 4)):
                self.twin.travel(passenger.origin, passenger.target)


def run_fault(name: str, number: int, seed: int, make: Make = Detector) -> Run:
    """The `number`-th varied run of the fault `name`, before a detector of `make`."""
    rng = random.Random(seed * 1_000_003 + zlib.crc32(name.encode()) + number)
    trial = Trial(name, varied(rng), rng, make)
    twin, script = trial.twin, SCRIPTS[name]
    trial.follow(rng.randint(5000, 60_000))
    trial.onset = Onset(name)
    script.inject(twin)
    trial.load()
    opened = trial.follow(COMES_MS, OPEN)
    onset_ms = trial.onset.last_ms
    delay_ms = None if opened is None or onset_ms is None else opened.detected_ms - onset_ms
    trial.follow(rng.randint(1000, 10_000))
    ended = any(step.kind == name and step.phase == CLOSED for step in trial.told)
    script.clear(twin)
    ended = ended or trial.follow(ENDS_MS, CLOSED) is not None
    trial.follow(20_000)
    others = [t.kind for t in trial.told if t.phase == OPEN and t.kind != name and t.kind not in script.also]
    # More than once: it was told falsely, before or after.
    others += [name] * (sum(t.phase == OPEN and t.kind == name for t in trial.told) - 1)
    return Run(name, number, delay_ms, _confirm_ms(name, twin), ended, others)


def _confirm_ms(name: str, twin: Twin) -> int:
    """The shortest confirmation that the table has for this fault; 0 for the button, which needs none."""
    times = [ms for _, ms in BY_NAME[name].alternatives]
    return min((settings_of(twin).run_time_limit_ms if ms == RUN_TIME_LIMIT else ms for ms in times), default=0)


def measure(lift_days: int, runs: int, seed: int, jobs: int, progress: Callable[[float], None]) -> Outcome:
    """`lift_days` of each kind of days and `runs` of each fault, on `jobs` processes (0 = one a core); `progress(share)`."""
    outcome = Outcome()
    with concurrent.futures.ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        days = {task: kind for kind in GOALS for task in run_many(lift_days, seed, kind == "aged", pool)}
        tasks = [pool.submit(run_fault, name, number, seed) for name in FAULT_NAMES for number in range(runs)]
        waiting: list[concurrent.futures.Future[Any]] = [*days, *tasks]  # of reports and of runs
        try:
            for done, task in enumerate(concurrent.futures.as_completed(waiting), 1):
                kind = days.get(task)
                if kind is not None:
                    outcome.days[kind].add(task.result())
                progress(done / len(waiting))
        except BaseException:  # also Ctrl-C: what has not begun need not be waited for
            pool.shutdown(cancel_futures=True)
            raise
        outcome.runs = [task.result() for task in tasks]
    return outcome


def faults_table(runs: list[Run]) -> str:
    """A row for each fault."""
    rows = []
    for name in FAULT_NAMES:
        mine = [run for run in runs if run.name == name]
        delays = [run.delay_ms / 1000 for run in mine if run.delay_ms is not None]
        late = [(run.delay_ms - run.confirm_ms) / 1000 for run in mine if run.delay_ms is not None]
        others = Counter(other for run in mine for other in run.others)
        rows.append((
            name, len(mine), len(delays), sum(run.ended for run in mine),
            f"{min(run.confirm_ms for run in mine) / 1000:g}" if mine else "-",
            *((f"{percentile(delays, 0.5):.1f}", f"{percentile(delays, 0.99):.1f}", f"{percentile(late, 0.99):.2f}") if delays
              else ("-", "-", "-")),
            ", ".join(f"{other} {count}" for other, count in others.most_common()) or "-",
        ))  # fmt: skip
    head = (
        "fault",
        "runs",
        "caught",
        "ended",
        "confirms s",
        "told after s p50",
        "p99",
        "beyond its time p99",
        "others told",
    )
    return table(head, rows)


def days_text(kind: str, report: Report) -> str:
    """Days of one kind, their false alarms and what they were."""
    years = report.lift_days / 365.0
    low, high = poisson_interval(len(report.false))
    rate = f"{len(report.false) / years:.2f} a lift-year (95 %: {low / years:.2f} to {high / years:.2f}; goal {GOALS[kind]:g})"
    lines = [
        f"{kind}: {report.lift_days:g} lift-days, {report.starts} starts, {report.samples} samples",
        f"  {report.times_real_time():,.0f} times real time a core",
        f"  false alarms {len(report.false)}: {rate}",
        *(f"    {name} {count}" for name, count in report.kinds().most_common()),
        *(f"      {text}" for text in report.false[:10]),
        f"  true events told {report.true_events} of {report.true_expected}; of worn parts {report.of_flaws}",
        f"  control fault found {report.controls_found} of {report.controls}",
        f"  near misses {dict(report.near_misses) or 'none'}; suppressed at work {dict(report.suppressed) or 'none'}",
    ]
    return "\n".join(lines)


def failures(outcome: Outcome) -> list[str]:
    """What is not as it must be: missed faults, foreign ones, a false trapped alarm, more false alarms than the goal for sure."""
    found = [f"{run.name} run {run.number}: missed" for run in outcome.runs if run.delay_ms is None]
    found += [f"{run.name} run {run.number}: did not end" for run in outcome.runs if not run.ended]
    found += [f"{run.name} run {run.number}: told {', '.join(run.others)} too" for run in outcome.runs if run.others]
    for kind, report in outcome.days.items():
        if report.controls_found < report.controls:
            found.append(f"{kind} days: a control fault was missed")
        if report.true_events < report.true_expected:
            found.append(f"{kind} days: {report.true_expected - report.true_events} true events were missed")
        if poisson_interval(len(report.false))[0] > GOALS[kind] * report.lift_days / 365.0:
            found.append(f"{kind} days: more false alarms than {GOALS[kind]:g} a lift-year")
    trapped = [text for text in outcome.days["ordinary"].false if text.startswith("trapped")]
    return found + [f"ordinary days: {text}" for text in trapped]
