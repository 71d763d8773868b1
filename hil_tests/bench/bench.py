"""The bench: twins with their controllers, lines and terminals, and an HTTP control on loopback. It does not start nodes."""

import asyncio
import json
import os
import pathlib
import time
from collections import deque
from typing import Any

from aiohttp import web

from hil_tests.bench.controller import Controller
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.line import HEAVY, End, Line, Noise
from hil_tests.bench.twin import LiftSpec, Twin

# Pins of a node as provisioned by default.
BUTTON_PIN, MAINS_PIN, PRESENCE_PIN = 25, 26, 27
TICK_S = 0.05
REFRESH_S = 1.0
PRESS_S = 0.4
STAMPS = 20_000


def unix_ms() -> int:
    """The bench's clock."""
    return time.time_ns() // 1_000_000


class LiftBench:
    """One lift on the bench: its twin, its controller on a paced line, its terminals on a pty."""

    def __init__(self, spec: LiftSpec, baud: int) -> None:
        start = unix_ms()
        self.spec = spec
        self.baud = baud
        self.twin = Twin(spec, start)
        self.line = Line(baud, seed=spec.seed)
        self.controller = Controller(self.twin, self.line.controller.path, baud)
        self.gpio = End()
        self._pins: dict[int, int] = {}
        self.lamp = 0
        self.active: set[str] = set()
        self.stamps: deque[dict[str, Any]] = deque(maxlen=STAMPS)
        self._releases: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Plug everything in."""
        self.line.start()
        await self.controller.start()
        asyncio.get_running_loop().add_reader(self.gpio.master, self._hear)

    async def stop(self) -> None:
        """Unplug everything."""
        await self.controller.stop()
        self.line.stop()
        asyncio.get_running_loop().remove_reader(self.gpio.master)
        self.gpio.close()

    def _hear(self) -> None:
        try:
            data = os.read(self.gpio.master, 256)
        except OSError:
            return
        for line in data.decode(errors="replace").splitlines():
            if line.strip() in ("2 0", "2 1"):
                self.lamp = int(line.strip()[-1])

    def set_pin(self, pin: int, value: bool, *, again: bool = False) -> None:
        """Set a terminal of the node; nothing is sent if it has that level, unless `again`."""
        if self._pins.get(pin) == int(value) and not again:
            return
        self._pins[pin] = int(value)
        try:
            os.write(self.gpio.master, b"%d %d\n" % (pin, value))
        except OSError:
            return  # no node is plugged in and the pty is full: it learns by the next refresh

    def refresh(self, *, again: bool) -> None:
        """Bring twin and terminals to the present."""
        self.twin.advance(unix_ms())
        self.set_pin(MAINS_PIN, self.twin.mains, again=again)
        self.set_pin(PRESENCE_PIN, self.twin.presence, again=again)
        if again:
            self.set_pin(BUTTON_PIN, bool(self._pins.get(BUTTON_PIN)), again=True)

    def press(self, hold_s: float = PRESS_S) -> int:
        """Press the alarm button for `hold_s`; returns the unix ms at which its contact closed."""
        at_ms = unix_ms()
        self.set_pin(BUTTON_PIN, True)
        self.stamps.append({"lift": self.spec.id, "fault": "button_pressed", "at_ms": at_ms})
        task = asyncio.get_running_loop().create_task(self._release(hold_s))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)
        return at_ms

    async def _release(self, hold_s: float) -> None:
        await asyncio.sleep(hold_s)
        self.set_pin(BUTTON_PIN, False)

    def inject(self, fault: str, *, clear: bool) -> int:
        """Bring the lift into `fault` or back; returns the unix ms of it."""
        script = SCRIPTS[fault]
        self.twin.advance(unix_ms())
        if clear:
            self.active.discard(fault)
            script.clear(self.twin)
            self.line.noise = Noise() if script.noise else self.line.noise
            self.set_pin(BUTTON_PIN, False)
            return unix_ms()
        self.active.add(fault)
        script.inject(self.twin)
        if script.noise:
            self.line.noise = HEAVY
        if script.button:
            return self.press()
        self.refresh(again=False)
        self.stamps.append({"lift": self.spec.id, "fault": fault, "at_ms": unix_ms()})
        return unix_ms()

    def describe(self) -> dict[str, Any]:
        """The truth about this lift, for whoever tests from outside."""
        spec = self.spec
        return {
            "id": spec.id,
            "uart": self.line.node.path,
            "gpio": self.gpio.path,
            "baud": self.baud,
            "stops": spec.stops,
            "doors": spec.doors,
            "rated_speed_mm_s": spec.rated_speed_mm_s,
            "floor_pitch_mm": spec.floor_pitch_mm,
            "truth": self.twin.sample(),
            "phase": self.twin.phase,
            "active": sorted(self.active),
            "lamp": self.lamp,
            "requests": self.controller.requests,
            "write_attempts": self.controller.write_attempts,
            "line": dict(self.line.counters),
        }


class Bench:
    """All lifts and the control server. `run_file` tells `liftwatch inject` where it is."""

    def __init__(self, lifts: list[LiftBench], run_file: pathlib.Path | None = None) -> None:
        self.lifts = {lift.spec.id: lift for lift in lifts}
        self._run_file = run_file
        self._runner: web.AppRunner | None = None
        self._pacer: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self, port: int = 0) -> None:
        """Start all lifts, their clock and the control server on a loopback port."""
        for lift in self.lifts.values():
            await lift.start()
        self._pacer = asyncio.create_task(self._pace())
        app = web.Application()
        app.router.add_get("/lifts", self._get_lifts)
        app.router.add_get("/faults", self._get_faults)
        app.router.add_get("/stamps", self._get_stamps)
        app.router.add_post("/inject", self._post_inject)
        app.router.add_post("/press", self._post_press)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        if self._run_file is not None:
            self._run_file.parent.mkdir(parents=True, exist_ok=True)
            self._run_file.write_text(json.dumps({"control": self.url, "pid": os.getpid()}))

    async def stop(self) -> None:
        """Stop everything and forget the run file."""
        if self._pacer is not None:
            self._pacer.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        for lift in self.lifts.values():
            await lift.stop()
        if self._run_file is not None:
            self._run_file.unlink(missing_ok=True)

    async def _pace(self) -> None:
        since = 0.0
        while True:
            again = time.monotonic() - since >= REFRESH_S
            if again:
                since = time.monotonic()
            for lift in self.lifts.values():
                lift.refresh(again=again)
            await asyncio.sleep(TICK_S)

    async def _get_lifts(self, request: web.Request) -> web.Response:
        return web.json_response([lift.describe() for lift in self.lifts.values()])

    async def _get_faults(self, request: web.Request) -> web.Response:
        return web.json_response({name: script.text for name, script in SCRIPTS.items()})

    async def _get_stamps(self, request: web.Request) -> web.Response:
        return web.json_response([stamp for lift in self.lifts.values() for stamp in lift.stamps])

    async def _asked(self, request: web.Request) -> tuple[dict[str, Any], LiftBench]:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or body.get("lift") not in self.lifts:
            known = ", ".join(self.lifts)
            raise web.HTTPNotFound(text=json.dumps({"error": f"no such lift; the bench has {known}"}))
        return body, self.lifts[body["lift"]]

    async def _post_inject(self, request: web.Request) -> web.Response:
        body, lift = await self._asked(request)
        fault = body.get("fault")
        if fault not in SCRIPTS:
            raise web.HTTPNotFound(text=json.dumps({"error": f"no such fault; there are {', '.join(SCRIPTS)}"}))
        at_ms = lift.inject(fault, clear=bool(body.get("clear")))
        return web.json_response({"ok": True, "injected_at_ms": at_ms})

    async def _post_press(self, request: web.Request) -> web.Response:
        body, lift = await self._asked(request)
        return web.json_response({"ok": True, "at_ms": lift.press(float(body.get("hold_ms", 400)) / 1000)})
