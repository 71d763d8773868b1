"""The command `liftwatch gateway command …`: asks a running gateway on its loopback port to command a node."""

import pathlib

import click

from gateway.loopback import ask, url_of
from protocols.codes import ALARM_STEPS, COMMANDS


@click.command("command")
@click.argument("lift")
@click.argument("what", type=click.Choice(COMMANDS))
@click.option("--seconds", type=int, help="of watch and work: how long; 0 ends work mode")
@click.option("--level", help="of log_level: error, warning, info or debug")
@click.option(
    "--alarm", type=click.Choice(ALARM_STEPS), help="of car: what is shown there; ended also ends its open alarms"
)
@click.option("--eta", "eta_min", type=int, help="of car, with coming: in how many minutes")
@click.option("--config", "path", type=click.Path(path_type=pathlib.Path), help="gateway.toml of the running gateway")
@click.option("--url", help="instead: where its metrics are, as http://127.0.0.1:9100")
def command(
    lift: str,
    what: str,
    seconds: int | None,
    level: str | None,
    alarm: str | None,
    eta_min: int | None,
    path: pathlib.Path | None,
    url: str | None,
) -> None:
    """Command the node of LIFT; none of the commands moves a lift. Ends with 1 if it refuses.

    \b
    Examples:
      liftwatch gateway command lift-2 work --seconds 7200 --config gateway.toml
      liftwatch gateway command lift-2 car --alarm coming --eta 12 --config gateway.toml
      liftwatch gateway command lift-2 identify --config gateway.toml
    """  # noqa: D301  click's mark for text that keeps its lines
    given = {"seconds": seconds, "level": level, "alarm": alarm, "eta_min": eta_min}
    args = {name: value for name, value in given.items() if value is not None}
    reply = ask(f"{url_of(path, url)}/commands", {"lift": lift, "what": what, "args": args})
    if not reply["ok"]:
        raise click.ClickException(f"{lift} refused: {reply['detail']}")
    click.echo(f"{lift}: {reply['detail'] or 'done'}")
