"""One lift on the bench: its twin in real time, its controller on a paced line, its terminals on a pty. It starts no node."""

import asyncio
import time
from collections import deque
from typing import Any

from hil_tests.bench.controller import Controller
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.line import CLEAN, HEAVY, End, Line
from hil_tests.bench.twin import Twin

# Pins of a node as provisioned by default; lines "PIN LEVEL" go either way on the terminal pty.
BUTTON_PIN, MAINS_PIN, PRESENCE_PIN, LAMP_PIN = 25, 26, 27, 2
WORK_KEY_PIN = 32  # has no default: not every node has a key switch
BATTERY_PIN = 33  # has no default: a node whose supply tells of its battery is told the pin
YELLOW_PIN, GREEN_PIN = 18, 19  # lamps in the car; have no default either
LAMPS = {LAMP_PIN: "own", YELLOW_PIN: "yellow", GREEN_PIN: "green"}
PRESS_S = 0.4
STAMPS = 20_000


def unix_ms() -> int:
    """The bench's clock: the machine's, so that stamps compare with the gateway's."""
    return time.time_ns() // 1_000_000


class LiftBench:
    """Call `refresh` often; it brings twin and terminals to the present. Nobody plugs a node into a `simple` one."""

    def __init__(self, spec: LiftSpec, baud: int = 9600, bits: int = 10, *, simple: bool = False) -> None:
        self.spec = spec
        self.baud = baud
        self.bits = bits
        self.simple = simple
        self.twin = Twin(spec, unix_ms())
        self.line = Line(baud, bits, seed=spec.seed)
        self.controller = Controller(self.twin, self.line.controller.path, baud, self._to_present, bits)
        self.gpio = End()
        self.lamps = dict.fromkeys(LAMPS.values(), 0)
        self.active: dict[str, int] = {}  # fault: since unix ms
        self.stamps: deque[dict[str, Any]] = deque(maxlen=STAMPS)
        self._pins: dict[int, int] = {}
        self._heard = b""
        self._edges = 0
        self._release: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Plug everything in."""
        self.line.start()
        await self.controller.start()
        asyncio.get_running_loop().add_reader(self.gpio.master, self._hear)

    async def stop(self) -> None:
        """Unplug everything."""
        if self._release is not None:
            self._release.cancel()
        await self.controller.stop()
        self.line.stop()
        asyncio.get_running_loop().remove_reader(self.gpio.master)
        self.gpio.close()

    # -- terminals ------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        *lines, self._heard = (self._heard + self.gpio.read()).split(b"\n")
        self._heard = self._heard[-64:]
        for line in lines:
            pin, _, level = line.partition(b" ")
            if pin.isdigit() and int(pin) in LAMPS and level in (b"0", b"1"):
                self.lamps[LAMPS[int(pin)]] = int(level)
        if lines:
            # It may have booted just now: a real node finds its terminals live from the first moment.
            self.refresh(again=True)

    def set_pin(self, pin: int, value: bool, *, again: bool = False) -> None:
        """Set a terminal of the node; nothing is sent if it has that level, unless `again`."""
        if self._pins.get(pin) != int(value) or again:
            self._pins[pin] = int(value)
            self.gpio.write(b"%d %d\n" % (pin, value))  # if nobody is plugged in: the next refresh tells

    def _to_present(self) -> None:
        self.twin.advance(unix_ms())

    def refresh(self, *, again: bool = False) -> None:
        """Bring twin and terminals to the present; `again` repeats the levels, for a node that was just plugged in."""
        self._to_present()
        self.set_pin(MAINS_PIN, self.twin.mains, again=again)
        self.set_pin(PRESENCE_PIN, self.twin.presence, again=again)
        self.set_pin(BATTERY_PIN, self.twin.battery_low, again=again)
        self.set_pin(WORK_KEY_PIN, self.twin.work_key, again=again)
        for _, down in self.twin.button_edges[self._edges :]:
            self.set_pin(BUTTON_PIN, down)
        self._edges = len(self.twin.button_edges)
        self.set_pin(BUTTON_PIN, self.twin.button, again=again)

    def press(self, hold_s: float = PRESS_S) -> int:
        """Press the alarm button for `hold_s`; returns the unix ms at which its contact closed. Pressing longer extends."""
        loop = asyncio.get_running_loop()
        if self._release is not None:
            self._release.cancel()
        at_ms = unix_ms()  # before the write: no latency measured from it is flattered
        if not self.twin.button:
            self.set_pin(BUTTON_PIN, True)
            self.stamps.append({"lift": self.spec.id, "fault": "button_pressed", "at_ms": at_ms})
        self.twin.advance(at_ms)
        self.twin.press(True)
        self._release = loop.call_later(hold_s, self._let_go)
        return at_ms

    def _let_go(self) -> None:
        self._release = None
        self._to_present()
        self.twin.press(False)
        self.set_pin(BUTTON_PIN, False)

    # -- faults ---------------------------------------------------------------------------------------------------

    def inject(self, fault: str, *, clear: bool = False) -> int:
        """Bring the lift into `fault` or back to service; KeyError if there is no such fault. Returns the unix ms of it."""
        script = SCRIPTS[fault]
        if clear:
            self._to_present()
            self.active.pop(fault, None)
            script.clear(self.twin)
            if script.noise:
                self.line.noise = CLEAN
            if script.button and self._release is not None:
                self._release.cancel()
                self._let_go()
            self.refresh()
            return unix_ms()
        if script.button:
            at_ms = self.press()
        else:
            self._to_present()
            at_ms = unix_ms()
            self.stamps.append({"lift": self.spec.id, "fault": fault, "at_ms": at_ms})
            script.inject(self.twin)
        if script.noise:
            self.line.noise = HEAVY
        self.active[fault] = at_ms
        self.refresh()
        return at_ms

    def describe(self) -> dict[str, Any]:
        """Where to plug in, and the truth about this lift."""
        spec, twin = self.spec, self.twin
        return {
            "id": spec.id,
            "uart": self.line.node.path,
            "gpio": self.gpio.path,
            "baud": self.baud,
            "bits": self.bits,
            "simple": self.simple,
            "stops": spec.stops,
            "doors": spec.doors,
            "rated_speed_mm_s": spec.rated_speed_mm_s,
            "floor_pitch_mm": spec.floor_pitch_mm,
            "truth": {"position_mm": int(twin.position_mm), **twin.sample()},
            "phase": twin.phase,
            "aboard": len(twin.aboard),
            "waiting": twin.waiting,
            "active": sorted(self.active),
            "lamps": dict(self.lamps),
            "requests": self.controller.requests,
            "write_attempts": self.controller.write_attempts,
            "line": self.line.describe(),
        }
