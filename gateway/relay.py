"""One destination's relay: sends events in order until receipted, with backoff and a deadline. It knows no wire format."""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import NotDelivered, Refused
from gateway.journal import unix_ms

_log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.2
RETRY_MAX_S = 10.0
# Held in memory; the journal holds all of them, so what is pushed out is found again when this is empty.
MAX_WAITING = 5000

Send = Callable[[dict[str, Any]], Awaitable[str]]


@dataclass
class Outcome:
    """What became of one revision at this destination; `state`: receipted, refused or superseded."""

    event: dict[str, Any]
    state: str
    sent_ms: int | None
    receipted_ms: int | None
    attempts: int
    detail: str = ""


@dataclass
class Waiting:
    """A revision that has no receipt yet."""

    event: dict[str, Any]
    sent_ms: int | None = None
    attempts: int = 0


@dataclass
class Relay:
    """`send(event)` returns the receipt's text, or raises NotDelivered or Refused. `tell(outcome)` books it."""

    name: str
    send: Send
    tell: Callable[[Outcome], None]
    each_phase: bool
    refill: Callable[[], Awaitable[list[dict[str, Any]]]]
    counters: dict[str, int] = field(
        default_factory=lambda: {"receipted": 0, "refused": 0, "failed": 0, "pushed_out": 0}
    )

    def __post_init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, int], Waiting] = OrderedDict()
        self._wake = asyncio.Event()
        self._overflowed = True  # at the start the journal may hold more than we know of
        self.silent_since_ms: int | None = None

    def offer(self, event: dict[str, Any]) -> None:
        """A new revision: it is sent at once if nothing of higher rank waits before it."""
        key = (event["id"], event["rev"])
        if key in self._waiting:
            return
        if not self.each_phase:
            for other in [k for k in self._waiting if k[0] == key[0] and k[1] < key[1]]:
                old = self._waiting.pop(other)
                self.tell(Outcome(old.event, "superseded", old.sent_ms, None, old.attempts))
        if len(self._waiting) >= MAX_WAITING:
            self.counters["pushed_out"] += 1
            self._overflowed = True
            return
        self._waiting[key] = Waiting(event)
        self._wake.set()

    def depth(self) -> int:
        """Revisions waiting."""
        return len(self._waiting)

    async def run(self) -> None:
        """Deliver for ever."""
        pause_s = RETRY_FIRST_S
        while True:
            if not self._waiting and self._overflowed:
                self._overflowed = False
                for event in await self.refill():
                    self.offer(event)
            self._wake.clear()
            if not self._waiting:
                await self._wake.wait()
                continue
            # Alarms with people in danger first; among them, and for one incident always, the older first.
            key = min(
                self._waiting,
                key=lambda k: (-self._waiting[k].event["severity"], self._waiting[k].event["received"], k),
            )
            key = min(k for k in self._waiting if k[0] == key[0])
            if await self._attempt(key):
                pause_s = RETRY_FIRST_S
            else:
                await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))
                pause_s = min(RETRY_MAX_S, pause_s * 2)

    async def _attempt(self, key: tuple[str, int]) -> bool:
        entry = self._waiting[key]
        entry.attempts += 1
        if entry.sent_ms is None:
            entry.sent_ms = unix_ms()
        try:
            receipt = await self.send(entry.event)
        except Refused as error:
            self._finish(key, Outcome(entry.event, "refused", entry.sent_ms, None, entry.attempts, str(error)[:300]))
            self.counters["refused"] += 1
            return True
        except NotDelivered as error:
            self.counters["failed"] += 1
            if self.silent_since_ms is None:
                self.silent_since_ms = unix_ms()
                _log.warning("%s: %s; trying again", self.name, error)
            return False
        self.silent_since_ms = None
        self.counters["receipted"] += 1
        self._finish(key, Outcome(entry.event, "receipted", entry.sent_ms, unix_ms(), entry.attempts, receipt))
        return True

    def _finish(self, key: tuple[str, int], outcome: Outcome) -> None:
        self._waiting.pop(key, None)
        self.tell(outcome)
