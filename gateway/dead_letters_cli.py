"""The commands `liftwatch gateway dead-letters …`: ask a running gateway on its loopback port. They touch no store."""

import pathlib

import click

from gateway.loopback import ask, url_of


@click.group("dead-letters")
@click.option("--config", "path", type=click.Path(path_type=pathlib.Path), help="gateway.toml of the running gateway")
@click.option("--url", help="instead: where its metrics are, as http://127.0.0.1:9100")
@click.pass_context
def dead_letters(context: click.Context, path: pathlib.Path | None, url: str | None) -> None:
    """Deliveries that a city refused for good: kept, listed, sent again by hand.

    \b
    Examples:
      liftwatch gateway dead-letters --config gateway.toml list
      liftwatch gateway dead-letters --config gateway.toml replay city lift-2-17-4
    """  # noqa: D301  click's mark for text that keeps its lines
    context.obj = url_of(path, url)


@dead_letters.command("list")
@click.pass_obj
def list_command(url: str) -> None:
    """What was refused, newest first. Example: liftwatch gateway dead-letters --config gateway.toml list"""
    found = ask(f"{url}/dead-letters")
    for entry in found:
        click.echo(
            f"{entry['destination']:12s} {entry['id']} rev {entry['rev']} {entry['kind']} {entry['phase']}: {entry['detail']}"
        )
    click.echo(f"{len(found)} dead letters")


@dead_letters.command("replay")
@click.argument("destination")
@click.argument("incident", required=False)
@click.option("--rev", type=int, help="this revision only")
@click.pass_obj
def replay_command(url: str, destination: str, incident: str | None, rev: int | None) -> None:
    """Send to DESTINATION again what it refused: all, or what belongs to INCIDENT.

    Example: liftwatch gateway dead-letters --config gateway.toml replay city
    """
    answer = ask(f"{url}/dead-letters/replay", {"destination": destination, "id": incident, "rev": rev})
    click.echo(f"{answer['replayed']} on their way again; `list` shows what is refused once more")
    if answer["left"]:
        click.echo(
            f"{answer['left']} left: later revisions have arrived, or they are too many for once; name one with --rev"
        )
