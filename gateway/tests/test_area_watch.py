"""Area events and silent nodes in a whole gateway: stored, marked, told, over restarts, to cities, as evidence, forgotten."""

import asyncio
import contextlib
import pathlib
import sqlite3
import time
from typing import Any

import pytest

from gateway import area_incident, area_store, area_watch, live, offline, own_events
from gateway import evidence as chain
from gateway import journal as jobs
from gateway.config import CITIES, CityRef
from gateway.store_watch import prune
from gateway.tests.alone import Gateway
from gateway.tests.test_stores import event
from hil_tests.city_mock.server import CityMock

NEVER_MS = 3_600_000


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(area_incident, "GATHER_MS", 100)
    monkeypatch.setattr(area_incident, "FIRST_GAP_MS", 50)
    monkeypatch.setattr(area_incident, "HOLD_MS", 500)
    monkeypatch.setattr(area_watch, "ROUND_S", 0.02)
    monkeypatch.setattr(offline, "HOLD_MS", 200)


async def told(gateway: Gateway, kind: str, phase: str | None = None, **more: Any) -> dict[str, Any]:
    """The incident of that kind as the cloud is told, once it is in `phase` and has `more`."""
    async with asyncio.timeout(15):
        while True:
            for incident in (await gateway.incidents()).values():
                if incident["kind"] != kind or phase not in (None, incident["phase"]):
                    continue
                if all(incident[name] == value for name, value in more.items()):
                    return incident
            await asyncio.sleep(0.02)


async def cut(gateway: Gateway, lifts: int, passenger_in: str) -> None:
    """All lifts lose their mains; somebody is in one of them."""
    for number in range(lifts):
        lift = f"lift-{number + 1}"
        await gateway.state(lift, 1, mains=True, passenger=lift == passenger_in, car_status=0, door_zone=True, floor=2)
    for number in range(lifts):
        await gateway.message(1, f"lift-{number + 1}", "mains_lost")


async def test_a_power_cut_is_one_incident_with_its_members_and_each_of_their_incidents_names_it(
    tmp_path: pathlib.Path,
) -> None:
    async with Gateway(tmp_path, lifts=5) as gateway:
        await cut(gateway, 5, "lift-4")
        area = await told(gateway, "area_power_cut")
        assert (area["lift"], area["class"], area["severity"], area["phase"]) == ("g", "event", 3, "open")
        assert [(m["lift"], m["class"]) for m in area["members"]][:2] == [("lift-4", "occupied"), ("lift-1", "empty")]
        first = area["members"][0]
        assert (first["passenger"], first["floor"], first["live"], first["incident"]) == (True, 2, True, "lift-4-1-1")
        await gateway.message(2, "lift-2", "trapped_in_power_cut")
        area = await told(gateway, "area_power_cut", "updated", severity=4)
        assert [(m["lift"], m["class"], m["reason"]) for m in area["members"]][:2] == [
            ("lift-2", "alarm", "trapped_in_power_cut"), ("lift-4", "occupied", "passenger_seen"),
        ]  # fmt: skip
        trapped = await told(gateway, "trapped_in_power_cut", area=area["id"])
        assert trapped["members"] == [] and trapped["rev"] == 1, "its own revision stays what its node told"
        marked = [one for one in (await gateway.incidents()).values() if one["area"] == area["id"]]
        assert len(marked) == 6
        assert gateway.service.values()["areas_open"] == 1 and gateway.service.values()["area_members"] == 5


async def test_a_restart_goes_on_with_the_same_area_until_its_last_member_is_well(tmp_path: pathlib.Path) -> None:
    async with Gateway(tmp_path, lifts=3) as gateway:
        await cut(gateway, 3, "lift-3")
        area = await told(gateway, "area_power_cut")
        await told(gateway, "mains_lost", area=area["id"])
    async with Gateway(tmp_path, lifts=3) as gateway:
        await gateway.until(lambda: gateway.service.values()["areas_open"] == 1)
        again = await told(gateway, "area_power_cut")
        assert (again["id"], again["rev"]) == (area["id"], area["rev"]), "nothing is new, so nothing is told"
        for number in (1, 2, 3):
            end = {"rev": 2, "phase": "closed", "closed_up_ms": 1500, "up_ms": 2000}
            await gateway.message(1, f"lift-{number}", "mains_lost", **end)
        last = await told(gateway, "area_power_cut", "closed")
        assert last["id"] == area["id"] and {m["class"] for m in last["members"]} == {"ended"}
        assert last["closed_at_ms"] is not None and last["snapshot"]["ended"] == 3
    async with Gateway(tmp_path, lifts=3) as gateway:
        await asyncio.sleep(0.3)
        assert gateway.service.values()["areas_open"] == 0


