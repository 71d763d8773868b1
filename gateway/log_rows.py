"""The local log's rows: tables, checksums, positions, gaps, and what is taken over from a file that is damaged. No connection.

A gap is what is missing, never what is held: it is booked round the batches that are there and shrinks when one comes after all.
"""

import contextlib
import itertools
import logging
import math
import pathlib
import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any

from gateway.store_file import read_damaged
from protocols.errors import DecodeError
from protocols.records import Batch

_log = logging.getLogger(__name__)

# Rises with each change of the tables; as in journal_rows.
FORM = 2
SCHEMA = """
CREATE TABLE batch (
  row INTEGER PRIMARY KEY AUTOINCREMENT, lift TEXT NOT NULL, life INTEGER NOT NULL, number INTEGER NOT NULL,
  first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, offset_ms INTEGER NOT NULL, body BLOB NOT NULL, sum INTEGER NOT NULL,
  UNIQUE (lift, life, number));
CREATE INDEX batch_time ON batch (lift, first_ms);
CREATE TABLE gap (
  lift TEXT NOT NULL, life INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER, reason TEXT NOT NULL,
  booked_ms INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (lift, life, first)) WITHOUT ROWID;
CREATE TABLE held (
  lift TEXT PRIMARY KEY, life INTEGER NOT NULL, number INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cursor (name TEXT PRIMARY KEY, row INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE quarantine (at_ms INTEGER NOT NULL, lift TEXT NOT NULL, reason TEXT NOT NULL, line TEXT NOT NULL);
"""
COLUMNS = "row, lift, life, number, first_ms, last_ms, offset_ms, body, sum"
Row = tuple[Any, ...]


def checksum(lift: str, first_ms: int, last_ms: int, offset_ms: int, body: bytes) -> int:
    """CRC-32 over what the row adds to the body, and over the body, which names life and number itself."""
    return zlib.crc32(body, zlib.crc32(f"{lift},{first_ms},{last_ms},{offset_ms}".encode(errors="surrogateescape")))


def _sum(*values: str | int | None) -> int:
    return zlib.crc32(",".join(map(str, values)).encode(errors="surrogateescape"))


def opened(entry: Row) -> Batch:
    """The batch of one row in the order of COLUMNS; DecodeError if the row is damaged."""
    _, lift, life, number, first_ms, last_ms, offset_ms, body, wanted = entry
    if not isinstance(body, bytes) or checksum(lift, first_ms, last_ms, offset_ms, body) != wanted:
        raise DecodeError("a row with a wrong checksum")
    batch = Batch(body, 1)
    if (batch.life, batch.number) != (life, number):
        raise DecodeError(f"a row with the body of batch {batch.number} of life {batch.life}")
    return batch


def add(database: sqlite3.Connection, row: int | None, lift: str, batch: Batch, last_ms: int, offset_ms: int) -> None:
    """Add one batch, unless it is there, as `row` or behind the newest; a gap that it was missing from shrinks."""
    first_ms = batch.up_ms + offset_ms
    body = bytes(batch.body)
    values = (row, lift, batch.life, batch.number, first_ms, last_ms, offset_ms, body)
    database.execute(
        "INSERT OR IGNORE INTO batch VALUES (?,?,?,?,?,?,?,?,?)",
        (*values, checksum(lift, first_ms, last_ms, offset_ms, body)),
    )
    for first, last, reason, booked_ms in database.execute(
        "SELECT first, last, reason, booked_ms FROM gap WHERE lift = ? AND life = ? AND first <= ? AND (last IS NULL OR last >= ?)",
        (lift, batch.life, batch.number, batch.number),
    ).fetchall():
        database.execute("DELETE FROM gap WHERE lift = ? AND life = ? AND first = ?", (lift, batch.life, first))
        _put_gap(database, lift, batch.life, first, batch.number - 1, reason, booked_ms)
        _put_gap(database, lift, batch.life, batch.number + 1, last, reason, booked_ms)


def book_gap(
    database: sqlite3.Connection, lift: str, life: int, first: int, last: int | None, reason: str, now_ms: int
) -> None:
    """Book `first`..`last` (None: what else that life had) as missing, except for what is held of it."""
    held = database.execute(
        "SELECT number FROM batch WHERE lift = ? AND life = ? AND number >= ? AND (? IS NULL OR number <= ?) ORDER BY number",
        (lift, life, first, last, last),
    )
    for (number,) in held.fetchall():
        _put_gap(database, lift, life, first, number - 1, reason, now_ms)
        first = number + 1
    _put_gap(database, lift, life, first, last, reason, now_ms)


