"""The copy in InfluxDB against real servers that come late, die, crawl, fill up and refuse: every point arrives, or is put aside."""

import asyncio
import contextlib
import json
import pathlib
import queue
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway import influx as influx_module
from gateway import influx_copy
from gateway.config import Config, Gateway, Lift
from gateway.config import Influx as InfluxConfig
from gateway.influx import Server
from gateway.influx_copy import InfluxCopy
from gateway.locallog import LocalLog, Stored
from gateway.service import Service
from hil_tests import services
from hil_tests.http_proxy import HttpProxy, Trouble
from protocols.records import Batch, BatchWriter

pytestmark = pytest.mark.chain

T0_MS = 1_700_000_000_000
PER_BATCH = 100
LATE_MS = 2_000_000_000_000


class Source:
    """A local log, and what was put into it."""

    def __init__(self, path: pathlib.Path, max_bytes: int = 100_000_000) -> None:
        self.log = LocalLog(path, max_bytes, self._stored)
        self.number = self.stored = 0

    def _stored(self, entries: list[Stored], ok: bool) -> None:
        assert ok
        self.stored += len(entries)

    def commit(self) -> None:
        """Wait until all is stored."""
        services.wait_until(lambda: self.stored == self.number, 20, "the log's commit")

    def put(self, records: list[dict[str, Any]], offset_ms: int = T0_MS) -> None:
        """One batch of `records`, a second apart."""
        self.number += 1
        up_ms = self.number * PER_BATCH * 1000
        writer = BatchWriter(1, self.number, 1, up_ms, 0)
        for at, changes in enumerate(records):
            assert writer.add(up_ms + at * 1000, changes)
        last_ms = offset_ms + up_ms + (len(records) - 1) * 1000
        entry = Stored("lift-1", Batch(writer.close(), 1), offset_ms, last_ms, [], 1, True)
        while not self.log.put(entry):
            time.sleep(0.01)

    def fill(self, batches: int) -> int:
        """Ordinary batches; how many records."""
        for _ in range(batches):
            self.put([{"floor": 1 + at % 6, "mains": at % 9 != 0} for at in range(PER_BATCH)])
        self.commit()
        return batches * PER_BATCH

    def history(self, field: str) -> list[Any]:
        return list(self.log.reader().history("lift-1", 0, LATE_MS, [field], 1_000_000)["fields"][field])


class Copying:
    """A copy that runs while the test looks at it."""

    def __init__(self, source: Source, port: int, **config: Any) -> None:
        self.config = InfluxConfig(f"http://127.0.0.1:{port}", "test", records_per_s=10_000_000, **config)
        self.source = source
        self.copy = InfluxCopy(Server(self.config), source.log, lambda lift: "s", self.config.records_per_s)

    def __enter__(self) -> "Copying":  # noqa: PYI034  it is never subclassed
        self.copy.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.copy.stop()

    def counter(self, name: str) -> int:
        return self.copy.counters[name]

    def until_even(self, timeout_s: float = 40) -> None:
        services.wait_until(lambda: self.copy.row == self.source.log.newest_row, timeout_s, "the copy")
        assert self.source.log.reader().cursor("influx") == self.copy.row

    def at_server(self, port: int, field: str) -> list[Any]:
        server = Server(InfluxConfig(f"http://127.0.0.1:{port}", "test"))
        return list(server.history("lift-1", 0, LATE_MS, [field], 1_000_000)["fields"][field])

    def assert_all_is_there(self, port: int) -> None:
        for field in ("floor", "mains"):
            assert self.at_server(port, field) == self.source.history(field)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx_copy, "RETRY_S", 0.05)
    monkeypatch.setattr(influx_copy, "IDLE_S", 0.02)


