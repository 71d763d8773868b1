"""An outage of hours, and its end: nodes with a backlog, then a local log that drains into InfluxDB, alarms all the while.

It starts what it needs and counts; what the figures should be is for others to say.
"""

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import pathlib
import shutil
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from hil_tests import services
from hil_tests.measure import fleet
from hil_tests.measure.fleet import Day, FleetNode, Travel
from hil_tests.services import Child, gauge, get_json, listens, wait_until
from protocols.delivery.log import FLUSH_MS, ChangeLog, RamStore

# Ten alarms a second, each of another lift than the last: a lift's alarm is over before its next.
PROBES = 10
PRESS_GAP_S = 0.1
HELD_S = 0.3
SETTLE_S = 20.0
SAMPLE_S = 1.0
# The bounded rate is measured over so many samples: a request's worth comes at once.
WINDOW = 5
# No more than these are under way at any moment while nothing is behind: a request's worth.
EVEN_BATCHES = 100
# Ours: whoever needs longer than this for one step has stopped.
STEP_S = 3600.0


@dataclass
class Phase:
    """One part of the run: how long, how much, how quick the alarms were (ms since their first sending), the gateway's CPU share."""

    name: str
    seconds: float = 0.0
    records: int = 0
    most_records_per_s: float = 0.0
    cpu_share: float = 0.0
    at_city: list[float] = field(default_factory=list)
    at_node: list[float] = field(default_factory=list)
    lost: int = 0


