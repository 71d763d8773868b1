"""Readers of the local log, each on a connection of its own: history for the API, cursors for those who copy it elsewhere.

They write nothing but cursors and what was quarantined.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.log_rows import COLUMNS, cursor_in, opened, put_cursor
from gateway.store_file import is_damage, transaction
from protocols.errors import DecodeError
from protocols.fields import BY_NAME
from protocols.records import Batch

if TYPE_CHECKING:
    from gateway.locallog import LocalLog

_log = logging.getLogger(__name__)

# [(uptime ms, {field: value or None})] of one batch.
Records = list[tuple[int, dict[str, Any]]]

QUARANTINE_ROWS = 1000
# A batch spans at most the flush period of a metered link; looking so far back finds the one that runs into the window.
LOOK_BACK_MS = 3_600_000
# A node writes all fields anew every 10 minutes: what was recorded longer ago says nothing of now.
HELD_MS = 660_000


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
    """Reads the log, and keeps the cursors of those who copy it elsewhere. It follows a log that was replaced."""

    def __init__(self, log: "LocalLog") -> None:
        self._log = log
        self._generation = -1
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """The connection to the file as it is now; one that turns out damaged is told to the log, and the error raised."""
        if self._connection is None or self._generation != self._log.file.generation:
            self.close()
            self._generation = self._log.file.generation
            self._connection = self._log.file.connect()
        try:
            yield self._connection
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                self._log.doubt(self._generation, str(error))
            raise

    def _ask(self, text: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement."""
        with self._connected() as database:
            return database.execute(text, values).fetchall()

    def cursor(self, name: str) -> int:
        """The last row that `name` has copied; 0, below all, for one who has copied nothing."""
        return cursor_in(name, self._ask("SELECT row, sum FROM cursor WHERE name = ?", (name,)))

    def settle(self, name: str, row: int, refused: list[Quarantined]) -> None:
        """`name` has a receipt for everything up to `row` but `refused`, which is kept where a person can see it. All or nothing."""
        with self._connected() as database, transaction(database):
            database.execute(*put_cursor(name, row))
            for entry in refused[-QUARANTINE_ROWS:]:
                values = (entry.at_ms, entry.lift, entry.reason[:300], entry.line[:2000])
                database.execute("INSERT INTO quarantine VALUES (?,?,?,?)", values)
            database.execute(
                "DELETE FROM quarantine WHERE rowid <= (SELECT max(rowid) FROM quarantine) - ?", (QUARANTINE_ROWS,)
            )

    def counted(self, after: int, to: int) -> int:
        """How many batches are held behind row `after`, up to row `to`."""
        return int(self._ask("SELECT count(*) FROM batch WHERE row > ? AND row <= ?", (after, to))[0][0])

    def quarantined(self, limit: int) -> list[dict[str, Any]]:
        """The newest `limit` points that a store refused: {at_ms, lift, reason, line}."""
        rows = self._ask("SELECT at_ms, lift, reason, line FROM quarantine ORDER BY rowid DESC LIMIT ?", (limit,))
        return [{"at_ms": at_ms, "lift": lift, "reason": reason, "line": line} for at_ms, lift, reason, line in rows]

    def after(self, row: int, limit: int) -> tuple[int, list[Point]]:
        """(last row read, its points in order) of at most `limit` batches behind `row`.

        Nothing while a damaged log is taken over: rows may still come below those that are there.
        """
        entries = self._entries(row, limit)
        points = [point for entry in entries for point in self._points(entry)]
        return entries[-1][0] if entries else row, points

    def batches(self, row: int, limit: int) -> tuple[int, list[tuple[str, int, Batch, Records]]]:
        """As `after`, batch by batch: (last row read, [(lift, ms from uptime to unix, batch, its records)])."""
        entries = self._entries(row, limit)
        found = [(entry[1], entry[6], *read) for entry in entries if (read := self._read(entry)) is not None]
        return entries[-1][0] if entries else row, found

    def _entries(self, row: int, limit: int) -> list[tuple[Any, ...]]:
        """At most `limit` rows behind `row`; none while a damaged log is taken over."""
        if self._log.rescuing:
            return []
        return self._ask(f"SELECT {COLUMNS} FROM batch WHERE row > ? ORDER BY row LIMIT ?", (row, limit))  # noqa: S608  ours

    def history(self, lift: str, from_ms: int, to_ms: int, fields: list[str], limit: int) -> dict[str, Any]:
        """Series of `fields` of one lift: {name: [[t_ms, value or None], …]}, gaps, truncated. SI as in the field table.

        `before`: of each field the last record before the window, where it may still hold in it.
        """
        series: dict[str, list[list[Any]]] = {name: [] for name in fields}
        before: dict[str, list[Any]] = {}
        count = 0
        truncated = False
        rows = self._ask(
            f"SELECT {COLUMNS} FROM batch WHERE lift = ? AND first_ms BETWEEN ? AND ? AND last_ms >= ? "  # noqa: S608  ours
            "ORDER BY first_ms, row",
            (lift, from_ms - LOOK_BACK_MS, to_ms, from_ms - HELD_MS),
        )
        for entry in rows:
            for point in self._points(entry):
                if from_ms - HELD_MS <= point.t_ms < from_ms:
                    _keep_newest(before, series, point)
                if not from_ms <= point.t_ms <= to_ms:
                    continue
                for field_name, value in point.changes.items():
                    if field_name in series and count < limit:
                        series[field_name].append([point.t_ms, value])
                        count += 1
                    elif field_name in series:
                        truncated = True
        for points in series.values():
            # Batches may overlap, where the time of one could only be guessed, and where a black box was taken into the log: then
            # the same sample may stand in two of them. As in InfluxDB there is one value at a time.
            points[:] = [[t_ms, value] for t_ms, value in sorted(dict(points).items(), key=lambda point: point[0])]
        gaps = [
            {"life": life, "first": first, "last": last, "reason": reason, "booked_ms": booked}
            for life, first, last, reason, booked in self._ask(
                "SELECT life, first, last, reason, booked_ms FROM gap WHERE lift = ? ORDER BY life, first", (lift,)
            )
        ]
        return {"fields": series, "before": before, "gaps": gaps, "truncated": truncated}

    def _points(self, entry: tuple[Any, ...]) -> list[Point]:
        """The points of one row; a row that is damaged becomes a booked gap."""
        row, lift, offset_ms = entry[0], entry[1], entry[6]
        read = self._read(entry)
        return [] if read is None else [Point(row, lift, up_ms + offset_ms, changes) for up_ms, changes in read[1]]

    def _read(self, entry: tuple[Any, ...]) -> tuple[Batch, Records] | None:
        """The batch of one row and its records; None, and booked as a gap, if it is damaged."""
        try:
            batch = opened(entry)
            return batch, batch.records()
        except (DecodeError, TypeError) as error:
            _log.error("local log: row %d, batch %s of %r: %s; booked as a gap", entry[0], entry[3], entry[1], error)
            self._log.damaged_row(self._generation, entry[0])
            return None


def _keep_newest(before: dict[str, list[Any]], fields: Iterable[str], point: Point) -> None:
    for name in fields:
        if name in point.changes and before.get(name, [point.t_ms])[0] <= point.t_ms:
            before[name] = [point.t_ms, point.changes[name]]


def known_fields(names: list[str]) -> list[str]:
    """Those of `names` that are fields, all fields if there are none."""
    return [name for name in names if name in BY_NAME] or sorted(BY_NAME)
