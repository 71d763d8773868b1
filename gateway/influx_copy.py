"""The copy of the local log in InfluxDB: a cursor that moves on receipts only, at a bounded rate. It holds up nobody.

What the server refuses is found, put aside where a person can see it, and the rest is stored. It knows no wire format.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import unix_ms
from gateway.config import Influx
from gateway.errors import NotDelivered
from gateway.influx import LinesRefused, Server, line
from gateway.locallog import LocalLog
from gateway.log_reader import Point, Quarantined, Reader

_log = logging.getLogger(__name__)

CURSOR = "influx"
# Batches in one request: some 5,000 records. A server that cannot take so many within the deadline is given half, and so on.
BATCHES = 40
IDLE_S = 0.5
RETRY_S = 2.0
STOP_S = 2.0
# A log that was replaced numbers its rows from the time on: beyond so many it is no count of batches.
RENUMBERED = 1_000_000_000

Entry = tuple[Point, bytes]


@dataclass
class Sent:
    """Rows up to `row` that the server has answered for, since `at_s`, and what came of them."""

    at_s: float
    row: int
    records: int
    missed: int
    refused: list[Quarantined]


class InfluxCopy:
    """A thread that copies the log; `site_of(lift)` gives the tag.

    `row` is the cursor: the last row that the server has for good. `counters` are read by the metrics: records up to there,
    quarantined lines, points too old for the server's retention, batches that the log had to drop before they were copied, failed
    requests.
    """

    def __init__(self, config: Influx, log: LocalLog, site_of: Callable[[str], str]) -> None:
        # A server of its own: how often its connection was made tells whether it may have died in between.
        self._server = Server(config)
        self._log, self._site_of = log, site_of
        self._records_per_s, self._written_after_s = config.records_per_s, config.written_after_s
        self._stop = threading.Event()
        self._batches = BATCHES
        self.counters = {"records": 0, "quarantined": 0, "expired": 0, "missed_batches": 0, "failures": 0}
        self.row = 0
        self._sent_row = 0
        self._sent: deque[Sent] = deque()
        self._connections = 0
        self.up = False
        self._thread = threading.Thread(target=self._run, name="influx", daemon=True)

    def start(self) -> None:
        """Begin copying."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the request under way, or leave that behind: what has no receipt is written again."""
        self._stop.set()
        self._thread.join(timeout=STOP_S)

    def _run(self) -> None:
        reader: Reader | None = None
        while not self._stop.is_set():
            try:
                if reader is None:
                    reader = self._log.reader()
                    self.row = self._sent_row = reader.cursor(CURSOR)
                self._stop.wait(self._round(reader))
            except NotDelivered as error:
                self.counters["failures"] += 1
                if self.up:
                    _log.warning("influx: %s; the log waits", error)
                self.up = False
                self._batches = max(1, self._batches // 2)
                self._go_back()
                self._stop.wait(RETRY_S)
            except Exception:  # the copy must not end
                _log.exception("influx: trying again")
                self._stop.wait(RETRY_S)

    def _round(self, reader: Reader) -> float:
        """Copy the next batches; the seconds until the next round."""
        begun = time.monotonic()
        if not self.up:
            self._server.prepare()
        last, points = reader.after(self._sent_row, self._batches)
        if last != self._sent_row:
            missed = last - self._sent_row - reader.counted(self._sent_row, last)
            refused: list[Quarantined] = []
            entries = [(point, text) for point in points if (text := line(self._site_of(point.lift), point))]
            self._store(entries, refused)
            self._sent.append(Sent(time.monotonic(), last, len(points), missed, refused))
            self._sent_row = last
            self._batches = min(BATCHES, self._batches * 2)
        elif self._sent:
            self._server.ping()
        self.up = True
        self._settle(reader)
        return IDLE_S if not points else max(0.0, len(points) / self._records_per_s - (time.monotonic() - begun))

    def _settle(self, reader: Reader) -> None:
        """Move the cursor over what the server has for good."""
        if self._written_after_s and self._connections != self._server.connections():
            # Another connection, perhaps because the server was started anew: what it had not written yet may be gone.
            self._connections = self._server.connections()
            self._go_back()
            return
        due_s = time.monotonic() - self._written_after_s
        done = [sent for sent in self._sent if sent.at_s <= due_s]
        if not done:
            return
        refused = [entry for sent in done for entry in sent.refused]
        reader.settle(CURSOR, done[-1].row, refused)
        for _ in done:
            self._sent.popleft()
        self.row = done[-1].row
        self.counters["records"] += sum(sent.records for sent in done)
        self.counters["quarantined"] += len(refused)
        missed = sum(sent.missed for sent in done if sent.missed < RENUMBERED)
        if missed:
            _log.warning("influx: the log dropped %d batches that had not been copied", missed)
            self.counters["missed_batches"] += missed

    def _go_back(self) -> None:
        """Send again what the server has answered for but may have lost."""
        self._sent.clear()
        self._sent_row = self.row

    # -- refusals -------------------------------------------------------------------------------------------------

    def _store(self, entries: list[Entry], refused: list[Quarantined]) -> None:
        """Write `entries`; those that the server does not take are found by parting them, and added to `refused`.

        Writing a point twice changes nothing: same series, same time.
        """
        if not entries:
            return
        try:
            self._server.write([text for _, text in entries])
        except LinesRefused as error:
            if error.expired and error.dropped is not None:  # told only if nothing else was wrong
                self.counters["expired"] += error.dropped
                return
            self._part(entries, error, refused)

    def _part(self, entries: list[Entry], error: LinesRefused, refused: list[Quarantined]) -> None:
        if any(len(point.changes) > 1 for point, _ in entries):
            # A conflict of types is one field's: the others of the same record are not to be lost with it.
            by_field: dict[str, list[Entry]] = {}
            for point, _ in entries:
                for name, value in point.changes.items():
                    alone = Point(point.row, point.lift, point.t_ms, {name: value})
                    text = line(self._site_of(point.lift), alone)
                    if text is not None:
                        by_field.setdefault(name, []).append((alone, text))
            for group in by_field.values():
                self._store(group, refused)
        elif len(entries) == 1 or error.dropped == len(entries):
            at_ms = unix_ms()
            refused += [Quarantined(at_ms, point.lift, str(error), text.decode()) for point, text in entries]
        else:
            middle = len(entries) // 2
            self._store(entries[:middle], refused)
            self._store(entries[middle:], refused)
