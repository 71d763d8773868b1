"""The journal of events: SQLite, WAL, FULL, one thread, group commit. What it has confirmed survives a power cut.

Keys: (id, rev) for revisions, (id, rev, destination) for deliveries. An incident's `version` rises with every change; the
cloud is told the newest version until it has receipted it.
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
from typing import Any

from gateway.errors import NotDelivered

_log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS revision (
  id TEXT NOT NULL, rev INTEGER NOT NULL, lift TEXT NOT NULL, phase TEXT NOT NULL, body TEXT NOT NULL,
  received_ms INTEGER NOT NULL, committed_ms INTEGER NOT NULL, PRIMARY KEY (id, rev)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
  id TEXT NOT NULL, rev INTEGER NOT NULL, destination TEXT NOT NULL, sent_ms INTEGER, receipted_ms INTEGER,
  attempts INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (id, rev, destination)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS incident (
  id TEXT PRIMARY KEY, rev INTEGER NOT NULL, version INTEGER NOT NULL, cloud_version INTEGER NOT NULL DEFAULT 0,
  done INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS incident_behind ON incident (id) WHERE cloud_version < version;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
# Alarms of ten thousand lifts in an area event fit; beyond it the nodes keep them and send again.
MAX_QUEUE = 20_000
MAX_GROUP = 500
# Ours: a commit takes 20 ms on a bad day, a full queue of them seconds.
ANSWER_S = 10

Job = Callable[[sqlite3.Connection], Any]
Then = Callable[[Any, Exception | None], None]


def unix_ms() -> int:
    """The gateway's clock, unix ms."""
    return time.time_ns() // 1_000_000


