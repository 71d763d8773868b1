"""From the journal's commit in a real gateway to the screen: broker, gateway, cloud, Chromium; nodes without lifts press buttons."""

import asyncio
import contextlib
import threading
from typing import Any, Self

from hil_tests import services
from hil_tests.measure import fleet
from hil_tests.measure.cloud import browser
from hil_tests.measure.cloud.site import Site
from hil_tests.measure.fleet import Day, FleetNode, Travel
from hil_tests.services import Child, listens, wait_until
from protocols.delivery.log import ChangeLog, RamStore

GATEWAY = "g-real"
GAP_S = 0.25
SETTLE_S = 5.0


def names(count: int) -> list[str]:
    """Lifts with a node, each of which presses once."""
    return [f"press-{number + 1}" for number in range(count)]


class Presses:
    """Nodes that are connected to a broker, on a thread of their own."""

    def __init__(self, port: int, count: int) -> None:
        self._port, self._count = port, count
        self.nodes: list[FleetNode] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="presses", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def press(self, number: int) -> None:
        """The button of one of them."""
        self._loop.call_soon_threadsafe(self.nodes[number].press)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for number, name in enumerate(names(self._count)):
            past = Day(ChangeLog(RamStore(fleet.BOOT, 10_000), fleet.BOOT), Travel(number), 0, 0)
            self.nodes.append(FleetNode(name, past, records_on=False))
        tasks = [self._loop.create_task(node.run(self._port)) for node in self.nodes]
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_forever()
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()


class RealGateway:
    """A broker and a gateway with a journal, which dials in to the site."""

    def __init__(self, site: Site, lifts: int) -> None:
        folder = site.folder / "real"
        folder.mkdir()
        broker, self.port = services.mosquitto(folder)
        token = folder / "gateway.secret"
        site.admin("gateway-token", "--file", str(token), GATEWAY)
        config = folder / "gateway.toml"
        config.write_text(
            f'[gateway]\nid = "{GATEWAY}"\ndata_dir = "{folder / "gateway"}"\n[broker]\nport = {self.port}\n'
            f'[cloud]\nurl = "{site.url}"\ntoken_file = "{token}"\n[metrics]\nport = {services.free_port()}\n'
            + "".join(
                f'[[lift]]\nid = "{name}"\nsite = "{fleet.SITE}"\nname = "{number} 幢"\nrescue_code = "{990_000 + number}"\n'
                for number, name in enumerate(names(lifts))
            )
        )
        self._broker: Child = broker
        self._gateway = services.part("gateway", folder, "gateway", "--config", str(config))

    def __enter__(self) -> Self:
        self._broker.start(lambda: listens(self.port))
        try:
            self._gateway.start()
        except BaseException:
            self._broker.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._gateway.stop()
        self._broker.stop()


def measure(site: Site, count: int) -> tuple[list[float], int]:
    """(ms from the commit to the screen, alarms that were never there) of so many alarms, each of a lift of its own."""
    with RealGateway(site, count) as gateway, browser.opened(site) as chromium, Presses(gateway.port, count) as presses:
        page = chromium.open("/", browser.SEE_ALARMS)
        wait_until(lambda: _connected(site, count), 60, f"the connection of {count} nodes")
        for number in range(count):
            presses.press(number)
            page.wait_for_timeout(1000 * GAP_S)
        page.wait_for_timeout(1000 * SETTLE_S)
        seen: dict[str, float] = page.evaluate("window.seen")
    took, lost = [], 0
    committed = _committed(site)
    for name in names(count):
        if name not in committed or not seen.get(name):
            lost += 1
        else:
            took.append(seen[name] - committed[name])
    return took, lost


def _connected(site: Site, count: int) -> bool:
    found: list[Any] = []
    after = names(1)[0][:6]
    while True:
        page = site.get(f"/api/v1/lifts?q=press-&limit=500&after={after}")
        found += [lift for lift in page if lift["quality"] in ("good", "bus_silent")]
        if len(page) < 500:
            return len(found) == count
        after = page[-1]["id"]


def _committed(site: Site) -> dict[str, float]:
    """{lift: unix ms of the commit of its alarm}."""
    out: dict[str, float] = {}
    path = "?limit=500"
    while True:
        page = site.get(f"/api/v1/incidents{path}")
        out |= {entry["lift"]: entry["stages"]["committed"] for entry in page if entry["gateway"] == GATEWAY}
        if len(page) < 500:
            return out
        path = f"?limit=500&before_ms={page[-1]['opened_at_ms']}&before_id={page[-1]['id']}"
