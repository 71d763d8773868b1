"""The command `liftwatch backtest`: reads recordings, replays them in all cores, prints what came of it. It judges nothing itself."""

import concurrent.futures
import datetime as dt
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from hil_tests.backtest.replay import Replay, Told, replay
from hil_tests.backtest.score import MISSED, FaultScore, Score, rate
from hil_tests.measure.figures import percentile, table
from protocols.detector import BUTTON, LONGEST_CONFIRM_MS
from protocols.errors import ContractError
from protocols.faults import BY_NAME
from protocols.recording import Label, read

# A lift-year takes some 12 MB; what is larger is no recording of one lift.
MAX_FILE_BYTES = 500_000_000


@dataclass
class Outcome:
    """Of one file: `error` if it could not be used at all, `problems` if only a part of it."""

    file: str
    lift: str = ""
    labels: list[Label] = field(default_factory=list)
    replay: Replay = field(default_factory=Replay)
    problems: list[str] = field(default_factory=list)
    error: str | None = None


def run_file(path: pathlib.Path, confirm_ms: dict[str, int]) -> Outcome:
    """Replay one file, for a worker process."""
    out = Outcome(str(path))
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ContractError(f"larger than {MAX_FILE_BYTES} bytes")
        recording = read(path.read_bytes())
        out.lift, out.labels, out.problems = recording.header.lift, recording.labels, recording.problems
        out.replay = replay(recording, confirm_ms)
    except OSError as error:
        out.error = error.strerror or str(error)
    except ContractError as error:
        out.error = str(error)
    return out


class Sweep(click.ParamType[tuple[str, list[float]]]):
    """FAULT=S,S,…: confirmation times in seconds."""

    name = "FAULT=S,S"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, list[float]]:
        """(fault, seconds)."""
        name, _, texts = str(value).partition("=")
        allowed = [known for known in BY_NAME if known != BUTTON]
        if name not in allowed:
            self.fail(f"there is no confirmation of {name!r}; there are {', '.join(allowed)}", param, ctx)
        try:
            seconds = [float(text) for text in texts.split(",")]
        except ValueError:
            self.fail(f"{texts!r}: write seconds, as {name}=20,30,45", param, ctx)
        if not all(0 <= second <= LONGEST_CONFIRM_MS / 1000 for second in seconds):
            self.fail(f"{texts}: 0 to {LONGEST_CONFIRM_MS // 1000} s", param, ctx)
        return name, seconds


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=pathlib.Path, dir_okay=False))
@click.option("--sweep", type=Sweep(), help="try these confirmation times (s) of one fault: what each buys and costs")
@click.option("--jobs", default=0, help="processes; 0 = one a core")
def backtest(files: tuple[pathlib.Path, ...], sweep: tuple[str, list[float]] | None, jobs: int) -> None:
    """Run the detector over recordings: against their labels, or, where they have none, what it would have told.

    Ends with 1 if a file could not be used. How recordings are made: docs/recordings.md.

    \b
    Examples:
      liftwatch backtest november.lwrec
      liftwatch backtest *.lwrec --sweep trapped_at_level=20,30,45,60,90
    """  # noqa: D301  click's mark for text that keeps its lines
    settings: list[dict[str, int]] = [{}]
    if sweep is not None:
        settings = [{sweep[0]: round(second * 1000)} for second in sweep[1]]
    runs = [list(found) for found in _run(files, settings, jobs)]
    errors = _tell_files(runs[0])
    good = [[outcome for outcome in run if outcome.error is None] for run in runs]
    if good[0] and sweep is not None:
        click.echo(_sweep(sweep[0], sweep[1], [_score(run) for run in good]))
    elif good[0]:
        _tell(good[0])
    if errors:
        raise SystemExit(1)


def _run(files: tuple[pathlib.Path, ...], settings: list[dict[str, int]], jobs: int) -> Iterator[Iterator[Outcome]]:
    """The outcomes of all files for each of `settings`."""
    with concurrent.futures.ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        started = [[pool.submit(run_file, path, confirm_ms) for path in files] for confirm_ms in settings]
        total, done = len(files) * len(settings), 0
        for row in started:
            for future in concurrent.futures.as_completed(row):
                done += 1
                click.echo(f"\r{done}/{total} {pathlib.Path(future.result().file).name:40.40s}", err=True, nl=False)
            yield (future.result() for future in row)
        click.echo("", err=True)


