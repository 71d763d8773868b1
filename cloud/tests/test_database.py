"""Migrations on SQLite and PostgreSQL: up gives what the models say, down takes it all away, and data survives the way."""

from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine

from cloud.accounts.scope import Actor
from cloud.audit import service as audit
from cloud.database import MIGRATIONS, Base, alembic_config, make_engine, make_sessions, migrate
from cloud.tests.filling import ROWS, fill

Rows = dict[str, list[dict[str, Any]]]
SHELL = Actor("shell", "", "shell")


async def run(engine: AsyncEngine, what: Any, revision: str) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: what(alembic_config(sync), revision))


async def tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_the_migrations_make_what_the_models_say(empty_database: str) -> None:
    engine = make_engine(empty_database)
    await migrate(engine)
    await migrate(engine)
    async with engine.connect() as connection:
        found = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert found == []
    await engine.dispose()


async def test_down_takes_everything_away_and_up_makes_it_again(empty_database: str) -> None:
    engine = make_engine(empty_database)
    await migrate(engine)
    before = await tables(engine)
    await run(engine, command.downgrade, "base")
    assert await tables(engine) == {"alembic_version"}
    await migrate(engine)
    assert await tables(engine) == before
    await engine.dispose()


async def test_lifts_of_incidents_from_before_there_were_accounts_are_known_and_nobodys(empty_database: str) -> None:
    engine = make_engine(empty_database)
    await run(engine, command.upgrade, "0001")
    row = "'{}', '[]'"
    async with engine.begin() as connection:
        for name, lift in (("a", "lift-1"), ("b", "lift-1"), ("c", "lift-2")):
            await connection.execute(
                text(f"INSERT INTO incident VALUES ('{name}', 'g-1', '{lift}', 1, 'open', 5, 7, {row})")
            )
    await migrate(engine)
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT id, gateway, contractor, district FROM lift ORDER BY id"))).all()
    assert [tuple(entry) for entry in found] == [("lift-1", "g-1", None, ""), ("lift-2", "g-1", None, "")]
    await engine.dispose()


async def test_the_database_itself_refuses_to_change_or_delete_an_entry_of_the_audit_log(empty_database: str) -> None:
    engine = make_engine(empty_database)
    await migrate(engine)
    async with make_sessions(engine)() as session:
        await audit.write(session, 1, SHELL, "tried")
        await session.commit()
    statements = ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"]
    if engine.dialect.name == "postgresql":
        statements.append("TRUNCATE audit_entry")
    for statement in statements:
        with pytest.raises(DatabaseError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM audit_entry"))).scalar() == 1
    await engine.dispose()


REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


def rows_in(connection: Connection, *, filled: bool = False) -> Rows:
    """All rows of all tables as the database has them, after filling them if wanted."""
    found = MetaData()
    found.reflect(connection)
    if filled:
        fill(connection, found.sorted_tables)
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in found.sorted_tables
    }


def alike(first: Rows, second: Rows) -> bool:
    """In the tables and columns that both have, the same rows."""

    def told(rows: list[dict[str, Any]], columns: set[str]) -> list[str]:
        return sorted(str([(name, row[name]) for name in sorted(columns)]) for row in rows)

    for name in (first.keys() & second.keys()) - {"alembic_version"}:
        columns = set(first[name][0] if first[name] else ()) & set(second[name][0] if second[name] else ())
        if len(first[name]) != len(second[name]) or told(first[name], columns) != told(second[name], columns):
            return False
    return True


@pytest.mark.parametrize("revision", REVISIONS)
async def test_rows_survive_the_way_down_and_up_again(empty_database: str, revision: str) -> None:
    """What a step down leaves of a table is as it was, and what it takes away is there again afterwards."""
    engine = make_engine(empty_database)
    await run(engine, command.upgrade, revision)
    async with engine.begin() as connection:
        before = await connection.run_sync(lambda sync: rows_in(sync, filled=True))
    await run(engine, command.downgrade, "-1")
    async with engine.begin() as connection:
        after = await connection.run_sync(rows_in)
    assert alike(before, after)
    assert revision == REVISIONS[-1] or any(len(rows) == ROWS for rows in after.values())
    await migrate(engine)
    async with engine.begin() as connection:
        newest = await connection.run_sync(rows_in)
        context = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert alike(after, newest)
    assert context == []
    await engine.dispose()
