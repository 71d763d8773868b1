"""The gateway's stores on one disk: journal, local log and the reserve between them. What they hold is not looked at here.

Drop order, declared: oldest history first; open incidents, and any that somebody has not receipted, never.
"""

import logging
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from gateway.clock import mono_ms
from gateway.config import Gateway
from gateway.journal import Journal
from gateway.locallog import LocalLog, Stored
from gateway.reserve import Reserve

_log = logging.getLogger(__name__)

MEGABYTE = 1_000_000


class Stores:
    """Opens all of them in the folder `data`. The callables are those of Journal and LocalLog."""

    def __init__(
        self,
        data: pathlib.Path,
        config: Gateway,
        batches_stored: Callable[[list[Stored], bool], None],
        journal_replaced: Callable[[], None],
        log_replaced: Callable[[], None],
    ) -> None:
        self._data = data
        self.reserve = Reserve(data / "reserve", config.reserve_megabytes * MEGABYTE, mono_ms)
        self.journal = Journal(data / "journal.db", self.reserve, journal_replaced)
        if not self.reserve.held:
            _log.error("%s has no room for the alarms' reserve of %d MB", data, config.reserve_megabytes)
        max_bytes = config.log_megabytes * MEGABYTE
        self.log = LocalLog(data / "log.db", max_bytes, batches_stored, self.reserve, log_replaced)

    def identity(self) -> str:
        """The id that the nodes are told: another one as soon as either store is."""
        return self.journal.file.identity[:6] + self.log.file.identity[:6]

    def close(self) -> None:
        """Store what is queued; history first, for the journal may still get a receipt."""
        self.log.close()
        self.journal.close()

    def put_aside(self) -> list[tuple[pathlib.Path, str]]:
        """Damaged files that lie there, each with its reason as far as this run knows it."""
        files = (self.journal.file, self.log.file)
        reasons = {file.replaced.kept: file.replaced.reason for file in files if file.replaced is not None}
        return [(kept, reasons.get(kept, "damaged")) for file in files for kept in file.kept()]

    def values(self) -> dict[str, float]:
        """Gauges of the stores and of the disk under them."""
        journal, log = self.journal, self.log
        return {
            "journal_depth": journal.depth(), "journal_refused": journal.refused, "journal_failed": journal.failed,
            "journal_bytes": journal.file.bytes_on_disk(), "journal_replaced": journal.file.replaced is not None,
            "journal_rescued": journal.rescued, "log_rescued": log.rescued,
            "log_depth": log.depth(), "log_bytes": log.used_bytes(), "log_dropped_bytes": log.dropped_bytes,
            "log_gaps": log.gaps, "log_refused": log.refused, "log_replaced": log.file.replaced is not None,
            "log_damaged": log.damaged, "log_hours_held": log.hours_held(), "log_hours_left": log.hours_left(),
            "stores_put_aside": len(journal.file.kept()) + len(log.file.kept()),
            "reserve_held": self.reserve.held, "reserve_bytes": self.reserve.left(), "reserve_releases": self.reserve.releases,
            "disk_free_bytes": shutil.disk_usage(self._data).free,
        }  # fmt: skip

    def health(self) -> dict[str, Any]:
        """What a person must see to: stores that were replaced since the start, with their reason; no room."""
        out: dict[str, Any] = {"disk": "ok" if self.reserve.held else "full: alarms use their reserve, history waits"}
        for name, file in (("journal", self.journal.file), ("log", self.log.file)):
            replaced = file.replaced
            out[name] = "ok" if replaced is None else f"replaced: {replaced.reason}; kept as {replaced.kept.name}"
        return out
