"""The gateway's wiring: stores, lanes, intake, deliveries and links are made, joined, started and stopped here and nowhere else."""

import asyncio
import contextlib
import pathlib
from typing import Any

import aiohttp
from aiohttp import web

from gateway import city_http
from gateway import journal as jobs
from gateway import metrics as metrics_module
from gateway.area_causes import OF_AREA
from gateway.area_watch import AreaWatch
from gateway.black_boxes import BlackBoxes
from gateway.broker import Lane
from gateway.cloud_link import CloudLink
from gateway.commands import Commands
from gateway.config import Config, cloud_token, tls_context
from gateway.deliveries import Deliveries
from gateway.detection.keeping import FILE as DETECTED_FILE
from gateway.detection.service import Detections
from gateway.fault_words import FILE, UnknownWords
from gateway.health.follower import HealthFollower
from gateway.health.loopback_routes import health_routes
from gateway.history import RAW_LIMIT, reduced, step_ms
from gateway.influx import Server
from gateway.influx_copy import InfluxCopy
from gateway.intake import Intake
from gateway.lifts import Lifts
from gateway.locallog import Stored
from gateway.log_reader import known_fields
from gateway.operator import Operator
from gateway.own_events import OwnEvents
from gateway.store_watch import StoreWatch
from gateway.stores import Stores
from gateway.supervision import Supervisor
from protocols.identity import subscription

HISTORY_LIMIT = 20_000
# The severity of what is told of people in danger.
DANGER = 4


