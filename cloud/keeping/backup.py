"""Makes a backup while the cloud runs: one consistent moment of all tables, read in a transaction that blocks no writer."""

import pathlib
from collections.abc import Callable

from sqlalchemy import Connection, LargeBinary, MetaData, Table, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.keeping.archive import Head, Writer
from cloud.keeping.archive import Table as Shape
from cloud.keeping.errors import TargetError

VERSIONS = "alembic_version"
# Rows at a time, and of a table that holds bytes: a photo has up to 4 MB.
PAGE, PAGE_OF_BYTES = 500, 4
# Never kept: whoever was signed in signs in again, and a sign-in that was half done begins anew.
LEFT_OUT = frozenset((VERSIONS, "session", "one_time_link", "ceremony"))


async def back_up(
    engine: AsyncEngine, path: pathlib.Path, now_ms: int, who: Scope, progress: Callable[[str], None] = lambda _: None
) -> tuple[dict[str, int], str]:
    """Write all that is to be kept into `path`; (rows by table, SHA-256). That it was made is in the audit log, and so in the backup."""
    async with engine.connect() as connection:
        await revision_of(connection)
    await _note(engine, now_ms, who, path)
    async with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execution_options(isolation_level="REPEATABLE READ")
            await connection.execute(text("SET TRANSACTION READ ONLY"))
        else:
            # The driver begins none for a SELECT; in WAL the first read fixes what is seen.
            await connection.exec_driver_sql("BEGIN")
        tables = await connection.run_sync(reflected)
        head = Head(await revision_of(connection), now_ms, await sequences_of(connection, tables))
        with Writer(path, head) as writer:
            for table in tables:
                if table.name not in LEFT_OUT:
                    await _copy(connection, table, writer)
                    progress(f"{table.name}: {writer.counts[table.name]}")
        await connection.rollback()
        return writer.counts, writer.sha256


async def _note(engine: AsyncEngine, now_ms: int, who: Scope, path: pathlib.Path) -> None:
    async with AsyncSession(engine) as session:
        await audit.write(session, now_ms, who, "database.backed_up", "database", file=path.name)
        await session.commit()


def reflected(connection: Connection) -> list[Table]:
    """The tables as they are in the database, each behind those that it refers to. Models may be of another revision."""
    found = MetaData()
    found.reflect(connection)
    return found.sorted_tables


async def revision_of(connection: AsyncConnection) -> str:
    """The revision of the schema; TargetError where it is no database of ours."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(VERSIONS)):
        raise TargetError("there is no cloud in this database; say its URL with --database")
    return str((await connection.execute(text(f"SELECT version_num FROM {VERSIONS}"))).scalar_one())  # noqa: S608  our own name


def numbered(table: Table) -> str | None:
    """The column of a table whose numbers the database gives out, None if there is none such."""
    column = table.autoincrement_column
    return None if column is None or column.foreign_keys else column.name


async def sequences_of(connection: AsyncConnection, tables: list[Table]) -> dict[str, int]:
    """The last number that was given out in each table that has such: none of them may come again, also of rows that are gone."""
    if connection.dialect.name == "sqlite":
        known = await connection.run_sync(lambda sync: inspect(sync).has_table("sqlite_sequence"))
        if not known:
            return {}
        return {
            str(name): int(last)
            for name, last in await connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        }
    out = {}
    for table in tables:
        name = numbered(table)
        sequence = name and await connection.scalar(
            text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": f'"{table.name}"', "c": name}
        )
        if sequence:
            query = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")  # noqa: S608  the database's own name
            out[table.name] = int(await connection.scalar(query) or 0)
    return out


async def _copy(connection: AsyncConnection, table: Table, writer: Writer) -> None:
    binary = frozenset(column.name for column in table.columns if isinstance(column.type, LargeBinary))
    writer.table(Shape(table.name, tuple(column.name for column in table.columns), binary))
    rows = await connection.stream(
        select(table).order_by(*table.primary_key.columns),
        execution_options={"yield_per": PAGE_OF_BYTES if binary else PAGE},
    )
    async for row in rows:
        writer.row(list(row))
