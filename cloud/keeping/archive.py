"""The form of a backup: gzip of JSON lines, one for each row, with a head, and a foot that has the counts and a SHA-256 of all before it.

It names tables and columns and nothing of SQLite or PostgreSQL, so that either reads what the other wrote. It knows no database.

    {"format": "liftwatch-backup", "version": 1, "revision": "0006", "made_at_ms": …, "sequences": {"notice": 17}}
    {"table": "person", "columns": ["id", …], "binary": []}
    ["6b1c…", …]
    {"end": {"person": 1}, "sha256": "…"}
"""

import gzip
import hashlib
import json
import os
import pathlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from cloud.keeping.errors import ArchiveError

FORMAT, VERSION = "liftwatch-backup", 1
# Of one line: far above the longest row, a photo of 4 MB in base64.
MOST_LINE = 32 << 20

Row = list[Any]


@dataclass(frozen=True)
class Head:
    """What is known of a backup before its rows: the schema's revision, and the last numbers that were given out."""

    revision: str
    made_at_ms: int
    sequences: dict[str, int]


@dataclass(frozen=True)
class Table:
    """A table of which rows follow; `binary` are the columns whose values are bytes."""

    name: str
    columns: tuple[str, ...]
    binary: frozenset[str]


class Writer:
    """Writes a backup beside its place and moves it there when it is whole; readable by its owner alone, since it holds secrets."""

    def __init__(self, path: pathlib.Path, head: Head) -> None:
        if path.exists():
            raise ArchiveError(f"{path} is there already; say another name")
        self._path, self._part = path, path.with_name(path.name + ".part")
        try:
            self._raw = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        except OSError as error:
            raise ArchiveError(f"{self._part} cannot be written: {error.strerror}") from error
        self._file = gzip.GzipFile(filename="", fileobj=self._raw, mode="wb", compresslevel=6)
        self._sum = hashlib.sha256()
        self._table: Table | None = None
        self.counts: dict[str, int] = {}
        self.sha256 = ""  # known at the end
        self._line(
            {
                "format": FORMAT, "version": VERSION, "revision": head.revision, "made_at_ms": head.made_at_ms,
                "sequences": head.sequences,
            }
        )  # fmt: skip

    def table(self, table: Table) -> None:
        """Rows of this table follow."""
        self._table = table
        self.counts[table.name] = 0
        self._line({"table": table.name, "columns": list(table.columns), "binary": sorted(table.binary)})

    def row(self, values: Row) -> None:
        """One row, in the order of its table's columns."""
        assert self._table is not None
        self._line([b64encode(value).decode() if isinstance(value, bytes) else value for value in values])
        self.counts[self._table.name] += 1

    def _line(self, value: Any) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
        self._sum.update(line)
        self._file.write(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whole: foot, sync, and into its place. Otherwise nothing is left of it."""
        try:
            if kind is None:
                self.sha256 = self._sum.hexdigest()
                self._line({"end": self.counts, "sha256": self.sha256})
            self._file.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
        finally:
            self._raw.close()
            if kind is not None:
                self._part.unlink(missing_ok=True)
        if kind is None:
            self._part.rename(self._path)


class Reader:
    """A backup that was found whole: the constructor reads it through once, and ArchiveError says what is wrong with it."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self.counts: dict[str, int] = {}
        self.sha256 = ""
        total = hashlib.sha256()
        found: dict[str, int] = {}
        head: Head | None = None
        name = ""
        for line in self._lines():
            value = self._value(line)
            if head is None:
                head = _head(path, value)
            elif isinstance(value, dict) and "end" in value:
                self.counts, self.sha256 = value["end"], value["sha256"]
                break
            elif isinstance(value, dict):
                name = str(value["table"])
                found[name] = 0
            else:
                found[name] = found.get(name, 0) + 1
            total.update(line)
        if head is None or not self.sha256:
            raise ArchiveError(f"{path} ends before its end: it was cut off; take another one")
        if total.hexdigest() != self.sha256 or found != self.counts:
            raise ArchiveError(f"{path} is damaged: its checksum does not fit; take another one")
        self.head = head

    def rows(self) -> Iterator[tuple[Table, Row]]:
        """All rows, each with its table."""
        table: Table | None = None
        places: list[int] = []
        for number, line in enumerate(self._lines()):
            value = self._value(line)
            if number == 0:
                continue
            if isinstance(value, dict) and "end" in value:
                return
            if isinstance(value, dict):
                table = Table(value["table"], tuple(value["columns"]), frozenset(value["binary"]))
                places = [at for at, name in enumerate(table.columns) if name in table.binary]
                continue
            assert table is not None
            for at in places:
                value[at] = None if value[at] is None else b64decode(value[at])
            yield table, value

    def _lines(self) -> Iterator[bytes]:
        try:
            with gzip.open(self._path, "rb") as file:
                while line := file.readline(MOST_LINE):
                    yield line
        except (OSError, EOFError) as error:  # a file that is no gzip is an OSError too
            raise ArchiveError(f"{self._path} cannot be read as a backup: {error}") from error

    def _value(self, line: bytes) -> Any:
        try:
            return json.loads(line.decode("utf-8", "surrogatepass"))
        except ValueError as error:
            raise ArchiveError(f"{self._path} is damaged: a line of it is no JSON; take another one") from error


def _head(path: pathlib.Path, value: Any) -> Head:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ArchiveError(f"{path} is no backup of Liftwatch")
    if value["version"] != VERSION:
        raise ArchiveError(
            f"{path} has version {value['version']} of the form; this Liftwatch reads {VERSION}: use a newer one"
        )
    return Head(value["revision"], value["made_at_ms"], value["sequences"])
