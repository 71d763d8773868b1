"""`liftwatch bench …`: measures a stack that it starts itself, and prints the figures. Each command is a table, no verdict."""

import contextlib
import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

import click

from hil_tests.bench.faults import SCRIPTS
from hil_tests.demo.stack import Stack
from hil_tests.measure import breakage, cuts, datacost, detection, drain, health, latency
from hil_tests.measure.chaos import run_seed
from hil_tests.measure.cloud.command import cloud_command
from hil_tests.measure.detector import sample_times_us
from hil_tests.measure.figures import percentile, spread, table
from hil_tests.measure.judgement import Judgement
from hil_tests.measure.ring import cost
from hil_tests.services import StartError, get_json, stop_on_signals


@contextlib.contextmanager
def running(lifts: int, *, baud: int = 9600, traffic: float = 1.0) -> Iterator[Stack]:
    """A stack of its own in a temporary folder."""
    data = pathlib.Path(tempfile.mkdtemp(prefix="liftwatch-bench-"))
    stack = Stack(data, lifts, baud=baud, traffic=traffic)
    try:
        stack.start()
        time.sleep(2)
        yield stack
    except StartError as error:
        raise click.ClickException(f"{error}; logs in {stack.logs}") from error
    finally:
        stack.stop()
        shutil.rmtree(data, ignore_errors=True)


def _progress(total: int) -> Callable[[int], None]:
    return lambda done: click.echo(f"\r{done}/{total}", err=True, nl=False)


@click.group()
def bench() -> None:
    """Measure. Example: liftwatch bench latency --presses 1000"""
    stop_on_signals()


bench.add_command(cloud_command)


@bench.command("latency")
@click.option("--presses", default=1000, help="how many button presses")
@click.option("--lifts", default=6)
def latency_command(presses: int, lifts: int) -> None:
    """Button press to city receipt, by stage, in ms since the contact closed."""
    with running(lifts, traffic=0.01) as stack:
        stages, missing = latency.follow(stack, latency.press_all(stack, presses, _progress(presses)))
    for name in (
        "onset",
        "detected",
        "published",
        "received",
        "committed",
        "city arrival",
        "city receipt",
        "cloud receipt",
    ):
        click.echo(f"{name:14s} {spread(stages.get(name, []))}")
    click.echo(f"{presses} presses, {missing} without a new alarm at the city")


@bench.command("kill")
@click.option("--times", default=20, help="how often the gateway is killed")
@click.option("--lifts", default=3)
def kill_command(times: int, lifts: int) -> None:
    """kill -9 of the gateway under load; broker, city and cloud each down and up; what was lost or came twice. Ends with 1 on a loss."""
    with running(lifts) as stack:
        with breakage.Load(stack, 1) as load:
            breakage.kill_gateway(stack, times, click.echo)
            breakage.down_and_up(stack, "broker", 5, click.echo)
            time.sleep(3)
            breakage.city_down_and_up(stack, 5, click.echo)
            time.sleep(3)
            breakage.down_and_up(stack, "cloud", 5, click.echo)
            time.sleep(3)
        time.sleep(12)
        click.echo(f"all even after {breakage.settle(stack):.1f} s")
        judgement = Judgement(stack, {})
        judgement.run()
        for name, value in (breakage.account(stack, load.pressed) | judgement.figures).items():
            click.echo(f"{name:40s} {value}")
    for failure in judgement.failures:
        click.echo(f"FAILED {failure}")
    if judgement.failures:
        raise SystemExit(1)


@bench.command("bus")
@click.option("--seconds", default=20.0, help="how long to count")
def bus_command(seconds: float) -> None:
    """Polls/s achieved against bytes + 2 x t3.5 + slave delay, at 9600 and 38400."""
    rows = []
    for baud in (9600, 38400):
        with running(1, baud=baud) as stack:
            before = get_json(f"{stack.bench_url}/lifts")[0]["requests"]
            time.sleep(seconds)
            done = get_json(f"{stack.bench_url}/lifts")[0]["requests"] - before
        # Two blocks a cycle (14 registers and 1), and each second one of two slow blocks (1 and 4 registers).
        byte_s, gap_s, delay_s = 10 / baud, 1.75e-3 if baud > 19200 else 35 / baud, 0.010
        cycle_s = ((8 + 33) + (8 + 7)) * byte_s + 4 * gap_s + 2 * delay_s
        slow_s = (8 + 10) * byte_s + 2 * gap_s + delay_s
        ideal = 2 * (1 - slow_s) / cycle_s + 1
        rows.append((baud, f"{done / seconds:.1f}", f"{ideal:.1f}", f"{100 * done / seconds / ideal:.0f} %"))
    click.echo(table(("baud", "requests/s", "arithmetic", "share"), rows))


