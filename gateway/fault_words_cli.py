"""The command `liftwatch gateway fault-words`: asks a running gateway on its loopback port. It touches no store."""

import datetime as dt
import pathlib

import click

from gateway.loopback import ask, url_of


@click.command("fault-words")
@click.option("--config", "path", type=click.Path(path_type=pathlib.Path), help="gateway.toml of the running gateway")
@click.option("--url", help="instead: where its metrics are, as http://127.0.0.1:9100")
def fault_words(path: pathlib.Path | None, url: str | None) -> None:
    """Fault words of controllers that no table names, newest first: look them up in the maker's manual.

    A word is named by a row in protocols/controller_fault_texts.py; the list forgets it then.

    Example: liftwatch gateway fault-words --config gateway.toml
    """
    found = ask(f"{url_of(path, url)}/fault-words")
    for row in found:
        first, last = (
            dt.datetime.fromtimestamp(row[name] / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            for name in ("first_ms", "last_ms")
        )
        lifts = ", ".join(row["lifts"])
        click.echo(
            f"{row['profile']:12s} word {row['word']:5d} seen {row['seen']} times from {first} to {last} on {lifts}"
        )
    click.echo(f"{len(found)} unknown fault words")
