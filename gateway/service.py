"""The gateway's wiring: events take the fast path, everything else its own. All stores and links meet here and nowhere else."""

import asyncio
import logging
import pathlib
import threading
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from gateway import influx as influx_module
from gateway import journal as jobs
from gateway import metrics as metrics_module
from gateway.broker import Lane
from gateway.city_http import HttpCity
from gateway.cloud_link import CloudLink
from gateway.config import City, Config, Lift, load_city
from gateway.errors import NotDelivered
from gateway.journal import Journal, unix_ms
from gateway.live import LiveLift
from gateway.locallog import LocalLog, Stored, known_fields
from gateway.relay import Outcome, Relay
from protocols import codes, messages, records
from protocols.clock import OffsetEstimate
from protocols.delivery.gateway import DUPLICATE, STORE, LiftIntake
from protocols.errors import ContractError, DecodeError
from protocols.identity import parse_event_id, parse_topic, subscription, topic

_log = logging.getLogger(__name__)

ACK_MS = 5000
LOG_ACK_MS = 200
QUARANTINED = 200
OFFSETS_KEPT = 3
HISTORY_LIMIT = 20_000
# Incidents whose receipts are known from the start on; a node asks again for those of its last day at most.
RECENT = 5000


def mono_ms() -> int:
    """Monotonic ms."""
    return time.monotonic_ns() // 1_000_000


class LiftEnd:
    """All that the gateway holds of one lift."""

    def __init__(self, record: Lift, store_id: str, life: int, stored: int) -> None:
        self.record = record
        self.intake = LiftIntake(store_id, life, stored)
        self.live = LiveLift(record)
        self.offsets: dict[int, OffsetEstimate] = {}
        self.ack_ms = 0

    def offset(self, boot: int) -> OffsetEstimate:
        """The clock estimate of one boot; the newest few boots are kept."""
        if boot not in self.offsets:
            self.offsets[boot] = OffsetEstimate()
            for old in sorted(self.offsets)[:-OFFSETS_KEPT]:
                del self.offsets[old]
        return self.offsets.get(boot) or OffsetEstimate()


