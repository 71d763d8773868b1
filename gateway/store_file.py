"""One SQLite file of the gateway: opened, checked, put aside when it is damaged, made anew. It knows none of its tables.

A store that was made anew has another identity, which the nodes are told by their acks: they send again what they hold.
"""

import contextlib
import logging
import os
import pathlib
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_log = logging.getLogger(__name__)

# SQLite's default; files of other sizes of page are none of ours.
PAGE_BYTES = 4096
# A larger file is not read whole at the start (ours: 64 MB take 1 to 2 s on two shared cores), but beside its work: an
# alarm does not wait for it.
CHECKED_BYTES = 64_000_000
# Tables, indexes and that they tell the same; the first thing that is wrong.
WHOLE = "PRAGMA integrity_check(1)"
# Damaged files kept per store; the oldest go, for they must not fill the disk that they were rescued from.
KEPT = 2


def is_damage(error: sqlite3.Error) -> bool:
    """Does SQLite say that the file itself is wrong, not the disk or the request?"""
    return _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def damage(words: str) -> sqlite3.DatabaseError:
    """The error that says, as SQLite's own do, that a file is damaged."""
    error = sqlite3.DatabaseError(words)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def is_full(error: sqlite3.Error) -> bool:
    """May more room help? A disk that is full shows as FULL, or as an I/O error where SQLite grew its index of the WAL."""
    return _code(error) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def readable(text: bytes) -> str:
    """A damaged text is still read: its row's checksum says that it is wrong, and no other row is lost by it."""
    return text.decode(errors="surrogateescape")


def read_damaged(kept: pathlib.Path) -> sqlite3.Connection:
    """A connection that reads what can be read of a file that was put aside."""
    database = sqlite3.connect(f"{kept.absolute().as_uri()}?mode=ro", uri=True)
    database.text_factory = readable
    return database


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All of it is committed, or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
        raise


@dataclass(frozen=True)
class Replaced:
    """A damaged store was put aside: why, and where it is kept."""

    reason: str
    kept: pathlib.Path