async def test_nodes_that_fall_silent_are_incidents_and_one_area_and_no_node_is_told_of_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Gateway(tmp_path, lifts=4) as gateway:
        for number in (1, 2, 3, 4):
            await gateway.state(f"lift-{number}", 1, mains=True, passenger=number == 2, car_status=0, door_zone=True)
        monkeypatch.setattr(live, "OFFLINE_AFTER_SILENCE_MS", 0)
        monkeypatch.setattr(live, "STALE_PERIODS", 0)
        area = await told(gateway, "area_silence")
        assert area["cause"] == "broker", "there is none: our own way is down"
        assert [m["class"] for m in area["members"]] == ["occupied", "empty", "empty", "empty"]
        assert area["members"][0]["lift"] == "lift-2"
        assert area["severity"] == 2, "its lifts may run as ever"
        silent = await told(gateway, "node_offline", area=area["id"], lift="lift-2")
        assert silent["id"].startswith("g-") and silent["last_known"]["passenger"] is True
        gateway.acks.clear()
        monkeypatch.setattr(live, "OFFLINE_AFTER_SILENCE_MS", 30_000)
        monkeypatch.setattr(live, "STALE_PERIODS", 3)
        for seq in range(2, 40):
            for number in (1, 2, 3, 4):
                await gateway.state(f"lift-{number}", seq, mains=True, passenger=False, car_status=0, door_zone=True)
            await asyncio.sleep(0.05)
        await told(gateway, "node_offline", "closed", lift="lift-2")
        assert gateway.receipted() == set() and all(ack["boot"] == 1 for ack in gateway.acks)
    async with Gateway(tmp_path, lifts=4) as gateway:
        await gateway.state("lift-2", 50)
        end = gateway.service.lifts.known("lift-2")
        assert end is not None and end.intake.boot == 1, "an id of the gateway's is no boot of the node"


