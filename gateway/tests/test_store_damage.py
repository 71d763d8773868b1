"""Damaged files of journal and local log: put aside, a fresh one starts, what is whole is taken over, nothing wrong is told."""

import asyncio
import contextlib
import json
import os
import pathlib
import queue
import random
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from gateway import journal as jobs
from gateway import store_file
from gateway.journal import Journal
from gateway.locallog import LocalLog, Stored
from gateway.log_reader import Point
from gateway.tests.alone import Gateway
from gateway.tests.test_stores import ask, batch, event, stored

EVENTS = 150
BATCHES = 400
# Single bits flipped per store; the long form: LIFTWATCH_FLIPS=2000.
FLIPPED = int(os.environ.get("LIFTWATCH_FLIPS", "25"))
PAGE = 4096
Damage = Callable[[bytearray], bytearray]


def truncated(to: float) -> Damage:
    return lambda file: file[: int(len(file) * to)]


def zeroed(at: float, count: int) -> Damage:
    def damage(file: bytearray) -> bytearray:
        begin = int(len(file) * at) // PAGE * PAGE
        file[begin : begin + count] = bytes(min(count, len(file) - begin))
        return file

    return damage


def flipped(seed: int, count: int = 1) -> Damage:
    def damage(file: bytearray) -> bytearray:
        chance = random.Random(seed)
        for _ in range(count):
            file[chance.randrange(len(file))] ^= 1 << chance.randrange(8)
        return file

    return damage


CASES = {
    "cut to nothing": truncated(0), "cut to a byte": truncated(0.00001), "cut in a page": truncated(0.507),
    "last tenth cut": truncated(0.9), "all zero": zeroed(0, 1 << 30), "head zero": zeroed(0, 100),
    "first page zero": zeroed(0, PAGE), "a page zero": zeroed(0.4, PAGE), "second half zero": zeroed(0.5, 1 << 30),
    "many bits": flipped(1, 1000),
}  # fmt: skip
FLIPS = {f"bit {seed}": flipped(seed) for seed in range(FLIPPED)}
ONE_PAGE = ("head zero", "first page zero", "a page zero")