def _tell_files(outcomes: list[Outcome]) -> int:
    """What is wrong with the files; how many cannot be used."""
    for outcome in outcomes:
        if outcome.error is not None:
            click.echo(f"{outcome.file}: cannot be used: {outcome.error}", err=True)
        for problem in outcome.problems:
            click.echo(f"{outcome.file}: {problem}", err=True)
    return sum(outcome.error is not None for outcome in outcomes)


def _score(outcomes: list[Outcome]) -> Score:
    score = Score()
    for outcome in outcomes:
        score.add(outcome.labels, outcome.replay)
    return score


def _seconds(times_ms: list[int]) -> tuple[str, str]:
    if not times_ms:
        return "-", "-"
    return f"{percentile(times_ms, 0.5) / 1000:.2f}", f"{max(times_ms) / 1000:.2f}"


def _tell(outcomes: list[Outcome]) -> None:
    score = _score(outcomes)
    lifts = len({outcome.lift for outcome in outcomes})
    click.echo(
        f"{len(outcomes)} recordings of {lifts} lifts, {score.observed_ms / 86_400_000:.2f} lift-days, "
        f"{score.holes} holes, {score.samples} samples"
    )
    if score.matrix:
        click.echo("\n" + _faults(score) + "\n\n" + _matrix(score))
        click.echo(
            f"\nfalse alarms outside of labels: {len(score.false)} in {score.lift_months():.3f} lift-months, "
            f"{rate(len(score.false), score.lift_months())}"
        )
        shown = [(outcome, told) for outcome in outcomes for told in outcome.replay.told if told.is_false]
    else:
        click.echo("no labels: what the detector would have told")
        shown = [(outcome, told) for outcome in outcomes for told in outcome.replay.told]
    if shown:
        head = ("lift", "detected (UTC)", "event", "cause", "evidence s", "lasted s")
        click.echo("\n" + table(head, [_event(outcome, told) for outcome, told in shown]))
    if score.near_misses:
        told = ", ".join(f"{name} {count}" for name, count in score.near_misses.most_common())
        click.echo(f"\nnear misses (evidence that lasted half its time): {told}")


def _event(outcome: Outcome, told: Told) -> tuple[str, ...]:
    at = dt.datetime.fromtimestamp(told.detected_ms / 1000, dt.UTC).isoformat(" ", "milliseconds")[:23]
    lasted = "open" if told.closed_ms is None else f"{(told.closed_ms - told.onset_ms) / 1000:.1f}"
    return (outcome.lift, at, told.kind, told.cause, f"{(told.detected_ms - told.onset_ms) / 1000:.1f}", lasted)


def _faults(score: Score) -> str:
    months = score.lift_months()
    rows = []
    for name in [known for known in BY_NAME if known in score.faults]:
        fault = score.faults[name]
        rows.append(
            (name, fault.labels, fault.hits, fault.misses, fault.others, fault.false, *_seconds(fault.since_label_ms),
             *_seconds(fault.since_onset_ms), rate(fault.false, months))
        )  # fmt: skip
    head = (
        "fault", "labels", "hit", "missed", "other", "false", "s since label p50", "max", "s since evidence p50", "max", "false alarms",
    )  # fmt: skip
    return table(head, rows)


def _matrix(score: Score) -> str:
    """Rows: what was labelled; columns: what was told, by the numbers of the rows, then whatever else was told."""
    rows = [name for name in BY_NAME if name in score.matrix]
    others = [name for name in BY_NAME if name not in rows and any(name in row for row in score.matrix.values())]
    columns = [*rows, *others, MISSED]
    body = [(f"{at} {name}", *(score.matrix[name][kind] or "." for kind in columns)) for at, name in enumerate(rows, 1)]
    return "labelled (down), told (across)\n" + table(("", *map(str, range(1, len(rows) + 1)), *others, MISSED), body)


def _sweep(fault: str, seconds: list[float], scores: list[Score]) -> str:
    """What each confirmation time of `fault` buys and costs."""
    rows = []
    for second, score in zip(seconds, scores, strict=True):
        own = score.faults.get(fault, FaultScore())
        rows.append(
            (f"{second:g}", own.labels, own.hits, own.misses, *_seconds(own.since_label_ms), own.false,
             rate(own.false, score.lift_months()), len(score.false), score.near_misses[fault])
        )  # fmt: skip
    head = (
        "s",
        "labels",
        "hit",
        "missed",
        "s since label p50",
        "max",
        "false",
        "false alarms of it",
        "false of any",
        "near misses",
    )
    return f"confirmation of {fault}, in {scores[0].lift_months():.3f} lift-months without a label\n" + table(
        head, rows
    )
