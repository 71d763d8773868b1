"""Silent nodes and area events at work: looks at the lifts, tells what the cores decide, goes on after a restart. It decides nothing."""

import asyncio
import itertools
import logging
import sqlite3
from collections import deque
from collections.abc import Callable

from gateway import area_store, offline
from gateway.area_causes import HOLD_MS, concerns
from gateway.areas import Areas
from gateway.clock import mono_ms, unix_ms
from gateway.errors import NotDelivered
from gateway.journal import Journal
from gateway.lifts import Lifts
from gateway.offline import Offline
from gateway.own_events import NODE_SLOTS, TOGETHER, Event, OwnEvents, closed, own_id
from gateway.triage import Whereabouts

_log = logging.getLogger(__name__)

ROUND_S = 0.25
# Looked at in one round: so many that a round costs the loop 1 ms (ours). A node's silence of 10,000 is found a second later,
# what is known of a car that is one of more than these some seconds later.
LIFTS_A_ROUND = 2500
CARS_A_ROUND = 250
# Events that come before the journal has said what was open; beyond them it has them itself.
MAX_EARLY = 20_000
# Lifts that are not in the configuration and were not heard since the start are no more watched; as `live` waits for a node.
UNHEARD_MS = 300_000


class AreaWatch:
    """`offer(event)` takes each revision that a node tells. `broker_up()`: is our way to the broker open?"""

    def __init__(self, lifts: Lifts, journal: Journal, own: OwnEvents, broker_up: Callable[[], bool]) -> None:
        self._lifts, self._journal, self._own, self._broker_up = lifts, journal, own, broker_up
        self._areas = Areas(own.gateway)
        self._offline = Offline()
        self._early: deque[Event] | None = deque(maxlen=MAX_EARLY)
        self._slots = itertools.cycle(NODE_SLOTS)
        self._started_ms = mono_ms()
        self._known: set[str] = set()
        # Those still to be looked at before it begins anew.
        self._lifts_left: deque[str] = deque()
        self._cars_left: deque[str] = deque()
        self._has_released = False
        self.failed = 0

    def offer(self, event: Event) -> None:
        """In the loop: a new revision of a node's, whose commit is under way."""
        if self._early is not None:
            self._early.append(event)
        else:
            self._took(event)

    def _took(self, event: Event) -> None:
        if not concerns(event["kind"], event["class"]):
            return
        lift, now = event["lift"], mono_ms()
        end = self._lifts.known(lift)
        where = Whereabouts()
        if end is not None:
            with self._lifts.lock:
                where = end.live.whereabouts(now)
        self._areas.took(event, self._lifts.record(lift).site, where, now)

    def stores_replaced(self) -> None:
        """The journal was made anew: what was told of the areas may be lost."""
        self._areas.tell_anew()

    async def run(self) -> None:
        """For ever."""
        if self._early is not None:
            await self._restore()
        while True:
            is_more = False
            try:
                is_more = await self._round()
            except (NotDelivered, TimeoutError, sqlite3.Error) as error:
                self.failed += 1
                _log.warning("areas: the journal does not answer (%s); telling it again", error)
            await asyncio.sleep(0 if is_more else ROUND_S)

    async def _restore(self) -> None:
        areas, found = await self._journal.ask(area_store.held(unix_ms() - HOLD_MS))
        now, at = mono_ms(), unix_ms()
        held = [
            (event, area, self._lifts.record(event["lift"]).site)
            for event, area in found if concerns(event["kind"], event["class"])
        ]  # fmt: skip
        try:
            self._areas.restore(areas, held, now, at)
        except (KeyError, TypeError, ValueError):  # told by another version of ours
            self.failed += 1
            _log.exception("areas: those of before cannot be read; what is told from now on is grouped anew")
            self._areas = Areas(self._own.gateway)
        for event, _, _ in held:
            if event["kind"] == offline.KIND and event["phase"] != "closed":
                self._offline.restore(event)
        early, self._early = self._early, None
        for event in early or ():
            self._took(event)
        if areas:
            _log.info("areas: %d open ones go on", len(areas))

    async def _round(self) -> bool:
        """True if there is more to tell at once."""
        self._areas.broker(self._broker_up())
        now, at = mono_ms(), unix_ms()
        self._look(now, at)
        self._look_into_cars(now)
        if not self._has_released and now - self._started_ms >= UNHEARD_MS:
            self._has_released = True
            self._release(now, at)
        is_more = await self._tell_silences()
        for event in self._areas.due(mono_ms(), unix_ms()):
            await self._own.tell([event])
            self._areas.told(event, mono_ms())
            _log.warning("area %s: %s %s, %s", event["id"], event["kind"], event["phase"], event["snapshot"])
        pairs = self._areas.marks(TOGETHER)
        if pairs:
            missing = await self._journal.ask(area_store.mark(pairs))
            self._areas.marked(pairs, missing)
            for name, _ in pairs:
                self._own.changed(name)
        return is_more or len(pairs) == TOGETHER

    # -- silent nodes ---------------------------------------------------------------------------------------------

    def _look(self, now: int, at: int) -> None:
        """Some of the lifts: who is offline, and who is heard for the first time."""
        is_awake = self._offline.is_awake(now)
        for lift, quality in self._lifts.qualities_of(
            _next(self._lifts_left, self._lifts.names, LIFTS_A_ROUND), now
        ).items():
            if quality == "unknown":
                continue
            if lift not in self._known:
                self._known.add(lift)
                self._areas.known(lift, self._lifts.record(lift).site)
            if is_awake and (quality == "offline" or lift in self._offline):
                self._offline.look(lift, quality == "offline", now, at)

    def _look_into_cars(self, now: int) -> None:
        """Some of the members: what their nodes tell of their cars now."""
        for lift, where in self._lifts.whereabouts_of(
            _next(self._cars_left, self._areas.lifts, CARS_A_ROUND), now
        ).items():
            self._areas.knows(lift, where)

    def _release(self, now: int, at: int) -> None:
        """Lifts that were taken out of the configuration: nobody will tell the end of what was open there."""
        gone = [event["lift"] for event in self._offline.open_events() if event["lift"] not in self._lifts]
        for lift in gone:
            self._offline.look(lift, False, now, at)
        for lift in self._areas.lifts():
            if lift not in self._lifts:
                self._areas.release(lift, now, at)

    async def _tell_silences(self) -> bool:
        """Some of what opens and closes; True if there is more. Between two parts the areas are told of those already told."""
        now, at = mono_ms(), unix_ms()
        for lift in self._offline.to_open()[:TOGETHER]:
            end = self._lifts.known(lift)
            if end is not None:
                with self._lifts.lock:
                    event = offline.opened(own_id(self._own.gateway, at, next(self._slots)), end.live, now, at)
                self._offline.opening(event)
        opening = self._offline.pending()[:TOGETHER]
        ending = self._offline.to_close(now)[: TOGETHER - len(opening)]
        some = [*opening, *(closed(event, at, ended_ms) for event, ended_ms in ending)]
        await self._own.tell(some)
        for event in some:
            if event["phase"] == "closed":
                self._offline.closed(event["lift"], mono_ms())
            else:
                self._offline.opened(event)
            self._took(event)
        return len(some) == TOGETHER

    def values(self) -> dict[str, float]:
        """Gauges: silent nodes that are told, areas, what is still to be stored, rounds that failed."""
        silent = len(self._offline.open_events())
        return {"nodes_offline": silent, "areas_failed": self.failed, **self._areas.values()}


def _next(left: deque[str], begin: Callable[[], list[str]], limit: int) -> list[str]:
    """The next few of those `left`; they begin anew where nothing is."""
    if not left:
        left.extend(begin())
    return [left.popleft() for _ in range(min(limit, len(left)))]