@bench.command("ring")
@click.option("--days", default=7.0, help="ordinary days of each lift")
@click.option("--lifts", default=4)
@click.option("--seed", default=1)
def ring_command(days: float, lifts: int, seed: int) -> None:
    """What the node's log of ordinary days takes on flash: with a link, and in batches as closed without one."""
    rows = []
    for linked in (True, False):
        for number in range(lifts):
            # Every second lift of the estate is busier than the one before.
            found = cost(2 * number, seed, days, linked=linked)
            rows.append(
                (f"{found.starts_per_day:.0f}", "up" if linked else "down", f"{found.records / days:.0f}",
                 f"{found.batches / days:.0f}", f"{found.bytes_per_record:.2f}", f"{found.bytes_per_day:.0f}",
                 f"{found.hours_per_mb():.0f}")
            )  # fmt: skip
    head = ("starts/day", "link", "records/day", "batches/day", "bytes/record", "bytes/day", "hours/MB")
    click.echo(table(head, rows))


@bench.command("faults")
@click.option("--lifts", default=6)
def faults_command(lifts: int) -> None:
    """Each fault in turn: what the incident list and the city saw, and how long it took."""
    rows = []
    with running(lifts) as stack:
        for number, fault in enumerate(SCRIPTS):
            lift = stack.lift_ids()[number % lifts]
            at_ms = stack.inject(lift, fault)
            limit_s = 20 if fault == "line_noise" else SCRIPTS[fault].within_s
            found = None
            begun = time.monotonic()
            while time.monotonic() - begun < limit_s and found is None:
                time.sleep(0.5)
                found = next(
                    (i for i in stack.incidents(lift=lift) if i["opened_at_ms"] >= at_ms - 2000 and i["kind"] == fault),
                    None,
                )
            others = sorted(
                {i["kind"] for i in stack.incidents(lift=lift) if i["opened_at_ms"] >= at_ms and i["kind"] != fault}
            )
            stack.inject(lift, fault, clear=True)
            if found is None:
                rows.append((fault, "no event", "", "", "", ", ".join(others)))
                continue
            time.sleep(1)
            city = [d for d in found["deliveries"] if d["destination"] == "city"]
            receipt = city[0]["receipted"] if city else None
            confirm_ms = found["stages"]["detected"] - found["stages"]["onset"]
            rows.append(
                (fault, found["code"] if found["code"] is not None else "-", f"{confirm_ms} ms",
                 f"{found['stages']['committed'] - found['stages']['detected']} ms",
                 f"{receipt - found['stages']['detected']} ms" if receipt else city[0]["state"] if city else "-", ", ".join(others))
            )  # fmt: skip
    click.echo(table(("fault", "code", "confirmation", "to commit", "to city receipt", "also seen"), rows))


