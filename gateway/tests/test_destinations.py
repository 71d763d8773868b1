"""A whole gateway against a city in bad moods: each (id, rev) once, dead letters by hand, other routes, updates of what is new."""

import asyncio
import contextlib
import pathlib
import sqlite3
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

from gateway import relay
from gateway.cli import gateway
from gateway.config import CITIES, CityRef, Config, Gateway, Hook, Lift
from gateway.errors import ConfigError
from gateway.service import Service
from hil_tests.city_mock.server import CityMock
from protocols import messages

SITE, LIFT = "site", "lift-1"


async def eventually(holds: Callable[[], bool], timeout_s: float = 15) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110  what is waited for happens in threads and at the city
            await asyncio.sleep(0.01)


class Chain:
    """A gateway without a broker, fed as its events lane would, and a city."""

    def __init__(
        self, data: pathlib.Path, city: CityMock, *more: str, hook: str | None = None, escalate_ms: int = 10_000
    ) -> None:
        self.city = city
        self._config = Config(
            Gateway("g", str(data)),
            city=[CityRef("shanghai_like.toml", city.platform_url, other_urls=list(more), escalate_ms=escalate_ms)],
            hook=Hook(hook) if hook else None,
            lift=[Lift(LIFT, SITE)],
        )
        self._data = data
        self._up_ms = 1000
        self.url = ""

    async def __aenter__(self) -> "Chain":  # noqa: PYI034  it is never subclassed
        self.service = Service(self._config)
        # Nobody is there: the lanes try for ever, and the test hands over what they would bring.
        self.url = f"http://127.0.0.1:{await self.service.start()}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.service.stop()

    async def event(self, number: int, rev: int = 1, phase: str = "open", kind: str = "button_pressed") -> None:
        """One message of the node, in a thread as it comes from the broker."""
        self._up_ms += 10
        values = {
            "id": f"{LIFT}-1-{number}", "rev": rev, "boot": 1, "up_ms": self._up_ms, "kind": kind, "code": 90, "class": "alarm",
            "severity": 4, "phase": phase, "onset_up_ms": 900, "detected_up_ms": 950, "published_up_ms": 1000, "attempt": 1,
            "cause": "pressed", "presses": 1,
        }  # fmt: skip
        payload = messages.encode("event", values)
        await asyncio.to_thread(self.service.intake.on_fast, f"lift/1/{SITE}/{LIFT}/event", payload, False)

    def booked(self, destination: str = "city") -> dict[tuple[int, int], tuple[str, int, str]]:
        """{(number, rev): (state, attempts, detail)} as the journal has it."""
        with contextlib.closing(sqlite3.connect(self._data / "journal.db", timeout=5)) as database:
            rows = database.execute(
                "SELECT id, rev, state, attempts, detail FROM delivery WHERE destination = ?", (destination,)
            ).fetchall()
        return {
            (int(name.rsplit("-", 1)[1]), rev): (state, attempts, detail) for name, rev, state, attempts, detail in rows
        }

    def states(self) -> list[str]:
        """The states of all deliveries to the city."""
        return [state for state, _, _ in self.booked().values()]

    def at_city(self) -> dict[tuple[int, int], dict[str, Any]]:
        """{(number, rev): what the city has}."""
        return {(int(name.rsplit("-", 1)[1]), rev): entry for (name, rev), entry in self.city.received.items()}


@pytest.fixture
async def city() -> AsyncIterator[CityMock]:
    city = CityMock()
    await city.start()
    yield city
    await city.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(relay, "RETRY_MAX_S", 0.05)
    monkeypatch.setattr(relay, "WATCH_S", 0.02)


def mood(city: CityMock, **behaviour: Any) -> None:
    city._behaviour = {**city._behaviour, "mode": "ok", **behaviour}


LOSING = ("lose_request", "error", "error_body", "redirect")
DOUBTFUL = ("drop_answer", "cut_answer", "garbage")
HARMLESS = ("trickle", "answer_twice")


