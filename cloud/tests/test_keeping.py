"""Backup and restore: every row comes back, between SQLite and PostgreSQL too, while the cloud writes; and what is damaged is found."""

import asyncio
import gzip
import json
import pathlib
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

import liftwatch
from cloud.audit import service as audit
from cloud.database import Base, make_engine, migrate
from cloud.keeping.archive import Head, Reader, Table, Writer
from cloud.keeping.backup import LEFT_OUT, back_up
from cloud.keeping.errors import ArchiveError, KeepingError, TargetError
from cloud.keeping.restore import restore
from cloud.shell import shell_scope
from cloud.tests.conftest import Server
from cloud.tests.filling import SEEDED, fill

NOW = 1_790_000_000_000


async def filled(engine: AsyncEngine) -> None:
    """Rows in every table, and an entry of the audit log."""
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: fill(sync, Base.metadata.sorted_tables))
    async with AsyncSession(engine) as session:
        await audit.write(session, NOW, shell_scope(), "tried", "x", 名="值")
        await session.commit()


async def everything(engine: AsyncEngine) -> dict[str, list[str]]:
    """All rows of all tables, so that two databases can be compared."""
    out = {}
    async with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in (*LEFT_OUT, *SEEDED):
                rows = await connection.execute(select(table).order_by(*table.primary_key.columns))
                out[table.name] = [str(tuple(row)) for row in rows]
                nulls = [func.count(column) for column in table.columns]
                out[table.name].append(str(tuple((await connection.execute(select(*nulls))).one())))
    return out


@pytest.fixture
async def source(database: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database)
    await filled(engine)
    yield engine
    await engine.dispose()


@pytest.fixture(params=["to sqlite", "to postgresql"])
async def target(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> AsyncIterator[AsyncEngine]:
    server: Server = request.getfixturevalue("postgres")
    to_sqlite = request.param == "to sqlite"
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'target.db'}" if to_sqlite else server.fresh())
    yield engine
    await engine.dispose()


