"""The alarms' reserve: room on the disk that neither history nor another program can take. It stores nothing itself.

It is a file that only fills space. When the journal finds the disk full it is given up step by step; history waits until it
stands again.
"""

import logging
import os
import pathlib
import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar

from gateway.store_file import is_full

_log = logging.getLogger(__name__)

# How often a reserve that was given up is tried again; ours.
RETRY_MS = 1000
# So much is given up at once, again and again until a commit fits; the rest stays out of others' reach. Ours: some five commits.
STEP_BYTES = 100_000
T = TypeVar("T")


class Reserve:
    """`size` bytes in the file at `path`. Safe from any thread."""

    def __init__(self, path: pathlib.Path, size: int, mono_ms: Callable[[], int]) -> None:
        self._path, self._size, self._mono_ms = path, size, mono_ms
        self._lock = threading.Lock()
        self._tried_ms: int | None = None
        self._held = False
        self.releases = 0

    @property
    def held(self) -> bool:
        """Does all of the reserve stand? Tries to take what is missing, once in RETRY_MS at most."""
        with self._lock:
            now = self._mono_ms()
            if not self._held and (self._tried_ms is None or now - self._tried_ms >= RETRY_MS):
                self._tried_ms = now
                self._held = self._take()
                if self._held:
                    _log.info("the alarms' reserve of %d MB stands", self._size // 1_000_000)
            return self._held

    def left(self) -> int:
        """Bytes of the reserve that stand now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def release(self) -> bool:
        """Give one step of the room to the journal; False if there is none to give."""
        with self._lock:
            left = self.left()
            if left == 0:
                return False
            os.truncate(self._path, max(0, left - STEP_BYTES))
            if self._held:
                _log.error(
                    "the disk is full: alarms take their reserve, history waits at the nodes until there is room"
                )
            self._held = False
            self._tried_ms = self._mono_ms()
            self.releases += 1
            return True

    def with_room(self, work: Callable[[], T]) -> T:
        """`work()`, again with more room as long as it finds none and there is some to give; its error after that."""
        while True:
            try:
                return work()
            except sqlite3.Error as error:
                if not is_full(error) or not self.release():
                    raise

    def _take(self) -> bool:
        try:
            # Not truncated: a reserve that stands from the last run is kept as it is.
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        before = os.fstat(file).st_size
        try:
            os.posix_fallocate(file, 0, self._size)
            # One from a run with a larger reserve gives back what is too much.
            os.ftruncate(file, self._size)
            os.fsync(file)
        except OSError:
            # What it got of a disk that is full must not be kept from the journal.
            os.ftruncate(file, before)
            return False
        finally:
            os.close(file)
        return True
