"""The second copy of the events that the gateway raised itself: a node would send its own again to a journal that was lost.

One file beside the journal, replaced as a whole; each line has its own checksum, and a damaged one costs no other.
"""

import json
import logging
import os
import pathlib
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
        self.damaged = 0
        self.failed = 0

    def load(self) -> dict[str, list[Event]]:
        """{lift: its events} of what can be read."""
        found: dict[str, list[Event]] = {}
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return found
        except OSError as error:
            self.failed += 1
            _log.error("%s cannot be read: %s", self._path, error)
            return found
        for line in lines:
            try:
                check, body = line.split(b" ", 1)
                event = json.loads(body) if int(check, 16) == zlib.crc32(body) else None
            except ValueError:
                event = None
            if event is None:
                self.damaged += 1
            else:
                found.setdefault(event["lift"], []).append(event)
        if self.damaged:
            _log.error("%s: %d lines are damaged and left out", self._path, self.damaged)
        return found

    def save(self, events: Iterable[Event]) -> bool:
        """Keep these and no others; False (counted) if the disk refused: the journal has them all the same."""
        partial = self._path.with_suffix(".partial")
        try:
            with partial.open("wb") as out:
                for event in events:
                    body = json.dumps(event).encode()
                    out.write(b"%08x %s\n" % (zlib.crc32(body), body))
                out.flush()
                os.fsync(out.fileno())
            partial.replace(self._path)
        except OSError as error:
            self.failed += 1
            _log.error("%s cannot be written: %s", self._path, error)
            return False
        return True