@bench.command("detection")
@click.option(
    "--lift-days", default=300, type=click.IntRange(1, 100_000), help="days of ordinary life, and as many of aged"
)
@click.option("--runs", default=10, type=click.IntRange(1, 10_000), help="varied runs of each fault")
@click.option("--seed", default=1, help="other seeds, other lifts and days")
@click.option("--jobs", default=0, help="processes; 0 = one a core")
@click.option("--samples", default=20_000, help="samples for the time that one takes")
def detection_command(lift_days: int, runs: int, seed: int, jobs: int, samples: int) -> None:
    """The labelled benchmark: each fault found, no other told, and the false alarms of ordinary and of aged days. Ends with 1 if not.

    Example: liftwatch bench detection --lift-days 11000 --runs 200
    """
    times = sample_times_us(samples)
    outcome = detection.measure(
        lift_days, runs, seed, jobs, lambda share: click.echo(f"\r{100 * share:.0f} %", err=True, nl=False)
    )
    click.echo("", err=True)
    click.echo(detection.faults_table(outcome.runs))
    for kind, report in outcome.days.items():
        click.echo(detection.days_text(kind, report))
    p50, p99 = (percentile(times, share) for share in (0.5, 0.99))
    click.echo(
        f"a sample takes the detector {sum(times) / len(times):.1f} µs in the mean, p50 {p50:.1f}, p99 {p99:.1f}, n {len(times)}"
    )
    failed = detection.failures(outcome)
    click.echo("\n".join(f"FAILED {text}" for text in failed) or "all faults found, nothing else told")
    if failed:
        raise SystemExit(1)


@bench.command("health")
@click.option(
    "--lifts", default=12, type=click.IntRange(1, 1000), help="of each kind: new, ageing, old from the first day"
)
@click.option(
    "--days", default=42, type=click.IntRange(20, 400), help="of each life; who ages does so after the first 15"
)
@click.option("--seed", default=1, help="other seeds, other lifts")
@click.option("--jobs", default=0, help="processes; 0 = one a core")
def health_command(lifts: int, days: int, seed: int, jobs: int) -> None:
    """Are worn lifts told apart from new ones by the parts that are worn, and by no other? Twins, recorded and judged by the gateway.

    Apart: the share of pairs in which the worn one is worse; 0.5 is chance. Example: liftwatch bench health --lifts 12 --days 42
    """
    with tempfile.TemporaryDirectory(prefix="liftwatch-health-") as folder:
        try:
            outcome = health.measure(
                pathlib.Path(folder),
                lifts,
                days,
                seed,
                jobs,
                lambda share: click.echo(f"\r{100 * share:.0f} %", err=True, nl=False),
            )
        except RuntimeError as error:
            raise click.ClickException(str(error)) from error
    click.echo("", err=True)
    click.echo(health.text(outcome))


@bench.command("chaos")
@click.option("--hours", type=float, help="go on with seed after seed for so long")
@click.option("--seed", default=1, help="the first seed")
@click.option("--seconds", default=120.0, help="how long each seed breaks things")
@click.option("--lifts", default=3)
@click.option("--node-kills/--no-node-kills", default=False, help="pull the nodes' plugs too")
def chaos_command(hours: float | None, seed: int, seconds: float, lifts: int, node_kills: bool) -> None:
    """Break everything in any order, heal it, and check that nothing was lost or doubled. Ends with 1 if a seed fails."""
    until = time.monotonic() + (hours or 0) * 3600
    failed = []
    while True:
        outcome = run_seed(seed, seconds, lifts, node_kills)
        figures = ", ".join(f"{name} {value:g}" for name, value in outcome.figures.items())
        click.echo(f"seed {seed}: {'FAILED' if outcome.failures else 'ok'}; {len(outcome.steps)} steps, {figures}")
        if outcome.failures:
            failed.append(seed)
            click.echo("\n".join([*outcome.failures[:20], "what was done:", *outcome.steps]))
        seed += 1
        if time.monotonic() >= until:
            break
    click.echo(f"seeds that failed: {failed or 'none'}")
    if failed:
        raise SystemExit(1)


@bench.command("cuts")
@click.option("--cuts", "count", default=50, help="how many")
@click.option("--seed", default=1)
@click.option("--longest", default=60.0, help="seconds of the longest cut")
def cuts_command(count: int, seed: int, longest: float) -> None:
    """Cut the links to the broker (TCP with TLS) again and again under load; what came back by itself, and how soon. Ends with 1 on a loss."""
    result = cuts.run(count, seed, click.echo, longest)
    for kind, times in sorted(result.recovered_s.items()):
        click.echo(f"{kind:10s} {spread([1000 * seconds for seconds in times])}")
    click.echo(", ".join(f"{name} {value:g}" for name, value in result.figures.items()))
    click.echo("\n".join(result.failures) or "nothing lost, nothing doubled")
    if result.failures:
        raise SystemExit(1)