@pytest.fixture(scope="module")
def journal_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    journal = Journal(path)
    for number in range(EVENTS):
        ask(journal, jobs.store_revision(event(f"lift-1-1-{number}")))
        ask(journal, jobs.store_delivery(f"lift-1-1-{number}", 1, "city", 5, 6, 1, "receipted", "ok"))
    journal.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def log_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("log") / "log.db"
    log = LocalLog(path, 10_000_000, lambda entries, ok: None)
    for number in range(1, BATCHES + 1):
        log.put(stored(number))
    log.close()
    return path.read_bytes()


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file is not read whole before the work begins, but beside it."""
    if request.param == "large":
        monkeypatch.setattr(store_file, "CHECKED_BYTES", 0)


def journal_rows(journal: Journal) -> dict[str, tuple[str, str | None]]:
    """{id: (body, state at the city)}, read with the journal's own connection."""
    rows = ask(journal, lambda database: database.execute(
        "SELECT r.id, r.body, d.state FROM revision r LEFT JOIN delivery d ON d.id = r.id AND d.rev = r.rev"
    ).fetchall())  # fmt: skip
    return {name: (body, state) for name, body, state in rows}


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("case", CASES | FLIPS)
def test_a_damaged_journal_starts_anew_with_all_that_is_whole(
    case: str, journal_bytes: bytes, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes((CASES | FLIPS)[case](bytearray(journal_bytes)))
    journal = Journal(path)
    assert journal.file.checked.wait(10)
    held = journal_rows(journal)
    whole = {f"lift-1-1-{number}" for number in range(EVENTS)}
    for name, (body, state) in held.items():
        assert name in whole and json.loads(body) == event(name) and state in {"receipted", None}
    if len(held) < EVENTS or any(state is None for _, state in held.values()):
        assert journal.file.replaced is not None and journal.file.replaced.kept.exists()
    if case in FLIPS or case in ONE_PAGE:
        # Of one damaged page only its own rows are lost: a page has at most ten of these, and an inner one ends both walks.
        assert len(held) >= EVENTS - 30, len(held)
    ask(journal, jobs.store_revision(event("lift-1-2-1")))
    journal.close()
    journal = Journal(path)
    assert journal.file.replaced is None and set(journal_rows(journal)) == {*held, "lift-1-2-1"}
    shown, _ = ask(journal, jobs.behind_cloud([], {}, "", 1000))
    assert {entry["id"] for entry in shown} == {*held, "lift-1-2-1"}
    journal.close()


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("case", CASES | FLIPS)
def test_a_damaged_log_starts_anew_and_every_batch_is_held_booked_or_asked_for_again(
    case: str, log_bytes: bytes, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "log.db"
    path.write_bytes((CASES | FLIPS)[case](bytearray(log_bytes)))
    log = LocalLog(path, 10_000_000, lambda entries, ok: None)
    try:
        read(log)
        log.close()
        log = LocalLog(path, 10_000_000, lambda entries, ok: None)
        held = read(log)
        for number, (t_ms, floor) in held.items():
            assert t_ms == 1_000_000 + number * 1000 and floor == 1
        booked = gaps(log)
        assert not booked & set(held)
        life, up_to = log.positions().get("lift-1", (1, 0))
        assert life == 1 and set(range(1, up_to + 1)) <= booked | set(held)
        if case in FLIPS or case in ONE_PAGE:
            # A page holds some eighty of these rows.
            assert len(held) >= BATCHES - 100, len(held)
    finally:
        log.close()


def read(log: LocalLog) -> dict[int, tuple[int, int]]:
    """{number: (t_ms, floor)} once the log is at rest: taken over, and each damaged row booked."""
    reader = log.reader()
    while True:
        try:
            while log.rescuing or log.depth():
                pass
            row, seen = 0, log.damaged
            points: list[Point] = []
            while (found := reader.after(row, 100))[0] != row:
                row, points = found[0], points + found[1]
            rest(log)
            if log.damaged == seen and not log.rescuing:
                return {
                    point.t_ms // 1000 - 1000: (point.t_ms, point.changes["floor"])
                    for point in points
                    if point.lift == "lift-1"
                }
        except sqlite3.DatabaseError:
            rest(log)
        finally:
            reader.close()


def rest(log: LocalLog) -> None:
    """Wait until the log's thread has done all that it was told."""
    told: queue.Queue[bool] = queue.Queue()
    then, log._then = log._then, lambda entries, ok: told.put(ok)
    log.put(Stored("lift-2", batch(1), 0, 0, [], 1, True))
    told.get(timeout=10)
    log._then = then


def gaps(log: LocalLog) -> set[int]:
    with log.file.connect() as database:
        rows = database.execute("SELECT first, last FROM gap WHERE life = 1").fetchall()
    return {number for first, last in rows for number in range(first, (last or BATCHES) + 1)}


# -- a whole gateway ----------------------------------------------------------------------------------------------


async def test_damage_met_at_work_is_told_and_the_nodes_send_again(tmp_path: pathlib.Path) -> None:
    async with Gateway(tmp_path) as gateway:
        for number in range(1, 40):
            await gateway.message(number)
            await gateway.batch(number)
        await gateway.until(lambda: gateway.service.log.positions().get("lift-1") == (1, 39))
        await gateway.until(lambda: len(gateway.receipted()) == 39)
        identity = gateway.acks[-1]["gw"]
        for name in ("journal.db", "log.db"):
            # The pages are read from the file again only when none of them is in memory: as after a start, or under pressure.
            with contextlib.closing(sqlite3.connect(tmp_path / name)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            file = tmp_path / name
            file.write_bytes(file.read_bytes()[:PAGE] + bytes(file.stat().st_size - PAGE))
        for store in (gateway.service.journal, gateway.service.log):
            assert store._database is not None
            store._database.execute("PRAGMA shrink_memory")
        gateway.acks.clear()
        await gateway.message(40)
        await gateway.batch(40)
        await gateway.until(lambda: "lift-1-1-40" in gateway.receipted())
        await gateway.until(lambda: any(ack["log"] == [0, 0] and ack["gw"] != identity for ack in gateway.acks))
        # The node sends from its oldest on, and the event that it holds.
        for number in range(1, 41):
            await gateway.batch(number)
        await gateway.message(7)
        await gateway.until(lambda: gateway.service.log.positions().get("lift-1") == (1, 40))
        await gateway.until(lambda: "lift-1-1-7" in gateway.receipted())
        await gateway.until(lambda: len(gateway.service.stores.put_aside()) == 2)
        told: dict[str, Any] = {}
        while len(told) < 2:
            told = {
                name: entry for name, entry in (await gateway.incidents()).items() if entry["kind"] == "store_damaged"
            }
            await asyncio.sleep(0.01)
        assert {entry["snapshot"]["store"] for entry in told.values()} == {"journal", "log"}
        assert {(entry["lift"], entry["phase"], entry["severity"]) for entry in told.values()} == {("g", "open", 2)}


async def test_a_damaged_file_that_was_seen_to_closes_its_incident(
    tmp_path: pathlib.Path, journal_bytes: bytes
) -> None:
    (tmp_path / "journal.db").write_bytes(CASES["a page zero"](bytearray(journal_bytes)))
    async with Gateway(tmp_path) as gateway:
        kept = gateway.service.stores.put_aside()
        assert [path.name.startswith("journal.db.damaged-") for path, _ in kept] == [True]
        for path, phase, revisions in ((None, "open", 1), (None, "open", 1), (kept[0][0], "closed", 2)):
            if path is not None:
                path.unlink()
            await gateway.service._watch.tell()
            (told,) = [entry for entry in (await gateway.incidents()).values() if entry["kind"] == "store_damaged"]
            assert (told["phase"], len(told["revisions"])) == (phase, revisions)
        assert "kept" in told["snapshot"]
        assert len(await gateway.incidents()) > EVENTS - 30
