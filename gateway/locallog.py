"""The local log: history as it came, in numbered batches, bounded in bytes, receipted only after its sync. SQLite, one thread.

Batches are kept as received (checksummed bodies); InfluxDB is a cursor on their row numbers, the API reads them directly.
"""

import logging
import pathlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols.delivery.gateway import Gap
from protocols.errors import DecodeError
from protocols.fields import BY_NAME
from protocols.records import Batch

_log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
  row INTEGER PRIMARY KEY AUTOINCREMENT, lift TEXT NOT NULL, life INTEGER NOT NULL, number INTEGER NOT NULL,
  first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, offset_ms INTEGER NOT NULL, body BLOB NOT NULL,
  UNIQUE (lift, life, number));
CREATE INDEX IF NOT EXISTS batch_time ON batch (lift, first_ms);
CREATE TABLE IF NOT EXISTS gap (
  lift TEXT NOT NULL, life INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER, reason TEXT NOT NULL,
  booked_ms INTEGER NOT NULL, PRIMARY KEY (lift, life, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine (
  at_ms INTEGER NOT NULL, lift TEXT NOT NULL, reason TEXT NOT NULL, line TEXT NOT NULL);
"""
MAX_QUEUE = 5000
GROUP = 300
QUARANTINE_ROWS = 1000
# A batch spans at most the flush period of a metered link; looking so far back finds the one that runs into the window.
LOOK_BACK_MS = 3_600_000


@dataclass
class Stored:
    """One batch for the store; `offset_ms` maps its uptimes to the gateway's time."""

    lift: str
    batch: Batch
    offset_ms: int
    last_ms: int
    gaps: list[Gap]
    now_ms: int
    is_new: bool


class LocalLog:
    """`put` batches; `then(entries, ok)` is called in the log's thread once they are synced, or refused."""

    def __init__(self, path: pathlib.Path, max_bytes: int, then: Callable[[list[Stored], bool], None]) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._then = then
        self._queue: queue.Queue[Stored | None] = queue.Queue(MAX_QUEUE)
        self.dropped_bytes = 0
        self.batches = 0
        self.gaps = 0
        self.newest_row = 0
        self._database = self._open()
        self._bytes = self._database.execute("SELECT coalesce(sum(length(body)), 0) FROM batch").fetchone()[0]
        self.newest_row = self._database.execute("SELECT coalesce(max(row), 0) FROM batch").fetchone()[0]
        self._thread = threading.Thread(target=self._run, name="locallog", daemon=True)
        self._thread.start()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(SCHEMA)
        return database

    def positions(self) -> dict[str, tuple[int, int]]:
        """{lift: (life, last number stored or booked)} for the intake of a gateway that starts."""
        out: dict[str, tuple[int, int]] = {}
        rows = self._database.execute(
            "SELECT lift, life, max(number) FROM (SELECT lift, life, number FROM batch UNION ALL "
            "SELECT lift, life, last FROM gap WHERE last IS NOT NULL) GROUP BY lift, life"
        )
        for lift, life, number in rows:
            out[lift] = max(out.get(lift, (0, 0)), (life, number))
        return out

    def put(self, entry: Stored) -> bool:
        """Queue a batch and its gaps; False if the queue is full: the node will send it again."""
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            return False
        return True

    def depth(self) -> int:
        """Batches waiting."""
        return self._queue.qsize()

    def used_bytes(self) -> int:
        """Bytes of the bodies held."""
        return int(self._bytes)

    def close(self) -> None:
        """Store what is queued and stop."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        running = True
        while running:
            group = [self._queue.get()]
            while len(group) < GROUP:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            running = None not in group
            entries = [entry for entry in group if entry is not None]
            try:
                self._store(entries)
                self._then(entries, True)
            except sqlite3.Error as error:
                _log.error("local log: %s; %d batches not stored", error, len(entries))
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                self._then(entries, False)
            except Exception:  # a callback must not stop the store
                _log.exception("local log: a callback failed")

    def _store(self, entries: list[Stored]) -> None:
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        added = 0
        for entry in entries:
            for gap in entry.gaps:
                database.execute(
                    "INSERT OR REPLACE INTO gap VALUES (?,?,?,?,?,?)",
                    (entry.lift, gap.life, gap.first, gap.last, gap.reason, entry.now_ms),
                )
                self.gaps += 1
            if entry.is_new:
                batch = entry.batch
                database.execute(
                    "INSERT OR IGNORE INTO batch (lift, life, number, first_ms, last_ms, offset_ms, body) VALUES (?,?,?,?,?,?,?)",
                    (entry.lift, batch.life, batch.number, batch.up_ms + entry.offset_ms, entry.last_ms, entry.offset_ms,
                     batch.body),
                )  # fmt: skip
                added += len(batch.body)
                self.batches += 1
        self._drop(database, added)
        newest = database.execute("SELECT coalesce(max(row), 0) FROM batch").fetchone()[0]
        database.execute("COMMIT")
        self._bytes += added
        self.newest_row = newest

    def _drop(self, database: sqlite3.Connection, added: int) -> None:
        """Oldest history goes first, a thousand batches at a time."""
        while self._bytes + added > self._max_bytes:
            row, size = database.execute(
                "SELECT max(row), sum(length(body)) FROM (SELECT row, body FROM batch ORDER BY row LIMIT 1000)"
            ).fetchone()
            if row is None:
                return
            database.execute("DELETE FROM batch WHERE row <= ?", (row,))
            self._bytes -= size
            self.dropped_bytes += size

    # -- readers: each on a connection of its own -----------------------------------------------------------------

    def reader(self) -> "Reader":
        """A connection for one reading thread."""
        return Reader(self._open())


@dataclass
class Point:
    """One change record of one lift at unix ms."""

    row: int
    lift: str
    t_ms: int
    changes: dict[str, Any]


@dataclass
class Quarantined:
    """A point that a store refused: when (unix ms), of which lift, why, and as it was sent."""

    at_ms: int
    lift: str
    reason: str
    line: str


class Reader:
    """Reads the log, and keeps the cursors of those who copy it elsewhere."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def cursor(self, name: str) -> int:
        """The last row that `name` has copied."""
        row = self._database.execute("SELECT row FROM cursor WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def settle(self, name: str, row: int, refused: list[Quarantined]) -> None:
        """`name` has a receipt for everything up to `row` but `refused`, which is kept where a person can see it. All or nothing."""
        kept = refused[-QUARANTINE_ROWS:]
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.execute("INSERT OR REPLACE INTO cursor VALUES (?,?)", (name, row))
            if kept:
                rows = [(entry.at_ms, entry.lift, entry.reason[:300], entry.line[:2000]) for entry in kept]
                self._database.executemany("INSERT INTO quarantine VALUES (?,?,?,?)", rows)
                oldest = "SELECT max(rowid) FROM quarantine"
                self._database.execute(f"DELETE FROM quarantine WHERE rowid <= ({oldest}) - ?", (QUARANTINE_ROWS,))  # noqa: S608
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def counted(self, after: int, to: int) -> int:
        """How many batches are held behind row `after`, up to row `to`."""
        found = self._database.execute("SELECT count(*) FROM batch WHERE row > ? AND row <= ?", (after, to))
        return int(found.fetchone()[0])

    def quarantined(self, limit: int) -> list[dict[str, Any]]:
        """The newest `limit` points that a store refused: {at_ms, lift, reason, line}."""
        rows = self._database.execute(
            "SELECT at_ms, lift, reason, line FROM quarantine ORDER BY rowid DESC LIMIT ?", (limit,)
        )
        return [{"at_ms": at_ms, "lift": lift, "reason": reason, "line": line} for at_ms, lift, reason, line in rows]

    def after(self, row: int, limit: int) -> tuple[int, list[Point]]:
        """(last row read, its points in order) of at most `limit` batches behind `row`."""
        points: list[Point] = []
        last = row
        rows = self._database.execute(
            "SELECT row, lift, offset_ms, body FROM batch WHERE row > ? ORDER BY row LIMIT ?", (row, limit)
        )
        for number, lift, offset_ms, body in rows:
            last = number
            points += _points(number, lift, offset_ms, body)
        return last, points

    def history(self, lift: str, from_ms: int, to_ms: int, fields: list[str], limit: int) -> dict[str, Any]:
        """Series of `fields` of one lift: {name: [[t_ms, value or None], …]}, gaps, truncated. SI as in the field table."""
        series: dict[str, list[list[Any]]] = {name: [] for name in fields}
        count = 0
        truncated = False
        rows = self._database.execute(
            "SELECT row, lift, offset_ms, body FROM batch WHERE lift = ? AND first_ms BETWEEN ? AND ? AND last_ms >= ? "
            "ORDER BY first_ms, row",
            (lift, from_ms - LOOK_BACK_MS, to_ms, from_ms),
        )
        for number, name, offset_ms, body in rows:
            for point in _points(number, name, offset_ms, body):
                if not from_ms <= point.t_ms <= to_ms:
                    continue
                for field_name, value in point.changes.items():
                    if field_name in series and count < limit:
                        series[field_name].append([point.t_ms, value])
                        count += 1
                    elif field_name in series:
                        truncated = True
        gaps = [
            {"life": life, "first": first, "last": last, "reason": reason, "booked_ms": booked}
            for life, first, last, reason, booked in self._database.execute(
                "SELECT life, first, last, reason, booked_ms FROM gap WHERE lift = ? ORDER BY life, first", (lift,)
            )
        ]
        return {"fields": series, "gaps": gaps, "truncated": truncated}


def _points(row: int, lift: str, offset_ms: int, body: bytes) -> list[Point]:
    try:
        records = Batch(body, 1).records()
    except DecodeError as error:
        _log.error("local log: row %d of %s: %s; left out", row, lift, error)
        return []
    return [Point(row, lift, up_ms + offset_ms, changes) for up_ms, changes in records]


def known_fields(names: list[str]) -> list[str]:
    """Those of `names` that are fields, all fields if there are none."""
    return [name for name in names if name in BY_NAME] or sorted(BY_NAME)