@bench.command("drain")
@click.option("--lifts", default=100)
@click.option("--hours", default=24.0, help="how long the outage was; each lift has a record each second of it")
@click.option("--quiet", "quiet_s", default=60.0, help="seconds of live traffic only, to compare with")
def drain_command(lifts: int, hours: float, quiet_s: float) -> None:
    """The end of an outage: nodes hand over their backlog, the local log drains into InfluxDB, alarms go on.

    Example: liftwatch bench drain --lifts 100 --hours 24
    """
    data = pathlib.Path(tempfile.mkdtemp(prefix="liftwatch-bench-"))
    try:
        with drain.Outage(
            data, lifts, int(hours * 3600), lambda text: click.echo(f"\r{text:60s}", err=True, nl=False)
        ) as run:
            run.run(quiet_s)
            made, stored = run.made(), run.in_influx()
    except StartError as error:
        raise click.ClickException(f"{error}; logs in {data}") from error
    shutil.rmtree(data, ignore_errors=True)
    click.echo("", err=True)
    rows = [
        (phase.name, f"{phase.seconds:.0f}", phase.records, f"{phase.records / phase.seconds:.0f}", f"{phase.most_records_per_s:.0f}",
         f"{100 * phase.cpu_share:.0f} %", len(phase.at_city), phase.lost, *_spread(phase.at_city, run.quiet_at_city()),
         *_spread(phase.at_node, run.quiet_at_node()))
        for phase in run.phases.values()
    ]  # fmt: skip
    click.echo(table(("phase", "s", "records", "a second", "at most", "gateway CPU", "alarms", "lost", "to the city p50", "p99",
                      "max ms", "p99 / quiet", "to the node's receipt p50", "p99", "max ms", "p99 / quiet"), rows))  # fmt: skip
    click.echo(f"records made {sum(made.values())}, in InfluxDB {sum(stored.values())}; lifts that differ: "
               f"{sum(stored.get(lift) != count for lift, count in made.items())}")  # fmt: skip


def _spread(values: Sequence[float], quiet: Sequence[float]) -> tuple[str, ...]:
    p50, p99, most = (percentile(values, share) for share in (0.5, 0.99, 1))
    return f"{p50:.1f}", f"{p99:.1f}", f"{most:.0f}", f"{p99 / percentile(quiet, 0.99):.1f}"


@bench.command("datacost")
@click.option("--minutes", default=15.0, help="how long the two lifts are measured")
@click.option("--metered/--plain", default=True, help="with the settings for a metered link, or without")
def datacost_command(minutes: float, metered: bool) -> None:
    """Bytes that a lift's link costs in a month, as its node counts them, beside what a proxy saw. Ends with 1 above 60 MB (metered).

    A parked lift and one with a start a minute are measured at real speed, with TLS; the month is put together from them.
    """
    try:
        found = datacost.run(minutes, metered, lambda text: click.echo(text, err=True))
    except (StartError, TimeoutError) as error:
        raise click.ClickException(str(error)) from error
    costs = (("parked", found.parked), ("busy", found.busy), ("a connection until its birth", found.opening))
    rows = [(name, cost.span, cost.told, cost.captured, f"{cost.told / cost.captured:.2f}") for name, cost in costs]
    click.echo(table(("lift", "measured", "node counted", "proxy saw", "counted/seen"), rows))
    click.echo(
        f"parked {found.parked.told / found.parked.minutes:.0f} bytes a minute, a start {found.start_bytes:.0f} bytes beyond that"
    )
    click.echo(f"parked with nothing changed: {found.calm[1]} bytes in {found.calm[0] / 1000:.0f} s")
    over = metered and found.month_bytes > datacost.ALLOWED_BYTES
    month = f"{found.month_bytes / 1e6:.1f} MB per lift-month"
    click.echo(
        f"extrapolated to {datacost.STARTS_PER_DAY} starts and {datacost.CONNECTIONS_PER_DAY} connections a day: {month}"
    )
    click.echo("\n".join(found.failures) or "no change record lost, nothing doubled")
    if over or found.failures:
        raise SystemExit(1)
