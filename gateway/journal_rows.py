"""The journal's rows: tables, checksums, and what is taken over from a file that is damaged. It keeps no connection."""

import contextlib
import json
import logging
import pathlib
import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any

from gateway.clock import unix_ms
from gateway.store_file import damage, read_damaged

_log = logging.getLogger(__name__)

# Rises with each change of the tables: a file of another form is put aside, and what can be read of it is taken over. New tables
# come last: those of before then lie where they lay, which is how a file is read whose first page is another's.
FORM = 3
# The revisions have a rowid: without one, a row of more than 1,002 bytes takes a page of its own beside its leaf.
SCHEMA = """
CREATE TABLE revision (
  id TEXT NOT NULL, rev INTEGER NOT NULL, lift TEXT NOT NULL, phase TEXT NOT NULL, body TEXT NOT NULL,
  received_ms INTEGER NOT NULL, committed_ms INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (id, rev));
CREATE TABLE delivery (
  id TEXT NOT NULL, rev INTEGER NOT NULL, destination TEXT NOT NULL, sent_ms INTEGER, receipted_ms INTEGER,
  attempts INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (id, rev, destination)) WITHOUT ROWID;
CREATE TABLE incident (
  id TEXT PRIMARY KEY, rev INTEGER NOT NULL, version INTEGER NOT NULL, cloud_version INTEGER NOT NULL,
  done INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX incident_behind ON incident (id) WHERE cloud_version < version;
CREATE TABLE member (id TEXT PRIMARY KEY, area TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
"""
# {table: (its columns without the checksum, its key)}.
TABLES = {
    "revision": (("id", "rev", "lift", "phase", "body", "received_ms", "committed_ms"), ("id", "rev")),
    "delivery": (
        ("id", "rev", "destination", "sent_ms", "receipted_ms", "attempts", "state", "detail"),
        ("id", "rev", "destination"),
    ),
    "incident": (("id", "rev", "version", "cloud_version", "done"), ("id",)),
    "member": (("id", "area"), ("id",)),
}
Row = tuple[Any, ...]


def checksum(row: Row) -> int:
    """CRC-32 over the values of one row, in the order of its columns."""
    # Not JSON's: what only damage can make of a value.
    return zlib.crc32(json.dumps(row, default=repr).encode())


def put(database: sqlite3.Connection, table: str, row: Row, *, keep: bool = False) -> bool:
    """Write one row with its checksum, over the one of its key unless `keep`; True if it was written."""
    marks = ",".join("?" * (len(row) + 1))
    verb = "INSERT OR IGNORE" if keep else "INSERT OR REPLACE"
    return database.execute(f"{verb} INTO {table} VALUES ({marks})", (*row, checksum(row))).rowcount > 0


def incident_row(database: sqlite3.Connection, name: str) -> tuple[int, int, int, int] | None:
    """(newest rev, version, the cloud's version, done) of one incident, None if there is none."""
    found: tuple[int, int, int, int] | None = database.execute(
        "SELECT rev, version, cloud_version, done FROM incident WHERE id = ?", (name,)
    ).fetchone()
    return found


def area_of(database: sqlite3.Connection, name: str) -> str | None:
    """The area incident that an incident is a member of."""
    found = database.execute("SELECT area FROM member WHERE id = ?", (name,)).fetchone()
    return None if found is None else str(found[0])


def verify(database: sqlite3.Connection) -> None:
    """Raises `damage` if a row's checksum is wrong: the good ones are then taken over into a new journal."""
    for table, (columns, key) in TABLES.items():
        for row in database.execute(f"SELECT {', '.join(columns)}, sum FROM {table}"):  # noqa: S608  ours
            if row[-1] != checksum(row[:-1]):
                raise damage(f"{table} {row[: len(key)]} has a wrong checksum")


def rescue(kept: tuple[pathlib.Path, ...], database: sqlite3.Connection) -> int:
    """Copy what of the damaged files `kept`, oldest first, can be read and has its checksum, in the caller's transaction; how many rows.

    Raises sqlite3.Error only where the new file cannot be written.
    """
    count = 0
    for table in ("revision", "delivery", "member"):
        for file in reversed(kept):  # what the newest says of a row holds
            count += sum(put(database, table, row, keep=True) for row in _good(file, table))
    # Incidents are made from their revisions, in versions above all that the cloud can have. Who has answered is in the deliveries.
    for name, rev in database.execute("SELECT id, max(rev) FROM revision GROUP BY id").fetchall():
        put(database, "incident", (name, rev, unix_ms(), 0, 0))
    _log.warning("journal: %d rows taken over from %s", count, ", ".join(file.name for file in kept))
    return count


def _good(kept: pathlib.Path, table: str) -> Iterator[Row]:
    """The rows that can be read and have their checksum, from both ends of the table: a damaged page ends a walk."""
    columns, key = TABLES[table]
    for order in ("ASC", "DESC"):
        text = f"SELECT {', '.join(columns)}, sum FROM {table} ORDER BY {', '.join(f'{name} {order}' for name in key)}"  # noqa: S608  ours
        try:
            with contextlib.closing(read_damaged(kept)) as old:
                for row in old.execute(text):
                    if row[-1] == checksum(row[:-1]):
                        yield row[:-1]
        except sqlite3.DatabaseError as error:
            _log.error("journal: %s of %s, %s: %s", table, kept.name, order, error)
