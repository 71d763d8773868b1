"""What the gateway counts and measures, for Prometheus, and its health page. It reads the parts, it decides nothing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from gateway.service import Service

BUCKETS = (0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """All instruments, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.stage = Histogram(
            "liftwatch_stage_seconds",
            "time between two stages of an event",
            ["stage"],
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.missed = Counter(
            "liftwatch_budget_missed", "deliveries slower than budget_ms", ["destination"], registry=self.registry
        )
        self.messages = Counter("liftwatch_messages", "messages received", ["kind"], registry=self.registry)
        self.malformed = Counter(
            "liftwatch_malformed", "payloads that break the contract", ["kind"], registry=self.registry
        )
        self.refused = Counter(
            "liftwatch_refused", "messages of lifts beyond max_lifts or at another site", registry=self.registry
        )
        self.batches = Counter("liftwatch_log_batches", "log batches by verdict", ["verdict"], registry=self.registry)
        self.link_cost = Gauge(
            "liftwatch_link_bytes_month",
            "bytes a month that the node's link costs at the rate of this boot, with TLS, TCP and IP",
            ["lift"],
            registry=self.registry,
        )
        self.gauge = Gauge("liftwatch_value", "a value read when asked", ["name"], registry=self.registry)

    def render(self, service: "Service") -> bytes:
        """The exposition text, with all gauges read now."""
        for name, value in service.values().items():
            self.gauge.labels(name).set(value)
        for lift, cost in service.lifts.link_costs().items():
            self.link_cost.labels(lift).set(cost)
        return generate_latest(self.registry)


async def serve(service: "Service", port: int, more: Iterable[web.AbstractRouteDef] = ()) -> tuple[web.AppRunner, int]:
    """Serve /metrics, /healthz and the routes of `more` on loopback; returns the runner and the port."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=service.metrics.render(service), content_type="text/plain")

    async def healthz(request: web.Request) -> web.Response:
        health = service.health()
        return web.json_response(health, status=200 if health["ok"] else 503)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.add_routes(more)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, int(runner.addresses[0][1])
