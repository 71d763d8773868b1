"""The link to a cloud that receipts late, never, or the wrong version: its cursor moves on receipts only, and no alarm waits."""

import asyncio
import json
import pathlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway import cloud_link
from gateway import journal as jobs
from gateway.cloud_link import CloudLink
from gateway.journal import Journal
from gateway.tests.test_stores import event


class Cloud:
    """A cloud by rule: `receipt(incident)` is the version that it receipts, None for none."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.health: list[dict[str, Any]] = []
        self.receipt: Callable[[dict[str, Any]], int | None] = lambda incident: int(incident["version"])
        self.sockets: list[web.WebSocketResponse] = []
        self.token = "token-of-g"

    async def start(self) -> str:
        app = web.Application()
        app.router.add_get("/api/v1/gateways/g/link", self._link)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self.cut()
        await self._runner.cleanup()

    async def cut(self) -> None:
        for socket in self.sockets:
            await socket.close()

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPForbidden
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            found = json.loads(message.data)
            if found["type"] == "health":
                self.health += found["lifts"]
            if found["type"] != "incident":
                continue
            incident = found["incident"]
            self.got.append((incident["id"], incident["version"]))
            version = self.receipt(incident)
            if version is not None:
                await socket.send_json({"type": "receipt", "id": incident["id"], "version": version})
        return socket


class Linked:
    """A journal, a cloud, and the link between them."""

    def __init__(self, path: pathlib.Path, cloud: Cloud, url: str) -> None:
        self.journal = Journal(path)
        self.cloud = cloud
        self.link = CloudLink(
            url, "token-of-g", "g", lambda: {"gateway": "g", "lifts": []}, lambda full: [],
            lambda *wanted: self.journal.ask(jobs.behind_cloud(*wanted)), self._receipted, self._answer, self._health,
        )  # fmt: skip

    def _receipted(self, name: str, version: int) -> None:
        self.journal.submit(jobs.cloud_has(name, version), lambda result, error: None)

    async def _answer(self, query: dict[str, Any]) -> dict[str, Any]:
        return {}

    async def _health(self, again: bool) -> list[dict[str, Any]]:
        return [{"lift": "lift-1"}] if again else []

    async def store(self, name: str) -> None:
        """A new alarm, committed."""
        await self.journal.ask(jobs.store_revision(event(name)))
        self.link.wake(name)

    async def behind(self) -> list[str]:
        """What the journal holds that the cloud has not receipted."""
        found, _ = await self.journal.ask(jobs.behind_cloud([], {}, "", 10_000))
        return [incident["id"] for incident in found]


@pytest.fixture
async def linked(tmp_path: pathlib.Path) -> AsyncIterator[Linked]:
    cloud = Cloud()
    url = await cloud.start()
    linked = Linked(tmp_path / "journal.db", cloud, url)
    async with aiohttp.ClientSession() as session:
        running = asyncio.create_task(linked.link.run(session))
        yield linked
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await cloud.stop()
    await asyncio.to_thread(linked.journal.close)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_link, "RETRY_FIRST_S", 0.01)


async def eventually(holds: Callable[[], bool], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110  what is waited for happens in threads and at the cloud
            await asyncio.sleep(0.005)


async def test_without_a_receipt_an_incident_is_told_again_over_the_same_link_and_over_the_next(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_link, "RESEND_S", 0.1)
    linked.cloud.receipt = lambda incident: None
    await linked.store("lift-1-1-1")
    await eventually(lambda: len(linked.cloud.got) > 2)
    await linked.cloud.cut()
    told = len(linked.cloud.got)
    await eventually(lambda: len(linked.cloud.got) > told)
    assert await linked.behind() == ["lift-1-1-1"]
    linked.cloud.receipt = lambda incident: int(incident["version"])
    await linked.cloud.cut()
    told = len(linked.cloud.got)
    await eventually(lambda: len(linked.cloud.got) > told)
    await eventually(lambda: linked.link.counters["receipts"] > 0)
    assert await linked.behind() == []


async def test_a_receipt_of_an_older_version_is_none_of_the_newest(linked: Linked) -> None:
    linked.cloud.receipt = lambda incident: int(incident["version"]) - 1
    await linked.store("lift-1-1-1")
    await eventually(lambda: linked.link.counters["receipts"] > 0)
    assert await linked.behind() == ["lift-1-1-1"]


async def test_a_new_alarm_waits_behind_no_backlog_of_a_cloud_that_comes_back(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sending again is the clock's business, and another test's.
    monkeypatch.setattr(cloud_link, "RESEND_S", 600.0)
    linked.cloud.receipt = lambda incident: None
    await eventually(lambda: linked.link.up)
    backlog = [event(f"lift-1-1-{number + 1}") for number in range(2000)]
    await asyncio.gather(*(linked.journal.ask(jobs.store_revision(entry)) for entry in backlog))
    linked.cloud.got.clear()
    linked.cloud.receipt = lambda incident: int(incident["version"])
    await linked.cloud.cut()
    await eventually(lambda: len(linked.cloud.got) > 100)
    await linked.store("z-9-1-1")  # the last in every order but that of urgency
    at = len(linked.cloud.got)
    await eventually(lambda: "z-9-1-1" in [name for name, _ in linked.cloud.got])
    assert [name for name, _ in linked.cloud.got].index("z-9-1-1") - at <= 2 * cloud_link.IN_FLIGHT
    await eventually(lambda: len({name for name, _ in linked.cloud.got}) == 2001, 40)
    assert len(linked.cloud.got) == 2001  # each of them once
    async with asyncio.timeout(10):
        while await linked.behind():  # noqa: ASYNC110  the last receipts are on their way
            await asyncio.sleep(0.005)


async def test_somebody_in_danger_goes_before_a_thousand_others_that_are_just_as_new(linked: Linked) -> None:
    linked.cloud.receipt = lambda incident: int(incident["version"])
    await eventually(lambda: linked.link.up)
    others = [event(f"lift-1-1-{number + 1}") for number in range(2 * cloud_link.FRESH)]
    await asyncio.gather(*(linked.journal.ask(jobs.store_revision(entry)) for entry in others))
    linked.cloud.got.clear()
    for entry in others:  # a power cut over many lifts
        linked.link.wake(entry["id"])
    linked.link.first("z-9-1-1")
    await linked.store("z-9-1-1")
    await eventually(lambda: "z-9-1-1" in [name for name, _ in linked.cloud.got])
    assert [name for name, _ in linked.cloud.got].index("z-9-1-1") <= 2 * cloud_link.IN_FLIGHT


async def test_incidents_that_a_cloud_never_receipts_hold_up_no_others(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_link, "RESEND_S", 0.1)
    linked.cloud.receipt = lambda incident: None if incident["id"].startswith("lift-1") else int(incident["version"])
    for number in range(2 * cloud_link.IN_FLIGHT):
        await linked.journal.ask(jobs.store_revision(event(f"lift-1-1-{number + 1}")))
    for number in range(20):
        await linked.journal.ask(jobs.store_revision(event(f"lift-2-1-{number + 1}")))
    await linked.cloud.cut()
    await eventually(lambda: sum(name.startswith("lift-2") for name, _ in linked.cloud.got) == 20)


async def test_a_cloud_that_does_not_take_the_token_is_told_once_and_gets_everything_when_it_does(
    linked: Linked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    linked.cloud.token = "another"
    await linked.cloud.cut()
    await linked.store("lift-1-1-1")
    await eventually(lambda: linked.link.counters["refused"] > 2)
    assert [r.message for r in caplog.records if "does not take our token" in r.message][1:] == []
    assert await linked.behind() != []
    linked.cloud.token = "token-of-g"
    await eventually(lambda: "lift-1-1-1" in [name for name, _ in linked.cloud.got])


async def test_the_health_of_all_lifts_is_told_once_a_connection_and_again_over_the_next(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_link, "HEALTH_S", 0.01)
    await eventually(lambda: len(linked.cloud.health) == 1)
    await linked.cloud.cut()
    await eventually(lambda: len(linked.cloud.health) == 2)
    await asyncio.sleep(0.1)
    assert linked.cloud.health == [{"lift": "lift-1"}] * 2
