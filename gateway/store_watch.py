"""What is done about the stores beside their work: old incidents are forgotten, damage is told as incidents of the gateway's own.

Such an incident is open as long as the damaged file lies where it was put aside: who has seen to it moves or removes it.
"""

import asyncio
import contextlib
import json
import pathlib
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from gateway import journal as jobs
from gateway.clock import unix_ms
from gateway.config import Gateway
from gateway.journal import Job
from gateway.stores import Stores
from protocols.fault_texts import GATEWAY_FAULTS

KIND = "store_damaged"
ROUND_S = 60
FORGET_S = 3600
PRUNE_ROWS = 1000
DAY_MS = 86_400_000
# Incidents of its own that a gateway looks back on; there are at most a few files put aside at a time.
TOLD = 100

Event = dict[str, Any]


class StoreWatch:
    """`offer(event)` hands the gateway's own incidents to the destinations; `required()`, `cloud`: as `prune` takes them."""

    def __init__(
        self, config: Gateway, stores: Stores, offer: Callable[[Event], None], required: Callable[[], bool], cloud: bool
    ) -> None:
        self._config, self._stores, self._offer = config, stores, offer
        self._required, self._cloud = required, cloud
        self._now = asyncio.Event()
        self._forget_s = 0.0
        # What lay there when all was told last; at the start it is not known.
        self._told: list[tuple[pathlib.Path, str]] | None = None

    def wake(self) -> None:
        """In the loop: a store was replaced; tell it now."""
        self._now.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._now.clear()
            await self.tell()
            await self._forget()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROUND_S):
                    await self._now.wait()

    async def _forget(self) -> None:
        """Rarely: it reads all of the journal, while commits wait (18 ms at 50,000 incidents)."""
        if time.monotonic() < self._forget_s:
            return
        self._forget_s = time.monotonic() + FORGET_S
        before_ms = unix_ms() - self._config.journal_days * DAY_MS
        while await self._stores.journal.ask(prune(before_ms, self._required(), self._cloud)):
            pass

    async def tell(self) -> None:
        """Open an incident for each damaged file that lies there, close those whose file is gone."""
        put_aside = self._stores.put_aside()
        if put_aside == self._told:
            return
        told = {event["id"]: event for event in await self._stores.journal.ask(newest_of(self._config.id, TOLD))}
        there = {}
        for kept, reason in put_aside:
            event = opened(self._config.id, kept, reason, unix_ms())
            there[event["id"]] = event
        events = [event for name, event in there.items() if name not in told]
        events += [
            closed(event, unix_ms()) for name, event in told.items() if event["phase"] != "closed" and name not in there
        ]
        for event in events:
            await self._stores.journal.ask(jobs.store_revision(event))
            self._offer(event)
        self._told = put_aside


def prune(before_ms: int, required: bool, cloud: bool) -> Job:
    """Job: forget finished incidents committed before `before_ms`, a thousand at most; how many.

    Finished: closed, answered by all that must (`required`: somebody must), and with the cloud if there is a `cloud`. Nothing
    else ever leaves the journal.
    """

    def job(database: sqlite3.Connection) -> int:
        names = database.execute(
            "SELECT i.id FROM incident i JOIN revision r ON r.id = i.id AND r.rev = i.rev WHERE (i.done OR NOT ?) AND r.phase = 'closed' "
            "AND r.committed_ms < ? AND (i.cloud_version >= i.version OR NOT ?) LIMIT ?",
            (required, before_ms, cloud, PRUNE_ROWS),
        ).fetchall()
        for table in ("delivery", "revision", "incident"):
            database.executemany(f"DELETE FROM {table} WHERE id = ?", names)  # noqa: S608  ours
        return len(names)

    return job


def newest_of(lift: str, limit: int) -> Job:
    """Job: the newest revisions of the newest incidents of `lift`."""

    def job(database: sqlite3.Connection) -> list[Event]:
        rows = database.execute(
            "SELECT r.body FROM incident i JOIN revision r ON r.id = i.id AND r.rev = i.rev WHERE r.lift = ? "
            "ORDER BY r.received_ms DESC LIMIT ?",
            (lift, limit),
        )
        return [json.loads(body) for (body,) in rows]

    return job


def opened(gateway: str, kept: pathlib.Path, reason: str, now_ms: int) -> Event:
    """The canonical event that says so. Its id follows from the file's name, so that it is the same whenever it is told."""
    store, _, at = kept.name.partition(".db.damaged-")
    at_ms = int(at)
    # The numbers of an id have ten digits at most: seconds stand for the boot, milliseconds and the store for the count.
    name = f"{gateway}-{at_ms // 1000}-{at_ms % 1000}{0 if store == 'journal' else 1}"
    return _event(gateway, name, 1, "open", at_ms, now_ms, {"store": store, "reason": reason, "kept": kept.name})


def closed(event: Event, now_ms: int) -> Event:
    """Its end: the damaged file is no more there."""
    onset_ms = event["stages"]["onset"]
    return _event(event["lift"], event["id"], event["rev"] + 1, "closed", onset_ms, now_ms, event["snapshot"])


def _event(gateway: str, name: str, rev: int, phase: str, at_ms: int, now_ms: int, snapshot: dict[str, Any]) -> Event:
    return {
        "id": name, "rev": rev, "lift": gateway, "kind": KIND, "code": None, "class": "fault", "severity": GATEWAY_FAULTS[KIND],
        "phase": phase, "cause": "", "presses": 0, "closed_at_ms": now_ms if phase == "closed" else None,
        "snapshot": snapshot, "last_known": {}, "last_known_at_ms": None,
        "frames": [], "evidence": [], "attempt": 1, "received": now_ms, "offset_err_ms": 0,
        "stages": {"onset": at_ms, "detected": at_ms, "published": now_ms},
    }  # fmt: skip
