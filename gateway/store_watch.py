"""What is done about the stores beside their work: old incidents are forgotten, damage is told as incidents of the gateway's own.

Such an incident is open as long as the damaged file lies where it was put aside: who has seen to it moves or removes it.
"""

import asyncio
import contextlib
import pathlib
import sqlite3
import time
from collections.abc import Callable

from gateway import own_events
from gateway.clock import unix_ms
from gateway.config import Gateway
from gateway.journal import Job
from gateway.own_events import Event, OwnEvents
from gateway.stores import Stores
from protocols.fault_texts import GATEWAY_FAULTS

KIND = "store_damaged"
ROUND_S = 60
FORGET_S = 3600
PRUNE_ROWS = 1000
DAY_MS = 86_400_000
# Incidents of its own that a gateway looks back on; there are at most a few files put aside at a time.
TOLD = 100


class StoreWatch:
    """`required()`, `cloud`: as `prune` takes them."""

    def __init__(
        self, config: Gateway, stores: Stores, own: OwnEvents, required: Callable[[], bool], cloud: bool
    ) -> None:
        self._config, self._stores, self._own = config, stores, own
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
        told = {event["id"]: event for event in await self._own.newest((KIND,), TOLD)}
        there = {}
        for kept, reason in put_aside:
            event = opened(self._config.id, kept, reason, unix_ms())
            there[event["id"]] = event
        events = [event for name, event in there.items() if name not in told]
        events += [
            own_events.closed(event, unix_ms())
            for name, event in told.items()
            if event["phase"] != "closed" and name not in there
        ]
        await self._own.tell(events)
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
        for table in ("delivery", "revision", "incident", "member"):
            database.executemany(f"DELETE FROM {table} WHERE id = ?", names)  # noqa: S608  ours
        return len(names)

    return job


def opened(gateway: str, kept: pathlib.Path, reason: str, now_ms: int) -> Event:
    """The canonical event that says so. Its id follows from the file's name, so that it is the same whenever it is told."""
    store, _, at = kept.name.partition(".db.damaged-")
    at_ms = int(at)
    name = own_events.own_id(gateway, at_ms, own_events.STORE_SLOTS[0 if store == "journal" else 1])
    return own_events.opened(
        name, gateway, KIND, "fault", GATEWAY_FAULTS[KIND], at_ms, now_ms,
        snapshot={"store": store, "reason": reason, "kept": kept.name},
    )  # fmt: skip
