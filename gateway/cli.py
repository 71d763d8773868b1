"""The command `liftwatch gateway`. It reads the configuration, runs the service, ends on a signal."""

import asyncio
import gc
import logging
import pathlib
import signal
import sys

import click

from gateway.command_cli import command
from gateway.config import Config, load
from gateway.dead_letters_cli import dead_letters
from gateway.errors import ConfigError
from gateway.export_cli import export_command
from gateway.fault_words_cli import fault_words
from gateway.health_cli import health_command
from gateway.service import Service


@click.group(invoke_without_command=True)
@click.option("--config", "path", type=click.Path(path_type=pathlib.Path), help="gateway.toml")
@click.option("--verbose", is_flag=True, help="log more")
@click.pass_context
def gateway(context: click.Context, path: pathlib.Path | None, verbose: bool) -> None:
    """Run a gateway, or with a command ask one that runs. Example: liftwatch gateway --config gateway.toml"""
    if context.invoked_subcommand is not None:
        return
    if path is None:
        raise click.UsageError("say --config gateway.toml; docs/examples/gateway.toml shows one")
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        config = load(path)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    # The bulk lane may not hold the interpreter for 5 ms while an alarm waits.
    sys.setswitchinterval(0.0005)
    try:
        asyncio.run(_run(config))
    except ConfigError as error:
        raise click.ClickException(f"{path}: {error}") from error


async def _run(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    service = Service(config)
    port = await service.start()
    gc.freeze()
    click.echo(f"ready metrics http://127.0.0.1:{port}/metrics")
    await stop.wait()
    await service.stop()


gateway.add_command(command)
gateway.add_command(dead_letters)
gateway.add_command(export_command)
gateway.add_command(fault_words)
gateway.add_command(health_command)
