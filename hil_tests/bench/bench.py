"""The bench: its lifts, the clock that drives them, and the control over HTTP on loopback. What a fault does is not its business."""

import asyncio
import json
import os
import pathlib
import selectors
import time
from typing import Any

from aiohttp import web

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift_bench import PRESS_S, LiftBench
from hil_tests.bench.line import CLEAN, Noise

TICK_S = 0.05
REFRESH_S = 1.0


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop with timers of some 0.1 ms: epoll, the default, rounds each up to a whole ms, and a frame has several."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


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
        app = web.Application(middlewares=[_errors_as_json])
        app.router.add_get("/lifts", self._get_lifts)
        app.router.add_get("/lifts/{id}", self._get_lift)
        app.router.add_get("/faults", self._get_faults)
        app.router.add_get("/stamps", self._get_stamps)
        app.router.add_post("/inject", self._post_inject)
        app.router.add_post("/press", self._post_press)
        app.router.add_post("/line", self._post_line)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._write_run_file()

    def _write_run_file(self) -> None:
        if self._run_file is None:
            return
        plugs = ("uart", "gpio", "baud", "stops", "doors", "rated_speed_mm_s", "floor_pitch_mm")
        lifts = {id: {plug: lift.describe()[plug] for plug in plugs} for id, lift in self.lifts.items()}
        self._run_file.parent.mkdir(parents=True, exist_ok=True)
        self._run_file.write_text(json.dumps({"control": self.url, "pid": os.getpid(), "lifts": lifts}))

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
        repeated = 0.0
        while True:
            now = time.monotonic()
            again = now - repeated >= REFRESH_S
            repeated = now if again else repeated
            for lift in self.lifts.values():
                lift.refresh(again=again)
            await asyncio.sleep(TICK_S)

    # -- control --------------------------------------------------------------------------------------------------

    async def _get_lifts(self, request: web.Request) -> web.Response:
        return web.json_response([lift.describe() for lift in self.lifts.values()])

    async def _get_lift(self, request: web.Request) -> web.Response:
        lift = self._named(request.match_info["id"])
        lift.refresh()
        return web.json_response(lift.describe())

    async def _get_faults(self, request: web.Request) -> web.Response:
        return web.json_response({name: script.text for name, script in SCRIPTS.items()})

    async def _get_stamps(self, request: web.Request) -> web.Response:
        stamps = [stamp for lift in self.lifts.values() for stamp in lift.stamps]
        return web.json_response(sorted(stamps, key=lambda stamp: stamp["at_ms"]))

    async def _post_inject(self, request: web.Request) -> web.Response:
        body = await _body(request, {"lift", "fault", "clear"})
        lift, fault = self._named(body.get("lift")), body.get("fault")
        if fault not in SCRIPTS:
            raise _refusal(web.HTTPNotFound, f"no fault is called {fault}; there are {', '.join(SCRIPTS)}")
        clear = body.get("clear", False)
        if not isinstance(clear, bool):
            raise _refusal(web.HTTPBadRequest, "clear is true or false")
        return web.json_response({"ok": True, "injected_at_ms": lift.inject(fault, clear=clear)})

    async def _post_press(self, request: web.Request) -> web.Response:
        body = await _body(request, {"lift", "hold_ms"})
        hold_ms = body.get("hold_ms", int(PRESS_S * 1000))
        if not isinstance(hold_ms, int) or not 1 <= hold_ms <= 600_000:
            raise _refusal(web.HTTPBadRequest, f"hold_ms is {hold_ms}; 1 to 600000")
        return web.json_response({"ok": True, "at_ms": self._named(body.get("lift")).press(hold_ms / 1000)})

    async def _post_line(self, request: web.Request) -> web.Response:
        """{"lift", flip, drop, … } sets exactly this noise; {"lift"} alone cleans the line."""
        body = await _body(request, {"lift", *Noise.__dataclass_fields__})
        lift = self._named(body.pop("lift", None))
        try:
            lift.line.noise = Noise(**body) if body else CLEAN
        except (TypeError, ValueError) as error:
            raise _refusal(web.HTTPBadRequest, str(error)) from error
        return web.json_response({"ok": True, "line": lift.line.describe()})

    def _named(self, id: Any) -> LiftBench:
        lift = self.lifts.get(id) if isinstance(id, str) else None
        if lift is None:
            raise _refusal(web.HTTPNotFound, f"no lift is called {id}; the bench has {', '.join(self.lifts)}")
        return lift


def _refusal(kind: type[web.HTTPError], text: str) -> web.HTTPError:
    return kind(text=json.dumps({"error": text}), content_type="application/json")


async def _body(request: web.Request, allowed: set[str]) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise _refusal(web.HTTPBadRequest, "the body is no JSON") from None
    if not isinstance(body, dict) or not set(body) <= allowed:
        raise _refusal(web.HTTPBadRequest, f"the body is an object with some of {', '.join(sorted(allowed))}")
    return body


@web.middleware
async def _errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
        return response
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        return web.json_response({"error": error.reason}, status=error.status)