async def test_every_row_of_every_table_comes_back(
    source: AsyncEngine, target: AsyncEngine, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "b.lwb"
    counts, sha256 = await back_up(source, file, NOW, shell_scope())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert all(counts[table.name] for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT)
    reader = Reader(file)
    assert (reader.sha256, reader.counts) == (sha256, counts)
    found = await restore(target, reader, NOW + 1, shell_scope())
    assert found.broken is None and found.number == counts["audit_entry"]
    assert await everything(target) == await everything(source)
    async with AsyncSession(target) as session:
        assert (await audit.verify(session)).broken is None
        assert [entry.action for entry in await audit.newest(session, limit=2)] == [
            "database.restored",
            "database.backed_up",
        ]
        assert await session.scalar(select(func.count()).select_from(Base.metadata.tables["session"])) == 0


async def test_numbers_go_on_behind_the_last_that_was_ever_given(
    source: AsyncEngine, target: AsyncEngine, tmp_path: pathlib.Path
) -> None:
    entry = Base.metadata.tables["channel_entry"]
    row = {"event": "case", "object_id": "c", "lift": "l", "at_ms": 1}
    async with source.begin() as connection:
        if source.dialect.name == "postgresql":
            await connection.execute(text("SELECT setval(pg_get_serial_sequence('channel_entry', 'seq'), 3)"))
        last = (await connection.execute(insert(entry).values(row).returning(entry.c.seq))).scalar_one()
        await connection.execute(entry.delete().where(entry.c.seq == last))
    await back_up(source, tmp_path / "b", NOW, shell_scope())
    await restore(target, Reader(tmp_path / "b"), NOW, shell_scope())
    async with target.begin() as connection:
        assert (await connection.execute(insert(entry).values(row).returning(entry.c.seq))).scalar_one() == last + 1


async def test_a_backup_is_one_moment_while_others_write_and_holds_them_up_no_time(
    database: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lifts and their organisations are always written in pairs: a backup never has one without the other."""
    engine = make_engine(database)
    done = asyncio.Event()
    written = 0

    async def write() -> None:
        nonlocal written
        while not done.is_set():
            written += 1
            async with engine.begin() as connection:
                values = {"id": f"o{written}", "kind": "owner", "name": f"n{written}", "made_at_ms": 0}
                await connection.execute(insert(Base.metadata.tables["organisation"]).values(values))
                lift = {"id": f"l{written}", "gateway": "g", "district": "", "made_at_ms": 0, "owner": f"o{written}"}
                await connection.execute(insert(Base.metadata.tables["lift"]).values(lift))

    writer = asyncio.create_task(write())
    async with asyncio.timeout(10):
        while written < 5:  # noqa: ASYNC110  a count has no event
            await asyncio.sleep(0.01)
    during = written
    await back_up(engine, tmp_path / "b", NOW, shell_scope())
    done.set()
    await writer
    rows: dict[str, set[str]] = {"organisation": set(), "lift": set()}
    for table, row in Reader(tmp_path / "b").rows():
        if table.name in rows:
            rows[table.name].add(row[table.columns.index("id")][1:])
    assert rows["organisation"] == rows["lift"] and len(rows["lift"]) >= during - 1
    assert written >= during
    await engine.dispose()


async def test_nothing_is_restored_over_what_is_there(source: AsyncEngine, tmp_path: pathlib.Path) -> None:
    await back_up(source, tmp_path / "b", NOW, shell_scope())
    before = await everything(source)
    with pytest.raises(TargetError, match="not empty"):
        await restore(source, Reader(tmp_path / "b"), NOW, shell_scope())
    assert await everything(source) == before


async def test_a_restore_that_fails_leaves_nothing_behind(
    sqlite_template: pathlib.Path, target: AsyncEngine, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sqlite_template, tmp_path / "source.db")
    source = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'source.db'}")
    await filled(source)
    await back_up(source, tmp_path / "b", NOW, shell_scope())
    reader = Reader(tmp_path / "b")
    whole = list(reader.rows())
    twice = [entry for entry in whole if entry[0].name == "lift"][:1]
    monkeypatch.setattr(reader, "rows", lambda: iter([*whole, *twice]))
    with pytest.raises(TargetError, match="a row of lift"):
        await restore(target, reader, NOW, shell_scope())
    async with target.connect() as connection:
        found = MetaData()
        await connection.run_sync(found.reflect)
        assert set(found.tables) == set()
    monkeypatch.undo()
    assert (await restore(target, Reader(tmp_path / "b"), NOW, shell_scope())).broken is None
    await source.dispose()


async def test_a_backup_of_an_earlier_revision_is_restored_and_brought_up_to_date(
    target: AsyncEngine, tmp_path: pathlib.Path
) -> None:
    from alembic import command

    from cloud.database import alembic_config

    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0004"))
        await connection.execute(
            text("INSERT INTO lift (id, gateway, district, made_at_ms) VALUES ('l', 'g', '33', 5)")
        )
    await back_up(engine, tmp_path / "b", NOW, shell_scope())
    assert Reader(tmp_path / "b").head.revision == "0004"
    await restore(target, Reader(tmp_path / "b"), NOW, shell_scope())
    async with target.connect() as connection:
        assert (await connection.execute(text("SELECT id, district, name FROM lift"))).all() == [("l", "33", "")]
    await migrate(target)
    await engine.dispose()


# -- the file -----------------------------------------------------------------------------------------------------------

TABLE = Table("t", ("a", "b"), frozenset(("b",)))


def written(path: pathlib.Path, rows: list[list[Any]]) -> pathlib.Path:
    path.unlink(missing_ok=True)
    with Writer(path, Head("0006", NOW, {"t": 9})) as writer:
        writer.table(TABLE)
        for row in rows:
            writer.row(row)
    return path


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(JSONS, st.none() | st.binary(max_size=50)), max_size=5))
def test_what_was_written_is_read(tmp_path: pathlib.Path, rows: list[tuple[Any, bytes | None]]) -> None:
    reader = Reader(written(tmp_path / "b", [list(row) for row in rows]))
    assert reader.head == Head("0006", NOW, {"t": 9})
    assert [tuple(row) for _, row in reader.rows()] == rows


def spoiled(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    def spoil(content: bytes) -> bytes:
        return gzip.compress(b"".join(change(gzip.decompress(content).splitlines(keepends=True))))

    return spoil


def newer(lines: list[bytes]) -> list[bytes]:
    return [json.dumps({**json.loads(lines[0]), "version": 2}).encode() + b"\n", *lines[1:]]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda content: content[: len(content) // 2], "cannot be read|cut off"),
        (lambda content: b"", "cut off"),
        (lambda content: b"no gzip", "cannot be read"),
        (spoiled(lambda lines: lines[:-1]), "cut off"),
        (spoiled(lambda lines: [*lines[:2], b'["other",null]\n', *lines[3:]]), "damaged"),
        (spoiled(lambda lines: [*lines[:2], *lines[3:]]), "damaged"),
        (spoiled(lambda lines: [*lines[:2], lines[2], *lines[2:]]), "damaged"),
        (spoiled(lambda lines: [*lines[:2], b"[\n", *lines[3:]]), "no JSON"),
        (spoiled(lambda lines: [b'{"format": "other"}\n', *lines[1:]]), "no backup of Liftwatch"),
        (spoiled(newer), "version 2"),
    ],
)
def test_a_file_that_is_damaged_is_found_before_anything_is_touched(
    tmp_path: pathlib.Path, spoil: Callable[[bytes], bytes], told: str
) -> None:
    path = written(tmp_path / "b", [["x", None], ["y", b"z"]])
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ArchiveError, match=told):
        Reader(path)


def test_a_backup_that_breaks_off_leaves_no_file_and_none_is_written_over(tmp_path: pathlib.Path) -> None:
    writer = Writer(tmp_path / "b", Head("1", 1, {}))
    writer.table(TABLE)
    with pytest.raises(TypeError), writer:
        writer.row([object(), None])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b").write_text("mine")
    with pytest.raises(KeepingError, match="another name"):
        Writer(tmp_path / "b", Head("1", 1, {}))


def test_the_commands_say_what_they_did_and_what_is_wrong(tmp_path: pathlib.Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(liftwatch.main, ["cloud", *arguments])
        return result.exit_code, result.output

    first, second = (f"sqlite+aiosqlite:///{tmp_path / name}" for name in ("a.db", "b.db"))
    file = str(tmp_path / "b.lwb")
    code, out = run("backup", "--database", first, file)
    assert code == 1 and "there is no cloud in this database" in out
    assert run("admin", "--database", first, "organisation", "owner", "O")[0] == 0
    code, out = run("backup", "--database", first, file)
    assert code == 0 and "sha256" in out
    assert run("backup", "--database", first, file)[0] == 1
    code, out = run("restore", "--database", second, file)
    assert code == 0 and "the audit log is whole" in out
    code, out = run("restore", "--database", second, file)
    assert code == 1 and "not empty" in out
    assert "owner" in run("admin", "--database", second, "list")[1]
