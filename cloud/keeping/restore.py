"""Puts a backup into an empty database, SQLite or PostgreSQL, in one transaction: all of it is there afterwards, or nothing."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Table, delete, func, inspect, null, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from cloud.accounts import changes
from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.audit.chain import Verifier
from cloud.database import alembic_config, migrate
from cloud.keeping.archive import Reader, Row
from cloud.keeping.archive import Table as Shape
from cloud.keeping.backup import PAGE, PAGE_OF_BYTES, VERSIONS, numbered, reflected
from cloud.keeping.errors import ArchiveError, TargetError

# SQLite counts on for good only where a table was made so.
_MADE_BY = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :t"


async def restore(
    engine: AsyncEngine, reader: Reader, now_ms: int, who: Scope, progress: Callable[[str], None] = lambda _: None
) -> Verifier:
    """Restore into `engine`'s database, which must have no tables, and bring it up to date; what the audit log's chain is found to be."""
    sqlite = engine.dialect.name == "sqlite"
    async with engine.connect() as connection:
        if sqlite:
            await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            await connection.commit()
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        if await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
            raise TargetError("the database is not empty, and nothing is restored over what is there; make a new one")
        await connection.run_sync(lambda sync: _schema(sync, reader.head.revision))
        tables = {table.name: table for table in await connection.run_sync(reflected)}
        await _fill(connection, tables, reader, progress)
        await _give_out_further(connection, tables, reader.head.sequences)
        await connection.commit()
    await migrate(engine)
    async with AsyncSession(engine) as session:
        found = await audit.verify(session)
        await changes.access_changed(session)
        await audit.write(
            session, now_ms, who, "database.restored", "database", sha256=reader.sha256, made_at_ms=reader.head.made_at_ms,
            rows=sum(reader.counts.values()), audit_entries=found.number,
        )  # fmt: skip
        await session.commit()
    return found


def _schema(connection: Any, revision: str) -> None:
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision not in known:
        raise ArchiveError(
            f"the backup is of revision {revision}, which a newer Liftwatch made: restore it with that one"
        )
    command.upgrade(config, revision)


async def _fill(
    connection: AsyncConnection, tables: dict[str, Table], reader: Reader, progress: Callable[[str], None]
) -> None:
    # What the migrations put in by themselves is in the backup too.
    for name in reversed(list(tables)):
        if name not in (VERSIONS, "audit_entry"):
            await connection.execute(delete(tables[name]))
    for shape, rows in groupby(reader.rows(), key=lambda entry: entry[0]):
        table = tables.get(shape.name)
        if table is None or set(shape.columns) != set(table.columns.keys()):
            raise ArchiveError(f"the backup's table {shape.name} is not that of its revision {reader.head.revision}")
        page: list[dict[str, Any]] = []
        for _, row in rows:
            page.append(_values(table, shape, row))
            if len(page) == (PAGE_OF_BYTES if shape.binary else PAGE):
                await _insert(connection, table, page)
                page = []
        if page:
            await _insert(connection, table, page)
        progress(f"{shape.name}: {reader.counts[shape.name]}")


def _values(table: Table, shape: Shape, row: Row) -> dict[str, Any]:
    values = dict(zip(shape.columns, row, strict=True))
    # Where there was nothing there is to be nothing, not a JSON null.
    for column in table.columns:
        if values[column.name] is None and column.nullable and isinstance(column.type, JSON):
            values[column.name] = null()
    return values


async def _insert(connection: AsyncConnection, table: Table, page: list[dict[str, Any]]) -> None:
    try:
        for same in _of_one_form(page):
            await connection.execute(table.insert(), same)
    except DBAPIError as error:
        raise TargetError(
            f"a row of {table.name} cannot be restored, so nothing was: {str(error.orig).splitlines()[0]}"
        ) from error


def _of_one_form(page: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows in which the same columns are SQL's NULL of a JSON column: a statement has it in its text."""

    def form(row: dict[str, Any]) -> list[str]:
        return [name for name, value in row.items() if isinstance(value, type(null()))]

    return [list(group) for _, group in groupby(sorted(page, key=form), key=form)]


async def _give_out_further(connection: AsyncConnection, tables: dict[str, Table], sequences: dict[str, int]) -> None:
    """The numbers that the database gives out go on behind those that it ever gave."""
    for name, table in tables.items():
        column = numbered(table)
        if column is None:
            continue
        highest = await connection.scalar(select(func.max(table.c[column]))) or 0
        last = max(int(highest), sequences.get(name, 0))
        if connection.dialect.name == "postgresql":
            place = {"t": f'"{name}"', "c": column}
            sequence = await connection.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), place)
            if sequence and last:
                await connection.execute(text("SELECT setval(:s, :n)"), {"s": sequence, "n": last})
        elif last and "AUTOINCREMENT" in (await connection.scalar(text(_MADE_BY), {"t": name}) or ""):
            await connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :t"), {"t": name})
            await connection.execute(
                text("INSERT INTO sqlite_sequence (seq, name) VALUES (:n, :t)"), {"n": last, "t": name}
            )
