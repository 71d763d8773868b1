"""Breaks a running stack in turn, under load, and counts what was lost or came twice. It judges nothing."""

import random
import threading
import time
from collections.abc import Callable
from typing import Self

from hil_tests.demo.stack import Stack
from hil_tests.services import wait_until

PRESS_GAP_S = 0.5
# A short press of a person; what is over while a node is busy with a handshake it does not see, nor a pause of a bounce's length.
PRESS_MS = 200


class Load:
    """Presses buttons at random until stopped; `pressed` are [(lift, unix ms)]."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self._stack = stack
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self.pressed: list[tuple[str, int]] = []
        self.unanswered = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(PRESS_GAP_S):
            lift = self._random.choice(self._stack.lift_ids())
            clears = self._random.random() < 0.5
            try:
                self.pressed.append((lift, self._stack.press(lift, hold_ms=PRESS_MS)))
                if clears:
                    time.sleep(PRESS_MS / 1000)
                    self._stack.inject(lift, "button_pressed", clear=True)
            except OSError:
                self.unanswered += 1  # the bench was too busy; the press may have been


def kill_gateway(stack: Stack, times: int, tell: Callable[[str], None]) -> None:
    """kill -9 of the gateway, `times` times, at random moments."""
    chance = random.Random(7)
    for number in range(times):
        time.sleep(chance.uniform(0.3, 1.5))
        stack.restart("gateway", kill=True)
        tell(f"kill -9 of the gateway {number + 1} of {times}")


def down_and_up(stack: Stack, name: str, seconds: float, tell: Callable[[str], None]) -> None:
    """Stop one part for `seconds`."""
    tell(f"{name} down for {seconds:g} s")
    stack.children[name].kill()
    time.sleep(seconds)
    stack.start_part(name)


def city_down_and_up(stack: Stack, seconds: float, tell: Callable[[str], None]) -> None:
    """The platform's port is closed for `seconds`; what it has received stays."""
    tell(f"city down for {seconds:g} s")
    stack.behave(mode="down")
    time.sleep(seconds)
    stack.behave(mode="ok")


def settle(stack: Stack, timeout_s: float = 60.0) -> float:
    """Wait until every revision known to the cloud is at the city; the seconds it took."""

    def even() -> bool:
        wanted = {
            (incident["id"], revision["rev"]) for incident in stack.all_incidents() for revision in incident["revisions"]
            if incident["kind"] == "button_pressed"
        }  # fmt: skip
        got = {(entry["id"], entry["rev"]) for entry in stack.received()}
        return bool(wanted) and wanted <= got and stack.metric("relay_city_depth") == 0

    return wait_until(even, timeout_s, "every revision at the city")


def account(stack: Stack, pressed: list[tuple[str, int]]) -> dict[str, int]:
    """What came of the presses: each is a new alarm or one more press of an open one."""
    incidents = [incident for incident in stack.all_incidents() if incident["kind"] == "button_pressed"]
    received = [(entry["id"], entry["rev"]) for entry in stack.received() if entry["kind"] == "button_pressed"]
    newest = {incident["id"]: incident["rev"] for incident in incidents}
    return {
        "presses": len(pressed),
        "presses counted in alarms": sum(incident["presses"] for incident in incidents),
        "alarms": len(incidents),
        "newest revision missing at the city": sum((name, rev) not in set(received) for name, rev in newest.items()),
        "(id, rev) twice at the city": len(received) - len(set(received)),
        "arrived again, taken once by its key": sum(entry["arrivals"] - 1 for entry in stack.received()),
    }
