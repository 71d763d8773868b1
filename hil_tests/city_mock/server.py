"""A city platform to test against, modelled on a public adapter of the Shanghai kind, in good moods and bad. No real city.

Two ports: the platform, which can go down, and the control, which stays.
"""

import asyncio
import json
import random
import time
from collections import deque
from typing import Any

from aiohttp import web

MODES = ("ok", "slow", "refuse", "down")
KEPT = 50_000
PHASES = {0: "open", 1: "closed", 2: "updated"}
REQUIRED = (
    "alarmId",
    "revision",
    "alarmChannel",
    "faultStatus",
    "liftId",
    "failureCode",
    "faultName",
    "occurTime",
    "statusDetails",
)


class CityMock:
    """`start` both ports; `received` holds each (id, rev) once, `repeats` counts what came again."""

    def __init__(self) -> None:
        self.received: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.repeats = 0
        self.bad = 0
        self.refused = 0
        self._keys: set[tuple[str, int]] = set()
        self._behaviour: dict[str, Any] = {
            "mode": "ok",
            "delay_ms": 5,
            "drop_answer": 0.0,
            "garbage": 0.0,
            "error": 0.0,
        }
        self._random = random.Random(1)
        self._platform: web.AppRunner | None = None
        self._control: web.AppRunner | None = None
        self._platform_port = 0
        self.platform_url = ""
        self.url = ""

    async def start(self, port: int = 0, platform_port: int = 0) -> None:
        """Open both ports on loopback; 0 takes a free one."""
        self._platform_port = platform_port
        await self._open_platform()
        app = web.Application()
        app.router.add_get("/received", self._get_received)
        app.router.add_get("/status", self._get_status)
        app.router.add_post("/behaviour", self._post_behaviour)
        self._control = web.AppRunner(app, access_log=None)
        await self._control.setup()
        await web.TCPSite(self._control, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._control.addresses[0][1]}"

    async def stop(self) -> None:
        """Close both ports."""
        for runner in (self._platform, self._control):
            if runner is not None:
                await runner.cleanup()

    async def _open_platform(self) -> None:
        app = web.Application()
        app.router.add_post("/platform/api/v1/iotAlarms", self._post_alarm)
        self._platform = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._platform.setup()
        await web.TCPSite(self._platform, "127.0.0.1", self._platform_port).start()
        self._platform_port = int(self._platform.addresses[0][1])
        self.platform_url = f"http://127.0.0.1:{self._platform_port}"

    # -- platform -------------------------------------------------------------------------------------------------

    async def _post_alarm(self, request: web.Request) -> web.StreamResponse:
        arrived_ms = time.time_ns() // 1_000_000
        behaviour = self._behaviour
        if behaviour["mode"] == "refuse":
            self.refused += 1
            return web.json_response({"code": 503, "message": "系统繁忙"}, status=503)
        body = await self._read(request)
        if body is None:
            self.bad += 1
            return web.json_response({"code": 400, "message": "参数错误"})
        if behaviour["mode"] == "slow":
            await asyncio.sleep(behaviour.get("delay_ms", 0) / 1000 or 2.0)
        elif behaviour["delay_ms"]:
            await asyncio.sleep(behaviour["delay_ms"] / 1000)
        if self._random.random() < behaviour["error"]:
            return web.Response(status=500, text="internal error")
        self._book(body, arrived_ms)
        if self._random.random() < behaviour["drop_answer"] and request.transport is not None:
            request.transport.abort()  # dies between the request and its answer
        if self._random.random() < behaviour["garbage"]:
            return web.Response(text="<html>gateway timeout</html>", content_type="text/html")
        return web.json_response({"code": 0, "message": "success"})

    @staticmethod
    async def _read(request: web.Request) -> dict[str, Any] | None:
        try:
            body = await request.json()
        except ValueError:
            return None
        if not isinstance(body, dict) or any(name not in body for name in REQUIRED):
            return None
        return body if str(body["alarmId"]).startswith("LW-") and body["faultStatus"] in PHASES else None

    def _book(self, body: dict[str, Any], arrived_ms: int) -> None:
        name, rev = str(body["alarmId"])[3:], int(body["revision"])
        if (name, rev) in self._keys:
            self.repeats += 1
            return
        self._keys.add((name, rev))
        self.received.append(
            {
                "arrived_at_ms": arrived_ms, "id": name, "rev": rev, "lift": body["liftId"], "kind": body["faultName"],
                "phase": PHASES[body["faultStatus"]], "body": body,
            }
        )  # fmt: skip

    # -- control --------------------------------------------------------------------------------------------------

    async def _get_received(self, request: web.Request) -> web.Response:
        return web.json_response(list(self.received))

    async def _get_status(self, request: web.Request) -> web.Response:
        status = {"received": len(self.received), "repeats": self.repeats, "bad": self.bad, "refused": self.refused}
        return web.json_response({**status, "behaviour": self._behaviour, "platform": self.platform_url})

    async def _post_behaviour(self, request: web.Request) -> web.Response:
        try:
            wanted = await request.json()
        except ValueError:
            wanted = {}
        unknown = [name for name in wanted if name not in self._behaviour]
        if wanted.get("mode", "ok") not in MODES or unknown:
            text = json.dumps(
                {"error": f"mode is one of {', '.join(MODES)}; settings are {', '.join(self._behaviour)}"}
            )
            return web.Response(status=400, text=text, content_type="application/json")
        was_down = self._behaviour["mode"] == "down"
        self._behaviour |= wanted
        is_down = self._behaviour["mode"] == "down"
        if is_down and not was_down and self._platform is not None:
            await self._platform.cleanup()
            self._platform = None
        elif was_down and not is_down:
            await self._open_platform()
        return web.json_response(self._behaviour)