async def test_hundreds_of_lifts_at_once_are_two_revisions_and_each_of_their_incidents_is_marked(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(area_incident, "GATHER_MS", 1000)
    monkeypatch.setattr(area_incident, "FIRST_GAP_MS", 2000)
    async with Gateway(tmp_path, lifts=300) as gateway:
        await cut(gateway, 300, "lift-200")
        area = await told(gateway, "area_power_cut")
        await gateway.until(lambda: gateway.service.values()["area_members"] == 300)
        await gateway.until(lambda: gateway.service.values()["area_marks_waiting"] == 0)
        found = (await gateway.incidents()).values()
        assert sum(incident["area"] == area["id"] for incident in found) == 300
        (area,) = [incident for incident in found if incident["kind"] == "area_power_cut"]
        assert area["rev"] <= 3 and area["members"][0]["lift"] == "lift-200"


async def test_lifts_that_were_taken_out_of_the_configuration_hold_nothing_open(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Gateway(tmp_path, lifts=3) as gateway:
        await cut(gateway, 3, "lift-3")
        monkeypatch.setattr(live, "OFFLINE_AFTER_SILENCE_MS", 0)
        monkeypatch.setattr(live, "STALE_PERIODS", 0)
        await told(gateway, "area_power_cut")
        for number in (1, 2, 3):
            await told(gateway, "node_offline", "open", lift=f"lift-{number}")
    monkeypatch.setattr(live, "OFFLINE_AFTER_SILENCE_MS", 30_000)
    monkeypatch.setattr(live, "STALE_PERIODS", 3)
    monkeypatch.setattr(area_watch, "UNHEARD_MS", 300)
    async with Gateway(tmp_path, lifts=0) as gateway:
        for number in (1, 2, 3):
            await told(gateway, "node_offline", "closed", lift=f"lift-{number}")
        await told(gateway, "area_power_cut", "closed")


async def test_a_city_gets_of_an_area_what_its_file_has_a_code_for(tmp_path: pathlib.Path) -> None:
    city = CityMock()
    await city.start()
    file = tmp_path / "city.toml"
    file.write_text((CITIES / "shanghai_like.toml").read_text() + '\narea_power_cut = "9"\n')
    try:
        refs = [CityRef(str(file), city.platform_url)]
        async with Gateway(tmp_path, lifts=3, city=refs) as gateway:
            await cut(gateway, 3, "lift-1")
            area = await told(gateway, "area_power_cut")
            await gateway.until(lambda: (area["id"], 1) in city.received)
            body = city.received[(area["id"], 1)]["body"]
            assert (body["failureCode"], body["liftId"]) == ("9", "g")
            told_of = {entry["paramCode"]: entry["paramValue"] for entry in body["statusDetails"]}
            assert (told_of["lifts"], told_of["occupied"], told_of["site"]) == ("3", "1", "s")
        async with Gateway(
            tmp_path / "other", lifts=3, city=[CityRef("shanghai_like.toml", city.platform_url)]
        ) as gateway:
            await cut(gateway, 3, "lift-1")
            area = await told(gateway, "area_power_cut")
            await gateway.until(lambda: ("lift-3-1-1", 1) in city.received)
            await gateway.until(lambda: gateway.service.values()["unbooked"] == 0)
            deliveries = (await told(gateway, "area_power_cut"))["deliveries"]
            assert [entry["state"] for entry in deliveries] == ["not_mapped"]
            assert (area["id"], 1) not in city.received
    finally:
        await city.stop()


async def test_the_evidence_of_an_area_says_who_was_in_it_when_and_holds(tmp_path: pathlib.Path) -> None:
    async with Gateway(tmp_path, lifts=3) as gateway:
        await cut(gateway, 3, "lift-1")
        await told(gateway, "area_power_cut")
        await gateway.message(2, "lift-3", "button_pressed")
        area = await told(gateway, "area_power_cut", "updated")
        document = await asyncio.to_thread(chain.export, tmp_path, "g", area["id"], 1)
        assert chain.verify(document) == []
        revisions = [step["event"] for step in document["steps"] if step["what"] == "revision"]
        assert [[m["class"] for m in revision["members"]] for revision in revisions] == [
            ["occupied", "empty", "empty"], ["alarm", "occupied", "empty"],
        ]  # fmt: skip
        assert "area_power_cut updated" in chain.summary(document)
        member = await asyncio.to_thread(chain.export, tmp_path, "g", "lift-1-1-1", 1)
        assert chain.verify(member) == []
        assert {"what": "area", "rev": 1, "area": area["id"]} in member["steps"]


async def test_what_is_over_is_forgotten_with_its_marks_and_an_open_area_keeps_its_members(
    tmp_path: pathlib.Path,
) -> None:
    async with Gateway(tmp_path, lifts=3) as gateway:
        await cut(gateway, 3, "lift-1")
        area = await told(gateway, "area_power_cut")
        for number in (1, 2, 3):
            await told(gateway, "mains_lost", area=area["id"], lift=f"lift-{number}")
        assert await gateway.service.journal.ask(prune(NEVER_MS * 10**6, False, False)) == 0
        for number in (1, 2, 3):
            end = {"rev": 2, "phase": "closed", "closed_up_ms": 1500, "up_ms": 2000}
            await gateway.message(1, f"lift-{number}", "mains_lost", **end)
        await told(gateway, "area_power_cut", "closed")
        assert await gateway.service.journal.ask(prune(NEVER_MS * 10**6, False, False)) == 4
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as database:
        for table in ("revision", "incident", "delivery", "member"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


async def test_what_came_before_the_journal_said_what_was_open_is_not_lost(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, told_at = area_store.held, asyncio.Event()

    def slow(since_ms: int) -> jobs.Job:
        job = held(since_ms)

        def later(database: sqlite3.Connection) -> Any:
            found = job(database)
            time.sleep(0.3)  # in the journal's thread; the loop goes on
            return found

        told_at.set()
        return later

    monkeypatch.setattr(area_store, "held", slow)
    async with Gateway(tmp_path, lifts=3) as gateway:
        await told_at.wait()
        for number in (1, 2, 3):
            gateway.service.areas.offer(
                {**event(f"lift-{number}-1-1", kind="mains_lost"), "lift": f"lift-{number}", "class": "event"}
            )
        assert gateway.service.values()["areas_open"] == 0
        await gateway.until(lambda: gateway.service.values()["areas_open"] == 1)


async def test_the_gateway_s_own_incidents_have_ids_that_no_node_can_have_given(tmp_path: pathlib.Path) -> None:
    async with Gateway(tmp_path) as gateway:
        assert gateway.service.lifts.at("s", "g") is None, "a lift of the gateway's name is refused"
        names = {own_events.own_id("g", 1_795_000_000_123, slot) for slot in (0, 1, 10, 999_999)}
        assert names == {f"g-1795000000-{n}" for n in (123_000_000, 123_000_001, 123_000_010, 123_999_999)}
        assert [own_events.is_of(name, "lift-1") for name in ("lift-1-2-3", "g-1-2", "lift-12-1-1", "x")] == [
            True, False, False, False,
        ]  # fmt: skip