@pytest.mark.parametrize("what", [*LOSING, *DOUBTFUL, *HARMLESS])
async def test_a_city_in_a_bad_mood_has_each_revision_once(tmp_path: pathlib.Path, city: CityMock, what: str) -> None:
    mood(city, delay_ms=0, **{what: 0.5})
    async with Chain(tmp_path, city) as chain:
        for number in range(1, 16):
            await chain.event(number)
            await chain.event(number, 2, "closed")
        keys = {(number, rev) for number in range(1, 16) for rev in (1, 2)}
        await eventually(lambda: chain.states().count("receipted") == 30)
        assert set(chain.at_city()) == set(chain.booked()) == keys
    arrivals = sum(entry["arrivals"] for entry in city.received.values())
    attempts = sum(attempts for _, attempts, _ in chain.booked().values())
    assert arrivals - 30 == city.counters["repeats"]
    if what in LOSING:
        assert (arrivals, attempts - arrivals) == (30, city.counters["lost"])
        assert city.counters["lost"] > 5
    elif what in DOUBTFUL:
        assert attempts == arrivals > 35  # it came again, and the city knew it by its key
    else:
        assert (attempts, arrivals) == (30, 30)
    for number in range(1, 16):
        assert chain.at_city()[(number, 1)]["arrived_at_ms"] <= chain.at_city()[(number, 2)]["arrived_at_ms"]


async def test_a_gateway_that_dies_between_request_and_answer_sends_the_same_key_again(
    tmp_path: pathlib.Path, city: CityMock
) -> None:
    mood(city, drop_answer=1.0)
    async with Chain(tmp_path, city) as chain:
        await chain.event(1)
        await eventually(lambda: (1, 1) in chain.at_city())
    mood(city, drop_answer=0.0)
    async with chain:
        await eventually(lambda: chain.states() == ["receipted"])
    assert chain.at_city().keys() == {(1, 1)}
    assert city.counters["repeats"] > 0


async def test_an_update_whose_opening_the_city_never_had_is_told_as_new(
    tmp_path: pathlib.Path, city: CityMock
) -> None:
    async with Chain(tmp_path, city) as chain:
        await chain.event(1, 2, "updated")  # the node held its opening for a gateway that never was
        await chain.event(2)
        await eventually(lambda: len(chain.at_city()) == 2)
        await chain.event(2, 2, "updated")
        await chain.event(1, 3, "updated")
        await eventually(lambda: chain.states().count("receipted") == 4)
    async with chain:  # what was told is remembered over a restart
        await chain.event(2, 3, "updated")
        await eventually(lambda: chain.states().count("receipted") == 5)
    phases = {key: entry["phase"] for key, entry in chain.at_city().items()}
    assert phases == {(1, 2): "open", (1, 3): "updated", (2, 1): "open", (2, 2): "updated", (2, 3): "updated"}
    assert chain.booked()[(1, 2)][2].endswith("told as new")


async def test_an_update_after_a_refused_opening_is_told_as_new(tmp_path: pathlib.Path, city: CityMock) -> None:
    mood(city, mode="refuse", code=417)
    async with Chain(tmp_path, city) as chain:
        await chain.event(1)
        await eventually(lambda: chain.states() == ["refused"])
        mood(city, mode="ok")
        await chain.event(1, 2, "updated")
        await eventually(lambda: chain.states() == ["refused", "receipted"])
    assert [entry["phase"] for entry in chain.at_city().values()] == ["open"]


async def test_what_a_city_refuses_is_listed_counted_and_sent_again_by_hand(
    tmp_path: pathlib.Path, city: CityMock
) -> None:
    mood(city, mode="refuse", code=417)
    async with Chain(tmp_path, city) as chain:
        for number in (1, 2, 3):
            await chain.event(number)
        await eventually(lambda: chain.states() == ["refused"] * 3)
        assert 'name="relay_city_dead_letters"} 3.0' in await asyncio.to_thread(_page, f"{chain.url}/metrics")
        listed = await _run("dead-letters", "--url", chain.url, "list")
        assert "3 dead letters" in listed
        assert f"{LIFT}-1-2 rev 1 button_pressed open: business code 417" in listed
        mood(city, mode="ok")
        assert "1 on their way" in await _run("dead-letters", "--url", chain.url, "replay", "city", f"{LIFT}-1-2")
        await eventually(lambda: chain.states().count("receipted") == 1)
        assert chain.at_city().keys() == {(2, 1)}
    async with chain:  # they outlive a restart, and so does their number
        assert 'name="relay_city_dead_letters"} 2.0' in await asyncio.to_thread(_page, f"{chain.url}/metrics")
        assert "2 on their way" in await _run("dead-letters", "--url", chain.url, "replay", "city")
        await eventually(lambda: chain.states().count("receipted") == 3)
        assert "0 dead letters" in await _run("dead-letters", "--url", chain.url, "list")
        assert "no destination" in await _run("dead-letters", "--url", chain.url, "replay", "town", fails=True)
    assert city.counters["repeats"] == 0


