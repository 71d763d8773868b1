"""Deliveries: each new revision to every destination, what became of it into the journal, `done` to the node. In the loop."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from gateway import journal as jobs
from gateway.city_http import HttpCity
from gateway.config import City, CityRef, load_city
from gateway.journal import Journal
from gateway.lifts import Lifts
from gateway.metrics import Metrics
from gateway.relay import Outcome, Relay
from gateway.supervision import Supervisor
from protocols import codes

# Incidents whose receipts are known from the start on; a node asks again for those of its last day at most.
RECENT = 5000

Event = dict[str, Any]


class Deliveries:
    """`changed()` says that the journal has something new. `budget_ms` is measured, it cuts nothing off."""

    def __init__(
        self, lifts: Lifts, journal: Journal, metrics: Metrics, budget_ms: int, changed: Callable[[], None]
    ) -> None:
        self._lifts, self._journal, self._metrics = lifts, journal, metrics
        self._budget_ms, self._changed = budget_ms, changed
        self._loop = asyncio.get_running_loop()
        self._cities: list[tuple[City, Relay, bool]] = []
        # (id, rev) -> who has answered, until all that are required have.
        self._answered: dict[tuple[str, int], set[str]] = {}

    def add_city(self, ref: CityRef, session: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        """Deliver to one more city; ConfigError if its file is wrong."""
        city = load_city(ref.file)
        adapter = HttpCity(city, ref.url, session)

        async def send(event: Event) -> str:
            return await adapter.send(self._lifts.record(event["lift"]), event)

        async def refill() -> list[Event]:
            found: list[Event] = await self._journal.ask(jobs.undelivered(city.name))
            return [event for event in found if event["kind"] in city.codes]

        relay = Relay(city.name, send, lambda outcome: self._book(outcome, city.name), city.each_phase, refill)
        self._cities.append((city, relay, ref.required))
        supervisor.keep(f"relay {city.name}", relay.run)

    @property
    def required(self) -> set[str]:
        """The destinations that must have answered before a revision is done."""
        return {city.name for city, _, wanted in self._cities if wanted}

    async def remember(self) -> None:
        """What the journal knows of recent incidents, so that a node that never heard its receipt is answered, not relayed anew."""
        required = self.required
        for name, rev, lift, phase, done, answered in reversed(await self._journal.ask(jobs.recent(RECENT))):
            end = self._lifts.known(lift)
            if end is None:
                continue
            end.intake.committed(name, rev)
            if done:
                end.intake.done(name, rev, phase)
                continue
            self._answered[(name, rev)] = answered
            if required <= answered:
                self._settle({"id": name, "rev": rev, "lift": lift, "phase": phase}, "journal")

    def offer(self, event: Event) -> None:
        """Hand a new revision to every destination that has a code for it."""
        for city, relay, _ in self._cities:
            if event["kind"] in city.codes:
                relay.offer(event)
            else:
                self._book(Outcome(event, "not_mapped", None, None, 0), city.name)

    def _book(self, outcome: Outcome, destination: str) -> None:
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

        def then(result: Any, error: Exception | None) -> None:
            if error is None:
                self._loop.call_soon_threadsafe(self._settle, event, destination)

        job = jobs.store_delivery(
            event["id"], event["rev"], destination, outcome.sent_ms, outcome.receipted_ms, outcome.attempts,
            outcome.state, outcome.detail,
        )  # fmt: skip
        self._journal.submit(job, then)

    def _settle(self, event: Event, destination: str) -> None:
        """A delivery is booked; once every required destination has answered, the node is told `done`."""
        key = (event["id"], event["rev"])
        answered = self._answered.setdefault(key, set())
        answered.add(destination)
        self._changed()
        if not self.required <= answered:
            return
        del self._answered[key]

        def then(result: Any, error: Exception | None) -> None:
            end = self._lifts.known(event["lift"])
            if error is not None or end is None:
                return
            with self._lifts.lock:
                end.intake.done(event["id"], event["rev"], event["phase"])
                ack = self._lifts.ack_payload(end)
            self._lifts.send_ack(end, ack)

        self._journal.submit(jobs.mark_done(event["id"], event["rev"]), then)

    # -- what is shown --------------------------------------------------------------------------------------------

    def values(self) -> dict[str, float]:
        """Gauges of the relays."""
        out: dict[str, float] = {}
        for city, relay, _ in self._cities:
            out[f"relay_{city.name}_depth"] = relay.depth()
            out |= {f"relay_{city.name}_{name}": value for name, value in relay.counters.items()}
        return out

    def answering(self) -> dict[str, bool]:
        """Does each city answer?"""
        return {city.name: relay.silent_since_ms is None for city, relay, _ in self._cities}