class Service:
    """One running gateway. `start`, then `stop`; everything between is driven by messages and timers."""

    def __init__(self, config: Config) -> None:
        self.config = config
        data = pathlib.Path(config.gateway.data_dir)
        data.mkdir(parents=True, exist_ok=True)
        self.metrics = metrics_module.Metrics()
        self._lock = threading.Lock()
        self._store_id = self._identify(data / "store_id")
        self.journal = Journal(data / "journal.db")
        self.log = LocalLog(data / "log.db", config.gateway.log_megabytes * 1_000_000, self._batches_stored)
        positions = self.log.positions()
        self._lifts = {lift.id: LiftEnd(lift, self._store_id, *positions.get(lift.id, (0, 0))) for lift in config.lift}
        self._positions = positions
        self.quarantine: deque[tuple[int, str, bytes]] = deque(maxlen=QUARANTINED)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.restarts = 0
        self._cities: list[tuple[City, Relay, bool]] = []
        self._answered: dict[tuple[str, int], set[str]] = {}
        broker = config.broker
        name = config.gateway.id
        self.events_lane = Lane(
            "events", f"gateway-{name}-events", broker.host, broker.port,
            [subscription(kind) for kind in ("event", "link", "reply")], self._on_fast,
        )  # fmt: skip
        self.bulk_lane = Lane(
            "bulk", f"gateway-{name}-bulk", broker.host, broker.port,
            [subscription(kind) for kind in ("state", "log")], self._on_bulk,
        )  # fmt: skip
        self._session: aiohttp.ClientSession | None = None
        self.cloud: CloudLink | None = None
        self.influx: influx_module.Influx | None = None
        self._web: Any = None

    @staticmethod
    def _identify(path: pathlib.Path) -> str:
        """The id of this store: made once, so that a node sees when the gateway was replaced by an empty one."""
        if not path.exists():
            path.write_text(uuid.uuid4().hex[:12])
        return path.read_text().strip()

    # -- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> int:
        """Start everything; returns the port of the metrics. Whatever is down at the start is waited for."""
        config = self.config
        self._session = aiohttp.ClientSession()
        for ref in config.city:
            self._add_city(load_city(ref.file), ref.url, ref.required)
        if config.cloud is not None:
            self.cloud = CloudLink(
                config.cloud.url, config.gateway.id, self._hello, self._live_changes, self._behind_cloud,
                self._cloud_receipted, self._answer,
            )  # fmt: skip
            cloud, session = self.cloud, self._session
            self._supervise("cloud", lambda: cloud.run(session))
        if config.influx is not None:
            sites = {lift.id: lift.site for lift in config.lift}
            self.influx = influx_module.Influx(config.influx.url, config.influx.database, self.log, sites)
            self.influx.start()
        await self._remember()
        for lane in (self.events_lane, self.bulk_lane):
            lane.login(config.broker.user, config.broker.password)
            lane.start()
        self._supervise("acks", self._ack_round)
        self._web, port = await metrics_module.serve(self, config.metrics.port)
        return port

    async def stop(self) -> None:
        """Stop in the order that loses nothing: intake first, stores last."""
        for lane in (self.events_lane, self.bulk_lane):
            await asyncio.to_thread(lane.stop)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.influx is not None:
            await asyncio.to_thread(self.influx.stop)
        await asyncio.to_thread(self.log.close)
        await asyncio.to_thread(self.journal.close)
        if self._web is not None:
            await self._web.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _remember(self) -> None:
        """What the journal knows of recent incidents, so that a node that never heard its receipt is answered, not relayed anew."""
        found = await self._ask(jobs.recent(RECENT))
        required = {city.name for city, _, wanted in self._cities if wanted}
        for name, rev, lift, phase, done, answered in reversed(found):
            end = self._lifts.get(lift)
            if end is None:
                continue
            end.intake.committed(name, rev)
            if done:
                end.intake.done(name, rev, phase)
                continue
            self._answered[(name, rev)] = answered
            if required <= answered:
                self._settle({"id": name, "rev": rev, "lift": lift, "phase": phase}, "journal")

    def _supervise(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        async def keep() -> None:
            while True:
                try:
                    await work()
                    _log.error("%s ended by itself; starting it again", name)
                except asyncio.CancelledError:
                    raise
                except Exception:  # the top of each loop
                    _log.exception("%s failed; starting it again", name)
                self.restarts += 1
                await asyncio.sleep(0.5)

        task = asyncio.get_running_loop().create_task(keep(), name=name)
        self._tasks.add(task)

    def _add_city(self, city: City, url: str, required: bool) -> None:
        assert self._session is not None
        adapter = HttpCity(city, url, self._session)

        async def send(event: dict[str, Any]) -> str:
            return await adapter.send(self._record(event["lift"]), event)

        async def refill() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = await self._ask(jobs.undelivered(city.name))
            return [event for event in found if event["kind"] in city.codes]

        relay = Relay(city.name, send, lambda outcome: self._book(outcome, city.name), city.each_phase, refill)
        self._cities.append((city, relay, required))
        self._supervise(f"relay {city.name}", relay.run)

    def _record(self, lift: str) -> Lift:
        end = self._lifts.get(lift)
        return end.record if end is not None else Lift(id=lift, site="unknown", name=lift)

    async def _ask(self, job: jobs.Job) -> Any:
        """Run `job` in the journal and wait for its result, at most 10 s."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def then(result: Any, error: Exception | None) -> None:
            def settle() -> None:
                if future.done():
                    return
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error)

            self._loop.call_soon_threadsafe(settle)

        if not self.journal.submit(job, then):
            raise NotDelivered("the journal's queue is full")
        return await asyncio.wait_for(future, 10)

    # -- intake ---------------------------------------------------------------------------------------------------

    def _end(self, site: str, lift: str) -> LiftEnd | None:
        """The lift's end; lifts that the configuration does not know are taken too, in bounded number: an alarm counts."""
        end = self._lifts.get(lift)
        if end is None and len(self._lifts) < self.config.gateway.max_lifts:
            record = Lift(id=lift, site=site, name=lift)
            end = self._lifts[lift] = LiftEnd(record, self._store_id, *self._positions.get(lift, (0, 0)))
            _log.warning("lift %s at %s is not in the configuration; taken all the same", lift, site)
        if end is None or end.record.site != site:
            self.metrics.refused.inc()
            return None
        return end

    def _malformed(self, kind: str, payload: bytes, error: ContractError) -> None:
        self.metrics.malformed.labels(kind).inc()
        self.quarantine.append((unix_ms(), f"{kind}: {error}", payload[:512]))

    def _on_fast(self, name: str, payload: bytes, retained: bool) -> None:
        """Events lane, in its thread."""
        received_ms, now = unix_ms(), mono_ms()
        kind = "?"
        try:
            site, lift, kind = parse_topic(name)
            self.metrics.messages.labels(kind).inc()
            values = messages.decode(kind, payload)
            if kind == "event" and parse_event_id(values["id"])[0] != lift:
                raise DecodeError(f"event {values['id']} on the topic of {lift}")
        except ContractError as error:
            self._malformed(kind, payload, error)
            return
        with self._lock:
            end = self._end(site, lift)
            if end is None:
                return
            if kind == "link":
                end.live.on_link(values, now, retained)
                return
            if kind == "reply":
                return
            end.intake.heard(values["boot"], values["up_ms"])
            end.offset(values["boot"]).add(values["up_ms"], received_ms)
            verdict = end.intake.on_event(values)
            event = self._event(end, values, received_ms) if verdict == STORE else None
            ack = self._ack_payload(end) if verdict == DUPLICATE else None
        if ack is not None:
            self._send_ack(end, ack)
        if event is not None:
            # Commit and first send start together; the receipt to the node waits for the commit, the send does not.
            self._loop.call_soon_threadsafe(self._relay, event)
            stored = self.journal.submit(
                jobs.store_revision(event), lambda result, error: self._committed(event, result, error)
            )
            if not stored:
                with self._lock:
                    end.intake.event_failed(event["id"], event["rev"])

    def _event(self, end: LiftEnd, values: dict[str, Any], received_ms: int) -> dict[str, Any]:
        """The canonical event: stages in the gateway's time."""
        estimate = end.offset(values["boot"])

        def at(up_ms: int | None) -> int | None:
            return None if up_ms is None else estimate.gateway_ms(up_ms)

        return {
            "id": values["id"],
            "rev": values["rev"],
            "lift": end.record.id,
            "kind": values["kind"],
            "code": values["code"],
            "class": values["class"],
            "severity": values["severity"],
            "phase": values["phase"],
            "cause": values["cause"],
            "presses": values["presses"],
            "closed_at_ms": at(values["closed_up_ms"]),
            "snapshot": values["snapshot"],
            "frames": values["frames"],
            "evidence": [[name, at(since)] for name, since in values["evidence"]],
            "stages": {
                "onset": at(values["onset_up_ms"]),
                "detected": at(values["detected_up_ms"]),
                "published": at(values["published_up_ms"]),
            },
            "attempt": values["attempt"],
            "received": received_ms,
            "offset_err_ms": estimate.error_ms(),
        }

    def _on_bulk(self, name: str, payload: bytes, retained: bool) -> None:
        """Bulk lane, in its thread."""
        received_ms, now = unix_ms(), mono_ms()
        kind = "?"
        try:
            site, lift, kind = parse_topic(name)
            self.metrics.messages.labels(kind).inc()
            if kind == "log":
                self._on_log(site, lift, records.decode_wire(payload), received_ms)
                return
            values = messages.decode(kind, payload)
        except ContractError as error:
            self._malformed(kind, payload, error)
            return
        with self._lock:
            end = self._end(site, lift)
            if end is None:
                return
            end.intake.heard(values["boot"], values["up_ms"])
            end.offset(values["boot"]).add(values["up_ms"], received_ms, values["rtt_ms"])
            end.live.on_state(values, now, received_ms)
            ack = self._ack_payload(end) if now - end.ack_ms >= ACK_MS else None
        if ack is not None:
            self._send_ack(end, ack)

    def _on_log(self, site: str, lift: str, batch: records.Batch, received_ms: int) -> None:
        points = batch.records()  # what cannot be read must not be receipted
        with self._lock:
            end = self._end(site, lift)
            if end is None:
                return
            verdict, gaps = end.intake.on_batch(batch)
            self.metrics.batches.labels(verdict).inc()
            if verdict != STORE and not gaps:
                return
            offset = end.offset(batch.boot).gateway_ms(0)
            if offset is None:
                # A boot that we never heard live: the node's own clock, or else its arrival.
                last_up = points[-1][0] if points else batch.up_ms
                offset = batch.t_ms - batch.up_ms if batch.t_ms else received_ms - last_up
            last_ms = (points[-1][0] if points else batch.up_ms) + offset
            entry = Stored(lift, batch, offset, last_ms, gaps, received_ms, verdict == STORE)
            if not self.log.put(entry):
                end.intake.batch_failed()

    # -- commits --------------------------------------------------------------------------------------------------

    def _committed(self, event: dict[str, Any], result: Any, error: Exception | None) -> None:
        """In the journal's thread, after the commit."""
        end = self._lifts[event["lift"]]
        with self._lock:
            if error is not None:
                end.intake.event_failed(event["id"], event["rev"])
                return
            newest, done = result
            nobody_required = not any(required for _, _, required in self._cities)
            level = codes.DONE if (done and newest == event["rev"]) or nobody_required else codes.COMMITTED
            end.intake.committed(event["id"], event["rev"], level)
            ack = self._ack_payload(end)
        self._send_ack(end, ack)
        self._measure(event)
        self._loop.call_soon_threadsafe(self._wake_cloud)

    def _measure(self, event: dict[str, Any]) -> None:
        committed_ms = unix_ms()
        stage = self.metrics.stage
        stages = event["stages"]
        stage.labels("received_committed").observe(max(0, committed_ms - event["received"]) / 1000)
        if stages["published"] is not None:
            stage.labels("published_received").observe(max(0, event["received"] - stages["published"]) / 1000)
            stage.labels("detected_published").observe(max(0, stages["published"] - stages["detected"]) / 1000)

    def _batches_stored(self, entries: list[Stored], ok: bool) -> None:
        """In the local log's thread, after the sync."""
        with self._lock:
            for entry in entries:
                intake = self._lifts[entry.lift].intake
                if ok and entry.is_new:
                    intake.batch_stored(entry.batch.life, entry.batch.number)
                elif not ok:
                    intake.batch_failed()

    # -- relay ----------------------------------------------------------------------------------------------------

    def _relay(self, event: dict[str, Any]) -> None:
        """In the loop: hand a new revision to every destination that has a code for it."""
        for city, relay, _ in self._cities:
            if event["kind"] in city.codes:
                relay.offer(event)
            else:
                self._book(Outcome(event, "not_mapped", None, None, 0), city.name)

    def _book(self, outcome: Outcome, destination: str) -> None:
        event = outcome.event
        if outcome.sent_ms is not None:
            self.metrics.stage.labels("received_sent").observe(max(0, outcome.sent_ms - event["received"]) / 1000)
        # Later revisions are measured from their first sending: `detected` is the opening's.
        begin = event["stages"]["detected" if event["phase"] == codes.OPEN else "published"]
        if outcome.receipted_ms is not None and begin is not None:
            took_ms = outcome.receipted_ms - begin
            self.metrics.stage.labels("detected_receipted").observe(max(0, took_ms) / 1000)
            if took_ms > self.config.gateway.budget_ms:
                self.metrics.missed.labels(destination).inc()

        def then(result: Any, error: Exception | None) -> None:
            if error is None:
                self._loop.call_soon_threadsafe(self._settle, event, destination)

        job = jobs.store_delivery(
            event["id"], event["rev"], destination, outcome.sent_ms, outcome.receipted_ms, outcome.attempts,
            outcome.state, outcome.detail,
        )  # fmt: skip
        self.journal.submit(job, then)

    def _settle(self, event: dict[str, Any], destination: str) -> None:
        """A delivery is booked; once every required destination has answered, the node is told `done`."""
        key = (event["id"], event["rev"])
        answered = self._answered.setdefault(key, set())
        answered.add(destination)
        self._wake_cloud()
        if not all(city.name in answered for city, _, required in self._cities if required):
            return
        del self._answered[key]

        def then(result: Any, error: Exception | None) -> None:
            if error is not None:
                return
            end = self._lifts.get(event["lift"])
            if end is None:
                return
            with self._lock:
                end.intake.done(event["id"], event["rev"], event["phase"])
                ack = self._ack_payload(end)
            self._send_ack(end, ack)

        self.journal.submit(jobs.mark_done(event["id"], event["rev"]), then)

    # -- acks -----------------------------------------------------------------------------------------------------

    def _ack_payload(self, end: LiftEnd) -> bytes:
        """Under the lock: the next ack of a lift."""
        end.ack_ms = mono_ms()
        return messages.encode("ack", end.intake.ack(unix_ms()))

    def _send_ack(self, end: LiftEnd, payload: bytes) -> None:
        self.events_lane.publish(topic(end.record.site, end.record.id, "ack"), payload)

    async def _ack_round(self) -> None:
        """Receipts of the log, and of what waits longer than it should."""
        while True:
            await asyncio.sleep(LOG_ACK_MS / 1000)
            with self._lock:
                due = [(end, self._ack_payload(end)) for end in self._lifts.values() if end.intake.receipt_due]
            for end, payload in due:
                self._send_ack(end, payload)

    # -- cloud ----------------------------------------------------------------------------------------------------

    def _hello(self) -> dict[str, Any]:
        records_of_lifts = [
            {
                "id": record.id, "site": record.site, "name": record.name or record.id, "address": record.address,
                "rescue_code": record.rescue_code, "registration_code": record.registration_code, "stops": record.stops,
                "doors": record.doors, "rated_speed_mm_s": record.rated_speed_mm_s,
            }
            for record in (end.record for end in list(self._lifts.values()))
        ]  # fmt: skip
        return {"gateway": self.config.gateway.id, "version": "0.1.0", "lifts": records_of_lifts}

    def _live_changes(self, full: bool) -> list[dict[str, Any]]:
        now, at = mono_ms(), unix_ms()
        with self._lock:
            out = []
            for end in self._lifts.values():
                live = end.live
                if full or live.dirty or live.quality(now) != live.shown_quality:
                    live.dirty = False
                    out.append(live.view(now, at))
            return out

    async def _behind_cloud(self, limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._ask(jobs.behind_cloud(limit))
        return found

    def _cloud_receipted(self, name: str, version: int) -> None:
        self.journal.submit(jobs.cloud_has(name, version), lambda result, error: None)

    def _wake_cloud(self) -> None:
        if self.cloud is not None:
            self.cloud.wake()

    async def _answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """History of one lift from the local log or from InfluxDB."""
        lift = str(query["lift"])
        if lift not in self._lifts:
            return {"error": f"lift {lift} is not of this gateway"}
        from_ms, to_ms = int(query["from_ms"]), int(query["to_ms"])
        fields = known_fields([str(name) for name in query.get("fields") or []])
        limit = min(HISTORY_LIMIT, int(query.get("limit") or HISTORY_LIMIT))
        source = query.get("source") or "local"
        if source == "influx":
            if self.influx is None:
                return {"error": "this gateway has no InfluxDB configured"}
            found = await asyncio.to_thread(self.influx.history, lift, from_ms, to_ms, fields, limit)
        else:
            found = await asyncio.to_thread(self.log.reader().history, lift, from_ms, to_ms, fields, limit)
        return {"lift": lift, "from_ms": from_ms, "to_ms": to_ms, "source": source, **found}

    # -- what can be asked ----------------------------------------------------------------------------------------

    def values(self) -> dict[str, float]:
        """Gauges for the metrics."""
        now = mono_ms()
        with self._lock:
            qualities = [end.live.quality(now) for end in self._lifts.values()]
        out: dict[str, float] = {f"lifts_{name}": qualities.count(name) for name in set(qualities)}
        out |= {
            "journal_depth": self.journal.depth(), "journal_refused": self.journal.refused,
            "log_depth": self.log.depth(), "log_bytes": self.log.used_bytes(), "log_dropped_bytes": self.log.dropped_bytes,
            "log_gaps": self.log.gaps, "restarts": self.restarts, "events_lane_up": self.events_lane.connected,
            "bulk_lane_up": self.bulk_lane.connected, "quarantined": len(self.quarantine),
        }  # fmt: skip
        for city, relay, _ in self._cities:
            out[f"relay_{city.name}_depth"] = relay.depth()
            out |= {f"relay_{city.name}_{name}": value for name, value in relay.counters.items()}
        if self.influx is not None:
            out["influx_behind_batches"] = self.log.newest_row - self.influx.row
            out |= {f"influx_{name}": value for name, value in self.influx.counters.items()}
        if self.cloud is not None:
            out |= {f"cloud_{name}": value for name, value in self.cloud.counters.items()}
        return out

    def health(self) -> dict[str, Any]:
        """Is the way from the broker open? Destinations that are down are told, and are no reason to restart us."""
        return {
            "ok": self.events_lane.connected and self.bulk_lane.connected,
            "broker": self.events_lane.connected and self.bulk_lane.connected,
            "cloud": self.cloud is None or self.cloud.up,
            "influx": self.influx is None or self.influx.up,
            "cities": {city.name: relay.silent_since_ms is None for city, relay, _ in self._cities},
        }