class Journal:
    """Runs jobs on the database in groups; `then(result, error)` is called in the journal's thread after the commit."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.refused = 0
        self.groups = 0
        self._queue: queue.Queue[tuple[Job, Then] | None] = queue.Queue(MAX_QUEUE)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._open().close()
        self._thread.start()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(SCHEMA)
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
        return await asyncio.wait_for(future, ANSWER_S)

    def depth(self) -> int:
        """Jobs waiting."""
        return self._queue.qsize()

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        database = self._open()
        running = True
        while running:
            group = [self._queue.get()]
            while len(group) < MAX_GROUP:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            running = None not in group
            self._commit(database, [entry for entry in group if entry is not None])
        database.close()

    def _commit(self, database: sqlite3.Connection, group: list[tuple[Job, Then]]) -> None:
        self.groups += 1
        outcomes: list[tuple[Then, Any, Exception | None]] = []
        try:
            database.execute("BEGIN IMMEDIATE")
            for job, then in group:
                database.execute("SAVEPOINT job")
                try:
                    outcomes.append((then, job(database), None))
                    database.execute("RELEASE job")
                except (sqlite3.IntegrityError, ValueError, KeyError, TypeError) as error:
                    # One bad job must not take the others of its group with it.
                    database.execute("ROLLBACK TO job")
                    database.execute("RELEASE job")
                    outcomes.append((then, None, error))
            database.execute("COMMIT")
        except sqlite3.Error as error:
            _log.error("journal: %s; nothing of %d jobs was stored", error, len(group))
            if database.in_transaction:
                database.execute("ROLLBACK")
            outcomes = [(then, None, error) for _, then in group]
            time.sleep(0.05)
        for then, result, failure in outcomes:
            try:
                then(result, failure)
            except Exception:  # a callback must not stop the journal
                _log.exception("journal: a callback failed")


# -- jobs ---------------------------------------------------------------------------------------------------------


def store_revision(event: dict[str, Any]) -> Job:
    """Job: store one revision if it is new; returns (rev now newest, its delivery states, done)."""

    def job(database: sqlite3.Connection) -> tuple[int, bool]:
        committed_ms = unix_ms()
        database.execute(
            "INSERT OR IGNORE INTO revision VALUES (?,?,?,?,?,?,?)",
            (
                event["id"],
                event["rev"],
                event["lift"],
                event["phase"],
                json.dumps(event),
                event["received"],
                committed_ms,
            ),
        )
        database.execute(
            "INSERT INTO incident (id, rev, version) VALUES (?,?,1) ON CONFLICT (id) DO UPDATE SET "
            "version = version + 1, done = CASE WHEN excluded.rev > rev THEN 0 ELSE done END, rev = max(rev, excluded.rev)",
            (event["id"], event["rev"]),
        )
        done = database.execute("SELECT rev, done FROM incident WHERE id = ?", (event["id"],)).fetchone()
        return int(done[0]), bool(done[1])

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
    """Job: what became of one delivery. `state`: waiting, receipted, refused, not_mapped, superseded."""

    def job(database: sqlite3.Connection) -> None:
        database.execute(
            "INSERT INTO delivery VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id, rev, destination) DO UPDATE SET "
            "sent_ms = coalesce(sent_ms, excluded.sent_ms), receipted_ms = excluded.receipted_ms, "
            "attempts = attempts + excluded.attempts, state = excluded.state, detail = excluded.detail",
            (name, rev, destination, sent_ms, receipted_ms, attempts, state, detail),
        )
        database.execute("UPDATE incident SET version = version + 1 WHERE id = ?", (name,))

    return job


def mark_done(name: str, rev: int) -> Job:
    """Job: every required destination has answered for `rev`."""

    def job(database: sqlite3.Connection) -> None:
        database.execute("UPDATE incident SET done = 1, version = version + 1 WHERE id = ? AND rev = ?", (name, rev))

    return job


def cloud_has(name: str, version: int) -> Job:
    """Job: the cloud has receipted `version` of an incident; deliveries to "cloud" are booked with it."""

    def job(database: sqlite3.Connection) -> None:
        database.execute("UPDATE incident SET cloud_version = max(cloud_version, ?) WHERE id = ?", (version, name))

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
        done = database.execute(
            "INSERT OR IGNORE INTO delivery VALUES (?,?,?,NULL,NULL,0,'waiting','')", (name, rev, destination)
        )
        return done.rowcount > 0

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


def behind_cloud(limit: int) -> Job:
    """Job: incidents that the cloud does not have in their newest version, as the API shows them, oldest first."""

    def job(database: sqlite3.Connection) -> list[dict[str, Any]]:
        rows = database.execute(
            "SELECT id, version FROM incident WHERE cloud_version < version LIMIT ?", (limit,)
        ).fetchall()
        return [incident(database, name, version) for name, version in rows]

    return job


def incident(database: sqlite3.Connection, name: str, version: int) -> dict[str, Any]:
    """One incident as the API shows it, from its revisions and deliveries."""
    rows = database.execute(
        "SELECT rev, body, committed_ms FROM revision WHERE id = ? ORDER BY rev", (name,)
    ).fetchall()
    bodies = [(json.loads(body), committed) for _, body, committed in rows]
    newest, first = bodies[-1][0], bodies[0][0]

    def stages(body: dict[str, Any], committed_ms: int) -> dict[str, Any]:
        return {**body["stages"], "received": body["received"], "committed": committed_ms}

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
        "presses": newest["presses"],
        "opened_at_ms": first["stages"]["onset"],
        "closed_at_ms": newest["closed_at_ms"],
        "snapshot": first["snapshot"],
        "evidence": first["evidence"],
        "stages": stages(*bodies[0]),
        "offset_err_ms": first["offset_err_ms"],
        "deliveries": [
            {"destination": d, "rev": rev, "phase": phase, "sent": sent, "receipted": receipted, "attempts": attempts,
             "state": state, "detail": detail}
            for d, rev, sent, receipted, attempts, state, detail, phase in deliveries
        ],
        "revisions": [
            {"rev": body["rev"], "phase": body["phase"], "stages": stages(body, committed)} for body, committed in bodies
        ],
    }  # fmt: skip
