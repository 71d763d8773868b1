"""A life of one store under the recorder: `python -m gateway.tests.power_cuts.load journal FOLDER LIFE`. It ends without closing.

What has been receipted is written to the file `receipts`, so that the record has it in order.
"""

import functools
import json
import os
import pathlib
import queue
import random
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

from gateway import journal as jobs
from gateway.journal import Journal
from gateway.locallog import LocalLog, Stored
from protocols.records import Batch, BatchWriter

INCIDENTS = 30
BATCHES = 320
LIFTS = 8
LOG_BYTES = 90_000
# Pages of WAL until SQLite copies them into the file: several times in each life (1000 by default).
CHECKPOINT_PAGES = 50


@functools.cache
def revision(life: int, number: int, rev: int) -> dict[str, Any]:
    """The event of one revision; its body is so long that a life fills the WAL."""
    chance = random.Random(f"{life} {number} {rev}")
    return {
        "id": f"lift-{life}-{number}", "rev": rev, "lift": "lift", "kind": "button_pressed", "code": 90, "class": "alarm",
        "severity": 4, "phase": "closed" if rev == 2 else "open", "cause": "", "presses": 1, "closed_at_ms": None,
        "snapshot": {"noise": chance.randbytes(chance.randint(10, 1500)).hex()}, "evidence": [],
        "last_known": {}, "last_known_at_ms": None, "attempt": 1,
        "stages": {"onset": 1, "detected": 2, "published": 3}, "received": number, "offset_err_ms": 1,
    }  # fmt: skip


@functools.cache
def batch(life: int, lift: int, number: int) -> Batch:
    """One batch of a lift's log, of any size."""
    writer = BatchWriter(life, number, life, number * 1000, 0)
    chance = random.Random(f"{life} {lift} {number}")
    for record in range(chance.randint(1, 30)):
        writer.add(number * 1000 + record, {"floor": chance.randint(1, 30), "load_permille": chance.randint(0, 999)})
    return Batch(writer.close(), 1)


class Receipts:
    """The file that says what was receipted, a line of JSON each."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._file = os.open(folder / "receipts", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def give(self, *what: Any) -> None:
        os.write(self._file, json.dumps(what).encode() + b"\n")


def journal_life(folder: pathlib.Path, life: int) -> None:
    """Openings, closings and deliveries, some in groups."""
    receipts = Receipts(folder)
    journal = Journal(folder / "journal.db")
    _checkpoint_often(journal._database)
    done: queue.Queue[None] = queue.Queue()

    def run(job: jobs.Job, *what: Any) -> None:
        def then(result: Any, error: Exception | None) -> None:
            if error is None and what:
                receipts.give(*what)
            done.put(None)

        journal.submit(job, then)

    chance = random.Random(life)
    waiting = 0
    for number in range(INCIDENTS):
        name = f"lift-{life}-{number}"
        for rev in (1, 2):
            run(jobs.store_revision(revision(life, number, rev)), "revision", life, number, rev)
            run(jobs.store_delivery(name, rev, "city", 1, 2, 1, "receipted", "ok"), "delivery", name, rev)
            waiting += 2
        if chance.random() < 0.6:  # otherwise the next one joins the group
            for _ in range(waiting):
                done.get(timeout=20)
            waiting = 0
    for _ in range(waiting):
        done.get(timeout=20)


def log_life(folder: pathlib.Path, life: int) -> None:
    """Batches of several lifts, gaps among them, until the oldest go; a cursor that follows."""
    receipts = Receipts(folder)
    done: queue.Queue[None] = queue.Queue()

    def then(entries: list[Stored], ok: bool) -> None:
        for entry in entries:
            if ok:
                receipts.give("batch", life, int(entry.lift[5:]), entry.batch.number)
            done.put(None)

    log = LocalLog(folder / "log.db", LOG_BYTES, then)
    _checkpoint_often(log._database)
    reader = log.reader()
    row = reader.cursor("copy")
    chance = random.Random(life)
    waiting = 0
    for number in range(1, BATCHES // LIFTS + 1):
        for lift in range(LIFTS):
            found = batch(life, lift, number)
            log.put(Stored(f"lift-{lift}", found, 1_000_000, 2_000_000, [], 1, True))
            waiting += 1
        if chance.random() < 0.6:
            for _ in range(waiting):
                done.get(timeout=20)
            waiting = 0
        if number % 10 == 0:
            row, _ = reader.after(row, 40)
            reader.settle("copy", row, [])
            receipts.give("cursor", row)
    for _ in range(waiting):
        done.get(timeout=20)


def _checkpoint_often(database: sqlite3.Connection | None) -> None:
    assert database is not None
    database.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


def open_journal(folder: pathlib.Path, life: int) -> None:
    """A start on what is there; a damaged file is put aside and taken over."""
    Journal(folder / "journal.db")


def open_log(folder: pathlib.Path, life: int) -> None:
    """As open_journal."""
    log = LocalLog(folder / "log.db", LOG_BYTES, lambda entries, ok: None)
    while log.rescuing:
        time.sleep(0.01)


LIVES: dict[str, Callable[[pathlib.Path, int], None]] = {
    "journal": journal_life,
    "log": log_life,
    "open_journal": open_journal,
    "open_log": open_log,
}

if __name__ == "__main__":
    LIVES[sys.argv[1]](pathlib.Path(sys.argv[2]), int(sys.argv[3]))
    # Without closing: the next life finds what a kill leaves.
    os._exit(0)
