"""The stored alarm channel on both databases: numbers in the order of their commits, trimmed, gone on with after a restart; lift records too."""

import asyncio
import json
from typing import Any

import pytest

from cloud.accounts.scope import Actor, Grant, Scope
from cloud.database import make_engine, make_sessions
from cloud.lifts import service as lifts
from cloud.live import channel
from cloud.live.alarms import Told
from cloud.live.channel import KEEP_MS, Channel
from cloud.tests.conftest import Cloud, incident, record
from cloud.tests.test_routes import first_chunk

LINK = "/api/v1/gateways/g-1/link"
EVERYTHING = Scope(Actor("person", "p"), (Grant("o", "platform", "administrator"),))
NOTHING = Scope(Actor("person", "p"), (Grant("o", "contractor", "viewer"),))


async def test_a_number_is_seen_only_when_all_below_it_are(database: str) -> None:
    """Writers that take their numbers and then dawdle: whoever reads behind the last one he saw still finds all of them."""
    engine = make_engine(database)
    sessions = make_sessions(engine)
    wanted = 30
    seen: list[Told] = []

    async def write(number: int) -> None:
        async with sessions() as session:
            await channel.append(session, "case", f"c-{number}", "lift-1", number)
            await asyncio.sleep(0.001 * (number * 7 % 5))
            await (session.rollback if number % 10 == 3 else session.commit)()

    async def read() -> None:
        source = Channel(sessions, {})
        while len(seen) < wanted - 3:
            seen.extend(await source.after(seen[-1].seq if seen else 0, 5))

    async with asyncio.timeout(20):
        await asyncio.gather(read(), *(write(number) for number in range(wanted)))
    assert sorted(int(told.object_id[2:]) for told in seen) == [number for number in range(wanted) if number % 10 != 3]
    assert [told.seq for told in seen] == sorted(told.seq for told in seen)
    await engine.dispose()


async def test_what_is_old_is_forgotten_but_never_where_the_channel_is(database: str) -> None:
    engine = make_engine(database)
    sessions = make_sessions(engine)
    source = Channel(sessions, {})
    async with sessions() as session:
        for at_ms in (0, 1000, 2000):
            last = await channel.append(session, "incident", "i", "lift-1", at_ms)
        await session.commit()
    assert await source.trim(KEEP_MS + 1500) == 2
    assert await source.bounds() == (last, last)
    assert await source.trim(9 * KEEP_MS) == 0
    async with sessions() as session:
        assert await channel.append(session, "incident", "i", "lift-1", 0) == last + 1
        await session.commit()
    assert [(told.seq, told.object_id) for told in await source.newest_of_each(last - 2, last + 1, 9)] == [
        (last + 1, "i")
    ]
    await engine.dispose()


def tell(client: Cloud, lift: dict[str, Any], *incidents: dict[str, Any]) -> None:
    with client.websocket_connect(LINK) as socket:
        socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [lift]})
        socket.receive_json()
        for found in incidents:
            socket.send_json({"type": "incident", "incident": found})
            socket.receive_json()


def test_a_restart_knows_the_lifts_and_replays_what_a_viewer_missed(database: str) -> None:
    levels = {"floor_levels_mm": [0, 4200], "latitude_deg": 30.27, "longitude_deg": 120.11}
    with Cloud(database) as client:
        tell(
            client, record("lift-1", stops=2, **levels), incident("i-1"), incident("i-2"), incident("i-1", 2, "closed")
        )
    with Cloud(database) as client:
        (lift,) = client.get("/api/v1/lifts").json()
        assert (lift["name"], lift["quality"], lift["state"]["floor"]) == ("梯 lift-1", "unknown", None)
        assert {name: lift[name] for name in levels} == levels
        (gateway,) = client.get("/api/v1/gateways").json()["gateways"]
        assert (gateway["id"], gateway["connected"]) == ("g-1", False)
        assert client.portal is not None
        headers = {"authorization": client.headers["authorization"], "last-event-id": "1"}
        _, text = client.portal.call(first_chunk, client.app, headers, b"incident")
        told = [
            json.loads(part.split("data: ")[1]) for part in text.decode().split("\n\n") if "event: incident" in part
        ]
        assert [(found["id"], found["phase"]) for found in told] == [("i-2", "open"), ("i-1", "closed")]


def test_a_field_of_a_record_that_cannot_be_used_is_told_and_loses_nothing_else(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        odd = record("lift-1", rescue_code="33011", latitude_deg=300.0)
        socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [odd, record("lift-2")]})
        assert "latitude_deg, rescue_code" in socket.receive_json()["detail"]
        assert socket.receive_json()["type"] == "welcome"
        first, second = client.get("/api/v1/lifts").json()
        assert (first["name"], first["rescue_code"], first["latitude_deg"]) == ("梯 lift-1", "", None)
        assert second["rescue_code"] == "330117"


@pytest.mark.parametrize(("scope", "found"), [(EVERYTHING, "lift-1"), (NOTHING, None)])
def test_a_lift_is_found_by_the_code_on_its_plate(client: Cloud, scope: Scope, found: str | None) -> None:
    tell(client, record("lift-1", rescue_code="330200"))
    row = client.run(lambda session: lifts.by_code(session, scope, "330200"))
    assert (row and row.id) == found
    assert client.run(lambda session: lifts.by_code(session, scope, "330201")) is None
    assert client.run(lambda session: lifts.by_code(session, scope, "")) is None