@pytest.fixture
def source(tmp_path: pathlib.Path) -> Iterator[Source]:
    source = Source(tmp_path / "log.db")
    yield source
    source.log.close()


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that runs through all tests of this file."""
    child, port = services.influxd(tmp_path_factory.mktemp("influxd"))
    child.start(lambda: services.listens(port))
    yield port
    child.stop()


@pytest.fixture
def port(influxd: int) -> int:
    """The same, with nothing of ours in it."""
    ask(influxd, "DROP DATABASE test")
    return influxd


@pytest.fixture
def proxy(port: int) -> Iterator[HttpProxy]:
    proxy = HttpProxy(port)
    yield proxy
    proxy.close()


def ask(port: int, text: str) -> None:
    Server(InfluxConfig(f"http://127.0.0.1:{port}", "test"))._call("POST", "/query", [("q", text)])


def seed(port: int, text: str) -> None:
    ask(port, "CREATE DATABASE test")
    Server(InfluxConfig(f"http://127.0.0.1:{port}", "test")).write([text.encode()])


def after(count: int, answer: Callable[[int], Trouble]) -> Callable[[int, str], Trouble | None]:
    """Trouble of `count` writes, each as `answer(number)` says, then none."""
    left = iter(range(1, count + 1))

    def trouble(number: int, path: str) -> Trouble | None:
        if not path.startswith("/write"):
            return None
        nth = next(left, None)
        return None if nth is None else answer(nth)

    return trouble


def test_it_waits_for_a_server_that_is_down_at_the_start(tmp_path: pathlib.Path, source: Source) -> None:
    child, port = services.influxd(tmp_path)
    source.fill(10)
    with Copying(source, port) as copying:
        services.wait_until(lambda: copying.counter("failures") > 3, 5, "a failure")
        assert copying.copy.row == source.log.reader().cursor("influx")
        assert copying.counter("records") == 0
        child.start(lambda: services.listens(port))
        try:
            copying.until_even()
            copying.assert_all_is_there(port)
        finally:
            child.stop()


def test_a_server_killed_in_the_middle_of_batches_has_every_point_in_the_end(
    tmp_path: pathlib.Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx_copy, "BATCHES", 4)
    child, port = services.influxd(tmp_path)
    child.start(lambda: services.listens(port))
    proxy = HttpProxy(port)
    wanted: queue.Queue[bool] = queue.Queue()
    killed: queue.Queue[bool] = queue.Queue()

    def kill() -> None:  # by the thread of the test: a child ends with the thread that started it
        wanted.put(True)
        killed.get(timeout=30)

    def trouble(number: int, path: str) -> Trouble | None:
        if number % 9 or not path.startswith("/write"):
            return None
        # Before this write is passed on; the next time behind it, its answer lost.
        if number % 2:
            kill()
            return Trouble(0)
        return Trouble(0, forwarded=True, behind=kill)

    proxy.trouble = trouble
    source.fill(120)
    kills = 0
    try:
        with Copying(source, proxy.port) as copying:
            while copying.copy.row != source.log.newest_row:
                with contextlib.suppress(queue.Empty):
                    wanted.get(timeout=0.1)
                    child.kill()
                    child.start(lambda: services.listens(port))
                    killed.put(True)
                    kills += 1
            copying.until_even()
            assert kills >= 3
            assert copying.counter("failures") >= kills
            copying.assert_all_is_there(port)
            assert copying.counter("quarantined") == 0
    finally:
        proxy.close()
        child.stop()


def test_a_server_that_dies_while_it_stores_has_every_point_in_the_end(tmp_path: pathlib.Path, source: Source) -> None:
    child, port = services.influxd(tmp_path)
    child.start(lambda: services.listens(port))
    source.fill(400)
    try:
        with Copying(source, port) as copying:
            for share in (0.1, 0.3, 0.6):
                wanted = int(share * 400 * PER_BATCH)
                services.wait_until(lambda: copying.counter("records") >= wanted, 20, "a share")  # noqa: B023  waited for here
                child.kill()
                child.start(lambda: services.listens(port))
            copying.until_even()
            copying.assert_all_is_there(port)
    finally:
        child.stop()


def test_a_server_that_crawls_gets_less_at_a_time_until_it_can_answer(
    proxy: HttpProxy, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx_module, "TIMEOUT_S", 0.5)
    source.fill(60)
    # A whole request of 40 batches would take four seconds.
    proxy.bytes_per_s = 50_000
    with Copying(source, proxy.port) as copying:
        services.wait_until(lambda: copying.counter("records") > 0, 20, "the first receipt")
        assert copying.counter("failures") > 0
        assert copying.copy._batches < influx_copy.BATCHES
        proxy.bytes_per_s = None
        copying.until_even()
        copying.assert_all_is_there(proxy.target_port)


@pytest.mark.parametrize("forwarded", [False, True])
@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, '{"error":"write /wal/_00001.wal: no space left on device"}'),
        (500, '{"error":"partial write: engine: cache-max-memory-size exceeded dropped=7"}'),
        (503, "<html>overloaded</html>"),
        (400, "<html>400 Bad Request</html>"),
        (200, "<html>please log in</html>"),
        (0, ""),
    ],
)
def test_a_server_that_is_full_or_hidden_costs_no_point(
    proxy: HttpProxy, source: Source, status: int, text: str, forwarded: bool
) -> None:
    proxy.trouble = after(4, lambda nth: Trouble(status, text, forwarded))
    source.fill(30)
    with Copying(source, proxy.port) as copying:
        copying.until_even()
        assert copying.counter("failures") == 4
        assert copying.counter("quarantined") == 0
        copying.assert_all_is_there(proxy.target_port)


def test_a_request_that_is_too_large_is_halved(proxy: HttpProxy, source: Source) -> None:
    proxy.most_bytes = 20_000
    source.fill(30)
    with Copying(source, proxy.port) as copying:
        copying.until_even()
        copying.assert_all_is_there(proxy.target_port)
        assert copying.counter("quarantined") == 0


def test_a_database_that_is_dropped_is_made_again(port: int, source: Source) -> None:
    with Copying(source, port) as copying:
        source.fill(10)
        copying.until_even()
        ask(port, "DROP DATABASE test")
        source.fill(10)
        copying.until_even()
        assert copying.at_server(port, "floor") == source.history("floor")[1000:]


def with_one_bad(source: Source, bad: str) -> None:
    """5,000 records, of which one cannot be stored."""
    for number in range(1, 51):
        records: list[dict[str, Any]] = [{"floor": 1 + at % 6} for at in range(PER_BATCH)]
        if number == 23 and bad == "type":
            records[41]["load_permille"] = 500
        if number == 23 and bad == "time":
            source.put(records[1:])
            source.put(records[:1], offset_ms=10**14)
        else:
            source.put(records)
    source.commit()


BAD = pytest.mark.parametrize(
    ("bad", "floors", "reason", "line"),
    [
        ("type", 5000, "field type conflict", f"load_permille=500i {T0_MS + 23 * 100_000 + 41_000}"),
        ("time", 4999, "time outside range", "floor=1i 10000000"),
    ],
)


@BAD
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_of_5000_records_with_a_bad_one_4999_are_stored_and_one_is_quarantined(
    port: int, source: Source, api: str, bad: str, floors: int, reason: str, line: str
) -> None:
    seed(port, f'lift,lift=lift-1,site=s load_permille="much" {T0_MS}')
    proxy = HttpProxy(port, speaks_v2=True)
    with_one_bad(source, bad)
    try:
        with Copying(source, proxy.port, api=api, org="o", token="t") as copying:
            copying.until_even()
            assert copying.counter("quarantined") == 1
            assert copying.counter("records") == 5000
            assert copying.counter("failures") == 0
            # Only the value that does not fit is put aside; what else its record says is stored.
            assert len(copying.at_server(port, "floor")) == floors
            assert len(copying.at_server(port, "load_permille")) == 1
            (put_aside,) = source.log.reader().quarantined(10)
        assert put_aside["lift"] == "lift-1"
        assert reason in put_aside["reason"]
        assert line in put_aside["line"]
        assert proxy.posts < 80
        assert proxy.tokens == {"Token t"}
    finally:
        proxy.close()


def test_a_field_whose_type_another_writer_took_costs_no_other_field_and_no_flood_of_requests(
    proxy: HttpProxy, port: int, source: Source
) -> None:
    seed(port, f'lift,lift=lift-1,site=s speed_mm_s="fast" {T0_MS}')
    for _ in range(50):
        source.put([{"floor": 2, "speed_mm_s": 100 + at} for at in range(PER_BATCH)])
    source.commit()
    with Copying(source, proxy.port) as copying:
        copying.until_even()
        assert copying.at_server(port, "floor") == source.history("floor")
        assert len(copying.at_server(port, "speed_mm_s")) == 1
        assert copying.counter("quarantined") == 5000
        # The newest of them can be looked at.
        listed = source.log.reader().quarantined(5000)
        assert len(listed) == 1000
        assert listed[0]["line"].endswith(f"speed_mm_s=199i {T0_MS + 50 * 100_000 + 99_000}")
    assert proxy.posts < 40


def test_what_is_older_than_the_servers_retention_is_counted_and_not_put_aside(port: int, source: Source) -> None:
    ask(port, "CREATE DATABASE test WITH DURATION 2h")
    now_ms = time.time_ns() // 1_000_000
    source.put([{"floor": 2}] * 40, offset_ms=T0_MS)
    source.put([{"floor": 3}] * 60, offset_ms=now_ms - 1_000_000)
    source.commit()
    with Copying(source, port) as copying:
        copying.until_even()
        assert (copying.counter("expired"), copying.counter("quarantined")) == (40, 0)
        assert len(copying.at_server(port, "floor")) == 60


def test_history_that_the_log_had_to_drop_before_it_was_copied_is_counted(tmp_path: pathlib.Path, port: int) -> None:
    source = Source(tmp_path / "small.db", max_bytes=60_000)
    for _ in range(100):
        source.put([{"floor": 2}])
    source.commit()
    with Copying(source, port) as copying:
        copying.until_even()
        assert copying.counter("records") == 100
    for _ in range(4000):
        source.put([{"floor": 3}])
    source.commit()
    with Copying(source, port) as copying:
        copying.until_even()
        held = source.log.reader().counted(0, source.log.newest_row)
        assert 0 < held < 4000
        assert copying.counter("missed_batches") == 4000 - held
        assert len(copying.at_server(port, "floor")) == 100 + held
    source.log.close()


def test_victoria_metrics_has_every_point_over_the_write_api_of_2x(tmp_path: pathlib.Path, source: Source) -> None:
    try:
        child, port = services.victoria_metrics(tmp_path)
    except services.StartError as error:
        pytest.skip(str(error))
    source.fill(50)
    source.put([{"speed_mm_s": 1_000, "floor": None, "direction": 1, "light_curtain": False}])
    source.commit()
    with Copying(source, port, api="v2") as copying:
        services.wait_until(lambda: copying.counter("failures") > 1, 5, "a failure")
        child.start(lambda: services.listens(port))
        try:
            copying.until_even()
            text(port, "/internal/force_flush")
            for field in ("floor", "mains", "speed_mm_s", "direction", "light_curtain"):
                wanted = [[t_ms, int(value)] for t_ms, value in source.history(field) if value is not None]
                assert wanted
                (series,) = map(json.loads, text(port, f"/api/v1/export?match[]=lift_{field}").splitlines())
                assert series["metric"] == {"__name__": f"lift_{field}", "lift": "lift-1", "site": "s"}
                assert [list(pair) for pair in zip(series["timestamps"], series["values"], strict=True)] == wanted
            # It answers 204 to a line that it cannot read and drops it: there must be none.
            assert 'vm_rows_invalid_total{type="influx"} 0' in text(port, "/metrics")
        finally:
            child.stop()


def text(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return str(response.read().decode())


async def test_the_gateway_shows_what_was_put_aside_as_a_metric_and_a_listing(
    tmp_path: pathlib.Path, port: int
) -> None:
    seed(port, f'lift,lift=lift-1,site=s load_permille="much" {T0_MS}')
    source = Source(tmp_path / "log.db")
    with_one_bad(source, "type")
    source.log.close()
    service = Service(
        Config(
            Gateway("g", str(tmp_path)),
            influx=InfluxConfig(f"http://127.0.0.1:{port}", "test"),
            lift=[Lift("lift-1", "s")],
        )
    )
    try:
        own = await service.start()

        def page(path: str) -> str:
            return text(own, path)

        async with asyncio.timeout(20):
            while 'name="influx_quarantined"} 1.0' not in await asyncio.to_thread(page, "/metrics"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        listed = json.loads(await asyncio.to_thread(page, "/quarantine"))["influx"]
        assert [entry["lift"] for entry in listed] == ["lift-1"]
        assert "field type conflict" in listed[0]["reason"]
        assert "load_permille=500i" in listed[0]["line"]
    finally:
        await service.stop()