class Service:
    """One running gateway. `start`, then `stop`; everything between is driven by messages and timers."""

    def __init__(self, config: Config) -> None:
        self.config = config
        data = pathlib.Path(config.gateway.data_dir)
        data.mkdir(parents=True, exist_ok=True)
        self._loop = asyncio.get_running_loop()
        self.metrics = metrics_module.Metrics()
        self.supervisor = Supervisor()
        self.stores = Stores(data, config.gateway, self._batches_stored, self._journal_replaced, self._log_replaced)
        self.journal, self.log = self.stores.journal, self.stores.log
        self.lifts = Lifts(config, self.stores.identity(), self.log.positions(), self.log.newest_boots(), self._publish)
        self.deliveries = Deliveries(
            self.lifts, self.journal, self.metrics, config.gateway.budget_ms, self._incident_changed
        )
        own = OwnEvents(config.gateway.id, self.journal, self._deliver, self._incident_changed)
        self._watch = StoreWatch(
            config.gateway, self.stores, own, lambda: bool(self.deliveries.required), config.cloud is not None
        )  # fmt: skip
        self.areas = AreaWatch(self.lifts, self.journal, own, lambda: self.events_lane.connected)
        self.fault_words = UnknownWords(data / FILE)
        self.black_boxes = BlackBoxes(
            data, f"gateway {config.gateway.id}", self.lifts.record, lambda: self.stores.reserve.held
        )
        self.commands = Commands(self.lifts, self._publish)
        self.detections = Detections(self.lifts, self.journal, data / DETECTED_FILE, self._follow, self._leave)
        self.follower = HealthFollower(
            config.health, data, self.log, self.lifts.record, lambda: self.stores.reserve.held
        )
        self.intake = Intake(
            self.lifts, self.journal, self.log, self.metrics,
            lambda event: self._soon(self._offer, event), lambda name: self._soon(self._incident_changed, name),
            self.fault_words, self.commands.on_reply, self.detections,
        )  # fmt: skip
        self.detections.take = self.intake.take
        self.commands.end_alarm = self.detections.end_alarm
        broker = config.broker
        name = config.gateway.id
        self.events_lane = Lane(
            "events", f"gateway-{name}-events", broker.host, broker.port,
            [subscription(kind) for kind in ("event", "link", "reply")], self.intake.on_fast,
        )  # fmt: skip
        self.bulk_lane = Lane(
            "bulk", f"gateway-{name}-bulk", broker.host, broker.port,
            [subscription(kind) for kind in ("state", "log")], self.intake.on_bulk,
        )  # fmt: skip
        # For lifts whose alarms are made of their states; the bulk lane brings these too, behind everything else.
        self.states_lane = Lane("states", f"gateway-{name}-states", broker.host, broker.port, [], self.intake.on_bulk)
        self._lanes = (self.events_lane, self.bulk_lane, self.states_lane)
        self._session: aiohttp.ClientSession | None = None
        self._city_session: aiohttp.ClientSession | None = None
        self.cloud: CloudLink | None = None
        self.influx: Server | None = None
        self.influx_copy: InfluxCopy | None = None
        self._operator = Operator(
            self.journal, self.deliveries, self.intake.quarantine, self.log, self.fault_words, self.commands
        )
        self._web: web.AppRunner | None = None

    # -- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> int:
        """Start everything; returns the port of the metrics. Whatever is down at the start is waited for."""
        config = self.config
        session = self._session = aiohttp.ClientSession()
        cities = self._city_session = city_http.session()
        for ref in config.city:
            self.deliveries.add_city(ref, cities, self.supervisor)
        if config.hook is not None:
            self.deliveries.add_hook(config.hook, cities, self.supervisor)
        self.intake.anyone_required = bool(self.deliveries.required)
        if config.cloud is not None:
            cloud = self.cloud = CloudLink(
                config.cloud.url, cloud_token(config.cloud), config.gateway.id, self._hello, self.lifts.live_changes,
                lambda *wanted: self.journal.ask(jobs.behind_cloud(*wanted)), self._cloud_receipted, self._answer, self.follower.tell,
            )  # fmt: skip
            self.supervisor.keep("cloud", lambda: cloud.run(session))
        if config.influx is not None:
            self.influx = Server(config.influx)
            self.influx_copy = InfluxCopy(config.influx, self.log, lambda lift: self.lifts.record(lift).site)
            self.influx_copy.start()
        self.follower.start()
        await self.deliveries.remember()
        await self.detections.remember()
        for lane in self._lanes:
            lane.login(config.broker.user, config.broker.password)
            if config.broker.tls is not None:
                lane.secure(tls_context(config.broker.tls))
        for lane in (self.events_lane, self.bulk_lane):
            lane.start()
        self.supervisor.keep("acks", self.lifts.ack_round)
        self.supervisor.keep("stores", self._watch.run)
        self.supervisor.keep("areas", self.areas.run)
        self.supervisor.keep("black boxes", self.black_boxes.run)
        self.supervisor.keep("detection", self.detections.run)
        routes = [*self._operator.routes(), *health_routes(self.follower)]
        self._web, port = await metrics_module.serve(self, config.metrics.port, routes)
        return port

    async def stop(self) -> None:
        """Stop in the order that loses nothing: intake first, stores last."""
        for lane in self._lanes:
            await asyncio.to_thread(lane.stop)
        await self.supervisor.stop()
        await self.detections.close()
        self.fault_words.save()
        await asyncio.to_thread(self.follower.stop)
        if self.influx_copy is not None:
            await asyncio.to_thread(self.influx_copy.stop)
        await asyncio.to_thread(self.stores.close)
        if self._web is not None:
            await self._web.cleanup()
        for session in (self._session, self._city_session):
            if session is not None:
                await session.close()

    # -- joints between threads and parts -------------------------------------------------------------------------

    def _soon(self, call: Any, *values: Any) -> None:
        """From any thread: let the loop do it."""
        self._loop.call_soon_threadsafe(call, *values)

    def _deliver(self, event: dict[str, Any]) -> None:
        """In the loop: a new revision of anybody, on its way to the destinations."""
        if self.cloud is not None and (event["severity"] == DANGER or event["kind"] in OF_AREA):
            self.cloud.first(event["id"])
        self.deliveries.offer(event)

    def _offer(self, event: dict[str, Any]) -> None:
        """In the loop: a new revision of a node, whose commit is under way."""
        self._deliver(event)
        self.black_boxes.offer(event)
        self.areas.offer(event)

    def _publish(self, name: str, payload: bytes) -> None:
        self.events_lane.publish(name, payload)

    def _follow(self, name: str) -> None:
        self.states_lane.follow(name)

    def _leave(self, name: str) -> None:
        self.states_lane.leave(name)

    def _batches_stored(self, entries: list[Stored], ok: bool) -> None:
        self.intake.batches_stored(entries, ok)

    def _incident_changed(self, name: str) -> None:
        if self.cloud is not None:
            self.cloud.wake(name)

    # -- stores ---------------------------------------------------------------------------------------------------

    def _journal_replaced(self) -> None:
        """In the journal's thread. What was rescued is known again at once; the rest comes from the nodes that hold it."""
        with self.lifts.lock:
            self.lifts.store_replaced(self.stores.identity(), events=True)
        self._soon(self._remember_again)

    def _remember_again(self) -> None:
        self.supervisor.once("remember", self.deliveries.remember())
        self.areas.stores_replaced()
        self._watch.wake()

    def _log_replaced(self) -> None:
        """In the log's thread."""
        with self.lifts.lock:
            self.log.drop_queued()
            self.lifts.store_replaced(self.stores.identity(), log=True)
        self._soon(self._watch.wake)

    # -- cloud ----------------------------------------------------------------------------------------------------

    def _hello(self) -> dict[str, Any]:
        return {"gateway": self.config.gateway.id, "version": "0.1.0", "lifts": self.lifts.records()}

    def _cloud_receipted(self, name: str, version: int) -> None:
        self.journal.submit(jobs.cloud_has(name, version), lambda result, error: None)

    async def _answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """History of one lift from the local log or from InfluxDB, the days of its health, or what its node says to a command."""
        lift = str(query["lift"])
        if lift not in self.lifts:
            return {"error": f"lift {lift} is not of this gateway"}
        if query.get("what") == "health_days":
            return await asyncio.to_thread(self.follower.answer, query)
        if query.get("what") == "command":
            return await self.commands.answer(query)
        if query.get("what") == "black_box":
            return await asyncio.to_thread(self.black_boxes.answer, lift, str(query["incident"]))
        from_ms, to_ms = int(query["from_ms"]), int(query["to_ms"])
        fields = known_fields([str(name) for name in query.get("fields") or []])
        points = int(query.get("points") or 0)
        limit = RAW_LIMIT if points > 0 else min(HISTORY_LIMIT, int(query.get("limit") or HISTORY_LIMIT))
        source = query.get("source") or "local"
        if source == "influx":
            if self.influx is None:
                return {"error": "this gateway has no InfluxDB configured"}
            found = await asyncio.to_thread(self.influx.history, lift, from_ms, to_ms, fields, limit)
        else:
            with contextlib.closing(self.log.reader()) as reader:
                found = await asyncio.to_thread(reader.history, lift, from_ms, to_ms, fields, limit)
        step = step_ms(from_ms, to_ms, points)
        found["fields"] = {name: reduced(series, from_ms, step) for name, series in found["fields"].items()}
        return {"lift": lift, "from_ms": from_ms, "to_ms": to_ms, "source": source, "step_ms": step, **found}

    # -- what can be asked ----------------------------------------------------------------------------------------

    def values(self) -> dict[str, float]:
        """Gauges for the metrics."""
        qualities = self.lifts.qualities()
        out: dict[str, float] = {f"lifts_{name}": qualities.count(name) for name in set(qualities)}
        out |= {
            "restarts": self.supervisor.restarts,
            "events_lane_up": self.events_lane.connected, "bulk_lane_up": self.bulk_lane.connected,
            "states_lane_up": self.states_lane.connected, "states_lane_errors": self.states_lane.errors,
            "events_lane_errors": self.events_lane.errors, "bulk_lane_errors": self.bulk_lane.errors,
            "quarantined": len(self.intake.quarantine),
        }  # fmt: skip
        out |= self.stores.values() | self.deliveries.values() | self.fault_words.values()
        out |= self.black_boxes.values() | {f"commands_{name}": value for name, value in self.commands.counters.items()}
        out |= self.areas.values() | self.detections.values() | self.follower.values()
        if self.influx_copy is not None:
            out["influx_behind_batches"] = self.log.behind(self.influx_copy.row)
            out |= {f"influx_{name}": value for name, value in self.influx_copy.counters.items()}
        if self.cloud is not None:
            out |= {f"cloud_{name}": value for name, value in self.cloud.counters.items()}
        return out

    def health(self) -> dict[str, Any]:
        """Is the way from the broker open? Destinations that are down are told, and are no reason to restart us."""
        return {
            "ok": self.events_lane.connected and self.bulk_lane.connected,
            "broker": self.events_lane.connected and self.bulk_lane.connected,
            "cloud": self.cloud is None or self.cloud.up,
            "influx": self.influx_copy is None or self.influx_copy.up,
            "cities": self.deliveries.answering(),
            "stores": self.stores.health(),
        }
