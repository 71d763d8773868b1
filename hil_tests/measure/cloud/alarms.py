"""From the journal's commit in a real gateway to the screen: broker, gateway, cloud, Chromium; nodes without lifts press buttons.

The page is that of a contractor whose lifts they are. What is on the screen is worked off behind it, as people would: a page with
five hundred people shut in at once is another measure.
"""

import asyncio
import contextlib
import queue
import threading
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from hil_tests import services
from hil_tests.measure import fleet
from hil_tests.measure.cloud import browser
from hil_tests.measure.cloud.site import Site
from hil_tests.measure.fleet import Day, FleetNode, Travel
from hil_tests.services import Child, listens, wait_until
from protocols.delivery.log import ChangeLog, RamStore

GATEWAY = "g-real"
CONTRACTOR = "the pressed ones'"
PERSON = "dispatcher"
# No faster than a desk works them off: the page shows the first fifty.
GAP_S = 1.0
HELD_S = 0.5
# Worked off when so many came after it.
BEHIND = 5
WORK: tuple[dict[str, Any], ...] = (
    {"step": "acknowledge"}, {"step": "no_rescue", "outcome": "test_or_drill", "note": "bench"},
    {"step": "cause", "cause": "unknown"}, {"step": "call_back", "done": False, "note": "bench"},
)  # fmt: skip
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
        """The button of one of them, for a moment."""
        node = self.nodes[number]
        self._loop.call_soon_threadsafe(node.press)
        self._loop.call_soon_threadsafe(self._loop.call_later, HELD_S, node.release)

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
        steps = ["organisation", "contractor", CONTRACTOR, "person", PERSON, PERSON, CONTRACTOR, "dispatcher"]
        made = site.admin(*steps, "gateway-token", "--file", str(token), GATEWAY).split()
        site.add_lifts(names(lifts), GATEWAY, made[1])
        site.restart()
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


class Desk:
    """Works cases off, one after the other, on a thread of its own. They are left in their follow-up: these nodes have no car to tell."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lifts: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._lifts.put("")
        self._thread.join(timeout=60)

    def work_off(self, lift: str) -> None:
        """Its case is next."""
        self._lifts.put(lift)

    def _run(self) -> None:
        while lift := self._lifts.get():
            try:
                for case in self._site.get(f"/api/v1/cases?phase=open&lift={lift}"):
                    for number, step in enumerate(WORK):
                        self._site.post(f"/api/v1/cases/{case['id']}/steps", {"op": f"bench-{number}", **step})
            except urllib.error.HTTPError as error:
                self.failed.append(f"{lift}: {error.code} {error.read()[:600].decode(errors='replace')}")
            except OSError as error:
                self.failed.append(f"{lift}: {error}")


@dataclass
class Taken:
    """Ms from the commit in the journal, lifts whose alarm no gateway committed or no screen showed, and cases that could not be worked off."""

    to_cloud: list[float]
    to_screen: list[float]
    uncommitted: list[str]
    unseen: list[str]
    undone: list[str]


def measure(site: Site, count: int, others: Callable[[], None], tell: Callable[[int], None]) -> Taken:
    """So many alarms, each of a lift of its own; `others` begin to look on when the cloud is up for good."""
    with (
        RealGateway(site, count) as gateway,
        browser.opened(site, PERSON) as chromium,
        Presses(gateway.port, count) as presses,
        Desk(site) as desk,
    ):
        others()
        page = chromium.open("/", browser.SEE_ALARMS)
        wait_until(lambda: _connected(site, count), 60, f"the connection of {count} nodes")
        for number in range(count):
            presses.press(number)
            page.wait_for_timeout(1000 * GAP_S)
            if number >= BEHIND:
                desk.work_off(names(count)[number - BEHIND])
            tell(number + 1)
        page.wait_for_timeout(1000 * SETTLE_S)
        seen: dict[str, float] = page.evaluate("window.seen")
    committed = _committed(site)
    there = [name for name in names(count) if name in committed and seen.get(name)]
    return Taken(
        [committed[name][1] - committed[name][0] for name in there],
        [seen[name] - committed[name][0] for name in there],
        [name for name in names(count) if name not in committed],
        [name for name in names(count) if name in committed and not seen.get(name)],
        desk.failed,
    )


def _connected(site: Site, count: int) -> bool:
    found: list[Any] = []
    after = names(1)[0][:6]
    while True:
        page = site.get(f"/api/v1/lifts?q=press-&limit=500&after={after}")
        found += [lift for lift in page if lift["quality"] in ("good", "bus_silent")]
        if len(page) < 500:
            return len(found) == count
        after = page[-1]["id"]


def _committed(site: Site) -> dict[str, tuple[int, int]]:
    """{lift: unix ms of the commit of its alarm in the gateway, and in the cloud}."""
    out: dict[str, tuple[int, int]] = {}
    path = "?limit=500"
    while True:
        page = site.get(f"/api/v1/incidents{path}")
        for entry in page:
            stored = [d["receipted"] for d in entry["deliveries"] if d["destination"] == "cloud"]
            if entry["gateway"] == GATEWAY and stored:
                out[entry["lift"]] = entry["stages"]["committed"], min(stored)
        if len(page) < 500:
            return out
        path = f"?limit=500&before_ms={page[-1]['opened_at_ms']}&before_id={page[-1]['id']}"
