"""One destination's relay: sends events until receipted, over one route or several, with backoff. It knows no wire format.

What waits for its own next try holds up nobody else; a route that fails as a whole is tried with one event at a time.
"""

import asyncio
import contextlib
import logging
import math
import random
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.clock import unix_ms
from gateway.errors import NotDelivered, Refused
from protocols import codes

_log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.2
RETRY_MAX_S = 10.0
# A step's real pause is this share of it, drawn anew each time: gateways that lost a city together do not return together.
JITTER = (0.7, 1.3)
# Held in memory; the journal holds all of them, so what is pushed out is found again when half of these are served.
MAX_WAITING = 5000
# Requests on the way on one route, of different incidents: an area event of 100 lifts is told in a second, not in ten (ours).
IN_FLIGHT = 4
# How often deadlines are looked at.
WATCH_S = 0.5

Key = tuple[str, int]
Event = dict[str, Any]
Send = Callable[[Event], Awaitable[str]]


@dataclass
class Outcome:
    """What became of one revision at this destination; `state`: receipted, refused or superseded."""

    event: Event
    state: str
    sent_ms: int | None
    receipted_ms: int | None
    attempts: int
    detail: str = ""


@dataclass
class Waiting:
    """A revision that has no receipt yet. Times are the loop's, in seconds, but for `sent_ms`."""

    event: Event
    escalate_s: float
    sent_ms: int | None = None
    attempts: int = 0
    due_s: float = 0.0
    pause_s: float = 0.0
    # It failed although the route served others meanwhile: the trouble is its own, and no recovery of the route hastens it.
    is_odd: bool = False
    seen: int | None = None  # the route's answers at the last failure
    escalated: bool = False
    busy: set[int] = field(default_factory=set)
    refusals: dict[int, str] = field(default_factory=dict)

    def rank(self) -> tuple[int, int, int]:
        """People in danger first; among equals the older."""
        return -int(self.event["severity"]), int(self.event["received"]), int(self.event["rev"])


@dataclass
class Route:
    """One way to the destination, and how it fares."""

    send: Send
    pause_s: float = 0.0
    next_s: float = 0.0
    in_flight: int = 0
    answers: int = 0
    silent_since_ms: int | None = None


