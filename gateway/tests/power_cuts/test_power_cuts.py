"""Power cuts at any step of journal and local log: each image that the disk may hold opens, and lacks nothing that was receipted."""

import contextlib
import json
import logging
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway import journal as jobs
from gateway.journal import Journal
from gateway.locallog import LocalLog
from gateway.tests.power_cuts import load
from gateway.tests.power_cuts.images import Disk, Step, read
from gateway.tests.test_stores import ask

_log = logging.getLogger(__name__)

# Images of each store in ordinary life, about; the long form: LIFTWATCH_POWER_CUTS=5000.
IMAGES = int(os.environ.get("LIFTWATCH_POWER_CUTS", "400"))
LIVES = 3 + IMAGES // 1000
# Where all has just been synced there is one image only: so often another is drawn before a step is given up.
DRAWS = 10
HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the recorder needs Linux and a C compiler named cc")
    library = tmp_path_factory.mktemp("recorder") / "recorder.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, HERE / "recorder.c", "-ldl", "-lpthread"],
        check=True,
    )  # fmt: skip
    return library


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    """In memory where there is such a folder: thousands of stores are synced."""
    memory = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield pathlib.Path(name)


def recorded(recorder: pathlib.Path, folder: pathlib.Path, store: str, lives: int) -> list[Step]:
    """The steps of some lives of `store`, each ended without closing."""
    root, record = folder / "root", folder / "record"
    root.mkdir(exist_ok=True)
    env = {**os.environ, "RECORD_ROOT": str(root), "RECORD_LOG": str(record), "LD_PRELOAD": str(recorder)}
    for life in range(1, lives + 1):
        command = [sys.executable, "-m", "gateway.tests.power_cuts.load", store, str(root), str(life)]
        subprocess.run(command, env=env, check=True, timeout=120, cwd=HERE.parents[2], capture_output=True)
    return [step for step in read(record, root) if not step.name.endswith("-shm")]


@dataclass
class Cut:
    """One image and what had been receipted before it."""

    at: int
    files: dict[str, bytes]
    receipts: list[list[Any]] = field(default_factory=list)


