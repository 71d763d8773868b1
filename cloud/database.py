"""The cloud's database: engine, sessions, migrations at the start. Telemetry never comes here."""

import pathlib
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

MIGRATIONS = pathlib.Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x11F7  # ours; any number that nobody else takes in this database


class Base(DeclarativeBase):
    """Base of all tables."""


def make_engine(url: str) -> AsyncEngine:
    """An engine for `url`; SQLite in WAL with full syncs, since a receipt is given after the commit."""
    engine = create_async_engine(url)
    if url.startswith("sqlite"):

        @event.listens_for(engine.sync_engine, "connect")
        def configure(connection: Any, _: Any) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA busy_timeout=5000")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()

    return engine


def make_sessions(engine: AsyncEngine) -> Any:
    """A maker of sessions whose objects stay readable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest revision."""
    sqlite = engine.dialect.name == "sqlite"
    async with engine.connect() as connection:
        if sqlite:
            # A table that is made anew is dropped meanwhile: what refers to it must not mind.
            await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            await connection.commit()
        async with connection.begin():
            if engine.dialect.name == "postgresql":
                # Two processes that start at once: the second waits, and finds it done.
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))
        if sqlite:
            await connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            await connection.commit()


def alembic_config(connection: Any) -> Config:
    """Alembic's configuration for a connection of ours; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
