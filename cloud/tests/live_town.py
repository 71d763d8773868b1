"""A town of lifts for the pages to look at: a gateway that tells them, and answers what it is asked."""

import contextlib
import json
import pathlib
import threading
import time
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from cloud.tests.chromium import Site, watched
from cloud.tests.conftest import incident, live, record

AGAIN_S = 2.0
SITES = {"hefang-yuan": (30.241, 120.171), "xixi-li": (30.263, 120.082)}


def now_ms() -> int:
    return int(time.time() * 1000)


def lift(number: int, **more: Any) -> dict[str, Any]:
    """The record of one; even ones are of one site, odd ones of the other."""
    site = list(SITES)[number % 2]
    lat, lon = SITES[site]
    return record(f"lift-{number}") | {
        "site": site, "name": f"{number} 幢", "address": f"西溪路 {number} 号", "rescue_code": f"{330100 + number}",
        "latitude_deg": lat + number * 1e-5, "longitude_deg": lon, "floor_levels_mm": [0, 3300, 6200, 9100, 12000, 14900],
        "floor_names": ["-1", "1", "2", "3", "4", "5"], **more,
    }  # fmt: skip


class Town:
    """The site's gateway. Queries are answered by `answers`, by what they ask for."""

    def __init__(self, directory: pathlib.Path, records: list[dict[str, Any]]) -> None:
        self.site = Site(directory)
        self.records = records
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self._receipted: set[tuple[str, int]] = set()
        self._states: dict[str, dict[str, Any]] = {}
        self._stopped = threading.Event()
        self.socket = self._dial()
        threading.Thread(target=self._go_on, daemon=True).start()

    def _go_on(self) -> None:
        """What a gateway does: it tells all of it again, before it would be too old."""
        while not self._stopped.wait(AGAIN_S):
            with contextlib.suppress(ConnectionClosed):
                self._send({"type": "live", "t_ms": now_ms(), "lifts": list(self._states.copy().values())})

    def _send(self, message: dict[str, Any]) -> None:
        self.socket.send(json.dumps(message))

    def _dial(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self.site.gateway_token}"}
        url = self.site.url.replace("http", "ws") + "/api/v1/gateways/g-1/link"
        socket = connect(url, additional_headers=headers)  # ends with `stop`
        socket.send(json.dumps({"type": "hello", "gateway": "g-1", "version": "1", "lifts": self.records}))
        threading.Thread(target=self._answer, args=(socket,), daemon=True).start()
        return socket

    def again(self) -> None:
        """Dial in anew, after the server came back."""
        self.socket = self._dial()

    def _answer(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            self._take(socket)

    def _take(self, socket: ClientConnection) -> None:
        for text in socket:
            told = json.loads(text)
            if told["type"] == "query":
                self.asked.append(told)
                answer = self.answers.get(told["what"], {"error": "not in this test"})
                socket.send(json.dumps({"type": "answer", "q": told["q"], **answer}))
            elif told["type"] == "receipt":
                self._receipted.add((told["id"], told["version"]))

    def tell(self, *lifts: dict[str, Any]) -> None:
        """Live states."""
        self._states |= {lift["id"]: lift for lift in lifts}
        self._send({"type": "live", "t_ms": now_ms(), "lifts": lifts})

    def quiet(self, *numbers: int) -> None:
        """Nothing is the matter with these."""
        self.tell(*(live(f"lift-{number}") for number in numbers))

    def alarm(self, number: int, name: str = "1-1", version: int = 1, **more: Any) -> None:
        """An incident of that lift; returns when the cloud has it."""
        told = incident(f"lift-{number}-{name}", version, lift=f"lift-{number}", **{"opened": now_ms() - 5000, **more})
        self._send({"type": "incident", "incident": told})
        deadline = time.monotonic() + 10
        while (told["id"], version) not in self._receipted:
            assert time.monotonic() < deadline, "no receipt"
            time.sleep(0.01)

    def stop(self) -> None:
        """Hang up, and stop the cloud."""
        self._stopped.set()
        self.socket.close()
        self.site.stop()


class Looking:
    """Pages over the town; all of them are closed at the end, and none of them may have failed."""

    def __init__(self, browser: Any, town: Town, state: str) -> None:
        self._browser, self._town, self._state = browser, town, state
        self._contexts: list[Any] = []
        self._found: list[list[str]] = []

    def page(self, path: str = "/", *, script: str = "", width: int = 1440, height: int = 900, **more: Any) -> Any:
        """A page at `path`; `script` runs before those of the page."""
        size = {"width": width, "height": height}
        context = self._browser.new_context(
            **{"viewport": size, "color_scheme": "dark", "storage_state": self._state, **more}
        )
        self._contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        self._found.append(watched(page, self._town.site))
        page.goto(self._town.site.url + path)
        return page

    @property
    def problems(self) -> list[str]:
        """What went wrong in any of them."""
        return [problem for found in self._found for problem in found]

    def close(self) -> None:
        """Close all."""
        for context in self._contexts:
            context.close()


def until(page: Any, script: str) -> None:
    """Wait until it is true in the page, whose policy forbids it to look by itself."""
    deadline = time.monotonic() + 10
    while not page.evaluate(script):
        assert time.monotonic() < deadline, script
        page.wait_for_timeout(30)
