"""The local log: history as it came, in numbered batches, bounded in bytes, receipted only after its sync. SQLite, one thread.

Batches are kept as received (checksummed bodies); InfluxDB is a cursor on their row numbers, the API reads them directly.
No batch is stored behind a hole: what does not follow on what is held of its lift, or on a booked gap, is refused.
"""

import contextlib
import itertools
import logging
import pathlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway import log_rows
from gateway.clock import unix_ms
from gateway.log_reader import Reader
from gateway.reserve import Reserve
from gateway.store_file import StoreFile, is_damage, transaction
from protocols.delivery.gateway import Gap
from protocols.records import Batch

_log = logging.getLogger(__name__)

MAX_QUEUE = 5000
GROUP = 300
# Between two steps of a rescue; what comes in goes first.
RESCUE_PAUSE_S = 0.01
# History is dropped in steps of so many batches, or of a tenth of a log that has fewer than ten times as many.
DROP_ROWS = 1000
HOUR_MS = 3_600_000


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


@dataclass
class _Doubt:
    generation: int
    reason: str


@dataclass
class _DamagedRow:
    generation: int
    row: int


def _good(kept: tuple[pathlib.Path, ...]) -> Iterator[tuple[log_rows.Row, Batch]]:
    return itertools.chain.from_iterable(log_rows.good(file) for file in kept)


