"""Incidents that the gateway itself tells: their ids, their form, and how they are committed and handed on. It decides none of them.

An id begins with the gateway's own, so that no node can have given it, whichever lift the incident is about.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gateway import journal as jobs
from gateway.journal import Job, Journal
from protocols import codes
from protocols.errors import DecodeError
from protocols.identity import event_id, parse_event_id

# Committed together: so few that an alarm's commit behind them keeps its budget (ours; 100 take 5 ms).
TOGETHER = 100
# An id's numbers have ten digits at most: seconds in place of the boot, milliseconds and the slot in place of the count.
SLOTS = 1_000_000
# Of one millisecond: what is told of the stores, of areas, of nodes.
STORE_SLOTS, AREA_SLOTS, NODE_SLOTS = range(10), range(10, 1000), range(1000, SLOTS)

Event = dict[str, Any]


def own_id(gateway: str, at_ms: int, slot: int) -> str:
    """The id of an incident of `gateway` that began at unix `at_ms`; `slot` tells those of one millisecond apart."""
    return event_id(gateway, at_ms // 1000, at_ms % 1000 * SLOTS + slot)


def is_of(name: str, lift: str) -> bool:
    """Is `name` an id that the node of `lift` gave? Only then has a node to hear of it."""
    try:
        return parse_event_id(name)[0] == lift
    except DecodeError:
        return False


def opened(
    name: str, lift: str, kind: str, event_class: str, severity: int, onset_ms: int, now_ms: int, **more: Any
) -> Event:
    """The canonical event of rev 1, seen and told at unix `now_ms`; `more` are further items of it.

    `lift` is the lift that it is about, or the gateway's own id.
    """
    event = {
        "id": name, "rev": 1, "lift": lift, "kind": kind, "code": None, "class": event_class, "severity": severity,
        "phase": codes.OPEN, "cause": "", "presses": 0, "withheld": "", "closed_at_ms": None, "snapshot": {}, "last_known": {},
        "last_known_at_ms": None, "frames": [], "evidence": [], "attempt": 1, "received": now_ms, "offset_err_ms": 0,
        "stages": {"onset": min(onset_ms, now_ms), "detected": now_ms, "published": now_ms},
    }  # fmt: skip
    return event | more


def revised(event: Event, phase: str, now_ms: int, **more: Any) -> Event:
    """The next revision of `event`. Where the clock was set back meanwhile, nothing is told before it was detected."""
    at_ms = max(now_ms, event["stages"]["detected"])
    told = {"rev": event["rev"] + 1, "phase": phase, "received": at_ms}
    return {**event, **told, "stages": {**event["stages"], "published": at_ms}, **more}


def closed(event: Event, now_ms: int, closed_at_ms: int | None = None, **more: Any) -> Event:
    """Its last revision, told now; it ended at `closed_at_ms`, or just now."""
    at_ms = now_ms if closed_at_ms is None else closed_at_ms
    return revised(event, codes.CLOSED, now_ms, closed_at_ms=max(at_ms, event["stages"]["onset"]), **more)


class OwnEvents:
    """Tells them. `offer(event)` hands a committed revision to the destinations, `changed(id)` says that its incident is new."""

    def __init__(
        self, gateway: str, journal: Journal, offer: Callable[[Event], None], changed: Callable[[str], None]
    ) -> None:
        self.gateway = gateway
        self._journal, self._offer, self.changed = journal, offer, changed

    async def tell(self, events: Sequence[Event]) -> None:
        """Commit and then hand on; raises what `Journal.ask` raises, and then those not handed on are to be told again.

        No alarm is among them: a revision that the journal does not have is told to nobody.
        """
        for at in range(0, len(events), TOGETHER):
            some = events[at : at + TOGETHER]
            await asyncio.gather(*(self._journal.ask(jobs.store_revision(event)) for event in some))
            for event in some:
                self._offer(event)
                self.changed(event["id"])

    async def newest(self, kinds: Iterable[str], limit: int) -> list[Event]:
        """The newest revisions of the newest incidents of these kinds, those of any lift."""
        found: list[Event] = await self._journal.ask(newest_of(kinds, limit))
        return found


def newest_of(kinds: Iterable[str], limit: int) -> Job:
    """Job: the newest revisions of the newest incidents of `kinds`. It reads all of the journal: at a start, or rarely."""
    wanted = sorted(kinds)

    def job(database: sqlite3.Connection) -> list[Event]:
        rows = database.execute(
            "SELECT r.body FROM incident i JOIN revision r ON r.id = i.id AND r.rev = i.rev "  # noqa: S608  marks only
            f"WHERE json_extract(r.body, '$.kind') IN ({','.join('?' * len(wanted))}) "
            "ORDER BY r.received_ms DESC LIMIT ?",
            (*wanted, limit),
        )
        return [json.loads(body) for (body,) in rows]

    return job