class Relay:
    """Delivers to one destination for ever; see `run`."""

    def __init__(
        self,
        name: str,
        routes: list[Send],
        tell: Callable[[Outcome], None],
        each_phase: bool,
        refill: Callable[[int], Awaitable[tuple[list[Event], bool]]],
        escalate_ms: int = 10_000,
        escalated: Callable[[Event, int, int], None] = lambda event, sent_ms, attempts: None,
    ) -> None:
        """`routes[0](event)` returns the receipt's text, or raises NotDelivered or Refused.

        The next route joins in each time `escalate_ms` have passed, or as soon as those before have refused.
        `tell(outcome)` books the end of it,
        `escalated(event, sent_ms, attempts)` that it took too long. `refill(limit)` gives what the journal holds, and
        whether it holds more.
        """
        self.name = name
        self._routes = [Route(send) for send in routes]
        self._tell, self._each_phase, self._refill = tell, each_phase, refill
        self._escalate_s, self._escalated = escalate_ms / 1000, escalated
        self._waiting: dict[Key, Waiting] = {}
        self._wakes = [asyncio.Event() for _ in routes]
        self._overflowed = True  # at the start the journal may hold more than we know of
        self._filling = False
        self.counters = {"receipted": 0, "refused": 0, "failed": 0, "pushed_out": 0, "escalated": 0}

    @property
    def silent_since_ms(self) -> int | None:
        """Since when (unix ms) the first route has not answered; None while it does."""
        return self._routes[0].silent_since_ms

    def depth(self) -> int:
        """Revisions waiting."""
        return len(self._waiting)

    def offer(self, event: Event) -> None:
        """A new revision, in the journal's queue already: it is sent at once if nothing of its own incident is before it."""
        if (self._overflowed or self._filling) and event["phase"] != codes.OPEN:
            # One before it may be in the journal only, and must not be overtaken: both come from there, in order.
            self._overflowed = True
            return
        self._take(event)

    def _take(self, event: Event) -> None:
        key = (event["id"], event["rev"])
        if key in self._waiting:
            return
        if not self._each_phase:
            for other in [k for k in self._waiting if k[0] == key[0] and k[1] < key[1] and not self._waiting[k].busy]:
                old = self._waiting.pop(other)
                self._tell(Outcome(old.event, "superseded", old.sent_ms, None, old.attempts))
        waited_s = min(self._escalate_s, max(0.0, (unix_ms() - event["received"]) / 1000))
        entry = Waiting(event, asyncio.get_running_loop().time() + self._escalate_s - waited_s)
        if len(self._waiting) >= MAX_WAITING and not self._make_room(entry):
            return
        self._waiting[key] = entry
        self._wake()

    def _make_room(self, entry: Waiting) -> bool:
        """Push out whoever matters least; False if that is `entry` itself."""
        self.counters["pushed_out"] += 1
        self._overflowed = True
        idle = [key for key in self._waiting if not self._waiting[key].busy]
        last = max(idle, key=lambda key: self._waiting[key].rank(), default=None)
        if last is None or self._waiting[last].rank() <= entry.rank():
            return False
        del self._waiting[last]
        return True

    def _wake(self) -> None:
        for wake in self._wakes:
            wake.set()

    # -- loops ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Deliver for ever."""
        for route in self._routes:  # after a restart of this loop nothing of the last one is on its way
            route.in_flight = 0
        for entry in self._waiting.values():
            entry.busy.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            for number in range(len(self._routes)):
                group.create_task(self._serve(number, group))

    async def _watch(self) -> None:
        """Find what waits too long, and what the journal holds beyond our memory."""
        while True:
            if self._overflowed and len(self._waiting) <= MAX_WAITING // 2:
                await self._fill()
            now = asyncio.get_running_loop().time()
            for entry in list(self._waiting.values()):
                if not entry.escalated and now >= entry.escalate_s:
                    entry.escalated = True
                    entry.due_s = 0.0
                    self.counters["escalated"] += 1
                    self._escalated(entry.event, entry.sent_ms or unix_ms(), entry.attempts)
                    self._wake()
            await asyncio.sleep(min(WATCH_S, self._escalate_s / 4))

    async def _fill(self) -> None:
        self._overflowed = False  # before the question: what is pushed out from now on may not be in its answer
        self._filling = True
        try:
            found, more = await self._refill(MAX_WAITING)
        except (NotDelivered, TimeoutError, sqlite3.Error) as error:
            _log.warning("%s: the journal does not answer (%s); asking again", self.name, error)
            self._overflowed = True
            return
        finally:
            self._filling = False
        for event in found:
            self._take(event)
        self._overflowed = self._overflowed or more

    async def _serve(self, number: int, group: asyncio.TaskGroup) -> None:
        route, wake = self._routes[number], self._wakes[number]
        while True:
            wake.clear()
            key, wait_s = self._next(number, asyncio.get_running_loop().time())
            if key is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await wake.wait()
                continue
            route.in_flight += 1
            self._waiting[key].busy.add(number)
            group.create_task(self._attempt(number, key, self._waiting[key]))

    def _next(self, number: int, now: float) -> tuple[Key | None, float | None]:
        """(what goes out on this route now, None) or (None, seconds until there may be something, None = nothing waits)."""
        route = self._routes[number]
        if route.in_flight >= (1 if route.silent_since_ms else IN_FLIGHT):
            return None, None
        if now < route.next_s:
            return None, route.next_s - now
        first: dict[str, int] = {}
        for name, rev in self._waiting:
            first[name] = min(rev, first.get(name, rev))
        best: Key | None = None
        wait_s: float | None = None
        for key, entry in self._waiting.items():
            if first[key[0]] != key[1] or number in entry.busy or number in entry.refusals:
                continue
            due_s = max(entry.due_s, self._open_s(entry, number))
            if due_s == math.inf:
                continue
            if due_s > now:
                wait_s = due_s - now if wait_s is None else min(wait_s, due_s - now)
            elif best is None or entry.rank() < self._waiting[best].rank():
                best = key
        return best, wait_s

    def _open_s(self, entry: Waiting, number: int) -> float:
        """From when on an entry may take the route `number`."""
        if all(before in entry.refusals for before in range(number)):
            return 0.0
        if not entry.escalated:
            return math.inf  # `_watch` wakes us
        return entry.escalate_s + (number - 1) * self._escalate_s

    # -- one attempt ----------------------------------------------------------------------------------------------

    async def _attempt(self, number: int, key: Key, entry: Waiting) -> None:
        route = self._routes[number]
        entry.attempts += 1
        if entry.sent_ms is None:
            entry.sent_ms = unix_ms()
        try:
            receipt = await route.send(entry.event)
        except Refused as error:
            self._answered(route)
            self._refused(number, key, entry, str(error))
        except NotDelivered as error:
            self._failed(route, entry, error)
        except Exception as error:  # a fault of ours: it may hold up this event, and no other
            _log.exception("%s: %s cannot be sent", self.name, key[0])
            self._failed(route, entry, error)
        else:
            self._answered(route)
            self._receipted(number, key, entry, receipt)
        finally:
            route.in_flight -= 1
            entry.busy.discard(number)
            self._wake()

    def _receipted(self, number: int, key: Key, entry: Waiting, receipt: str) -> None:
        self.counters["receipted"] += 1
        detail = receipt if not number else f"{receipt}, route {number + 1}"
        self._finish(key, entry, Outcome(entry.event, "receipted", entry.sent_ms, unix_ms(), entry.attempts, detail))

    def _refused(self, number: int, key: Key, entry: Waiting, detail: str) -> None:
        entry.refusals[number] = detail[:300]
        if len(entry.refusals) < len(self._routes):
            return
        self.counters["refused"] += 1
        text = "; ".join(entry.refusals[route] for route in sorted(entry.refusals))
        self._finish(key, entry, Outcome(entry.event, "refused", entry.sent_ms, None, entry.attempts, text[:300]))

    def _failed(self, route: Route, entry: Waiting, error: Exception) -> None:
        self.counters["failed"] += 1
        now = asyncio.get_running_loop().time()
        entry.is_odd = entry.is_odd or (entry.seen is not None and route.answers > entry.seen)
        entry.seen = route.answers
        entry.pause_s = min(RETRY_MAX_S, entry.pause_s * 2) or RETRY_FIRST_S
        entry.due_s = now + entry.pause_s * random.uniform(*JITTER)
        route.pause_s = min(RETRY_MAX_S, route.pause_s * 2) or RETRY_FIRST_S
        route.next_s = now + route.pause_s * random.uniform(*JITTER)
        if route.silent_since_ms is None:
            route.silent_since_ms = unix_ms()
            _log.warning("%s: %s; trying again", self.name, error)

    def _answered(self, route: Route) -> None:
        """The route works: whatever failed with it is due again."""
        route.answers += 1
        route.pause_s = route.next_s = 0.0
        if route.silent_since_ms is None:
            return
        route.silent_since_ms = None
        for entry in self._waiting.values():
            if not entry.is_odd:
                entry.due_s = 0.0

    def _finish(self, key: Key, entry: Waiting, outcome: Outcome) -> None:
        """Book it once: another route may have been quicker, and its answer is the one that counts."""
        if self._waiting.get(key) is entry:
            del self._waiting[key]
            self._tell(outcome)
