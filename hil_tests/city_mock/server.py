"""A city platform to test against, modelled on a public adapter of the Shanghai kind, in good moods and bad. No real city.

Two ports: the platform, which can go down, and the control, which stays. It shares no code with the gateway's adapter.
"""

import asyncio
import json
import pathlib
import random
import re
import time
from typing import Any

from aiohttp import web

MODES = ("ok", "slow", "refuse", "down")
SLOW_MS = 2000
# Long enough for two TCP segments to be read apart.
PIECES_MS = 50
# What a POST /behaviour does not name is as it stands here. Shares are 0 to 1.
CALM: dict[str, Any] = {
    "mode": "ok",
    "delay_ms": 5,
    "code": 503,  # business code of "refuse": 5xx = the platform's own trouble, others refuse the message for good
    "lose_request": 0.0,  # the connection dies before the alarm is taken
    "drop_answer": 0.0,  # … or after it was taken, before the answer
    "error": 0.0,  # HTTP 500
    "garbage": 0.0,  # HTTP 200 with a proxy's page
    "answer_twice": 0.0,  # the answer comes a second time on the same connection
    "cut_answer": 0.0,  # taken, and the connection dies in the middle of the answer
    "trickle": 0.0,  # the answer comes in two pieces, a while apart
    "error_body": 0.0,  # not taken: HTTP 200 with an error for a body, and no business code in it
    "redirect": 0.0,  # not taken: sent on to a login page, which says 200 and code 0 to whoever follows
}
# Beyond this the oldest are forgotten; no test gets near it.
KEPT = 100_000
MAX_BODY_BYTES = 256 * 1024
PHASES = {0: "open", 1: "closed", 2: "updated"}
PREFIX = "LW-"
LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
TEXTS = ("alarmId", "alarmChannel", "liftId", "failureCode", "faultName", "occurTime")


def fault_of(body: object) -> str:
    """What is wrong with the body of an alarm, in the platform's own words; "" if nothing is."""
    if not isinstance(body, dict):
        return "not an object"
    for name in TEXTS:
        if not isinstance(body.get(name), str) or not body[name]:
            return f"{name} must be a text"
    if not body["alarmId"].startswith(PREFIX):
        return f"alarmId must begin with {PREFIX}"
    if not isinstance(body.get("revision"), int) or body["revision"] < 1:
        return "revision must be a number from 1"
    if body.get("faultStatus") not in PHASES:
        return "faultStatus must be 0 (new), 1 (cleared) or 2 (updated)"
    if not LOCAL_TIME.fullmatch(body["occurTime"]):
        return "occurTime must be yyyy-MM-dd HH:mm:ss"
    details = body.get("statusDetails")
    if not isinstance(details, list) or not all(isinstance(entry, dict) and "paramCode" in entry for entry in details):
        return "statusDetails must be a list of {paramCode, paramName, paramValue}"
    return ""


