"""What the node recorded around each serious event, kept as a recording beside the journal, where the log's quota cannot take it.

It reads journal and log on connections of its own. What is missing after a restart is seen from journal and files, once.
"""

import asyncio
import contextlib
import json
import logging
import pathlib
import re
import sqlite3
from collections.abc import Callable
from typing import Any

from gateway.clock import unix_ms
from gateway.config import Lift
from gateway.errors import ExportError
from gateway.lifts import is_ours
from gateway.log_export import export, header
from protocols.delivery.black_box import SPAN_MS
from protocols.errors import DecodeError
from protocols.fault_texts import GATEWAY_FAULTS
from protocols.recording import Label, Recording, read

_log = logging.getLogger(__name__)

FOLDER = "black_boxes"
# From this severity on the node hands its box to the log.
SERIOUS = 3
ROUND_S = 10.0
# The history of a node that was offline for longer is in the log all the same.
SOUGHT_MS = 86_400_000
# The record that ends the minute comes with the sample behind it.
CLOSING_MS = 2000
# About 10 KB each.
MAX_FILES = 2000
# Of nodes that are offline, each with some; ours.
MAX_WAITING = 1000

# In one answer, the rest is left out and told; a box has some thousand.
MAX_POINTS = 40_000
_IS_INCIDENT = re.compile(r"[a-z0-9-]{1,64}\Z")

Event = dict[str, Any]


