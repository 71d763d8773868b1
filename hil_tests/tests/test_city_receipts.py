"""kill -9 of the gateway between a city's taking of an alarm and its answer: each (id, rev) is there once."""

import asyncio
import pathlib
from collections.abc import Callable

import pytest

from hil_tests import services
from hil_tests.city_mock import server as city_mock
from hil_tests.city_mock.server import CityMock
from hil_tests.measure import fleet
from hil_tests.measure.fleet import Day, FleetNode, Travel
from protocols.delivery.log import ChangeLog, RamStore

pytestmark = pytest.mark.chain

KILLS = 6


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  what is waited for happens in other processes
            await asyncio.sleep(0.005)


async def test_a_gateway_killed_before_the_answer_sends_the_same_key_again_and_the_city_has_it_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough to be killed in the middle of an answer.
    monkeypatch.setattr(city_mock, "PIECES_MS", 1000)
    broker, port = services.mosquitto(tmp_path)
    broker.start(lambda: services.listens(port))
    city = CityMock(keep=tmp_path / "city.jsonl")
    await city.start()
    config = tmp_path / "gateway.toml"
    config.write_text(
        f'[gateway]\nid = "g"\ndata_dir = "{tmp_path / "data"}"\n[broker]\nport = {port}\n'
        f'[[city]]\nfile = "shanghai_like.toml"\nurl = "{city.platform_url}"\n'
        f'[metrics]\nport = {services.free_port()}\n[[lift]]\nid = "lift-1"\nsite = "{fleet.SITE}"\n'
    )
    gateway = services.part("gateway", tmp_path, "gateway", "--config", str(config)).start()
    node = FleetNode("lift-1", Day(ChangeLog(RamStore(1, 10_000), 1), Travel(1), 0, 0), records_on=False)
    running = asyncio.create_task(node.run(port))
    keys = []
    try:
        for _ in range(KILLS):
            name = node.press()
            assert name is not None
            for rev in (1, 2):
                keys.append((name, rev))
                city._behaviour["trickle"] = 1.0
                if rev == 2:
                    node.release()
                await eventually(lambda: keys[-1] in city.received)
                gateway.kill()
                city._behaviour["trickle"] = 0.0
                gateway.start()
                await eventually(lambda: city.received[keys[-1]]["arrivals"] > 1)
            await eventually(lambda: node.delivery.held() == 0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        gateway.stop()
        broker.stop()
        await city.stop()
    assert list(city.received) == keys  # each once, and in the order of its phases
    assert [entry["phase"] for entry in city.received.values()] == ["open", "closed"] * KILLS
    assert city.counters["repeats"] >= 2 * KILLS
