"""The city mock as a gateway meets it: what it takes, what it refuses, and each of its moods."""

import asyncio
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from hil_tests.city_mock.server import CityMock

ALARMS = "/platform/api/v1/iotAlarms"


def alarm(**changes: Any) -> dict[str, Any]:
    """A body as the platform wants it."""
    return {
        "alarmId": "LW-lift-1-3-1", "revision": 1, "alarmChannel": "S04", "faultStatus": 0, "liftId": "lift-1",
        "failureCode": "90", "faultName": "button_pressed", "occurTime": "2026-11-20 08:30:00", "statusDetails": [],
        **changes,
    }  # fmt: skip


@pytest.fixture
async def city() -> AsyncIterator[CityMock]:
    city = CityMock()
    await city.start()
    yield city
    await city.stop()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


async def post(client: aiohttp.ClientSession, city: CityMock, **changes: Any) -> dict[str, Any]:
    async with client.post(city.platform_url + ALARMS, json=alarm(**changes)) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def behave(client: aiohttp.ClientSession, city: CityMock, **behaviour: Any) -> int:
    async with client.post(city.url + "/behaviour", json=behaviour) as response:
        return response.status


async def received(client: aiohttp.ClientSession, city: CityMock) -> list[dict[str, Any]]:
    async with client.get(city.url + "/received") as response:
        found: list[dict[str, Any]] = await response.json()
        return found


async def test_an_alarm_is_taken_once_and_its_repeats_stay_visible(
    city: CityMock, client: aiohttp.ClientSession
) -> None:
    for _ in range(3):
        assert (await post(client, city))["code"] == 0
    await post(client, city, revision=2, faultStatus=1)
    found = await received(client, city)
    assert [(entry["id"], entry["rev"], entry["phase"], entry["arrivals"]) for entry in found] == [
        ("lift-1-3-1", 1, "open", 3),
        ("lift-1-3-1", 2, "closed", 1),
    ]
    assert found[0]["kind"] == "button_pressed" and found[0]["lift"] == "lift-1" and found[0]["body"] == alarm()


@pytest.mark.parametrize(
    "changes",
    [
        {"alarmId": "XX-1"},
        {"revision": 0},
        {"faultStatus": 3},
        {"failureCode": ""},
        {"occurTime": "2026-11-20T08:30:00Z"},
        {"statusDetails": None},
    ],
)
async def test_a_bad_body_is_refused_with_a_business_code(
    city: CityMock, client: aiohttp.ClientSession, changes: dict[str, Any]
) -> None:
    assert (await post(client, city, **changes))["code"] == 400
    assert await received(client, city) == []


async def test_down_closes_the_socket_and_up_opens_the_same_port(city: CityMock, client: aiohttp.ClientSession) -> None:
    await post(client, city)
    await behave(client, city, mode="down")
    with pytest.raises(aiohttp.ClientError):
        await post(client, city, revision=2)
    await behave(client, city, mode="ok")
    assert (await post(client, city, revision=2))["code"] == 0
    assert len(await received(client, city)) == 2


async def test_slow_answers_late_and_refuse_answers_with_its_code(
    city: CityMock, client: aiohttp.ClientSession
) -> None:
    await behave(client, city, mode="slow", delay_ms=300)
    begun = asyncio.get_running_loop().time()
    assert (await post(client, city))["code"] == 0
    assert asyncio.get_running_loop().time() - begun >= 0.3
    await behave(client, city, mode="refuse", code=417)
    assert (await post(client, city, revision=2))["code"] == 417
    assert len(await received(client, city)) == 1


async def test_a_dropped_answer_was_taken_and_a_lost_request_was_not(
    city: CityMock, client: aiohttp.ClientSession
) -> None:
    await behave(client, city, drop_answer=1)
    with pytest.raises(aiohttp.ClientError):
        await post(client, city)
    await behave(client, city, lose_request=1)
    with pytest.raises(aiohttp.ClientError):
        await post(client, city, revision=2)
    assert [entry["rev"] for entry in await received(client, city)] == [1]


async def test_an_answer_that_comes_twice_spoils_no_later_one(city: CityMock, client: aiohttp.ClientSession) -> None:
    await behave(client, city, answer_twice=1)
    for rev in range(1, 6):
        assert (await post(client, city, revision=rev))["code"] == 0
    assert len(await received(client, city)) == 5


async def test_an_unknown_mood_is_told(city: CityMock, client: aiohttp.ClientSession) -> None:
    assert await behave(client, city, mode="asleep") == 400
    assert await behave(client, city, loudness=1) == 400
    assert await behave(client, city, delay_ms=-1) == 400


async def test_what_was_receipted_survives_a_kill_and_a_cut_off_line_does_not(
    tmp_path: pathlib.Path, client: aiohttp.ClientSession
) -> None:
    keep = tmp_path / "city.jsonl"
    city = CityMock(keep=keep)
    await city.start()
    await post(client, city)
    before = await received(client, city)
    await city.stop()
    with keep.open("a") as file:
        file.write('\n{"id": "lift-1-3-2", "re')
    city = CityMock(keep=keep)
    await city.start()
    assert await received(client, city) == before
    await post(client, city, revision=2, faultStatus=1)
    await city.stop()
    assert [rev for _, rev in CityMock(keep=keep).received] == [1, 2]
