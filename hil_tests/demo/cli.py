"""The command `liftwatch demo`: starts the whole chain, says where it is, stays until Ctrl-C."""

import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import webbrowser

import click

from hil_tests.bench.cli import run_file
from hil_tests.demo.stack import Stack, forget_run_file, write_run_file
from hil_tests.services import ROOT, StartError, stop_on_signals, undisturbed
from hil_tests.vm import NoInterpreter


@click.command()
@click.option("--port", default=8080, help="port of the page on loopback")
@click.option("--lifts", default=6, type=click.IntRange(1, 24), help="how many lifts")
@click.option("--traffic", default=30.0, help="times the ordinary traffic, so that there is something to see")
@click.option(
    "--simple",
    default=0,
    type=click.IntRange(0, 24),
    help="how many of them have a simple terminal, for which the gateway detects",
)
@click.option("--no-browser", is_flag=True, help="do not open a browser")
def demo(port: int, lifts: int, traffic: float, simple: int, no_browser: bool) -> None:
    """Run the whole chain with lift twins. Example: liftwatch demo --lifts 6"""
    if not (ROOT / "scripts" / "micropython").exists():
        raise click.ClickException(
            "the demo runs from a checkout of the source: scripts/demo there does all the set-up"
        )
    stop_on_signals()
    begun = time.monotonic()
    data = pathlib.Path(tempfile.mkdtemp(prefix="liftwatch-demo-"))
    stack = Stack(data, lifts, port, traffic=traffic, simple=min(lifts, simple))
    kept = False
    try:
        click.echo(f"starting {lifts} lifts; logs in {stack.logs}")
        stack.start()
        for note in stack.notes:
            click.echo(f"note: {note}")
        write_run_file(stack, run_file())
        click.echo(f"city-mock {stack.city_url}")
        click.echo(f"metrics {stack.metrics_url}")
        click.echo(f"sign-in {stack.sign_in_url}")
        for who, link in stack.links.items():
            click.echo(f"sign-in-{who} {link}")
        click.echo(f"ready {stack.cloud_url}")
        click.echo(
            f"up after {time.monotonic() - begun:.1f} s; try: liftwatch inject lift-2 trapped_between_floors; Ctrl-C stops"
        )
        click.echo("each sign-in link works once; another: liftwatch cloud admin " + _again(stack))
        if not no_browser:
            webbrowser.open(stack.sign_in_url)
        _watch(stack)
    except KeyboardInterrupt:
        click.echo("stopping")
    except (StartError, NoInterpreter, subprocess.CalledProcessError) as error:
        kept = True
        raise click.ClickException(f"{error}\nlogs are kept in {stack.logs}") from error
    finally:
        with undisturbed():
            stack.stop()
            forget_run_file(stack, run_file())
            if not kept:
                shutil.rmtree(data, ignore_errors=True)


def _again(stack: Stack) -> str:
    return f"--database {stack.cloud_database} link --sign-in --url {stack.cloud_url} admin"


def _watch(stack: Stack) -> None:
    """Stay; a part that ends is started again and told."""
    while True:
        threading.Event().wait(1.0)
        for name, child in stack.children.items():
            if not child.alive():
                click.echo(f"{name} ended; starting it again. Its last words:\n{child.tail()}")
                stack.start_part(name)
