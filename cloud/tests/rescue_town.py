"""A town for the browser tests of rescue: a cloud, its people at desk and phone, and a gateway that tells and is told."""

import json
import pathlib
import threading
import time
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cloud.tests.chromium import Site, watched
from cloud.tests.conftest import incident, live, record

CONTRACTOR, STATION, DESK = "安达维保", "古荡救援站", "应急处置中心"
PEOPLE = (
    ("li.na", "李娜", CONTRACTOR, "dispatcher", "13000000001"),
    ("wang.qiang", "王强", CONTRACTOR, "technician", "13000000002"),
    ("zhou.tao", "周涛", STATION, "technician", "13000000003"),
    ("chen.jing", "陈静", DESK, "dispatcher", "13000000004"),
    ("he.yan", "何燕", DESK, "dispatcher", "13000000005"),
)
LIFTS = {f"lift-{n}": f"34011{n + 6}" for n in range(1, 4)} | {f"lift-{n}": f"34012{n}" for n in range(4, 7)}
DISTRICT = "330106"
PLACE = {"site": "荷芳苑", "address": "西溪路 18 号", "stops": 12, "latitude_deg": 30.2713, "longitude_deg": 120.1285}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
HANGS = {"door_zone": False, "passenger": True, "floor": 3, "position_mm": 7100, "faults": ["trapped_between_floors"]}


def now_ms() -> int:
    return int(time.time() * 1000)


class Town:
    """All of it; `limits` are lines of the file of limits, in seconds."""

    def __init__(self, directory: pathlib.Path, *limits: str) -> None:
        (directory / "rescue.toml").write_text("[default]\n" + "\n".join((*limits, f'station = "{STATION}"')) + "\n")
        self.site = Site(directory, "--rescue", str(directory / "rescue.toml"))
        made: list[str] = []
        for kind, name, more in (
            ("contractor", CONTRACTOR, ()),
            ("contractor", STATION, ()),
            ("rescue_centre", DESK, ("--district", DISTRICT)),
        ):
            made += ["organisation", *more, kind, name]
        for sign_in, name, organisation, role, phone in PEOPLE:
            made += ["person", "--phone", phone, sign_in, name, organisation, role]
        for lift in LIFTS:
            made += ["assign", "--contractor", CONTRACTOR, "--district", DISTRICT, lift]
        self.car: list[dict[str, Any]] = []
        self.opened = 0
        self.gateway()
        self.site.admin(*made)

    # -- the gateway ---------------------------------------------------------------------------------------------------

    def gateway(self) -> None:
        """Connect it, with three lifts, of which all is well; it does what it is asked to tell the car."""
        headers = {"Authorization": f"Bearer {self.site.gateway_token}"}
        self.socket = connect(
            self.site.url.replace("http", "ws") + "/api/v1/gateways/g-1/link", additional_headers=headers
        )
        lifts = [
            {**record(id), "name": f"荷芳苑 {id[-1]} 号梯", "rescue_code": code, **PLACE}
            for id, code in LIFTS.items()
        ]  # fmt: skip
        self.say({"type": "hello", "gateway": "g-1", "version": "1", "lifts": lifts})
        assert json.loads(self.socket.recv())["type"] == "welcome"
        self.lifts(*(live(id) for id in LIFTS))
        for work in (self._answer, self._beat):
            threading.Thread(target=work, args=(self.socket,), daemon=True).start()

    def _beat(self, socket: Any) -> None:
        """A gateway says something each second."""
        with suppress(ConnectionClosed):
            while True:
                socket.send(json.dumps({"type": "live", "t_ms": now_ms(), "lifts": []}))
                time.sleep(1)

    def say(self, message: dict[str, Any]) -> None:
        self.socket.send(json.dumps(message))

    def lifts(self, *told: dict[str, Any]) -> None:
        self.say({"type": "live", "t_ms": now_ms(), "lifts": told})

    def _answer(self, socket: Any) -> None:
        with suppress(ConnectionClosed):
            for text in socket:
                query = json.loads(text)
                if query.get("type") != "query":
                    continue
                if query["what"] == "command":
                    self.car.append(query["args"])
                socket.send(
                    json.dumps({"type": "answer", "q": query["q"], "ok": True, "outcome": "done", "detail": ""})
                )

    def trap(self, lift: str = "lift-1", kind: str = "trapped_between_floors") -> str:
        """Somebody is shut in between floors; the incident's id."""
        self.opened += 1
        id = f"{lift}-1-{self.opened}"
        severe = kind == "trapped_between_floors"
        self.lifts({**live(lift, **(HANGS if severe else {"faults": [kind]})), "stops": 12})
        self.say(
            {
                "type": "incident",
                "incident": incident(id, lift=lift, kind=kind, severity=4 if severe else 2, opened=now_ms() - 21_000),
            }
        )
        return id

    def free(self, id: str, lift: str = "lift-1") -> None:
        """The doors are open at a floor, and the incident is over."""
        self.lifts({**live(lift, doors=[4]), "stops": 12})
        at = now_ms()
        self.say(
            {
                "type": "incident",
                "incident": incident(id, lift=lift, version=2, phase="closed", opened=at - 60_000, closed_at_ms=at),
            }
        )

    # -- people --------------------------------------------------------------------------------------------------------

    def person(self, browser: Any, name: str, path: str, *, lang: str = "zh", **options: Any) -> tuple[Any, list[str]]:
        """A browser of his own, signed in and at `path`; and what goes wrong in it."""
        options.setdefault("viewport", {"width": 1920, "height": 1080})
        context = browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(15_000)
        problems = watched(page, self.site)
        self.site.sign_in(page, name)
        page.goto(f"{self.site.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        return page, problems

    def stop(self) -> None:
        with suppress(ConnectionClosed):
            self.socket.close()
        self.site.stop()