class CityMock:
    """`start` both ports. The platform takes each (alarmId, revision) once; how often it arrived stays visible."""

    def __init__(self, seed: int = 1, keep: pathlib.Path | None = None) -> None:
        """What it takes is written to `keep` before it is receipted, and read from there at the start."""
        self._keep = keep
        self.received: dict[tuple[str, int], dict[str, Any]] = {}
        self.counters = {"repeats": 0, "bad": 0, "refused": 0, "lost": 0}
        if keep is not None and keep.exists():
            self._remember(keep)
        self._behaviour = dict(CALM)
        self._random = random.Random(seed)
        self._platform: web.AppRunner | None = None
        self._control: web.AppRunner | None = None
        self._platform_port = 0
        self.platform_url = ""
        self.url = ""

    def _remember(self, keep: pathlib.Path) -> None:
        for line in keep.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut off by a kill, so never receipted
            self.received[(entry["id"], entry["rev"])] = entry

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
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/platform/api/v1/iotAlarms", self._post_alarm)
        app.router.add_get("/login", self._get_login)
        self._platform = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._platform.setup()
        await web.TCPSite(self._platform, "127.0.0.1", self._platform_port).start()
        self._platform_port = int(self._platform.addresses[0][1])
        self.platform_url = f"http://127.0.0.1:{self._platform_port}"

    def _happens(self, what: str) -> bool:
        return self._random.random() < float(self._behaviour[what])

    # -- platform -------------------------------------------------------------------------------------------------

    async def _post_alarm(self, request: web.Request) -> web.StreamResponse:
        arrived_ms = time.time_ns() // 1_000_000
        try:
            body = await request.json()
        except ValueError:
            body = None
        await asyncio.sleep(self._behaviour["delay_ms"] / 1000)
        if self._behaviour["mode"] == "refuse":
            self.counters["refused"] += 1
            return web.json_response({"code": self._behaviour["code"], "message": "系统繁忙"})
        wrong = fault_of(body)
        if wrong:
            self.counters["bad"] += 1
            return web.json_response({"code": 400, "message": f"参数错误: {wrong}"})
        lost = self._lose(request)
        if lost is not None:
            self.counters["lost"] += 1
            return lost
        self._take(body, arrived_ms)
        return await self._answer(request)

    def _lose(self, request: web.Request) -> web.Response | None:
        """An answer to what was not taken, if this one is to be lost."""
        if self._happens("error"):
            return web.Response(status=500, text="internal error")
        if self._happens("lose_request"):
            return self._hang_up(request)
        if self._happens("error_body"):
            return web.json_response({"success": False, "errorMsg": "数据库连接失败"})
        if self._happens("redirect"):
            return web.Response(status=302, headers={"Location": "/login"})
        return None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to what was taken, in the mood of the moment."""
        if self._happens("drop_answer"):
            return self._hang_up(request)
        if self._happens("cut_answer"):
            return await self._in_pieces(request, cut=True)
        if self._happens("trickle"):
            return await self._in_pieces(request, cut=False)
        if self._happens("garbage"):
            return web.Response(text="<html>gateway timeout</html>", content_type="text/html")
        answer = web.json_response({"code": 0, "message": "success"})
        if self._happens("answer_twice") and request.transport is not None:
            await answer.prepare(request)
            await answer.write_eof()
            request.transport.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"code": 0}'
            )
        return answer

    async def _in_pieces(self, request: web.Request, cut: bool) -> web.StreamResponse:
        whole = b'{"code": 0, "message": "success"}'
        answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
        await answer.prepare(request)
        await answer.write(whole[:12])
        if cut:
            if request.transport is not None:
                request.transport.abort()
            return answer
        await asyncio.sleep(PIECES_MS / 1000)
        await answer.write(whole[12:])
        return answer

    async def _get_login(self, request: web.Request) -> web.Response:
        return web.json_response({"code": 0, "message": "请登录"})

    @staticmethod
    def _hang_up(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _take(self, body: dict[str, Any], arrived_ms: int) -> None:
        key = body["alarmId"][len(PREFIX) :], body["revision"]
        known = self.received.get(key)
        if known is not None:
            self.counters["repeats"] += 1
            known["arrivals"] += 1
            return
        entry = self.received[key] = {
            "arrived_at_ms": arrived_ms,
            "id": key[0],
            "rev": key[1],
            "lift": body["liftId"],
            "kind": body["faultName"],
            "phase": PHASES[body["faultStatus"]],
            "arrivals": 1,
            "body": body,
        }
        if self._keep is not None:
            with self._keep.open("a") as file:
                file.write("\n" + json.dumps(entry))
        if len(self.received) > KEPT:
            del self.received[next(iter(self.received))]

    # -- control --------------------------------------------------------------------------------------------------

    async def _get_received(self, request: web.Request) -> web.Response:
        """In the order of arrival; `arrivals` above 1 shows what came again and was taken once."""
        return web.json_response(list(self.received.values()))

    async def _get_status(self, request: web.Request) -> web.Response:
        status = {"received": len(self.received), **self.counters}
        return web.json_response({**status, "behaviour": self._behaviour, "platform": self.platform_url})

    async def _post_behaviour(self, request: web.Request) -> web.Response:
        """Replace the mood: what the body does not name is calm again."""
        try:
            wanted = await request.json()
        except ValueError:
            wanted = None
        wrong = self._wrong_behaviour(wanted)
        if wrong:
            text = json.dumps({"error": f"{wrong}; mode is one of {', '.join(MODES)}, the rest are {CALM}"})
            return web.Response(status=400, text=text, content_type="application/json")
        slow = {"delay_ms": SLOW_MS} if wanted.get("mode") == "slow" else {}
        self._behaviour = {**CALM, **slow, **wanted}
        is_down = self._behaviour["mode"] == "down"
        if is_down and self._platform is not None:
            # The listening socket closes: a gateway sees its connections refused, as from a host without the service.
            await self._platform.cleanup()
            self._platform = None
        elif not is_down and self._platform is None:
            await self._open_platform()
        return web.json_response(self._behaviour)

    @staticmethod
    def _wrong_behaviour(wanted: object) -> str:
        if not isinstance(wanted, dict):
            return "not an object"
        for name, value in wanted.items():
            if name not in CALM:
                return f"no such setting: {name}"
            if name != "mode" and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
                return f"{name} must be a number from 0"
        return "" if wanted.get("mode", "ok") in MODES else f"no such mode: {wanted['mode']}"
