"""What health keeps on disk: each lift's days, baseline and course, and how far the log was followed, in one SQLite file.

All of it goes in by one transaction, so that a course is never ahead of the cursor or behind it. Rows carry checksums; what is lost is made
again from the local log, as far as that goes back.
"""

import contextlib
import logging
import pathlib
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gateway.health.day import Day
from gateway.health.report import Baseline
from gateway.store_file import StoreFile, is_damage, read_damaged, transaction

_log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE day (lift TEXT NOT NULL, date INTEGER NOT NULL, body BLOB NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (lift, date)) WITHOUT ROWID;
CREATE TABLE baseline (lift TEXT PRIMARY KEY, body BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE course (lift TEXT PRIMARY KEY, body BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cursor (name TEXT PRIMARY KEY, row INTEGER NOT NULL, form INTEGER NOT NULL) WITHOUT ROWID;
"""
# Of the tables: a file with another one is none of ours.
FILE_FORM = 1
# Of a course: with another one they are all made anew from the log.
FORM = 1
KEY = "health"

_DAY = msgspec.msgpack.Decoder(Day)
_BASELINE = msgspec.msgpack.Decoder(Baseline)


def _sum(lift: str, date: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(f"{lift},{date}".encode(errors="surrogateescape")))


class Snapshot(msgspec.Struct):
    """What is saved at once."""

    row: int
    courses: dict[str, bytes]
    days: dict[str, list[Day]]
    baselines: dict[str, Baseline]


class HealthStore:
    """One writer; `days` and `baseline` may be asked from any thread, each on a connection of its own."""

    def __init__(self, path: pathlib.Path, now_ms: Callable[[], int]) -> None:
        self.file = StoreFile(path, SCHEMA, FILE_FORM, now_ms)
        self._database: sqlite3.Connection | None = None

    def open(self) -> tuple[int, dict[str, bytes]]:
        """(row of the log that was followed last, {lift: course}); sqlite3.Error or OSError if there is no store to be had."""
        database = self._writer()
        found = database.execute("SELECT row, form FROM cursor WHERE name = ?", (KEY,)).fetchone()
        if found is None or found[1] != FORM:
            return 0, {}
        courses = {}
        for lift, body, wanted in database.execute("SELECT lift, body, sum FROM course"):
            if _sum(lift, 0, body) == wanted:
                courses[lift] = body
            else:
                _log.error("health: the course of %r is damaged; it begins anew", lift)
        return found[0], courses

    def _writer(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = self.file.open()
            if self.file.to_rescue:
                self._rescue(self._database)
        return self._database

    def save(self, snapshot: Snapshot, oldest: int) -> None:
        """Keep all of it, or nothing; days before the local day `oldest` go. A file that turns out damaged is replaced, and the error raised."""
        try:
            database = self._writer()
            with transaction(database):
                for lift, days in snapshot.days.items():
                    for day in days:
                        _put_day(database, lift, day.date, msgspec.msgpack.encode(day))
                    database.execute("DELETE FROM day WHERE lift = ? AND date < ?", (lift, oldest))
                for lift, baseline in snapshot.baselines.items():
                    body = msgspec.msgpack.encode(baseline)
                    database.execute(
                        "INSERT OR REPLACE INTO baseline VALUES (?,?,?)", (lift, body, _sum(lift, 0, body))
                    )
                database.executemany(
                    "INSERT OR REPLACE INTO course VALUES (?,?,?)",
                    ((lift, body, _sum(lift, 0, body)) for lift, body in snapshot.courses.items()),
                )
                database.execute("INSERT OR REPLACE INTO cursor VALUES (?,?,?)", (KEY, snapshot.row, FORM))
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                self.close()
                self._database = self.file.replace(str(error))
                self._rescue(self._database)
            raise

    def _rescue(self, database: sqlite3.Connection) -> None:
        """Days and baselines that can be read of damaged files are taken over; the log is then followed from its beginning."""
        count = 0
        with transaction(database):
            for kept in self.file.to_rescue:
                for lift, date, body in _good(kept, "lift, date, body, sum", "day"):
                    count += _put_day(database, lift, date, body)
                for lift, _, body in _good(kept, "lift, 0, body, sum", "baseline"):
                    values = (lift, body, _sum(lift, 0, body))
                    count += database.execute("INSERT OR IGNORE INTO baseline VALUES (?,?,?)", values).rowcount
            self.file.rescued(database)
        _log.warning("health: %d days and baselines taken over from a damaged file", count)

    def close(self) -> None:
        """Close the writer's connection."""
        if self._database is not None:
            self._database.close()
            self._database = None

    # -- readers --------------------------------------------------------------------------------------------------

    def days(self, lift: str, since: int, to: int) -> list[Day]:
        """The days that are kept of `lift` from one local day to another, in order; a damaged one is left out."""
        with contextlib.closing(self.file.connect()) as database:
            rows = database.execute(
                "SELECT date, body, sum FROM day WHERE lift = ? AND date BETWEEN ? AND ? ORDER BY date",
                (lift, since, to),
            ).fetchall()
        return [_DAY.decode(body) for date, body, wanted in rows if _sum(lift, date, body) == wanted]

    def baseline(self, lift: str) -> Baseline | None:
        """What is settled of it."""
        with contextlib.closing(self.file.connect()) as database:
            row = database.execute("SELECT body, sum FROM baseline WHERE lift = ?", (lift,)).fetchone()
        return _BASELINE.decode(row[0]) if row is not None and _sum(lift, 0, row[0]) == row[1] else None


def _put_day(database: sqlite3.Connection, lift: str, date: int, body: bytes) -> int:
    """Keep a day; of two the one that saw more of it: what is made again from a log that has lost its beginning may be less."""
    row = database.execute("SELECT body, sum FROM day WHERE lift = ? AND date = ?", (lift, date)).fetchone()
    if (
        row is not None
        and row[1] == _sum(lift, date, row[0])
        and _DAY.decode(row[0]).observed > _DAY.decode(body).observed
    ):
        return 0
    database.execute("INSERT OR REPLACE INTO day VALUES (?,?,?,?)", (lift, date, body, _sum(lift, date, body)))
    return 1


def _good(kept: pathlib.Path, columns: str, table: str) -> Iterator[tuple[str, int, bytes]]:
    """The rows of a damaged file that can be read and have their checksum."""
    found: list[tuple[Any, ...]] = []
    with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(read_damaged(kept)) as old:
        for row in old.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608  ours
            found.append(row)  # noqa: PERF402  what came before a damaged page counts
    for lift, date, body, wanted in found:
        if isinstance(body, bytes) and _sum(str(lift), date, body) == wanted:
            yield lift, date, body
