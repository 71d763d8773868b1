"""The HTTP-JSON city: the body it sends, and what it takes for a receipt, for a refusal, and for another try."""

import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.city_http import HttpCity, body, session
from gateway.config import CITIES, City, Lift, load_city
from gateway.errors import NotDelivered, Refused

LIFT = Lift(id="lift-1", site="s", rescue_code="330117", registration_code="311033010020250001")
# 2026-11-20 08:30:00 at UTC+8
ONSET_MS = 1795134600000
Platform = Callable[..., Awaitable[HttpCity]]


def event(**changes: Any) -> dict[str, Any]:
    """The canonical event."""
    return {
        "id": "lift-1-3-1", "rev": 1, "lift": "lift-1", "kind": "trapped_between_floors", "phase": "open", "cause": "passenger",
        "closed_at_ms": None, "snapshot": {"speed_mm_s": 0, "passenger": True}, "stages": {"onset": ONSET_MS}, **changes,
    }  # fmt: skip


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """`await platform(status, text, city=…)` gives an adapter to a server that always answers so."""
    runners: list[web.AppRunner] = []
    sessions: list[aiohttp.ClientSession] = []

    async def make(status: int, text: str, city: City | None = None) -> HttpCity:
        async def answer(request: web.Request) -> web.Response:
            await request.read()
            return web.Response(status=status, text=text, content_type="application/json")

        app = web.Application()
        app.router.add_post("/{path:.*}", answer)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        sessions.append(session())
        url = f"http://127.0.0.1:{runners[-1].addresses[0][1]}"
        return HttpCity(city or load_city("shanghai_like.toml"), url, sessions[-1])

    yield make
    for opened in sessions:
        await opened.close()
    for runner in runners:
        await runner.cleanup()


def test_the_body_has_the_key_the_codes_and_the_time_of_the_event() -> None:
    sent = body(load_city("shanghai_like.toml"), LIFT, event())
    assert (sent["alarmId"], sent["revision"], sent["faultStatus"]) == ("LW-lift-1-3-1", 1, 0)
    assert (sent["failureCode"], sent["faultName"]) == ("09", "trapped_between_floors")
    assert (sent["occurTime"], sent["occurTimeMs"], sent["closeTime"]) == ("2026-11-20 08:30:00", ONSET_MS, "")
    assert (sent["registerNumber"], sent["rescueCode"]) == (LIFT.registration_code, LIFT.rescue_code)
    assert [entry["paramCode"] for entry in sent["statusDetails"]] == ["passenger", "speed_mm_s"]


def test_the_end_has_its_own_status_and_time() -> None:
    sent = body(load_city("shanghai_like.toml"), LIFT, event(phase="closed", rev=2, closed_at_ms=ONSET_MS + 61_000))
    assert (sent["faultStatus"], sent["occurTime"], sent["closeTime"]) == (
        1,
        "2026-11-20 08:30:00",
        "2026-11-20 08:31:01",
    )


@pytest.mark.parametrize("text", ['{"code": 0}', '{"code": "0", "message": "success"}'])
async def test_business_code_0_is_the_receipt(platform: Platform, text: str) -> None:
    assert await (await platform(200, text)).send(LIFT, event()) == "business_code 0"


async def test_a_city_whose_receipt_is_http_2xx_needs_no_code(platform: Platform, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text((CITIES / "shanghai_like.toml").read_text().replace('"business_code"', '"http_2xx"'))
    assert await (await platform(204, "", load_city(str(path)))).send(LIFT, event()) == "http_2xx"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, "internal error"), (429, ""), (408, ""), (404, ""), (401, ""), (302, ""), (200, "<html>gateway timeout</html>"),
        (200, '{"message": "no code"}'), (200, '{"code": 503}'), (200, '{"code": 401}'), (200, ""), (200, "[]"),
        (200, '{"code": false}'), (200, '{"code": 0.4}'), (200, '{"code": null}'), (200, "[" * 20_000),
        (200, '{"code": 0, "message": "' + 100_000 * "x" + '"}'),
    ],
)  # fmt: skip
async def test_what_may_pass_is_tried_again(platform: Platform, status: int, text: str) -> None:
    adapter = await platform(status, text)
    with pytest.raises(NotDelivered):
        await adapter.send(LIFT, event())


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "bad"),
        (422, ""),
        (200, '{"code": 400}'),
        (200, '{"code": -1}'),
        (200, '{"code": 417, "message": "编号不存在"}'),
    ],
)
async def test_what_refuses_this_very_message_is_not_tried_again(platform: Platform, status: int, text: str) -> None:
    adapter = await platform(status, text)
    with pytest.raises(Refused):
        await adapter.send(LIFT, event())


async def test_nobody_there_is_tried_again(platform: Platform) -> None:
    adapter = await platform(200, '{"code": 0}')
    adapter._url = "http://127.0.0.1:9/none"
    with pytest.raises(NotDelivered):
        await adapter.send(LIFT, event())