class StoreFile:
    """`schema` makes the tables of a new file; a file with another `form` is none of ours.

    `verify` raises `damage` for one whose rows are wrong.

    `open` and `replace` belong to the one thread that writes.
    """

    def __init__(
        self,
        path: pathlib.Path,
        schema: str,
        form: int,
        now_ms: Callable[[], int],
        verify: Callable[[sqlite3.Connection], None] = lambda database: None,
    ) -> None:
        self.path = path
        self._schema, self._form, self._now_ms, self._verify = schema, form, now_ms, verify
        self.identity = ""
        # What the stores before this one may still hold, oldest first, until `rescued` is called.
        self.to_rescue: tuple[pathlib.Path, ...] = ()
        # Was what stood there at the start read whole?
        self.checked = threading.Event()
        # While the file is changed for another, nobody connects: SQLite would join the one with the WAL of the other.
        self._swap = threading.RLock()
        # Rises with each replacement: who holds a connection of an older one opens another.
        self.generation = 0
        self.replaced: Replaced | None = None

    def open(self) -> sqlite3.Connection:
        """The writer's connection. A damaged file is put aside first; OSError or sqlite3.Error if none can be made either."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self._finish_putting_aside()
            self.checked.set()
            return self._make(tuple(self.kept()))
        if self.path.stat().st_size == 0:
            # SQLite would take it for a new store in silence, and delete the WAL that may hold the rest.
            return self.replace("the file is empty")
        database = None
        try:
            database = self.connect()
            self._check(database)
        except sqlite3.DatabaseError as error:
            if database is not None:
                database.close()
            if not is_damage(error):
                raise
            return self.replace(str(error))
        return database

    def check_beside(self, doubt: Callable[[int, str], None]) -> None:
        """Read a file that was too large to be read whole at the start, beside its work; `doubt(generation, reason)` from a thread."""
        if not self.checked.is_set():
            threading.Thread(target=self._check_beside, args=(doubt, self.generation), daemon=True).start()

    def _check_beside(self, doubt: Callable[[int, str], None], generation: int) -> None:
        try:
            with contextlib.closing(self.connect()) as database:
                self._read_whole(database)
        except sqlite3.Error as error:
            if is_damage(error):
                doubt(generation, str(error))
            else:
                _log.error("%s: could not be checked: %s", self.path, error)
        finally:
            self.checked.set()

    def connect(self) -> sqlite3.Connection:
        """One more connection on the file as it is; none is made."""
        with self._swap:
            uri = f"{self.path.absolute().as_uri()}?mode=rw"
            database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5)
            database.text_factory = readable
            try:
                database.execute("PRAGMA cell_size_check=ON")
                database.execute("PRAGMA journal_mode=WAL")
                database.execute("PRAGMA synchronous=FULL")
            except sqlite3.Error:
                database.close()
                raise
            return database

    def replace(self, reason: str) -> sqlite3.Connection:
        """Put the file aside, with its WAL, and make a new one. Connections of the old one must not be written with again."""
        kept = self.path.with_name(f"{self.path.name}.damaged-{self._now_ms()}")
        with self._swap:
            # The file goes before its WAL: cut in between, the store is missing and not one that lacks its newest rows.
            self.path.rename(kept)
            self.replaced = Replaced(reason, kept)
            self.generation += 1
            self._finish_putting_aside()
            _log.error("%s: damaged (%s); kept as %s, a new store is made", self.path, reason, kept.name)
            # One that was damaged before it had taken over the one before it does not end that.
            database = self._make((*self.to_rescue, kept))
            self.checked.set()
        self._mend_head(kept)
        self._forget_oldest()
        return database

    def rescued(self, database: sqlite3.Connection) -> None:
        """What can be had of the store before this one was taken over, and committed: it is not done again."""
        database.execute("DELETE FROM meta WHERE name = 'rescue'")
        self.to_rescue = ()

    def kept(self) -> list[pathlib.Path]:
        """Damaged files put aside, oldest first."""
        found = self.path.parent.glob(f"{self.path.name}.damaged-*")
        return sorted(path for path in found if path.name.rpartition("-")[2].isdigit())

    def bytes_on_disk(self) -> int:
        """What the store takes, its WAL included, what was put aside not."""
        paths = [self.path.with_name(self.path.name + tail) for tail in ("", "-wal")]
        return sum(path.stat().st_size for path in paths if path.exists())

    def _make(self, kept: tuple[pathlib.Path, ...]) -> sqlite3.Connection:
        # Made whole under another name: whatever stands at `path` is a store, and one without a byte was one.
        new = self.path.with_name(f"{self.path.name}.new")
        for tail in ("", "-journal"):
            new.with_name(new.name + tail).unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.execute(f"PRAGMA page_size={PAGE_BYTES}")
            database.execute("PRAGMA synchronous=FULL")
            database.executescript(f"BEGIN IMMEDIATE; {self._schema}")
            database.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            database.execute("INSERT INTO meta VALUES ('store', ?)", (uuid.uuid4().hex[:12],))
            if kept:
                database.execute("INSERT INTO meta VALUES ('rescue', ?)", (" ".join(path.name for path in kept),))
            database.execute(f"PRAGMA user_version={self._form}")
            database.execute("COMMIT")
        new.rename(self.path)
        self._sync_folder()
        database = self.connect()
        self._identify(database)
        return database

    def _mend_head(self, kept: pathlib.Path) -> None:
        """Where the first page of `kept` is damaged, give it ours: files of one form begin alike, and all else hangs on it."""
        tables = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema"
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            wanted = database.execute(tables).fetchall()
        with contextlib.suppress(sqlite3.Error), contextlib.closing(read_damaged(kept)) as database:
            if database.execute(tables).fetchall() == wanted:
                return
        with self.path.open("rb") as new:
            page = bytearray(new.read(PAGE_BYTES))
        # "Version valid for" another count of changes than the header's: SQLite then takes the size from the file.
        page[92:96] = bytes(4)
        with kept.open("r+b") as old:
            old.write(page)

    def _finish_putting_aside(self) -> None:
        """Let a store that is no more at `path` be followed by its WAL."""
        kept = self.kept()
        for tail in ("-wal", "-shm"):
            left = self.path.with_name(self.path.name + tail)
            if not left.exists():
                continue
            follower = kept[-1].with_name(kept[-1].name + tail) if kept else None
            if follower is not None and tail == "-wal" and not follower.exists():
                left.rename(follower)
            else:
                left.unlink()
        self._sync_folder()

    def _check(self, database: sqlite3.Connection) -> None:
        """Raises what `is_damage` knows if the file is not a whole store of ours."""
        form = database.execute("PRAGMA user_version").fetchone()[0]
        if form != self._form:
            raise damage(f"it is of form {form}, not {self._form}")
        if self.path.stat().st_size <= CHECKED_BYTES:
            self._read_whole(database)
            self.checked.set()
        self._identify(database)

    def _read_whole(self, database: sqlite3.Connection) -> None:
        (found,) = database.execute(WHOLE).fetchone()
        if found != "ok":
            raise damage(str(found))
        self._verify(database)

    def _identify(self, database: sqlite3.Connection) -> None:
        row = database.execute("SELECT value FROM meta WHERE name = 'store'").fetchone()
        if row is None:
            raise damage("it has no identity")
        self.identity = str(row[0])
        left = database.execute("SELECT value FROM meta WHERE name = 'rescue'").fetchone()
        names = str(left[0]).split() if left else []
        self.to_rescue = tuple(self.path.with_name(name) for name in names)

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _forget_oldest(self) -> None:
        for old in self.kept()[: -max(KEPT, len(self.to_rescue))]:
            _log.warning("%s: removed, %d newer damaged files are kept", old, KEPT)
            self._remove(old)

    def make_room(self) -> None:
        """Remove what was put aside and is taken over: nobody's looking at it is worth more than new records."""
        for old in self.kept():
            if old not in self.to_rescue:
                _log.warning("%s: removed, the disk is full", old)
                self._remove(old)

    @staticmethod
    def _remove(kept: pathlib.Path) -> None:
        for tail in ("-wal", "-shm", ""):
            kept.with_name(kept.name + tail).unlink(missing_ok=True)
