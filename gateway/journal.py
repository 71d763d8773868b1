"""The journal of events: SQLite, WAL, FULL, one thread, group commit. What it has confirmed survives a power cut.

Keys: (id, rev) for revisions, (id, rev, destination) for deliveries; each row of them carries its checksum. An incident's
`version` rises with every change; the cloud is told the newest version until it has receipted it.
"""

import asyncio
import json
import logging
import pathlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from gateway.clock import unix_ms
from gateway.errors import NotDelivered
from gateway.journal_rows import FORM, SCHEMA, area_of, incident_row, put, rescue, verify
from gateway.reserve import Reserve
from gateway.store_file import StoreFile, damage, is_damage, transaction

_log = logging.getLogger(__name__)

# Alarms of ten thousand lifts in an area event fit; beyond it the nodes keep them and send again.
MAX_QUEUE = 20_000
MAX_GROUP = 500
# Ours: a commit takes 20 ms on a bad day, a full queue of them seconds.
ANSWER_S = 10
# After a failure, so that a disk that takes nothing is not asked without end; ours.
FAILED_S = 0.05
Job = Callable[[sqlite3.Connection], Any]
Then = Callable[[Any, Exception | None], None]
T = TypeVar("T")


class Journal:
    """Runs jobs on the database in groups; `then(result, error)` is called in the journal's thread after the commit.

    A full disk takes the `reserve`. A damaged file is replaced at the start or when it is met; what can still be read is taken
    over, and `on_replaced()` is called in the journal's thread: receipts that were given may not be known any more.
    """

    def __init__(
        self, path: pathlib.Path, reserve: Reserve | None = None, on_replaced: Callable[[], None] = lambda: None
    ) -> None:
        self.file = StoreFile(path, SCHEMA, FORM, unix_ms, verify)
        self.refused = 0
        self.failed = 0
        self.groups = 0
        self.rescued = 0
        self._reserve, self._on_replaced = reserve, on_replaced
        self._queue: queue.Queue[tuple[Job, Then] | None] = queue.Queue(MAX_QUEUE)
        self._database: sqlite3.Connection | None = None
        self._with_room(self._opened)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()
        self.file.check_beside(self._doubt)

    def _doubt(self, generation: int, reason: str) -> None:
        def job(database: sqlite3.Connection) -> None:
            if generation == self.file.generation:
                raise damage(reason)

        self.submit(job, lambda result, error: None)

    def _with_room(self, work: Callable[[], T]) -> T:
        return work() if self._reserve is None else self._reserve.with_room(work)

    def _opened(self) -> sqlite3.Connection:
        """The file open and all taken over of the one before it; what an attempt could not do is left to the next."""
        if self._database is None:
            self._database = self.file.open()
        database = self._database
        if self.file.to_rescue:
            with transaction(database):
                self.rescued = rescue(self.file.to_rescue, database)
            self.file.rescued(database)
        return database

    def submit(self, job: Job, then: Then) -> bool:
        """Queue `job`; False (counted) if the queue is full: nothing was stored and no receipt may be given."""
        try:
            self._queue.put_nowait((job, then))
        except queue.Full:
            self.refused += 1
            return False
        return True

    async def ask(self, job: Job) -> Any:
        """Run `job` and wait for its result, from a loop; NotDelivered if the queue is full, TimeoutError after ANSWER_S."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def then(result: Any, error: Exception | None) -> None:
            loop.call_soon_threadsafe(settle, result, error)

        if not self.submit(job, then):
            raise NotDelivered("the journal's queue is full")
        async with asyncio.timeout(ANSWER_S):
            return await future

    def depth(self) -> int:
        """Jobs waiting."""
        return self._queue.qsize()

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        running = True
        while running:
            group = [self._queue.get()]
            while len(group) < MAX_GROUP:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            running = None not in group
            self._commit([entry for entry in group if entry is not None])
        if self._database is not None:
            self._database.close()

    def _commit(self, group: list[tuple[Job, Then]]) -> None:
        self.groups += 1
        pause_s = 0.0
        try:
            outcomes = self._attempt(group)
        except (sqlite3.Error, OSError) as error:
            self.failed += len(group)
            _log.error("journal: %s; nothing of %d jobs was stored", error, len(group))
            outcomes = [(then, None, error) for _, then in group]
            pause_s = FAILED_S
        for then, result, failure in outcomes:
            try:
                then(result, failure)
            except Exception:  # a callback must not stop the journal
                _log.exception("journal: a callback failed")
        if pause_s:
            time.sleep(pause_s)

    def _attempt(self, group: list[tuple[Job, Then]]) -> list[tuple[Then, Any, Exception | None]]:
        """Commit the group, with more room and on another file where that is what it lacks."""
        try:
            return self._with_room(lambda: self._transact(group))
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            reason = str(error)
        self._replace(reason)
        return self._with_room(lambda: self._transact(group))

    def _replace(self, reason: str) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        try:
            self._database = self.file.replace(reason)
            self._with_room(self._opened)
        finally:
            # Even if the new one must wait for room: what the old one confirmed is not there to answer with.
            self._on_replaced()

    def _transact(self, group: list[tuple[Job, Then]]) -> list[tuple[Then, Any, Exception | None]]:
        database = self._opened()
        outcomes: list[tuple[Then, Any, Exception | None]] = []
        with transaction(database):
            for job, then in group:
                database.execute("SAVEPOINT job")
                try:
                    outcomes.append((then, job(database), None))
                except Exception as error:
                    if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                        raise
                    # One bad job must not take the others of its group with it.
                    database.execute("ROLLBACK TO job")
                    outcomes.append((then, None, error))
                database.execute("RELEASE job")
        return outcomes


# -- jobs ---------------------------------------------------------------------------------------------------------


def store_revision(event: dict[str, Any]) -> Job:
    """Job: store one revision if it is new; returns (rev now newest, its delivery states, done)."""

    def job(database: sqlite3.Connection) -> tuple[int, bool]:
        committed_ms = unix_ms()
        name, rev = event["id"], event["rev"]
        row = (name, rev, event["lift"], event["phase"], json.dumps(event), event["received"], committed_ms)
        put(database, "revision", row, keep=True)
        # The first version is the time: a journal made anew goes on above what the cloud has from the one before.
        newest, version, cloud, done = incident_row(database, name) or (rev, committed_ms - 1, 0, 0)
        if rev > newest:
            newest, done = rev, 0
        put(database, "incident", (name, newest, version + 1, cloud, done))
        return newest, bool(done)

    return job


def store_delivery(
    name: str,
    rev: int,
    destination: str,
    sent_ms: int | None,
    receipted_ms: int | None,
    attempts: int,
    state: str,
    detail: str,
) -> Job:
    """Job: what became of one delivery. `state`: waiting, receipted, refused, not_mapped, withheld, superseded."""

    def job(database: sqlite3.Connection) -> None:
        before = database.execute(
            "SELECT sent_ms, attempts FROM delivery WHERE id = ? AND rev = ? AND destination = ?",
            (name, rev, destination),
        ).fetchone() or (None, 0)
        first_sent_ms = sent_ms if before[0] is None else before[0]
        row = (name, rev, destination, first_sent_ms, receipted_ms, before[1] + attempts, state, detail)
        put(database, "delivery", row)
        _changed(database, name)

    return job


def _changed(database: sqlite3.Connection, name: str, done_rev: int | None = None) -> None:
    found = incident_row(database, name)
    if found is not None and done_rev in {None, found[0]}:
        newest, version, cloud, done = found
        put(database, "incident", (name, newest, version + 1, cloud, done if done_rev is None else 1))


def mark_done(name: str, rev: int) -> Job:
    """Job: every required destination has answered for `rev`."""

    def job(database: sqlite3.Connection) -> None:
        _changed(database, name, rev)

    return job


def cloud_has(name: str, version: int) -> Job:
    """Job: the cloud has receipted `version` of an incident; deliveries to "cloud" are booked with it."""

    def job(database: sqlite3.Connection) -> None:
        found = incident_row(database, name)
        if found is not None:
            newest, ours, cloud, done = found
            put(database, "incident", (name, newest, ours, max(cloud, version), done))

    return job


def undelivered(destination: str, limit: int) -> Job:
    """Job: at most `limit` events (bodies) for which `destination` has given no answer yet, people in danger first."""

    def job(database: sqlite3.Connection) -> list[dict[str, Any]]:
        rows = database.execute(
            "SELECT r.body FROM revision r LEFT JOIN delivery d ON d.id = r.id AND d.rev = r.rev AND d.destination = ? "
            "WHERE d.state IS NULL OR d.state = 'waiting' "
            "ORDER BY json_extract(r.body, '$.severity') DESC, r.received_ms, r.rev LIMIT ?",
            (destination, limit),
        )
        return [json.loads(row[0]) for row in rows]

    return job


def waiting(destination: str, limit: int) -> Job:
    """Job: as `undelivered`, for a destination that gets only what was booked for it as waiting."""

    def job(database: sqlite3.Connection) -> list[dict[str, Any]]:
        rows = database.execute(
            "SELECT r.body FROM delivery d JOIN revision r ON r.id = d.id AND r.rev = d.rev "
            "WHERE d.destination = ? AND d.state = 'waiting' ORDER BY r.received_ms, r.rev LIMIT ?",
            (destination, limit),
        )
        return [json.loads(row[0]) for row in rows]

    return job


def ask_for(destination: str, name: str, rev: int) -> Job:
    """Job: book (name, rev) as waiting for `destination` unless something is booked there; True if it was not."""

    def job(database: sqlite3.Connection) -> bool:
        return put(database, "delivery", (name, rev, destination, None, None, 0, "waiting", ""), keep=True)

    return job


def was_told(destination: str, name: str, rev: int) -> Job:
    """Job: has `destination` receipted a revision of incident `name` below `rev`?"""

    def job(database: sqlite3.Connection) -> bool:
        found = database.execute(
            "SELECT 1 FROM delivery WHERE id = ? AND destination = ? AND rev < ? AND state = 'receipted'",
            (name, destination, rev),
        )
        return found.fetchone() is not None

    return job


def recent(limit: int) -> Job:
    """Job: [(id, newest rev, lift, phase, done, destinations that have answered for it)] of the newest incidents."""

    def job(database: sqlite3.Connection) -> list[tuple[str, int, str, str, bool, set[str]]]:
        rows = database.execute(
            "SELECT i.id, i.rev, r.lift, r.phase, i.done, "
            "(SELECT group_concat(d.destination) FROM delivery d WHERE d.id = i.id AND d.rev = i.rev AND d.state != 'waiting') "
            "FROM incident i JOIN revision r ON r.id = i.id AND r.rev = i.rev ORDER BY r.received_ms DESC LIMIT ?",
            (limit,),
        )
        return [
            (name, rev, lift, phase, bool(done), set((answered or "").split(",")) - {""})
            for name, rev, lift, phase, done, answered in rows
        ]

    return job


def behind_cloud(fresh: list[str], flying: dict[str, int], after: str, limit: int) -> Job:
    """Job: (incidents that the cloud does not have in their newest version, as the API shows them; where to go on next time).

    First those of `fresh`, then at most `limit` more, in the order of their ids behind `after` and from the first one again.
    `flying`: {id: version that is on its way}.
    """

    def job(database: sqlite3.Connection) -> tuple[list[dict[str, Any]], str]:
        behind = "SELECT id, version FROM incident WHERE cloud_version < version AND id "
        rows = [row for name in fresh for row in database.execute(behind + "= ?", (name,))]
        more = database.execute(behind + "> ? ORDER BY id LIMIT ?", (after, limit)).fetchall()
        last = after if not limit else more[-1][0] if len(more) == limit else ""
        wanted = {name: version for name, version in [*rows, *more] if flying.get(name, 0) < version}
        return [incident(database, name, version) for name, version in wanted.items()], last

    return job


def incident(database: sqlite3.Connection, name: str, version: int) -> dict[str, Any]:
    """One incident as the API shows it, from its revisions and deliveries."""
    # Bodies of area incidents are large: only two of them are read here.
    rows = database.execute(
        "SELECT rev, phase, json_extract(body, '$.stages'), received_ms, committed_ms FROM revision WHERE id = ? ORDER BY rev",
        (name,),
    ).fetchall()
    revisions = [
        {"rev": rev, "phase": phase, "stages": {**json.loads(stages), "received": received, "committed": committed}}
        for rev, phase, stages, received, committed in rows
    ]
    text = "SELECT body FROM revision WHERE id = ? AND rev = ?"
    first, newest = (json.loads(database.execute(text, (name, rows[at][0])).fetchone()[0]) for at in (0, -1))
    deliveries = database.execute(
        "SELECT d.destination, d.rev, d.sent_ms, d.receipted_ms, d.attempts, d.state, d.detail, r.phase FROM delivery d "
        "JOIN revision r ON r.id = d.id AND r.rev = d.rev WHERE d.id = ? ORDER BY d.rev, d.destination",
        (name,),
    ).fetchall()
    return {
        "id": name,
        "rev": newest["rev"],
        "version": version,
        "lift": newest["lift"],
        "kind": newest["kind"],
        "code": newest["code"],
        "class": newest["class"],
        "severity": newest["severity"],
        "phase": newest["phase"],
        "cause": first["cause"] or newest["cause"],
        "end_cause": "" if newest["closed_at_ms"] is None else newest["cause"],
        "presses": newest["presses"],
        "withheld": newest.get("withheld", ""),
        "opened_at_ms": first["stages"]["onset"],
        "closed_at_ms": newest["closed_at_ms"],
        "profile": first.get("profile"),  # what the gateway tells of itself has none
        "area": area_of(database, name),
        "members": newest.get("members", []),
        "snapshot": (newest if "members" in newest else first)["snapshot"],
        "last_known": first["last_known"],
        "last_known_at_ms": first["last_known_at_ms"],
        "evidence": first["evidence"],
        "stages": revisions[0]["stages"],
        "offset_err_ms": first["offset_err_ms"],
        "deliveries": [
            {"destination": d, "rev": rev, "phase": phase, "sent": sent, "receipted": receipted, "attempts": attempts,
             "state": state, "detail": detail}
            for d, rev, sent, receipted, attempts, state, detail, phase in deliveries
        ],
        "revisions": revisions,
    }  # fmt: skip
