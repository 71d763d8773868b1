"""Commands of the bench: `twin` serves lifts, `inject` breaks one, `record` writes one down. No logic of their own."""

import asyncio
import json
import os
import pathlib
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import click

from hil_tests.bench.bench import Bench, precise_loop
from hil_tests.bench.config import ConfigError, LiftEntry, load
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift_bench import LiftBench
from hil_tests.bench.ordinary import house
from hil_tests.bench.publisher import Publisher
from hil_tests.bench.recorder import BEGIN_MS, record, record_ageing
from protocols.identity import is_id


def run_file() -> pathlib.Path:
    """Where a running bench leaves its address: bench.json in $LIFTWATCH_RUN, or in .run here."""
    return pathlib.Path(os.environ.get("LIFTWATCH_RUN", ".run")) / "bench.json"


@click.group(invoke_without_command=True)
@click.option("--config", type=click.Path(path_type=pathlib.Path), help="bench.toml with [[lift]] tables")
@click.option("--port", default=0, help="port of the control on loopback; 0 takes a free one")
@click.option("--broker", default="127.0.0.1:1883", show_default=True, help="HOST:PORT, for lifts with simple = true")
@click.option("--site", default="bench", show_default=True, help="the site that they publish as")
@click.pass_context
def twin(context: click.Context, config: pathlib.Path | None, port: int, broker: str, site: str) -> None:
    """Serve lift twins on ptys: a serial line and terminals each.

    Prints `ready CONTROL-URL`; GET CONTROL-URL/lifts tells where to plug nodes in. A lift with `simple = true` needs none: its
    states go to --broker as a simple terminal's, for which a gateway detects.

    Example: liftwatch twin --config bench.toml
    """
    if context.invoked_subcommand is not None:
        return
    if config is None:
        raise click.UsageError("say --config bench.toml; docs/examples/bench.toml shows one")
    try:
        entries = load(config)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    host, _, broker_port = broker.rpartition(":")
    if not host or not broker_port.isdigit() or not is_id(site):
        raise click.UsageError("--broker is HOST:PORT, --site 1 to 32 of a-z, 0-9 and '-'")
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(_serve(entries, port, lambda lift: Publisher(lift, site, host, int(broker_port))))


async def _serve(entries: list[LiftEntry], port: int, publisher: Callable[[LiftBench], Publisher]) -> None:
    lifts = [LiftBench(entry.spec(), entry.baud, entry.bits, simple=entry.simple) for entry in entries]
    bench = Bench(lifts, run_file())
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await bench.start(port)
    except OSError as error:
        raise click.ClickException(
            f"the control cannot listen on port {port} ({error.strerror}); try another --port"
        ) from error
    playing = [asyncio.create_task(publisher(lift).run()) for lift in lifts if lift.simple]
    click.echo(f"ready {bench.url}")
    sys.stdout.flush()
    await stop.wait()
    for task in playing:
        task.cancel()
    await asyncio.gather(*playing, return_exceptions=True)
    await bench.stop()


@twin.command("record")
@click.argument("file", type=click.Path(path_type=pathlib.Path, dir_okay=False))
@click.option("--days", default=3.0, type=click.FloatRange(0.01, 366), help="days of ordinary life")
@click.option("--number", default=0, help="which lift of the estate: stops, doors and traffic differ")
@click.option("--seed", default=1, help="other seeds, other days")
@click.option(
    "--fault", "faults", multiple=True, type=click.Choice([*SCRIPTS]), help="break it so once; may be repeated"
)
@click.option("--all-faults", is_flag=True, help="each fault once")
@click.option("--aged", is_flag=True, help="a lift with some twenty years on it")
@click.option(
    "--ages-from", "new_days", type=click.IntRange(0, 365), help="as new for so many days, then --aged by degrees"
)
def record_command(
    file: pathlib.Path,
    days: float,
    number: int,
    seed: int,
    faults: tuple[str, ...],
    all_faults: bool,
    aged: bool,
    new_days: int | None,
) -> None:
    """Write a twin's life to the recording FILE, labelled with the faults that befell it.

    For `liftwatch backtest`, and with weeks of it for `liftwatch gateway health`.

    Example: liftwatch twin record lift.lwrec --days 3 --fault trapped_at_level --fault mains_lost
    """
    names = [*SCRIPTS] if all_faults else list(faults)
    if new_days is not None and (names or new_days >= days):
        raise click.UsageError("--ages-from goes with no fault, and must be less than --days")
    spec = house(number, seed, aged=aged or new_days is not None)
    with file.open("wb") as out:
        if new_days is None:
            made = record(out.write, spec, BEGIN_MS, days, names)
        else:
            made = record_ageing(out.write, spec, BEGIN_MS, int(days), new_days)
    click.echo(
        f"{file}: {(made.twin.now_ms - BEGIN_MS) / 86_400_000:.2f} days, {made.twin.starts} starts, "
        f"{made.writer.labels} labels, {made.writer.batches} batches, {file.stat().st_size} bytes"
    )


@click.command()
@click.argument("lift", required=False)
@click.argument("fault", required=False)
@click.option("--clear", is_flag=True, help="end the fault instead")
@click.option("--list", "show", is_flag=True, help="list the faults, and the lifts of the running bench")
def inject(lift: str | None, fault: str | None, clear: bool, show: bool) -> None:
    """Inject a fault into a lift of a running demo or bench, or clear it.

    Example: liftwatch inject lift-1 trapped_between_floors
    """
    if show:
        for name, script in SCRIPTS.items():
            click.echo(f"{name:28s} {script.text}")
        if run_file().exists():
            click.echo("lifts: " + ", ".join(found["id"] for found in _ask("/lifts")))
        return
    if lift is None or fault is None:
        raise click.UsageError("name a lift and a fault, or --list")
    answer = _ask("/inject", {"lift": lift, "fault": fault, "clear": clear})
    click.echo(f"{lift} {fault} {'cleared' if clear else 'injected'} at {answer['injected_at_ms']}")


def _ask(path: str, body: dict[str, Any] | None = None) -> Any:
    try:
        url = json.loads(run_file().read_text())["control"]
    except (OSError, ValueError, KeyError):
        raise click.ClickException(
            f"no bench is running ({run_file()} is not there); start `liftwatch demo` here, or set LIFTWATCH_RUN"
        ) from None
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise click.ClickException(json.loads(error.read())["error"]) from None
    except OSError as error:
        raise click.ClickException(f"the bench at {url} does not answer ({error}); is it still running?") from None
