"""`liftwatch bench cloud`: the cloud's figures beside their goals, which are ours. Ends with 1 where one is missed."""

import contextlib
import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import click

from hil_tests import services
from hil_tests.measure.cloud import alarms, browser, lists
from hil_tests.measure.cloud.crowd import Crowd
from hil_tests.measure.cloud.site import Site
from hil_tests.measure.figures import percentile, spread, table
from hil_tests.services import StartError

PARTS = ("fanout", "alarms", "lists", "page")
SETTLE_S = 3.0
PAGE_LIFTS = 2000
ROUNDS = 3


@dataclass(frozen=True)
class Size:
    """How much of each is measured."""

    lifts: int
    contractors: int
    viewers: int
    seconds: float
    alarms: int
    incidents: int
    requests: int


SHORT = Size(lifts=1000, contractors=5, viewers=50, seconds=3, alarms=20, incidents=20_000, requests=10)
LONG = Size(lifts=10_000, contractors=50, viewers=500, seconds=10, alarms=500, incidents=1_000_000, requests=40)


@dataclass
class Report:
    """Figures beside their goals."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    failed: bool = False

    def add(self, name: str, value: float, most: float, unit: str, *, least: bool = False) -> None:
        """A figure, and what it may be at most, or at least."""
        good = value >= most if least else value <= most
        self.failed = self.failed or not good
        goal = f"{'>=' if least else '<='} {most:g} {unit}"
        self.rows.append((name, f"{value:.1f} {unit}", goal, "ok" if good else "MISSED"))

    def say(self, name: str, text: str) -> None:
        """A figure without a goal."""
        self.rows.append((name, text, "", ""))


@click.command("cloud")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="these alone; default: all")
@click.option(
    "--long/--short", default=False, help="the numbers of the goals, for half an hour; short shows that it works"
)
@click.option("--postgres", is_flag=True, help="lists on PostgreSQL too; without it on SQLite alone")
def cloud_command(parts: tuple[str, ...], long: bool, postgres: bool) -> None:
    """The cloud's figures: fan-out, alarms to the screen, lists, the page. Ends with 1 where a goal of --long is missed.

    Example: liftwatch bench cloud --long --postgres
    """
    size, report = (LONG, Report()) if long else (SHORT, Report())
    measures: dict[str, Callable[[Size, Report], None]] = {
        "fanout": fanout, "alarms": alarm_times, "lists": lambda size, report: list_times(size, report, postgres), "page": page,
    }  # fmt: skip
    for name in parts or PARTS:
        click.echo(f"{name} …", err=True)
        try:
            measures[name](size, report)
        except StartError as error:
            raise click.ClickException(str(error)) from error
    click.echo(table(("figure", "measured", "goal", ""), report.rows))
    if report.failed and long:
        raise SystemExit(1)


@contextlib.contextmanager
def _site(lifts: int, contractors: int, database: str = "") -> Iterator[Site]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liftwatch-bench-"))
    try:
        with Site(folder, database or f"sqlite+aiosqlite:///{folder / 'cloud.db'}", lifts, contractors) as site:
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fanout(size: Size, report: Report) -> None:
    """CPU of the cloud with minus without viewers, in turn so that a machine that grows busier weighs on both; and its memory."""
    with _site(size.lifts, size.contractors) as site, Crowd(site) as crowd:
        crowd.dial_in()
        time.sleep(SETTLE_S)
        report.add(f"memory with {size.lifts} lifts, MB", site.memory_mb(), 300, "MB")
        shares, rates = [], []
        for _ in range(ROUNDS):
            without = site.cpu_share(size.seconds)
            crowd.look(size.viewers)
            time.sleep(SETTLE_S)
            before, begun = crowd.told(), time.monotonic()
            with_viewers = site.cpu_share(size.seconds)
            after, passed = crowd.told(), time.monotonic() - begun
            if after["failed"]:
                raise StartError(f"a gateway was lost: {after['failed'][0]}")
            rates.append([(after[name] - before[name]) / passed for name in ("events", "bytes")])
            shares.append((without, with_viewers))
            peak = site.memory_mb()
            crowd.leave()
            time.sleep(SETTLE_S)
        each = size.lifts // size.contractors
        text = ", ".join(f"{100 * more:.1f} - {100 * less:.1f}" for less, more in shares)
        report.say("CPU of a core with - without viewers", f"{text} %")
        cost = percentile([100 * (more - less) for less, more in shares], 0.5)
        report.add(f"{size.viewers} viewers x {each} lifts, a change of each a second", cost, 12, "% of a core")
        events, bytes_s = (percentile([rate[at] for rate in rates], 0.5) for at in (0, 1))
        groups = -(-each // 100)
        report.say(
            "told to each viewer", f"{events / size.viewers / groups:.1f} Hz, {bytes_s / size.viewers / 1000:.1f} kB/s"
        )
        report.say(f"memory with {size.viewers} viewers too", f"{peak:.0f} MB")


def alarm_times(size: Size, report: Report) -> None:
    """From the journal's commit to the screen, while others look on."""
    with _site(size.lifts, size.contractors) as site, Crowd(site) as crowd:

        def others() -> None:
            crowd.dial_in()
            crowd.look(size.viewers)

        taken = alarms.measure(site, size.alarms, others, _progress(size.alarms))
    click.echo("", err=True)
    report.say("alarm: commit to the cloud's", spread(taken.to_cloud))
    report.say("alarm: commit to screen", spread(taken.to_screen))
    for what, found in (("not committed", taken.uncommitted), ("not seen", taken.unseen)):
        if found:
            report.say(f"alarms that were {what}", f"{len(found)}: {', '.join(found[:5])}")
    if taken.undone:
        report.say("cases not worked off", f"{len(taken.undone)}, {taken.undone[0][:80]}")
    p99 = percentile(taken.to_screen or [1e9], 0.99)
    report.add(f"the same, p99 of {len(taken.to_screen)}, beside {size.viewers} viewers", p99, 500, "ms")
    report.add("alarms that were not seen", len(taken.unseen), 0, "")


