"""The second copy of the events that the gateway raised itself: a node would send its own again to a journal that was lost.

One file beside the journal, replaced as a whole: the highest number of such an event so far, then the events. Each line has its
own checksum, and a damaged one costs no other.
"""

import itertools
import json
import logging
import os
import pathlib
import threading
import zlib
from collections.abc import Iterable
from typing import Any

_log = logging.getLogger(__name__)

FILE = "detected.jsonl"

Event = dict[str, Any]


class Kept:
    """`load` once at the start, `save` when something changed."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        # A round that was given up may still be writing as the last one begins.
        self._lock = threading.Lock()
        self.damaged = 0
        self.failed = 0

    def load(self) -> tuple[int, dict[str, list[Event]]]:
        """(the highest number, {lift: its events}) of what can be read."""
        newest, found = 0, dict[str, list[Event]]()
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return newest, found
        except OSError as error:
            self.failed += 1
            _log.error("%s cannot be read: %s", self._path, error)
            return newest, found
        for line in lines:
            try:
                check, body = line.split(b" ", 1)
                entry = json.loads(body) if int(check, 16) == zlib.crc32(body) else None
            except ValueError:
                entry = None
            if entry is None:
                self.damaged += 1
            elif "newest" in entry:
                newest = entry["newest"]
            else:
                found.setdefault(entry["lift"], []).append(entry)
        if self.damaged:
            _log.error("%s: %d lines are damaged and left out", self._path, self.damaged)
        return newest, found

    def save(self, newest: int, events: Iterable[Event]) -> bool:
        """Keep these and no others; False (counted) if the disk refused: the journal has them all the same."""
        try:
            with self._lock:
                self._write(itertools.chain([{"newest": newest}], events))
        except OSError as error:
            self.failed += 1
            _log.error("%s cannot be written: %s", self._path, error)
            return False
        return True

    def _write(self, entries: Iterable[dict[str, Any]]) -> None:
        partial = self._path.with_suffix(".partial")
        with partial.open("wb") as out:
            for entry in entries:
                body = json.dumps(entry).encode()
                out.write(b"%08x %s\n" % (zlib.crc32(body), body))
            out.flush()
            os.fsync(out.fileno())
        partial.replace(self._path)
