"""The copy in InfluxDB against real servers that come late, die, crawl and fill up: every point arrives."""

import contextlib
import pathlib
import queue
from collections.abc import Callable

import pytest

from gateway import influx as influx_module
from gateway import influx_copy
from gateway.tests.influx_rig import PER_BATCH, Copying, Source, ask
from hil_tests import services
from hil_tests.disk import NoDisk, SmallDisk
from hil_tests.http_proxy import HttpProxy, Trouble

pytestmark = [pytest.mark.chain, pytest.mark.usefixtures("quick_copy")]


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


def test_a_server_whose_disk_was_full_has_every_point_once_it_runs_with_room_again(
    tmp_path: pathlib.Path, source: Source
) -> None:
    try:
        disk = SmallDisk(tmp_path / "disk", 40)
    except NoDisk as error:
        pytest.skip(str(error))
    child, port = services.influxd(disk.path)
    child.start(lambda: services.listens(port))
    try:
        with Copying(source, port) as copying:
            source.fill(20)
            copying.until_even()
            disk.fill()
            source.fill(100)
            services.wait_until(lambda: copying.counter("failures") > 3, 20, "a failure")
            assert copying.counter("records") < 120 * PER_BATCH
            disk.free()
            child.kill()  # 1.6.7 goes on refusing when there is room again, until somebody starts it anew
            child.start(lambda: services.listens(port))
            copying.until_even()
            copying.assert_all_is_there(port)
            assert copying.counter("quarantined") == 0
    finally:
        child.stop()
        disk.close()


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
