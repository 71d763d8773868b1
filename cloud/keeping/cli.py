"""The commands `liftwatch cloud backup`, `restore` and `sweep`."""

import asyncio
import pathlib
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cloud.clock import unix_ms
from cloud.database import make_engine, make_sessions, migrate
from cloud.keeping.archive import Reader
from cloud.keeping.backup import back_up
from cloud.keeping.errors import KeepingError
from cloud.keeping.restore import restore
from cloud.keeping.retention import Retention, RetentionError, load_retention
from cloud.keeping.sweep import Swept, sweep, would_sweep
from cloud.shell import database_option, shell_scope

T = TypeVar("T")
FILE = click.Path(path_type=pathlib.Path, dir_okay=False)


def _with_engine(database: str, what: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def run() -> T:
        engine = make_engine(database)
        try:
            return await what(engine)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except KeepingError as error:
        raise click.ClickException(str(error)) from error
    except ArgumentError as error:
        raise click.ClickException(f"--database: {error}") from error
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise click.ClickException(f"the database does not answer: {str(error).splitlines()[0]}") from error


def _tell(text: str) -> None:
    click.echo(text, err=True)


@click.command("backup")
@database_option
@click.argument("file", type=FILE)
def backup_command(database: str, file: pathlib.Path) -> None:
    """Write a backup of the cloud into FILE, whether it runs or not. It holds personal data and secrets: keep it as such.

    It is one moment of everything, and can be restored into SQLite and PostgreSQL alike.

    Example: liftwatch cloud backup --database sqlite+aiosqlite:///cloud.db cloud-2026-11-26.lwb
    """
    counts, sha256 = _with_engine(database, lambda engine: back_up(engine, file, unix_ms(), shell_scope(), _tell))
    click.echo(
        f"{file}: {sum(counts.values())} rows of {len(counts)} tables, {file.stat().st_size} bytes; sha256 {sha256}"
    )


@click.command("restore")
@database_option
@click.argument("file", type=FILE)
def restore_command(database: str, file: pathlib.Path) -> None:
    """Restore a backup FILE into an empty database, and check the chain of its audit log. The cloud must not run on it yet.

    Nobody is signed in afterwards. Tokens that were revoked after the backup are valid again: revoke them anew.

    Example: liftwatch cloud restore --database postgresql+psycopg://… cloud-2026-11-26.lwb
    """
    try:
        reader = Reader(file)
    except KeepingError as error:
        raise click.ClickException(str(error)) from error
    found = _with_engine(database, lambda engine: restore(engine, reader, unix_ms(), shell_scope(), _tell))
    if found.broken is not None:
        click.echo(
            f"restored; but the audit log is BROKEN at entry {found.broken.number}: {found.broken.why}", err=True
        )
        sys.exit(1)
    click.echo(
        f"restored {sum(reader.counts.values())} rows; the audit log is whole: {found.number} entries, {found.number}:{found.hash}"
    )


@click.command("sweep")
@database_option
@click.option("--retention", type=FILE, help="the file that the cloud is given; without one the defaults hold")
@click.option("--dry-run", is_flag=True, help="say what would be taken away, and take nothing away")
def sweep_command(database: str, retention: pathlib.Path | None, dry_run: bool) -> None:
    """Take away what has been kept long enough; a running cloud does so each day.

    Example: liftwatch cloud sweep --retention retention.toml --dry-run
    """
    try:
        kept = load_retention(retention) if retention is not None else Retention()
    except RetentionError as error:
        raise click.ClickException(str(error)) from error
    for warning in kept.warnings():
        _tell(f"warning: {warning}")

    async def run(engine: AsyncEngine) -> list[Swept]:
        await migrate(engine)
        sessions, now_ms = make_sessions(engine), unix_ms()
        if not dry_run:
            return await sweep(sessions, now_ms, kept, shell_scope())
        async with sessions() as session:
            return await would_sweep(session, now_ms, kept)

    for entry in _with_engine(database, run):
        days = getattr(kept, entry.kind)
        click.echo(f"{'would take' if dry_run else 'took'} {entry.rows} of {entry.table} ({entry.kind}: {days} days)")
