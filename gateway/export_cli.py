"""The command `liftwatch gateway export`: writes one lift's local log to a file. It asks no running gateway."""

import datetime as dt
import pathlib

import click

from gateway.clock import unix_ms
from gateway.config import load
from gateway.errors import GatewayError
from gateway.log_export import export, header


class Moment(click.ParamType[int]):
    """A date, or date and time; without a zone it is this machine's."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Unix ms."""
        try:
            return int(dt.datetime.fromisoformat(str(value)).astimezone().timestamp() * 1000)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write 2026-11-01, 2026-11-01T08:30 or 2026-11-01T08:30+08:00", param, ctx)


@click.command("export")
@click.argument("lift")
@click.argument("file", type=click.Path(path_type=pathlib.Path, dir_okay=False))
@click.option(
    "--config", "path", type=click.Path(path_type=pathlib.Path), required=True, help="gateway.toml of the gateway"
)
@click.option("--from", "from_ms", type=Moment(), help="from when on; without it from the oldest that is held")
@click.option("--to", "to_ms", type=Moment(), help="until when; without it until now")
@click.option("--profile", default="nice3000", show_default=True, help="register profile of its node")
def export_command(
    lift: str, file: pathlib.Path, path: pathlib.Path, from_ms: int | None, to_ms: int | None, profile: str
) -> None:
    """Write what the local log holds of LIFT to the recording FILE, for `liftwatch backtest`. The gateway may run meanwhile.

    Example: liftwatch gateway export lift-2 november.lwrec --config gateway.toml --from 2026-11-01 --to 2026-12-01
    """
    partial = file.with_name(file.name + ".partial")
    try:
        config = load(path)
        record = next((found for found in config.lift if found.id == lift), None)
        if record is None:
            listed = ", ".join(found.id for found in config.lift) or "none"
            raise click.ClickException(f"{path} has no lift {lift}; there are {listed}")
        head = header(record, profile, f"gateway {config.gateway.id}")
        source = pathlib.Path(config.gateway.data_dir) / "log.db"
        with partial.open("wb") as out:
            found = export(source, head, from_ms or 0, unix_ms() if to_ms is None else to_ms, out.write)
        if not found.batches:
            partial.unlink()
            raise click.ClickException(f"the local log holds nothing of {lift} in that time")
        partial.replace(file)
    except (GatewayError, OSError) as error:
        partial.unlink(missing_ok=True)
        raise click.ClickException(str(error)) from error
    begin, end = (
        dt.datetime.fromtimestamp((ms or 0) / 1000).astimezone().isoformat(" ", "seconds")
        for ms in (found.first_ms, found.last_ms)
    )
    click.echo(f"{file}: {found.batches} batches from {begin} to {end}, {found.gaps} gaps, {file.stat().st_size} bytes")
    if found.damaged:
        click.echo(f"{found.damaged} batches are damaged and were left out")