def _put_gap(
    database: sqlite3.Connection, lift: str, life: int, first: int, last: int | None, reason: str, booked_ms: int
) -> None:
    if last is None or first <= last:
        row = (lift, life, first, last, reason, booked_ms)
        database.execute("INSERT OR REPLACE INTO gap VALUES (?,?,?,?,?,?,?)", (*row, _sum(*row)))


def book_holes(database: sqlite3.Connection, now_ms: int) -> int:
    """Book as damaged what is neither held nor booked between what is, life by life; how many holes there were."""
    runs = database.execute(
        "SELECT lift, life, min(number) AS first, max(number) AS last FROM (SELECT lift, life, number, "
        "number - row_number() OVER (PARTITION BY lift, life ORDER BY number) AS run FROM batch) GROUP BY lift, life, run "
        "UNION ALL SELECT lift, life, first, last FROM gap "
        # Where the position stands, the next one would begin.
        "UNION ALL SELECT lift, life, number + 1, number FROM held ORDER BY lift, life, first"
    ).fetchall()
    count = 0
    for (lift, life), group in itertools.groupby(runs, key=lambda run: run[:2]):
        known: float | None = None
        for *_, first, last in group:
            if known is not None and first > known + 1:
                _put_gap(database, lift, life, int(known) + 1, first - 1, "damaged", now_ms)
                count += 1
            known = max(first - 1 if known is None else known, math.inf if last is None else last)
    return count


# -- positions and cursors ----------------------------------------------------------------------------------------


def put_held(database: sqlite3.Connection, lift: str, life: int, number: int) -> None:
    """All of `life` up to `number` is stored or booked as a gap."""
    database.execute("INSERT OR REPLACE INTO held VALUES (?,?,?,?)", (lift, life, number, _sum(lift, life, number)))


def held(database: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """{lift: (life, last number stored or booked)}; a position that is damaged is left out: the node sends again what it has."""
    out = {}
    for lift, life, number, wanted in database.execute("SELECT lift, life, number, sum FROM held"):
        if _sum(lift, life, number) == wanted:
            out[lift] = (life, number)
        else:
            _log.error("local log: the position of %r is damaged; its node is asked again", lift)
    return out


def newest_boots(database: sqlite3.Connection, held: dict[str, tuple[int, int]]) -> dict[str, int]:
    """{lift: boot of the newest batch of its life in `held`}; a batch that is damaged is left out."""
    out = {}
    query = "SELECT body FROM batch WHERE lift = ? AND life = ? ORDER BY number DESC LIMIT 1"
    for lift, (life, _) in held.items():
        for (body,) in database.execute(query, (lift, life)):
            with contextlib.suppress(DecodeError, TypeError):
                out[lift] = Batch(body, 0).boot
    return out


def put_cursor(name: str, row: int) -> tuple[str, Row]:
    """The statement and its values that say: `name` has a receipt for everything up to `row`."""
    return "INSERT OR REPLACE INTO cursor VALUES (?,?,?)", (name, row, _sum(name, row))


def cursor_in(name: str, rows: list[Row]) -> int:
    """The cursor of `name` from its `rows` (row, sum); 0, all from the beginning, if there is none or it is damaged."""
    return next((row for row, wanted in rows if _sum(name, row) == wanted), 0)


# -- rescue -------------------------------------------------------------------------------------------------------


def good(kept: pathlib.Path) -> Iterator[tuple[Row, Batch]]:
    """Rows of the damaged file `kept` that can be read and have their checksum, from both ends: a damaged page ends a walk."""
    last = -1
    for where, order in (("row > ?", "ASC"), ("row > ?", "DESC")):
        try:
            with contextlib.closing(read_damaged(kept)) as old:
                for entry in old.execute(f"SELECT {COLUMNS} FROM batch WHERE {where} ORDER BY row {order}", (last,)):  # noqa: S608  ours
                    if order == "ASC":
                        last = entry[0]
                    with contextlib.suppress(DecodeError, TypeError):
                        yield entry, opened(entry)
            return
        except sqlite3.DatabaseError as error:
            _log.error("local log: %s from one end: %s", kept.name, error)


def good_rows(kept: pathlib.Path, table: str) -> list[Row]:
    """The rows of `gap` or `cursor` in the damaged file `kept` that can be read and have their checksum, without it."""
    found: list[Row] = []
    with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(read_damaged(kept)) as old:
        for row in old.execute(f"SELECT * FROM {table}"):  # noqa: S608  ours
            found.append(row)  # noqa: PERF402  what came before a damaged page counts
    return [row[:-1] for row in found if _sum(*row[:-1]) == row[-1]]