class BlackBoxes:
    """Keeps one file an incident in `data`/black_boxes. `may_write()`: False while the disk is full."""

    def __init__(
        self, data: pathlib.Path, origin: str, record: Callable[[str], Lift], may_write: Callable[[], bool]
    ) -> None:
        self._data, self._origin, self._record, self._may_write = data, origin, record, may_write
        self._folder = data / FOLDER
        self._waiting: dict[str, Event] = {}
        self._looked_back = False
        self.kept = 0
        self.dropped = 0
        self.failed = 0

    def offer(self, event: Event) -> None:
        """A new revision, before or after its commit: a serious one of a node's that opens is waited for."""
        if event["severity"] < SERIOUS or event["phase"] != "open":
            return
        if event["kind"] in GATEWAY_FAULTS or is_ours(event["id"]):
            return
        self._waiting.setdefault(event["id"], event)
        while len(self._waiting) > MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
            self.dropped += 1

    async def run(self) -> None:
        """For ever: keep what is complete and not kept yet."""
        while True:
            if self._may_write():
                await asyncio.to_thread(self.keep, unix_ms())
            await asyncio.sleep(ROUND_S)

    def keep(self, now_ms: int) -> None:
        """One round. What cannot be read or written now is tried again in the next."""
        self._folder.mkdir(exist_ok=True)
        if not self._looked_back:
            self._look_back(now_ms - SOUGHT_MS)
        for name, event in list(self._waiting.items()):
            if self._keep_one(event) or event["received"] < now_ms - SOUGHT_MS:
                self._waiting.pop(name, None)

    def _look_back(self, since_ms: int) -> None:
        """At the start: serious incidents received since then that have no file."""
        held = {path.stem for path in self._folder.glob("*.lwrec")}
        try:
            with contextlib.closing(self._read("journal.db")) as database:
                rows = database.execute(
                    "SELECT body, min(rev) FROM revision WHERE received_ms >= ? GROUP BY id", (since_ms,)
                ).fetchall()
            for body, _ in rows:
                if (event := json.loads(body))["id"] not in held:
                    self.offer(event)
            self._looked_back = True
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            self.failed += 1
            _log.error("black boxes: the journal cannot be read: %s", error)

    def _keep_one(self, event: Event) -> bool:
        """True once its file is there."""
        name, lift, stages = event["id"], event["lift"], event["stages"]
        detected_ms = stages.get("detected") or event["received"]
        onset_ms = min(stages.get("onset") or detected_ms, detected_ms)
        partial = self._folder / f"{name}.partial"
        try:
            if not self._is_complete(lift, detected_ms + SPAN_MS):
                return False
            head = header(self._record(lift), event.get("profile"), self._origin)
            note = Label("", onset_ms, detected_ms, f"{event['kind']} {name}")
            with partial.open("wb") as out:
                found = export(
                    self._data / "log.db",
                    head,
                    onset_ms - SPAN_MS,
                    detected_ms + SPAN_MS + CLOSING_MS,
                    out.write,
                    [note],
                )
            partial.replace(self._folder / f"{name}.lwrec")
        except (ExportError, sqlite3.Error, OSError) as error:
            self.failed += 1
            partial.unlink(missing_ok=True)
            _log.error("lift %s: the black box of %s cannot be kept: %s", lift, name, error)
            return False
        self.kept += 1
        _log.info("lift %s: the black box of %s is kept, %d batches", lift, name, found.batches)
        files = sorted(self._folder.glob("*.lwrec"), key=lambda path: path.stat().st_mtime)
        for path in files[:-MAX_FILES]:
            path.unlink()
        return True

    def _is_complete(self, lift: str, until_ms: int) -> bool:
        """Has the log what comes behind that time? Its order is strict: then it has all before."""
        with contextlib.closing(self._read("log.db")) as database:
            found = database.execute(
                "SELECT 1 FROM batch WHERE lift = ? AND first_ms > ? AND last_ms >= ? LIMIT 1",
                (lift, until_ms - SOUGHT_MS, until_ms),
            )
            return found.fetchone() is not None

    def answer(self, lift: str, incident: str) -> dict[str, Any]:
        """What was kept of `incident`: {fields: {name: [[t_ms, value or None], …]}, onset_ms, detected_ms, problems}, or an error.

        `missing` says why there is none: "waiting" for the minute behind the event, or "none".
        """
        if not _IS_INCIDENT.match(incident) or not incident.startswith(f"{lift}-"):
            return {"error": f"{incident[:80]} is no incident of lift {lift}"}
        try:
            found = read((self._folder / f"{incident}.lwrec").read_bytes())
        except FileNotFoundError:
            return {"missing": "waiting" if incident in self._waiting else "none"}
        except (DecodeError, OSError) as error:
            self.failed += 1
            _log.error("lift %s: the black box of %s cannot be read: %s", lift, incident, error)
            return {"error": f"the recording cannot be read: {error}"[:300]}
        note = found.labels[0] if found.labels else None
        return {
            "fields": _series(found), "onset_ms": note.onset_ms if note else None, "detected_ms": note.end_ms if note else None,
            "problems": found.problems[:20],
        }  # fmt: skip

    def _read(self, name: str) -> sqlite3.Connection:
        return sqlite3.connect(f"{(self._data / name).absolute().as_uri()}?mode=ro", uri=True)

    def values(self) -> dict[str, float]:
        """Gauges: boxes kept since the start, those waited for, tries that failed, and those that found no room to wait."""
        return {
            "black_boxes_kept": self.kept, "black_boxes_waiting": len(self._waiting), "black_boxes_failed": self.failed,
            "black_boxes_dropped": self.dropped,
        }  # fmt: skip


def _series(found: Recording) -> dict[str, list[list[Any]]]:
    """By field, in the order of time. The same sample may stand in the box and in the log: it is one point."""
    series: dict[str, dict[int, Any]] = {}
    count = 0
    for offset_ms, batch in found.batches:
        try:
            records = batch.records()
        except DecodeError as error:
            found.problems.append(f"batch {batch.number}: {error}")
            continue
        for up_ms, changes in records:
            for name, value in changes.items():
                if count < MAX_POINTS:
                    series.setdefault(name, {})[up_ms + offset_ms] = value
                count += 1
    if count > MAX_POINTS:
        found.problems.append(f"{count - MAX_POINTS} records more are in the file")
    return {name: [[t_ms, value] for t_ms, value in sorted(points.items())] for name, points in sorted(series.items())}
