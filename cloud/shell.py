"""What commands in a shell share: the option of the database, and a session in it as whoever has the shell."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.scope import Actor, Grant, Scope
from cloud.database import make_engine, make_sessions, migrate

T = TypeVar("T")

DEFAULT_DATABASE = "sqlite+aiosqlite:///liftwatch-cloud.db"
database_option: Callable[[Any], Any] = click.option(
    "--database", default=DEFAULT_DATABASE, envvar="LIFTWATCH_DATABASE", show_envvar=True,
    help="SQLAlchemy URL: sqlite+aiosqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
)  # fmt: skip


def shell_scope() -> Scope:
    """Who has a shell on the server may do what the platform's administrator may; the log says that it was by shell."""
    return Scope(Actor("shell", "", f"shell of {getpass.getuser()}"), (Grant("", "platform", "administrator"),))


def in_database(database: str, what: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Bring the schema up to date, run `what` in a session, commit; ClickException where there is no such database."""

    async def run() -> T:
        engine = make_engine(database)
        try:
            await migrate(engine)
            async with make_sessions(engine)() as session:
                found = await what(session)
                await session.commit()
            return found
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except ArgumentError as error:
        raise click.ClickException(f"--database: {error}") from error
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise click.ClickException(f"the database does not answer: {str(error).splitlines()[0]}") from error