class Alarms:
    """Presses buttons of lifts of its own, on a thread of its own, until it is left."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.phase = ""
        self.pressed: list[tuple[str, str]] = []
        self.nodes: list[FleetNode] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for number in range(PROBES):
            past = Day(ChangeLog(RamStore(fleet.BOOT, 10_000), fleet.BOOT), Travel(number), 0, 0)
            self.nodes.append(FleetNode(f"probe-{number + 1}", past, records_on=False))
        tasks = [self._loop.create_task(node.run(self._port)) for node in self.nodes]
        tasks.append(self._loop.create_task(self._press()))
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_forever()
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _press(self) -> None:
        for node in itertools.cycle(self.nodes):
            await asyncio.sleep(PRESS_GAP_S)
            if not self.phase:
                continue
            name = node.press()
            self._loop.call_later(HELD_S, node.release)
            if name is not None:
                self.pressed.append((name, self.phase))

    def all_done(self) -> bool:
        """Has every alarm and its end been answered by the city?"""
        return all(node.delivery.held() == 0 for node in self.nodes)


class Outage:
    """Broker, city, gateway, fleet and, when it is over, InfluxDB. `data` keeps everything that they write."""

    def __init__(
        self, data: pathlib.Path, lifts: int, seconds: int, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self._data, self._lifts, self._seconds, self._tell = data, lifts, seconds, tell
        self._children: dict[str, Child] = {}
        self._broker_port = self._influx_port = 0
        self._city_url = self.metrics_url = ""
        self.phases: dict[str, Phase] = {}
        self._pipe, self._far_pipe = multiprocessing.get_context("spawn").Pipe()
        self._fleet: Any = None

    # -- life -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def _start(self) -> None:
        broker, self._broker_port = services.mosquitto(self._data)
        self._children["broker"] = broker.start(lambda: listens(self._broker_port))
        self._children["influx"], self._influx_port = services.influxd(self._data)
        city = services.part("city-mock", self._data, "city-mock").start()
        self._children["city"] = city
        _, self._city_url, _, platform = city.ready_line.split()
        config = self._data / "gateway.toml"
        config.write_text(
            f'[gateway]\nid = "drain"\ndata_dir = "{self._data / "gateway"}"\n[broker]\nport = {self._broker_port}\n'
            f'[influx]\nurl = "http://127.0.0.1:{self._influx_port}"\n'
            f'[[city]]\nfile = "shanghai_like.toml"\nurl = "{platform}"\n[metrics]\nport = {services.free_port()}\n'
            + "".join(f'[[lift]]\nid = "{lift}"\nsite = "{fleet.SITE}"\n' for lift in fleet.names(self._lifts))
        )
        self._children["gateway"] = services.part("gateway", self._data, "gateway", "--config", str(config))
        self._start_gateway()
        context = multiprocessing.get_context("spawn")
        self._fleet = context.Process(
            target=fleet.serve, args=(self._far_pipe, self._broker_port, self._lifts, self._seconds), daemon=True
        )
        self._fleet.start()

    def _start_gateway(self) -> None:
        self.metrics_url = self._children["gateway"].start().ready_line.split()[2]

    def _stop(self) -> None:
        if self._fleet is not None:
            self._fleet.terminate()
            self._fleet.join(10)
        for name in ("gateway", "city", "influx", "broker"):
            if name in self._children:
                self._children[name].stop()

    # -- the run --------------------------------------------------------------------------------------------------

    def run(self, quiet_s: float) -> None:
        """Nodes hand over their backlog; then InfluxDB comes and the log drains, between two halves of `quiet_s` of live traffic."""
        if not self._pipe.poll(STEP_S) or self._pipe.recv() != "ready":
            raise services.StartError("the fleet did not make its past")
        with Alarms(self._broker_port) as alarms:
            time.sleep(2)
            made = sum(self._ask("tell")["records"].values())
            self._tell(f"{made} records of {self._lifts} lifts, {self._seconds / 3600:g} h each")
            self._measure("hand over", alarms, lambda: self._ask("connect"), self._handed_over, lambda: made)
            self._quiet("quiet", alarms, quiet_s / 2)
            influx = self._children["influx"]
            self._measure("drain", alarms, lambda: influx.start(lambda: listens(self._influx_port)), self._drained,
                          lambda: int(gauge(self.metrics_url, "influx_records")))  # fmt: skip
            self._quiet("quiet again", alarms, quiet_s / 2)
            wait_until(alarms.all_done, SETTLE_S, "the end of the last alarm")
            self._judge(alarms)
        self._ask("rest")
        time.sleep(FLUSH_MS / 1000 + 2)  # the last records are in open batches, which close by age
        wait_until(lambda: self._ask("tell")["backlog"] == 0 and self._drained(0), 60, "the rest of the live records")

    def _ask(self, what: str) -> dict[str, Any]:
        self._pipe.send(what)
        if not self._pipe.poll(30):
            raise services.StartError("the fleet does not answer")
        found: dict[str, Any] = self._pipe.recv()
        return found

    def _handed_over(self) -> bool:
        # Each lift that is awake has a batch under way now and then.
        return bool(self._ask("tell")["backlog"] <= self._lifts)

    def _drained(self, most: int = EVEN_BATCHES) -> bool:
        behind = gauge(self.metrics_url, "influx_behind_batches")
        return behind <= most and gauge(self.metrics_url, "log_depth") == 0

    def _measure(
        self, name: str, alarms: Alarms, begin: Callable[[], object], over: Callable[[], bool], count: Callable[[], int]
    ) -> None:
        phase = self.phases[name] = Phase(name)
        alarms.phase = name
        begin()
        begun, cpu_s = time.monotonic(), self._cpu_s()
        samples = [(begun, count())]
        while not over():
            if time.monotonic() - begun > STEP_S:
                raise services.StartError(f"{name} did not end within {STEP_S:g} s")
            time.sleep(SAMPLE_S)
            samples.append((time.monotonic(), count()))
            self._tell(f"{name}: {samples[-1][0] - begun:.0f} s, {samples[-1][1]} records")
        phase.seconds = time.monotonic() - begun
        phase.records = count() - (samples[0][1] if name == "drain" else 0)
        phase.cpu_share = (self._cpu_s() - cpu_s) / phase.seconds
        rates = [
            (later[1] - sooner[1]) / (later[0] - sooner[0])
            for sooner, later in zip(samples, samples[WINDOW:], strict=False)
        ]
        phase.most_records_per_s = max(rates, default=0.0)
        alarms.phase = ""

    def _quiet(self, name: str, alarms: Alarms, seconds: float) -> None:
        begun = time.monotonic()
        self._measure(name, alarms, lambda: None, lambda: time.monotonic() - begun > seconds, lambda: 0)

    def quiet_at_city(self) -> list[float]:
        """Ms to the city while there was nothing but live traffic, before the drain and behind it."""
        return [*self.phases["quiet"].at_city, *self.phases["quiet again"].at_city]

    def quiet_at_node(self) -> list[float]:
        """The same to the node's receipt."""
        return [*self.phases["quiet"].at_node, *self.phases["quiet again"].at_node]

    def _cpu_s(self) -> float:
        process = self._children["gateway"].process
        assert process is not None
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _judge(self, alarms: Alarms) -> None:
        arrived = {
            entry["id"]: entry["arrived_at_ms"]
            for entry in get_json(f"{self._city_url}/received", 30)
            if entry["rev"] == 1
        }
        presses = {name: press for node in alarms.nodes for name, press in node.presses.items()}
        for name, phase_name in alarms.pressed:
            press, phase = presses[name], self.phases[phase_name]
            if name not in arrived or press.published_ms is None or press.committed_ms is None:
                phase.lost += 1
                continue
            phase.at_city.append(max(0.0, arrived[name] - press.published_ms))
            phase.at_node.append(press.committed_ms - press.published_ms)

    # -- what is where --------------------------------------------------------------------------------------------

    def made(self) -> dict[str, int]:
        """{lift: records that its node made}."""
        found: dict[str, int] = self._ask("tell")["records"]
        return found

    def in_influx(self) -> dict[str, int]:
        """{lift: records in InfluxDB}: each has a position."""
        query = urllib.parse.urlencode(
            {"db": "liftwatch", "q": 'SELECT count("position_mm") FROM "lift" GROUP BY "lift"'}
        )
        answer = get_json(f"http://127.0.0.1:{self._influx_port}/query?{query}", 300)
        return {series["tags"]["lift"]: series["values"][0][1] for series in answer["results"][0].get("series", [])}

    def replace_gateway(self) -> None:
        """An empty gateway takes the place of the one there is."""
        self._children["gateway"].kill()
        shutil.rmtree(self._data / "gateway")
        self._start_gateway()

    def receipted(self) -> bool:
        """Has the gateway receipted all that the nodes hold, and copied it?"""
        return bool(self._ask("tell")["backlog"] == 0) and self._drained(0)
