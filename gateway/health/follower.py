"""Health at work: a thread that follows the local log at a bounded rate, and reports made when they are asked for. It holds up nobody.

It is a cursor on the log, as the copy in InfluxDB is: the intake knows nothing of it, and what was followed is kept with the cursor.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import pathlib
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.clock import mono_ms, unix_ms
from gateway.config import Health, Lift
from gateway.health import parts
from gateway.health.course import Course, decoded, encoded
from gateway.health.day import DAY_MS, FIRST, HOUR_MS, LAST, Day, date_of, number
from gateway.health.report import Baseline, Faults, Report, report, settle
from gateway.health.store import HealthStore, Snapshot
from gateway.locallog import LocalLog
from gateway.log_reader import Reader
from protocols.health import COUNTED_CLASSES, NOT_COUNTED, TREND_DAYS

_log = logging.getLogger(__name__)

FILE = "health.db"
# Batches at a time: a few ms, so that an alarm that waits for the interpreter does not notice.
BATCHES = 8
IDLE_S = 1.0
RETRY_S = 5.0
STOP_S = 5.0
# What was followed since is followed again after a crash (ours: a save of ten thousand lifts is 5 MB).
SAVE_MS = 300_000
# How many reports are made in a second: one takes some 3 ms.
REPORTS = 5
# While it is further behind the log than this, nothing is told: days that are not followed yet would look like days without data.
EVEN_BATCHES = 2000
# Incidents are counted anew so often: it reads the journal of months.
FAULTS_MS = 600_000


class HealthFollower:
    """`record_of(lift)` gives the lift's record; `may_write()`: False while the disk is full.

    `counters` are read by the metrics: records followed, days made, rounds that failed.
    """

    def __init__(
        self,
        config: Health,
        data: pathlib.Path,
        log: LocalLog,
        record_of: Callable[[str], Lift],
        may_write: Callable[[], bool],
        now_ms: Callable[[], int] = unix_ms,
    ) -> None:
        self._config, self._log, self._record_of, self._may_write = config, log, record_of, may_write
        self._now_ms = now_ms
        self._zone_ms = config.utc_offset_minutes * 60_000
        self._journal = data / "journal.db"
        self._store = HealthStore(data / FILE, now_ms)
        # Courses as bytes: at most a KB for a lift, and what is saved.
        self._courses: dict[str, bytes] = {}
        self._days: dict[str, list[Day]] = {}  # made and not saved yet
        self._changed: set[str] = set()
        # Lifts with a new day, and what was settled of their baselines and not saved yet.
        self._unsettled: dict[str, None] = {}
        self._baselines: dict[str, Baseline] = {}
        self._saved_ms = mono_ms()
        self._due: dict[str, None] = {}
        self._told: dict[str, int] = {}
        self._faults: dict[str, dict[int, int]] | None = None
        self._faults_ms: int | None = None
        self._faults_lock = threading.Lock()
        # Courses, unsaved days and what is due are touched under it; nothing else is done meanwhile.
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.row = 0
        self.counters = {"records": 0, "days": 0, "failures": 0}
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Begin following."""
        self._thread.start()

    def stop(self) -> None:
        """Save and stop, if it ever began: a gateway that is refused its configuration is stopped before."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=STOP_S)

    # -- following ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        reader: Reader | None = None
        while not self._stop.is_set():
            try:
                if reader is None:
                    self._load()
                    reader = self._log.reader()
                self._stop.wait(self._round(reader))
            except Exception:  # following must not end; what was not saved is followed again
                _log.exception("health: trying again")
                self.counters["failures"] += 1
                if reader is not None:
                    reader.close()
                    reader = None
                self._stop.wait(RETRY_S)
        try:
            if reader is not None and self._may_write():
                self._save()
        except Exception:  # it is the end
            _log.exception("health: what was followed since the last save is followed again")
        if reader is not None:
            reader.close()
        self._store.close()

    def _load(self) -> None:
        row, courses = self._store.open()
        if row > self._log.newest_row:
            # Another log, whose rows are numbered anew. What of it was followed before is known by its life and number.
            row = 0
        with self._lock:
            self.row, self._courses, self._days, self._changed = row, courses, {}, set()
            self._unsettled, self._baselines = {}, {}
            for lift in courses:
                self._due.setdefault(lift)

    def _round(self, reader: Reader) -> float:
        """Follow the next batches; the seconds until the next round."""
        begun = time.monotonic()
        last, batches = reader.batches(self.row, BATCHES)
        count = 0
        now_ms = self._now_ms()
        for lift, offset_ms, batch, records in batches:
            course = self._course(lift)
            ended = course.take(self._record_of(lift), self._zone_ms, offset_ms, batch, records, now_ms)
            count += batch.count
            with self._lock:
                self._courses[lift] = encoded(course)
                self._changed.add(lift)
                if ended:
                    self._days.setdefault(lift, []).extend(ended)
                    self._unsettled.setdefault(lift)
                self._due.setdefault(lift)
            self.counters["days"] += len(ended)
        self.row = last
        self.counters["records"] += count
        if self._unsettled:
            self._settle(self._unsettled.popitem()[0])
        if mono_ms() - self._saved_ms >= SAVE_MS and self._may_write():
            self._save()
        if not batches:
            return IDLE_S
        return max(0.0, count / self._config.records_per_s - (time.monotonic() - begun))

    def _course(self, lift: str) -> Course:
        kept = self._courses.get(lift)
        if kept is not None:
            try:
                return decoded(kept)
            except msgspec.MsgspecError as error:
                _log.error("health: the course of %r cannot be read (%s); it begins anew", lift, error)
        return Course()

    def _settle(self, lift: str) -> None:
        """One lift in a round: it reads all its days."""
        held = self._baseline(lift)
        settled = settle(held, self._record_of(lift), self._ended(lift, FIRST, LAST), self._faults_of(lift))
        if settled != held:
            with self._lock:
                self._baselines[lift] = settled

    def _save(self) -> None:
        """Keep what was followed since the last time, with how far the log was followed."""
        with self._lock:
            courses = {lift: self._courses[lift] for lift in self._changed}
        oldest = (self._now_ms() + self._zone_ms) // DAY_MS - self._config.days
        self._store.save(Snapshot(self.row, courses, self._days, self._baselines), oldest)
        with self._lock:
            self._changed, self._days, self._baselines = set(), {}, {}
        self._saved_ms = mono_ms()

    def _baseline(self, lift: str) -> Baseline | None:
        with self._lock:
            found = self._baselines.get(lift)
        return found or self._store.baseline(lift)

    # -- reports --------------------------------------------------------------------------------------------------

    def due(self, again: bool) -> list[Report]:
        """The reports that the cloud shall have now, a few at a time: of lifts with news, of all if it wants them `again`.

        None while a backlog is followed: what the cloud has is older and true.
        """
        now = mono_ms()
        with self._lock:
            if again:
                self._due.update(dict.fromkeys(self._courses))
                self._told.clear()
            if self._log.behind(self.row) > EVEN_BATCHES:
                return []
            again_ms = self._config.again_s * 1000
            ready = [lift for lift in self._due if now - self._told.get(lift, now - again_ms) >= again_ms][:REPORTS]
            for lift in ready:
                del self._due[lift]
                self._told[lift] = now
        out = []
        for lift in ready:
            try:
                out.append(self.report(lift))
            except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
                _log.error("health of %s cannot be told: %r", lift, error)
                self.counters["failures"] += 1
        return out

    async def tell(self, again: bool) -> list[dict[str, Any]]:
        """As `due`, for the link to the cloud."""
        return [msgspec.to_builtins(found) for found in await asyncio.to_thread(self.due, again)]

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """What the cloud asks for: {lift, from, to} as local dates; see `history`."""
        since, to = (number(dt.date.fromisoformat(str(query[name]))) for name in ("from", "to"))
        return self.history(str(query["lift"]), since, to)

    def whole(self, lift: str) -> dict[str, Any] | None:
        """Report and days of one lift as plain values; None if nothing was followed of it."""
        if lift not in self._courses:
            return None
        date = (self._now_ms() + self._zone_ms) // DAY_MS
        days = self.history(lift, date - TREND_DAYS, date)["days"]
        return {**msgspec.to_builtins(self.report(lift)), "history": days}

    def report(self, lift: str) -> Report:
        """The health of one lift now; sqlite3.Error or OSError if the store cannot be read."""
        record, now_ms = self._record_of(lift), self._now_ms()
        date = (now_ms + self._zone_ms) // DAY_MS
        days = self._held(lift, FIRST, date)
        today = days.pop() if days and days[-1].date == date else None
        faults = self._faults_of(lift)
        baseline = settle(self._baseline(lift), record, days, faults)
        return report(record, days, baseline, faults, today, date, now_ms)

    def history(self, lift: str, since: int, to: int) -> dict[str, Any]:
        """{days: [{date, over, observed_hours, parts: {name: value or None}, usage: {name: value}}]} between two local days."""
        record, faults = self._record_of(lift), self._faults_of(lift)
        date = (self._now_ms() + self._zone_ms) // DAY_MS
        return {
            "days": [
                {
                    "date": date_of(day.date).isoformat(), "over": day.date < date, "observed_hours": round(day.observed / HOUR_MS, 2),
                    "parts": parts.figures(day, None if faults is None else faults.get(day.date, 0)), "usage": parts.usage(record, day),
                }
                for day in self._held(lift, since, to)
            ]
        }  # fmt: skip

    def _held(self, lift: str, since: int, to: int) -> list[Day]:
        """The days between these two, the one that goes on included."""
        with self._lock:
            kept = self._courses.get(lift)
        course = None if kept is None else decoded(kept)
        going = [course.so_far()] if course is not None and course.day is not None else []
        return _merged(self._ended(lift, since, to), [day for day in going if since <= day.date <= to])

    def _ended(self, lift: str, since: int, to: int) -> list[Day]:
        """The days between these two that a later one has ended, saved or not."""
        with self._lock:
            made = list(self._days.get(lift, ()))
        return _merged(self._store.days(lift, since, to), [day for day in made if since <= day.date <= to])

    def values(self) -> dict[str, float]:
        """Gauges: lifts followed, reports waiting, batches of the log not yet followed, and the counters."""
        out: dict[str, float] = {
            "health_lifts": len(self._courses), "health_due": len(self._due), "health_behind_batches": self._log.behind(self.row),
        }  # fmt: skip
        return out | {f"health_{name}": value for name, value in self.counters.items()}

    # -- incidents ------------------------------------------------------------------------------------------------

    def _faults_of(self, lift: str) -> Faults | None:
        """{local day: failures of the lift} as the journal has them; None if it cannot be read."""
        with self._faults_lock:
            now = mono_ms()
            if self._faults_ms is None or now - self._faults_ms >= FAULTS_MS:
                self._faults_ms = now
                try:
                    self._faults = count_faults(self._journal, self._zone_ms)
                except sqlite3.Error as error:
                    _log.warning("health: the journal cannot be read: %s", error)
                    self._faults = None
            return None if self._faults is None else self._faults.get(lift, {})


def _merged(kept: list[Day], made: list[Day]) -> list[Day]:
    """Days in order; one that was made anew stands for the one that was kept, unless it saw less."""
    out = {day.date: day for day in kept}
    for day in made:
        if day.date not in out or out[day.date].observed <= day.observed:
            out[day.date] = day
    return [out[date] for date in sorted(out)]


def count_faults(journal: pathlib.Path, zone_ms: int) -> dict[str, dict[int, int]]:
    """{lift: {local day: incidents that were failures of the lift}} of all that the journal holds."""
    marks = ",".join("?" * len(NOT_COUNTED)), ",".join("?" * len(COUNTED_CLASSES))
    text = (
        "SELECT lift, (coalesce(json_extract(body, '$.stages.detected'), received_ms) + ?) / ?, count(*) FROM revision "  # noqa: S608  ours
        "WHERE rev = (SELECT min(rev) FROM revision AS other WHERE other.id = revision.id) "
        # What happened to a technician at work is no failure.
        "AND coalesce(json_extract(body, '$.withheld'), '') = '' "
        f"AND json_extract(body, '$.kind') NOT IN ({marks[0]}) AND json_extract(body, '$.class') IN ({marks[1]}) GROUP BY 1, 2"
    )
    out: dict[str, dict[int, int]] = {}
    # Read-only, beside the journal's own thread: alarms wait for nobody's statistics.
    with contextlib.closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as database:
        for lift, date, count in database.execute(text, (zone_ms, DAY_MS, *NOT_COUNTED, *COUNTED_CLASSES)):
            out.setdefault(lift, {})[date] = count
    return out
