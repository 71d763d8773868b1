"""Deliveries: each new revision to every destination, what became of it into the journal, `done` to the node. In the loop."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from gateway import dead_letters, hook
from gateway import journal as jobs
from gateway.city_http import HttpCity
from gateway.config import CityRef, Hook, load_city
from gateway.errors import ConfigError, NotDelivered
from gateway.journal import Job, Journal
from gateway.lifts import Lifts
from gateway.metrics import Metrics
from gateway.own_events import is_of
from gateway.relay import Outcome, Relay, Send
from gateway.supervision import Supervisor
from protocols import codes
from protocols.faults import NAMES as FAULT_NAMES

_log = logging.getLogger(__name__)

# Incidents whose receipts are known from the start on; a node asks again for those of its last day at most.
RECENT = 5000
# A booking that the journal cannot take is tried again; so many wait at most, the rest are sent again after a restart.
MAX_UNBOOKED = 5000
BOOK_AGAIN_S = 0.5
# Dead letters replayed with one command; the relay's memory holds as many.
REPLAY_LIMIT = 1000
# How long an update waits for the journal to say whether its opening was told; ours, and a fraction of the city's own time.
ASK_S = 1.0

Event = dict[str, Any]


def _booking(outcome: Outcome, destination: str) -> Job:
    event = outcome.event
    return jobs.store_delivery(
        event["id"], event["rev"], destination, outcome.sent_ms, outcome.receipted_ms, outcome.attempts, outcome.state,
        outcome.detail,
    )  # fmt: skip


@dataclass
class Destination:
    """A relay, the kinds of event that it takes (None: what it is handed), and whether `done` waits for it."""

    name: str
    relay: Relay
    kinds: frozenset[str] | None
    required: bool


class Deliveries:
    """`changed(id)` says that an incident has a new version. `budget_ms` is measured, it cuts nothing off."""

    def __init__(
        self, lifts: Lifts, journal: Journal, metrics: Metrics, budget_ms: int, changed: Callable[[str], None]
    ) -> None:
        self._lifts, self._journal, self._metrics = lifts, journal, metrics
        self._budget_ms, self._changed = budget_ms, changed
        self._loop = asyncio.get_running_loop()
        self._destinations: dict[str, Destination] = {}
        # (id, rev) -> who of those that must has answered, until all have.
        self._answered: dict[tuple[str, int], set[str]] = {}
        # {destination: ids of incidents of which it has receipted something, oldest first}: saves asking the journal.
        self._told: dict[str, dict[str, None]] = {}
        self._dead: dict[str, int] = {}
        self._unbooked = 0
        self.unbooked_dropped = 0

    def add_city(self, ref: CityRef, session: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        """Deliver to one more city; ConfigError if its file is wrong. `session` is one of `city_http.session()`.

        A fault of which its file says nothing, as after an update that brought a new one, is told in the log.
        """
        city = load_city(ref.file)
        kinds = frozenset(city.codes)
        if forgotten := [name for name in FAULT_NAMES if name not in kinds and name not in city.kept]:
            _log.warning(
                "%s says nothing of %s: not pushed to that city; give each a code there, or list it in `kept`",
                ref.file, ", ".join(forgotten),
            )  # fmt: skip

        async def refill(limit: int) -> tuple[list[Event], bool]:
            held: list[Event] = await self._journal.ask(jobs.undelivered(city.name, limit))
            for event in held:  # of one that `remember` did not reach, only those whose refill has it are missing
                self._answered.setdefault((event["id"], event["rev"]), self.required).discard(city.name)
            return [event for event in held if self._is_for(event, city.name, kinds)], len(held) >= limit

        relay = Relay(
            city.name,
            [self._city_sender(HttpCity(city, url, session), city.name) for url in (ref.url, *ref.other_urls)],
            lambda outcome: self._book(outcome, city.name),
            city.each_phase,
            refill,
            ref.escalate_ms,
            lambda event, sent_ms, attempts: self._escalate(event, city.name, sent_ms, ref.escalate_ms, attempts),
        )
        self._add(Destination(city.name, relay, kinds, ref.required), supervisor)

    def add_hook(self, config: Hook, session: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        """Tell a person what a city does not answer."""

        async def refill(limit: int) -> tuple[list[Event], bool]:
            held: list[Event] = await self._journal.ask(jobs.waiting(hook.DESTINATION, limit))
            return held, len(held) >= limit

        adapter = hook.HookSender(config, session)

        async def send(event: Event) -> str:
            return await adapter.send(self._lifts.record(event["lift"]), event)

        relay = Relay(hook.DESTINATION, [send], lambda outcome: self._book(outcome, hook.DESTINATION), False, refill)
        self._add(Destination(hook.DESTINATION, relay, None, False), supervisor)

    def _city_sender(self, adapter: HttpCity, destination: str) -> Send:
        async def send(event: Event) -> str:
            lift = self._lifts.record(event["lift"])
            if event["phase"] != codes.UPDATED or await self._knows(event, destination):
                return await adapter.send(lift, event)
            # To a city that never had its opening an update is of nothing that it knows.
            return f"{await adapter.send(lift, {**event, 'phase': codes.OPEN})}, told as new"

        return send

    async def _knows(self, event: Event, destination: str) -> bool:
        """Has `destination` receipted an earlier revision? A journal that does not answer in time says no: twice new beats never."""
        if event["id"] in self._told[destination]:
            return True
        try:
            async with asyncio.timeout(ASK_S):
                return bool(await self._journal.ask(jobs.was_told(destination, event["id"], event["rev"])))
        except (NotDelivered, TimeoutError, sqlite3.Error):
            return False

    def _add(self, destination: Destination, supervisor: Supervisor) -> None:
        if destination.name in self._destinations:
            raise ConfigError(
                f"two destinations are named {destination.name!r}; give each city file a `name` of its own"
            )
        self._destinations[destination.name] = destination
        self._told[destination.name] = {}
        supervisor.keep(f"relay {destination.name}", destination.relay.run)

    @property
    def required(self) -> set[str]:
        """The destinations that must have answered before a revision is done."""
        return {destination.name for destination in self._destinations.values() if destination.required}

    async def remember(self) -> None:
        """What the journal knows of recent incidents, so that a node that never heard its receipt is answered, not relayed anew."""
        required = self.required
        self._dead = await self._journal.ask(dead_letters.counted())
        for name, rev, lift, phase, done, answered in reversed(await self._journal.ask(jobs.recent(RECENT))):
            end = self._lifts.known(lift)
            # Of what the gateway itself tells of a lift its node knows nothing.
            holder = end.holder(name) if end is not None and is_of(name, lift) else None
            if holder is not None:
                holder.committed(name, rev)
                if done:
                    holder.done(name, rev, phase)
            if end is None or done:
                continue
            self._answered[(name, rev)] = answered & required
            if required <= answered:
                self._settle({"id": name, "rev": rev, "lift": lift, "phase": phase}, "journal")

    def offer(self, event: Event) -> None:
        """Hand a new revision to every destination that has a code for it, unless it is withheld from the cities."""
        if self.required:
            self._answered.setdefault((event["id"], event["rev"]), set())
        for destination in self._destinations.values():
            if destination.kinds is not None and self._is_for(event, destination.name, destination.kinds):
                destination.relay.offer(event)

    def _is_for(self, event: Event, destination: str, kinds: frozenset[str]) -> bool:
        """Is `destination` told of this revision? Where not, that is its answer, and the journal says why."""
        state = "not_mapped" if event["kind"] not in kinds else "withheld" if event.get("withheld") else ""
        if state:
            self._book(Outcome(event, state, None, None, 0, event.get("withheld", "")), destination)
        return not state

    def _escalate(self, event: Event, destination: str, sent_ms: int, waited_ms: int, attempts: int) -> None:
        """A city gave no receipt in time: seen in the incident's deliveries, and told to a person."""
        detail = f"no receipt after {waited_ms / 1000:g} s and {attempts} attempts; the next route is taken"
        self._note(Outcome(event, "waiting", sent_ms, None, 0, detail), destination)
        if hook.DESTINATION not in self._destinations:
            return

        def noted(is_new: Any, error: Exception | None) -> None:
            # After a restart the journal knows that a person was told; where it cannot say, he is told again.
            if is_new or error is not None:
                self._loop.call_soon_threadsafe(self._destinations[hook.DESTINATION].relay.offer, event)

        if not self._journal.submit(jobs.ask_for(hook.DESTINATION, event["id"], event["rev"]), noted):
            noted(True, None)

    def _note(self, outcome: Outcome, destination: str) -> None:
        """Book it once: tried again, it might come after the outcome and undo it."""

        def noted(result: Any, error: Exception | None) -> None:
            self._loop.call_soon_threadsafe(self._changed, outcome.event["id"])

        self._journal.submit(_booking(outcome, destination), noted)

    async def replay(self, destination: str, name: str | None, rev: int | None) -> tuple[int, int]:
        """Send refused deliveries again: all of `destination`, or those of one incident or revision; see dead_letters.replayed.

        (how many, how many were left). ConfigError if there is no such destination. At most REPLAY_LIMIT at once.
        """
        found = self._destinations.get(destination)
        if found is None:
            raise ConfigError(f"no destination {destination!r}; there is {', '.join(sorted(self._destinations))}")
        events, left = await self._journal.ask(dead_letters.replayed(destination, name, rev, REPLAY_LIMIT))
        self._dead[destination] = max(0, self._dead.get(destination, 0) - len(events))
        for event in events:
            found.relay.offer(event)
            self._changed(event["id"])
        return len(events), left

    def _book(self, outcome: Outcome, destination: str) -> None:
        if destination != hook.DESTINATION:
            self._measure(outcome, destination)
        if outcome.state == "refused":
            self._dead[destination] = self._dead.get(destination, 0) + 1
        if outcome.state == "receipted":
            told = self._told[destination]
            told[outcome.event["id"]] = None
            if len(told) > RECENT:
                del told[next(iter(told))]
        self._store(_booking(outcome, destination), lambda: self._settle(outcome.event, destination))

    def _measure(self, outcome: Outcome, destination: str) -> None:
        event = outcome.event
        if outcome.sent_ms is not None:
            self._metrics.stage.labels("received_sent").observe(max(0, outcome.sent_ms - event["received"]) / 1000)
        # Later revisions are measured from their first sending: `detected` is the opening's.
        begin = event["stages"]["detected" if event["phase"] == codes.OPEN else "published"]
        if outcome.receipted_ms is not None and begin is not None:
            took_ms = outcome.receipted_ms - begin
            self._metrics.stage.labels("detected_receipted").observe(max(0, took_ms) / 1000)
            if took_ms > self._budget_ms:
                self._metrics.missed.labels(destination).inc()

    def _store(self, job: Job, then: Callable[[], None]) -> None:
        """Run `job`, again and again until the journal has taken it (it may be full), and then `then()` in the loop."""
        if self._unbooked >= MAX_UNBOOKED:
            self.unbooked_dropped += 1
            return
        self._unbooked += 1

        def settled(error: Exception | None) -> None:
            self._unbooked -= 1
            if error is None:
                then()
            else:
                self._loop.call_later(BOOK_AGAIN_S, self._store, job, then)

        def stored(result: Any, error: Exception | None) -> None:
            self._loop.call_soon_threadsafe(settled, error)

        if not self._journal.submit(job, stored):
            settled(NotDelivered("the journal's queue is full"))

    def _settle(self, event: Event, destination: str) -> None:
        """A delivery is booked; once every required destination has answered, the node is told `done`."""
        self._changed(event["id"])
        key = (event["id"], event["rev"])
        answered = self._answered.get(key)
        if answered is None:
            return
        answered.add(destination)
        if not self.required <= answered:
            return
        del self._answered[key]
        self._store(jobs.mark_done(*key), lambda: self._tell_done(event))

    def _tell_done(self, event: Event) -> None:
        # Of what the gateway itself tells of a lift its node knows nothing.
        end = self._lifts.known(event["lift"]) if is_of(event["id"], event["lift"]) else None
        if end is None:
            return
        with self._lifts.lock:
            holder = end.holder(event["id"])
            if holder is not None:
                holder.done(event["id"], event["rev"], event["phase"])
            ack = self._lifts.ack_payload(end) if holder is end.intake else None
        if ack is not None:
            self._lifts.send_ack(end, ack)

    # -- what is shown --------------------------------------------------------------------------------------------

    def values(self) -> dict[str, float]:
        """Gauges of the relays."""
        out: dict[str, float] = {"unbooked": self._unbooked, "unbooked_dropped": self.unbooked_dropped}
        for name, destination in self._destinations.items():
            relay = destination.relay
            out[f"relay_{name}_depth"] = relay.depth()
            out[f"relay_{name}_dead_letters"] = self._dead.get(name, 0)
            out |= {f"relay_{name}_{counter}": value for counter, value in relay.counters.items()}
        return out

    def answering(self) -> dict[str, bool]:
        """Does each destination answer?"""
        return {name: found.relay.silent_since_ms is None for name, found in self._destinations.items()}