async def test_an_opening_whose_closing_has_arrived_is_sent_again_only_if_its_revision_is_named(
    tmp_path: pathlib.Path, city: CityMock
) -> None:
    mood(city, mode="refuse", code=417)
    async with Chain(tmp_path, city) as chain:
        await chain.event(1)
        await eventually(lambda: chain.states() == ["refused"])
        mood(city, mode="ok")
        await chain.event(1, 2, "closed")
        await eventually(lambda: chain.states() == ["refused", "receipted"])
        told = await _run("dead-letters", "--url", chain.url, "replay", "city")
        assert "0 on their way" in told
        assert "1 left: later revisions have arrived" in told
        assert chain.at_city().keys() == {(1, 2)}
        told = await _run("dead-letters", "--url", chain.url, "replay", "city", f"{LIFT}-1-1", "--rev", "1")
        assert "1 on their way" in told
        await eventually(lambda: chain.at_city().keys() == {(1, 1), (1, 2)})


async def _run(*arguments: str, fails: bool = False) -> str:
    result = await asyncio.to_thread(CliRunner().invoke, gateway, list(arguments))
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return str(response.read().decode())


async def test_without_a_receipt_in_time_the_second_url_and_a_person_are_told_once(
    tmp_path: pathlib.Path, city: CityMock
) -> None:
    rung: list[dict[str, Any]] = []

    async def ring(request: web.Request) -> web.Response:
        rung.append(await request.json())
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/sms", ring)
    pager = web.AppRunner(app)
    await pager.setup()
    await web.TCPSite(pager, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{pager.addresses[0][1]}/sms"
    second = CityMock()
    await second.start()
    mood(city, mode="down")
    mood(second, mode="refuse", code=503)
    try:
        async with Chain(tmp_path, city, second.platform_url, hook=url, escalate_ms=200) as chain:
            await city._platform.cleanup()  # type: ignore[union-attr]  # nothing listens
            await chain.event(1)
            await eventually(lambda: second.counters["refused"] > 0 and bool(rung))
            assert "no receipt after 0.2 s" in chain.booked()[(1, 1)][2]
        async with chain:  # after a restart the person is not rung up again
            await eventually(lambda: chain.service.values()["relay_city_escalated"] == 1)
            mood(second, mode="ok")
            await eventually(lambda: chain.states() == ["receipted"])
        assert chain.booked()[(1, 1)][2] == "business_code 0, route 2"
        assert [entry["id"] for entry in rung] == [f"{LIFT}-1-1"]
        assert chain.booked("hook")[(1, 1)][0] == "receipted"
    finally:
        await second.stop()
        await pager.cleanup()


async def test_two_destinations_of_one_name_are_refused_at_the_start(tmp_path: pathlib.Path, city: CityMock) -> None:
    chain = Chain(tmp_path, city)
    chain._config.city.append(chain._config.city[0])
    with pytest.raises(ConfigError, match="two destinations are named"):
        await chain.__aenter__()
    await chain.service.stop()


async def test_a_fault_of_which_a_city_s_file_says_nothing_is_named_at_the_start(
    tmp_path: pathlib.Path, city: CityMock, caplog: pytest.LogCaptureFixture
) -> None:
    chain = Chain(tmp_path, city)
    async with chain:
        assert "says nothing of" not in caplog.text
    file = tmp_path / "older_city.toml"
    lines = (CITIES / "shanghai_like.toml").read_text().splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith("door_reversal_loop")))
    chain._config.city[0] = CityRef(str(file), city.platform_url)
    async with chain:
        assert f"{file} says nothing of door_reversal_loop: not pushed" in caplog.text
