"""Commands of the bench: `twin` serves lifts, `inject` breaks one of a running bench. No logic of their own."""

import asyncio
import json
import os
import pathlib
import signal
import tomllib
import urllib.error
import urllib.request
from typing import Any

import click

from hil_tests.bench.bench import Bench, LiftBench
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.twin import LiftSpec


def run_file() -> pathlib.Path:
    """Where a running bench leaves its address: bench.json in $LIFTWATCH_RUN, or in .run here."""
    return pathlib.Path(os.environ.get("LIFTWATCH_RUN", ".run")) / "bench.json"


def load_lifts(path: pathlib.Path) -> list[LiftBench]:
    """The lifts of a bench.toml: [[lift]] id, stops, doors, baud, seed, starts_per_day, traffic_factor."""
    try:
        data = tomllib.loads(path.read_text())
        entries = data["lift"]
        return [
            LiftBench(LiftSpec(**{k: v for k, v in entry.items() if k != "baud"}), int(entry.get("baud", 9600)))
            for entry in entries
        ]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise click.ClickException(f"{path}: {error}; it needs [[lift]] tables with at least an id") from error


@click.command()
@click.option("--config", type=click.Path(path_type=pathlib.Path), required=True, help="bench.toml with [[lift]] tables")
@click.option("--port", default=0, help="port of the control server on loopback; 0 takes a free one")
def twin(config: pathlib.Path, port: int) -> None:
    """Serve lift twins on ptys. Example: liftwatch twin --config bench.toml"""
    asyncio.run(_serve(config, port))


async def _serve(config: pathlib.Path, port: int) -> None:
    bench = Bench(load_lifts(config), run_file())
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await bench.start(port)
    click.echo(f"ready {bench.url}")
    await stop.wait()
    await bench.stop()


@click.command()
@click.argument("lift", required=False)
@click.argument("fault", required=False)
@click.option("--clear", is_flag=True, help="end the fault instead")
@click.option("--list", "show", is_flag=True, help="list faults, and the lifts of the running bench")
def inject(lift: str | None, fault: str | None, clear: bool, show: bool) -> None:
    """Inject a fault into a lift of a running demo or bench. Example: liftwatch inject lift-1 trapped_between_floors"""
    if show:
        for name, script in SCRIPTS.items():
            click.echo(f"{name:30s} {script.text}")
        return
    if lift is None or fault is None:
        raise click.UsageError("name a lift and a fault, or --list")
    answer = _ask("/inject", {"lift": lift, "fault": fault, "clear": clear})
    click.echo(f"{lift} {fault} {'cleared' if clear else 'injected'} at {answer['injected_at_ms']}")


def _ask(path: str, body: dict[str, Any]) -> dict[str, Any]:
    try:
        url = json.loads(run_file().read_text())["control"]
    except (OSError, ValueError, KeyError):
        raise click.ClickException(f"no bench is running ({run_file()} is not there); start scripts/demo") from None
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            found: dict[str, Any] = json.load(response)
            return found
    except urllib.error.HTTPError as error:
        raise click.ClickException(json.loads(error.read())["error"]) from None
    except OSError as error:
        raise click.ClickException(f"the bench at {url} does not answer ({error}); is the demo still running?") from None