class LocalLog:
    """`put` batches; `then(entries, ok)` is called in the log's thread once they are synced, or refused.

    While the alarms' `reserve` does not stand, all are refused. A damaged file is replaced at the start or when it is met,
    `on_replaced()` is called in the log's thread, and what can still be read is taken over beside what comes in.
    """

    def __init__(
        self,
        path: pathlib.Path,
        max_bytes: int,
        then: Callable[[list[Stored], bool], None],
        reserve: Reserve | None = None,
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self.file = StoreFile(path, log_rows.SCHEMA, log_rows.FORM, unix_ms)
        self._max_bytes = max_bytes
        self._then, self._reserve, self._on_replaced = then, reserve, on_replaced
        self._queue: queue.Queue[Stored | _Doubt | _DamagedRow | None] = queue.Queue(MAX_QUEUE)
        self.dropped_bytes = 0
        self.batches = 0
        self.gaps = 0
        self.refused = 0
        self.damaged = 0
        self.rescued = 0
        self._database: sqlite3.Connection | None = None
        self._rescue: Iterator[tuple[log_rows.Row, Batch]] | None = None
        if reserve is None:
            self._open()
        else:
            reserve.with_room(self._open)
        self._thread = threading.Thread(target=self._run, name="locallog", daemon=True)
        self._thread.start()
        self.file.check_beside(self.doubt)

    def _begin(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._held = log_rows.held(database)
        self._boots = log_rows.newest_boots(database, self._held)
        if self.file.to_rescue:
            self._begin_rescue(database, self.file.to_rescue)
        self._measure(database)

    def _begin_rescue(self, database: sqlite3.Connection, kept: tuple[pathlib.Path, ...]) -> None:
        with transaction(database):
            if database.execute("SELECT count(*) FROM sqlite_sequence").fetchone()[0] == 0:
                # What is taken over keeps its row numbers, which cursors refer to; what is new is numbered above them, from the time.
                database.execute("INSERT INTO sqlite_sequence VALUES ('batch', ?)", (unix_ms(),))
                for file in kept:
                    for name, row in log_rows.good_rows(file, "cursor"):
                        database.execute(*log_rows.put_cursor(name, row))
                    for gap in log_rows.good_rows(file, "gap"):
                        log_rows.book_gap(database, *gap)
        self._rescue = _good(kept)

    @property
    def rescuing(self) -> bool:
        """Is a damaged log still being taken over?"""
        return bool(self.file.to_rescue)

    def positions(self) -> dict[str, tuple[int, int]]:
        """{lift: (life, last number stored or booked)} for the intake of a gateway that starts."""
        return dict(self._held)

    def newest_boots(self) -> dict[str, int]:
        """{lift: the boot of its newest batch} as found at the start, for the intake too."""
        return self._boots

    def put(self, entry: Stored) -> bool:
        """Queue a batch and its gaps; False if the queue is full: the node will send it again."""
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            return False
        return True

    def doubt(self, generation: int, reason: str) -> None:
        """A reader found the file of `generation` damaged: the writer replaces it."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(_Doubt(generation, reason))

    def damaged_row(self, generation: int, row: int) -> None:
        """A reader found this row of the file of `generation` damaged: the writer books it as a gap."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(_DamagedRow(generation, row))

    def depth(self) -> int:
        """Batches waiting."""
        return self._queue.qsize()

    def used_bytes(self) -> int:
        """Bytes of the file that are in use, tables, indexes and all."""
        return self._bytes

    def hours_held(self) -> float:
        """Hours from the oldest batch held to the newest."""
        return self._span_ms / HOUR_MS

    def hours_left(self) -> float:
        """Hours until the oldest history must go, at the rate of what is held; 0 once it goes."""
        return self.hours_held() * max(0, self._max_bytes - self._bytes) / max(1, self._bytes)

    def close(self) -> None:
        """Store what is queued and stop."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        running = True
        while running:
            group = self._next_group()
            running = None not in group
            try:
                self._work(group)
                if self._rescue is not None and (self._reserve is None or self._reserve.held):
                    self._rescue_step(self._rescue)
            except Exception:  # neither a callback nor a disk must stop the store
                _log.exception("local log: a group failed")
                if self._rescue is not None:
                    # What was read and not written is read again.
                    self._rescue = _good(self.file.to_rescue)
                    time.sleep(RESCUE_PAUSE_S)
        if self._database is not None:
            self._database.close()

    def _next_group(self) -> list["Stored | _Doubt | _DamagedRow | None"]:
        group = []
        with contextlib.suppress(queue.Empty):
            # A rescue goes on beside what comes in, and waits with it while the disk is full.
            group.append(self._queue.get(timeout=None if self._rescue is None else RESCUE_PAUSE_S))
            while len(group) < GROUP:
                group.append(self._queue.get_nowait())
        return group

    def _work(self, group: list["Stored | _Doubt | _DamagedRow | None"]) -> None:
        try:
            self._mend(group)
        except Exception:  # what came with it is stored all the same, or told that it is not
            _log.exception("local log: it could not be mended")
        entries = [entry for entry in group if isinstance(entry, Stored)]
        if entries:
            self._take(entries)

    def _mend(self, group: list["Stored | _Doubt | _DamagedRow | None"]) -> None:
        for entry in group:
            if isinstance(entry, _Doubt) and entry.generation == self.file.generation:
                self._replace(entry.reason)
        rows = [entry for entry in group if isinstance(entry, _DamagedRow) and entry.generation == self.file.generation]
        if not rows:
            return
        try:
            self._book_damaged([entry.row for entry in rows])
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._replace(str(error))

    def _take(self, entries: list[Stored]) -> None:
        """Store what follows on what is held, and tell what became of each."""
        if self._reserve is not None and not self._reserve.held:
            self.file.make_room()
            self.refused += len(entries)
            self._then(entries, False)
            return
        try:
            stored = self._store(entries)
        except Exception as error:  # whatever it is, the nodes must send them again
            _log.error("local log: %r; %d batches not stored", error, len(entries))
            self.refused += len(entries)
            self._then(entries, False)
            if isinstance(error, sqlite3.Error) and is_damage(error):
                self._replace(str(error))
            return
        kept = {id(entry) for entry in stored}
        refused = [entry for entry in entries if id(entry) not in kept]
        self.refused += len(refused)
        self._then(stored, True)
        if refused:
            self._then(refused, False)

    def _open(self) -> sqlite3.Connection:
        """The database; opened here where a disk that was full let no new one be made in place of a damaged one."""
        if self._database is None:
            database = self.file.open()
            try:
                self._begin(database)
            except sqlite3.DatabaseError as error:
                database.close()
                self._database = None
                if not is_damage(error):
                    raise
                self._begin(self.file.replace(str(error)))
        assert self._database is not None
        return self._database

    def _replace(self, reason: str) -> None:
        self._rescue = None
        if self._database is not None:
            self._database.close()
            self._database = None
        self._held = {}
        try:
            self._begin(self.file.replace(reason))
        finally:
            self._on_replaced()

    def _rescue_step(self, rows: Iterator[tuple[log_rows.Row, Batch]]) -> None:
        """Take over the next rows of the damaged file; after the last one it is no more needed."""
        database = self._open()
        count = 0
        with transaction(database):
            for entry, batch in itertools.islice(rows, GROUP):
                row, lift, last_ms, offset_ms = entry[0], entry[1], entry[5], entry[6]
                log_rows.add(database, row, lift, batch, last_ms, offset_ms)
                count += 1
            self._drop(database)
            if count < GROUP:
                self.gaps += log_rows.book_holes(database, unix_ms())
        self.rescued += count
        self._measure(database)
        if count < GROUP:
            # Readers go on from here: only now are all rows there.
            self.file.rescued(database)
            self._rescue = None
            _log.warning("local log: %d batches were taken over from the damaged file", self.rescued)

    def _book_damaged(self, rows: list[int]) -> None:
        """Remove rows that are damaged. Which batches they were is not asked of them: what is missing now is booked."""
        database = self._open()
        with transaction(database):
            for row in rows:
                self.damaged += database.execute("DELETE FROM batch WHERE row = ?", (row,)).rowcount
            self.gaps += log_rows.book_holes(database, unix_ms())

    def drop_queued(self) -> None:
        """In `on_replaced`, while nothing is put: what was accepted behind batches that are gone must not be stored."""
        stop = False
        with contextlib.suppress(queue.Empty):
            while True:
                stop = self._queue.get_nowait() is None or stop
        if stop:
            self._queue.put_nowait(None)

    def _store(self, entries: list[Stored]) -> list[Stored]:
        """Those of `entries` that were committed; the others would have left a hole."""
        database = self._open()
        held = dict(self._held)
        with transaction(database):
            stored = [entry for entry in entries if self._add(database, entry, held)]
            for lift in {entry.lift for entry in stored}:
                log_rows.put_held(database, lift, *held[lift])
            self._drop(database)
        self._measure(database)
        self._held = held
        return stored

    def _add(self, database: sqlite3.Connection, entry: Stored, held: dict[str, tuple[int, int]]) -> bool:
        """Add one batch with its gaps and move `held` on; False, and nothing done, if something before it is missing."""
        batch = entry.batch
        life, number = held.get(entry.lift, (0, 0))
        if batch.life < life:
            return False
        booked: list[tuple[int, int, int | None, str]] = []
        if batch.life > life:
            if life:
                # What else that life had is lost: counted from what we hold, whatever the intake had accepted.
                booked.append((life, number + 1, None, "life_ended"))
            life, number = batch.life, 0
        for gap in entry.gaps:
            if gap.last is None or gap.life != life or gap.last <= number:
                continue
            if gap.first > number + 1:
                return False
            booked.append((life, number + 1, gap.last, gap.reason))
            number = gap.last
        if entry.is_new:
            if batch.number > number + 1:
                return False
            number = max(number, batch.number)
            log_rows.add(database, None, entry.lift, batch, entry.last_ms, entry.offset_ms)
            self.batches += 1
        for gap_life, first, last, reason in booked:
            log_rows.book_gap(database, entry.lift, gap_life, first, last, reason, entry.now_ms)
            self.gaps += 1
        held[entry.lift] = (life, number)
        return True

    def _measure(self, database: sqlite3.Connection) -> None:
        self._bytes = self._used(database)
        first = database.execute("SELECT row, first_ms FROM batch ORDER BY row LIMIT 1").fetchone()
        last = database.execute("SELECT last_ms FROM batch ORDER BY row DESC LIMIT 1").fetchone()
        newest = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batch'").fetchone()
        self.newest_row = int(newest[0]) if newest else 0
        self._oldest_row = int(first[0]) if first else self.newest_row + 1
        self._span_ms = max(0, last[0] - first[1]) if first else 0

    def behind(self, row: int) -> int:
        """Batches above `row`, as many at most as row numbers allow."""
        return max(0, self.newest_row - max(row, self._oldest_row - 1))

    @staticmethod
    def _used(database: sqlite3.Connection) -> int:
        size, pages, free = (
            int(database.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_size", "page_count", "freelist_count")
        )
        return size * (pages - free)

    def _drop(self, database: sqlite3.Connection) -> None:
        """Oldest history goes first, and only history: gaps, positions and cursors stay."""
        while (used := self._used(database)) > self._max_bytes:
            first, last = database.execute("SELECT min(row), max(row) FROM batch").fetchone()
            if first is None:
                return
            step = min(DROP_ROWS, (last - first) // 10 + 1)
            database.execute("DELETE FROM batch WHERE row < ?", (first + step,))
            self.dropped_bytes += used - self._used(database)

    # -- readers: each on a connection of its own -----------------------------------------------------------------

    def reader(self) -> "Reader":
        """A connection for one reading thread; close it."""
        return Reader(self)