def _progress(total: int) -> Callable[[int], None]:
    return lambda done: click.echo(f"\r{done}/{total}", err=True, nl=False)


def list_times(size: Size, report: Report, postgres: bool) -> None:
    """Every list, for an administrator and for a contractor."""
    for name in ("SQLite", "PostgreSQL") if postgres else ("SQLite",):
        server = services.Postgres() if name == "PostgreSQL" else None
        try:
            with _site(size.lifts, size.contractors, server.url("postgres") if server else "") as site:
                lists.fill(site, size.incidents, lambda done: click.echo(f"\r{done} incidents", err=True, nl=False))
                report.say(f"{name}: open cases", str(lists.wait_for_cases(site)))
                found = lists.measure(site, size.requests)
        finally:
            if server is not None:
                server.stop()
        click.echo("", err=True)
        for timed in sorted(found, key=lambda timed: -percentile(timed.times, 0.95))[:5]:
            p50, p95 = (percentile(timed.times, share) for share in (0.5, 0.95))
            report.say(
                f"{name}: {timed.path} ({timed.who})", f"p50 {p50:.1f} p95 {p95:.1f} ms, {timed.entries} entries"
            )
        what = f"{name}: slowest list's p95, {size.lifts} lifts, {size.incidents} incidents"
        report.add(what, lists.slowest(found), 50, "ms")


def page(size: Size, report: Report) -> None:
    """A page of 2,000 lifts without other viewers, and the first load."""
    with _site(PAGE_LIFTS, 1) as site, Crowd(site) as crowd, browser.opened(site) as chromium:
        paint_ms, kilobytes = chromium.first_load()
        report.add("first contentful paint, warm", paint_ms, 1000, "ms")
        report.add("JavaScript of the first load, gzip", kilobytes, 250, "kB")
        crowd.dial_in()
        shown = chromium.open("/?size=small", browser.SEE_BATCHES)
        shown.wait_for_selector("[data-lift]")
        shown.wait_for_timeout(1000 * SETTLE_S)
        frames, batches, strips = browser.smoothness(shown, size.seconds)
        report.say("batch to document", spread(batches))
        report.add(f"page of {PAGE_LIFTS} lifts, {strips} strips drawn", frames, 45, "frames/s", least=True)
        report.add("batch's arrival to document, p95", percentile(batches or [1e9], 0.95), 30, "ms")