def cuts(steps: list[Step], before: dict[str, bytes], count: int, seed: int) -> Iterator[Cut]:
    """`count` different images, in the order of their steps."""
    chance = random.Random(seed)
    seen: set[int] = set()
    disk, receipts = Disk(before), bytearray()
    # Most steps are writes; what is near a sync, a rename or a truncation matters as much.
    rare = [at for at, step in enumerate(steps) if step.kind != "W"]
    points = sorted(
        chance.choice(rare) + chance.choice((0, 1)) if chance.random() < 0.3 else chance.randint(0, len(steps))
        for _ in range(count * 5 // 4)
    )
    at = 0
    for point in points:
        for step in steps[at:point]:
            disk.follow(step)
            if step.name == "receipts" and step.kind == "W":
                receipts += step.data
        at = point
        given = [json.loads(line) for line in bytes(receipts).splitlines()]
        for _ in range(DRAWS):
            image = {name: content for name, content in disk.cut(chance).items() if name != "receipts"}
            key = hash((len(given), *sorted(image.items())))
            if key not in seen:
                seen.add(key)
                yield Cut(at, image, given)
                break


@contextlib.contextmanager
def laid_out(cut: Cut, folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """The image on a disk."""
    place = folder / "image"
    place.mkdir()
    for name, content in cut.files.items():
        (place / name).write_bytes(content)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def run(name: str, steps: list[Step], before: dict[str, bytes], count: int, folder: pathlib.Path,
        check: Callable[[pathlib.Path, Cut], None]) -> int:  # fmt: skip
    """`check` each image; how many there were. A failing one is kept with its step."""
    done = 0
    for cut in cuts(steps, before, count, 1):
        with laid_out(cut, folder) as place:
            try:
                check(place, cut)
            except BaseException as error:
                kept = pathlib.Path(tempfile.mkdtemp(prefix=f"liftwatch-{name}-"))
                for file, content in cut.files.items():
                    (kept / file).write_bytes(content)
                error.add_note(f"image {done} of {name}, cut after step {cut.at} of {len(steps)}, kept in {kept}")
                raise
        done += 1
    return done


# -- journal ------------------------------------------------------------------------------------------------------


def in_journal(journal: Journal) -> tuple[dict[tuple[str, int], str], set[tuple[str, int]]]:
    """({(id, rev): body}, {(id, rev) whose delivery is booked})."""
    revisions = ask(journal, lambda database: database.execute("SELECT id, rev, body FROM revision").fetchall())
    deliveries = ask(journal, lambda database: database.execute("SELECT id, rev FROM delivery").fetchall())
    return {(name, rev): body for name, rev, body in revisions}, set(deliveries)


def check_journal(place: pathlib.Path, cut: Cut) -> None:
    journal = Journal(place / "journal.db")
    try:
        assert journal.file.replaced is None, journal.file.replaced
        bodies, booked = in_journal(journal)
        for kind, *what in cut.receipts:
            if kind == "revision":
                wanted = load.revision(*what)
                assert json.loads(bodies[(wanted["id"], wanted["rev"])]) == wanted
            else:
                assert tuple(what) in booked
        new = load.revision(99, 1, 1)
        ask(journal, jobs.store_revision(new))
        assert set(in_journal(journal)[0]) == {*bodies, (new["id"], 1)}
    finally:
        journal.close()


def test_a_journal_opens_after_a_power_cut_at_any_step_with_all_that_was_receipted(
    recorder: pathlib.Path, folder: pathlib.Path
) -> None:
    steps = recorded(recorder, folder, "journal", LIVES)
    done = run("journal", steps, {}, IMAGES, folder, check_journal)
    _log.info("journal: %d images of %d steps", done, len(steps))
    assert done > IMAGES * 0.9


# -- local log ----------------------------------------------------------------------------------------------------


def check_log(place: pathlib.Path, cut: Cut) -> None:
    log = LocalLog(place / "log.db", load.LOG_BYTES, lambda entries, ok: None)
    try:
        assert log.file.replaced is None, log.file.replaced
        with contextlib.closing(log.reader()) as reader:
            points = reader.after(0, 100_000)[1]
            cursor = reader.cursor("copy")
        assert log.damaged == 0
        positions = log.positions()
        with contextlib.closing(log.file.connect()) as database:
            rows = database.execute("SELECT row, lift, life, number, body FROM batch ORDER BY row").fetchall()
        # Only the oldest may be gone, and only for want of room.
        assert [row for row, *_ in rows] == list(range(log.newest_row - len(rows) + 1, log.newest_row + 1))
        assert len(rows) == log.newest_row or log.used_bytes() > load.LOG_BYTES // 2
        for _, lift, life, number, body in rows:
            assert body == load.batch(life, int(lift[5:]), number).body
        assert len(points) == sum(load.batch(life, int(lift[5:]), number).count for _, lift, life, number, _ in rows)
        held = {(lift, life, number) for _, lift, life, number, _ in rows}
        for kind, *what in cut.receipts:
            if kind == "cursor":
                assert cursor >= what[0]
                continue
            life, lift, number = what
            assert positions[f"lift-{lift}"] >= (life, number)
        for lift, (life, number) in positions.items():
            mine = sorted(n for name, of, n in held if (name, of) == (lift, life))
            assert mine == list(range(number - len(mine) + 1, number + 1))
    finally:
        log.close()


def test_a_local_log_opens_after_a_power_cut_at_any_step_with_all_that_was_receipted(
    recorder: pathlib.Path, folder: pathlib.Path
) -> None:
    steps = recorded(recorder, folder, "log", LIVES)
    done = run("log", steps, {}, IMAGES, folder, check_log)
    _log.info("log: %d images of %d steps", done, len(steps))
    assert done > IMAGES * 0.9


# -- cut while a damaged store is put aside and taken over --------------------------------------------------------


def damaged(recorder: pathlib.Path, folder: pathlib.Path, store: str) -> dict[str, bytes]:
    """The files of a store with one page of zeros, as a life leaves them."""
    recorded(recorder, folder, store, 1)
    (folder / "record").unlink()
    path = folder / "root" / f"{store}.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    for page in range(len(content) // 2 // 4096, len(content) // 4096):
        # A page that is in use: what lies in a free one is no damage.
        path.write_bytes(content[: page * 4096] + bytes(4096) + content[(page + 1) * 4096 :])
        with contextlib.closing(sqlite3.connect(path)) as database:
            if database.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                break
    (folder / "root" / f"{store}.db-shm").unlink(missing_ok=True)
    return {path.name: path.read_bytes() for path in (folder / "root").iterdir() if path.name != "receipts"}


def test_a_power_cut_while_a_damaged_journal_is_taken_over_loses_nothing_of_it(
    recorder: pathlib.Path, folder: pathlib.Path
) -> None:
    before = damaged(recorder, folder, "journal")
    steps = recorded(recorder, folder, "open_journal", 1)
    counts = []

    def check(place: pathlib.Path, cut: Cut) -> None:
        journal = Journal(place / "journal.db")
        try:
            counts.append(len(in_journal(journal)[0]))
            assert counts[-1] == counts[0] >= load.INCIDENTS * 3 // 2
        finally:
            journal.close()

    assert run("damaged journal", steps, before, IMAGES // 10, folder, check) >= IMAGES // 20


def test_a_power_cut_while_a_damaged_log_is_taken_over_loses_nothing_of_it(
    recorder: pathlib.Path, folder: pathlib.Path
) -> None:
    before = damaged(recorder, folder, "log")
    steps = recorded(recorder, folder, "open_log", 1)
    counts = []

    def check(place: pathlib.Path, cut: Cut) -> None:
        log = LocalLog(place / "log.db", load.LOG_BYTES, lambda entries, ok: None)
        try:
            while log.rescuing:
                time.sleep(0.001)
            with contextlib.closing(log.file.connect()) as database:
                counts.append(database.execute("SELECT count(*) FROM batch").fetchone()[0])
            assert counts[-1] == counts[0] >= load.BATCHES // 2
        finally:
            log.close()

    assert run("damaged log", steps, before, IMAGES // 10, folder, check) >= IMAGES // 20
