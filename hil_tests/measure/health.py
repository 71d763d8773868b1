"""Health tried on twins: new ones, ones that age and ones that were old from the first day, judged by the gateway's own command.

The gateway is a process here: recordings in, its JSON out. What is told apart how well is for others to judge.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hil_tests.bench.ageing import Ageing
from hil_tests.bench.ordinary import house
from hil_tests.bench.recorder import BEGIN_MS, record, record_ageing
from hil_tests.measure.figures import percentile, table
from hil_tests.services import ROOT
from protocols.health import BASELINE_DAYS, BY_NAME, NAMES

KINDS = ("new", "ages", "old")
# Beside its level by less than this (standard deviation) a car is hardly ever levelled again, which the twin does from 15 mm on.
RELEVELS_FROM_MM = 5.0
# Which wear shows in which part: the others must not differ.
SHOWS: dict[str, Callable[[Ageing], bool]] = {
    "door_1_opening": lambda wear: wear.door_slower > 0,
    "door_1_closing": lambda wear: wear.door_slower > 0,
    "door_2_opening": lambda wear: wear.door_slower > 0,
    "door_2_closing": lambda wear: wear.door_slower > 0,
    "levelling": lambda wear: wear.stop_error_mm > 0,
    "relevellings": lambda wear: wear.stop_error_mm >= RELEVELS_FROM_MM,
    "zone_flickers": lambda wear: wear.zone_flickers > 0,
}
Told = dict[str, Any]


@dataclass
class Outcome:
    """What was told of each lift: {kind: [report]}, and how each is worn."""

    told: dict[str, list[Told]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    wear: list[Ageing] = field(default_factory=list)


def live(folder: pathlib.Path, kind: str, number: int, seed: int, days: int) -> pathlib.Path:
    """One lift's life as a recording, for a worker process."""
    path = folder / f"{kind}-{number}.lwrec"
    spec = house(number, seed, aged=kind != "new")
    with path.open("wb") as out:
        if kind == "ages":
            record_ageing(out.write, spec, BEGIN_MS, days, BASELINE_DAYS + 1)
        else:
            record(out.write, spec, BEGIN_MS, days, [])
    return path


def judged(path: pathlib.Path) -> Told:
    """What the gateway's command says of a recording; RuntimeError with its words if it cannot."""
    command = [sys.executable, str(ROOT / "liftwatch.py"), "gateway", "health", "--json", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"{path.name}: {run.stderr.strip()}")
    found: Told = json.loads(run.stdout)
    return found


def measure(
    folder: pathlib.Path, lifts: int, days: int, seed: int, jobs: int, progress: Callable[[float], None]
) -> Outcome:
    """`days` of `lifts` of each kind, recorded in `folder` by `jobs` processes (0 = one a core) and judged; `progress(share)`."""
    out = Outcome(wear=[house(number, seed, aged=True).ageing for number in range(lifts)])
    with concurrent.futures.ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        tasks = {
            kind: [pool.submit(live, folder, kind, number, seed, days) for number in range(lifts)] for kind in KINDS
        }
        done = 0
        for kind, lives in tasks.items():
            for life in lives:
                path = life.result()
                out.told[kind].append(judged(path))
                path.unlink()
                done += 1
                progress(done / (len(KINDS) * lifts))
    return out


def separation(better: Sequence[float], worse: Sequence[float]) -> float | None:
    """Share of pairs of which the one that should be worse is, ties counted half; None of nothing. 0.5 is chance."""
    if not better or not worse:
        return None
    wins = sum((bad > good) + (bad == good) / 2 for good in better for bad in worse)
    return wins / (len(better) * len(worse))


def _values(told: Iterable[Told], name: str, what: str) -> list[float]:
    return [
        part[what] for report in told for part in report["parts"] if part["name"] == name and part[what] is not None
    ]


def _worn(outcome: Outcome, kind: str, name: str) -> list[Told]:
    """The lifts of a kind in which that part is worn; all of the new ones, and all where no wear shows."""
    shows = SHOWS.get(name)
    if kind == "new" or shows is None:
        return outcome.told[kind]
    return [report for report, wear in zip(outcome.told[kind], outcome.wear, strict=True) if shows(wear)]


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Part by part: median value and mark of each kind, how many were worn, and how well they are told apart from the new ones."""
    out = []
    for name in NAMES:
        values = {kind: _values(_worn(outcome, kind, name), name, "value") for kind in KINDS}
        marks = {kind: _values(_worn(outcome, kind, name), name, "mark") for kind in KINDS}
        apart = {kind: separation(values["new"], values[kind]) for kind in ("ages", "old")}
        by_mark = {kind: separation(marks[kind], marks["new"]) for kind in ("ages", "old")}
        cells = [name, BY_NAME[name].unit, "yes" if name in SHOWS else "no", str(len(values["ages"]))]
        cells += [f"{_median(values[kind])} / {_median(marks[kind])}" for kind in KINDS]
        out.append(
            (
                *cells,
                *(_share(apart[kind]) for kind in ("ages", "old")),
                *(_share(by_mark[kind]) for kind in ("ages", "old")),
            )
        )
    return out


def _median(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):g}" if values else "–"


def _share(found: float | None) -> str:
    return "–" if found is None else f"{found:.2f}"


def text(outcome: Outcome) -> str:
    """The table, and the scores of each kind."""
    head = (
        "part", "unit", "worn", "lifts", "new: value / mark", "ages", "old", "value apart: ages", "old", "mark apart: ages", "old",
    )  # fmt: skip
    lines = [table(head, rows(outcome))]
    for kind in KINDS:
        scores = sorted(report["score"] for report in outcome.told[kind] if report["score"] is not None)
        known = [report["known"] for report in outcome.told[kind]]
        spread = f"{scores[0]} to {scores[-1]}, median {percentile(scores, 0.5)}" if scores else "none"
        lines.append(
            f"{kind:5s} scores {spread}; {len(scores)} of {len(known)} lifts have one, {min(known)} % known at least"
        )
    trends = [(name, *(_directions(outcome.told[kind], name) for kind in KINDS)) for name in NAMES if name in SHOWS]
    lines.append(table(("trend: worse / steady / better", *KINDS), trends))
    return "\n".join(lines)


def _directions(told: Iterable[Told], name: str) -> str:
    found = [
        part["trend"]["direction"]
        for report in told
        for part in report["parts"]
        if part["name"] == name and part["trend"] is not None
    ]
    return " / ".join(str(found.count(direction)) for direction in ("worse", "steady", "better"))
