"""The copy in InfluxDB and what servers refuse or drop: only what does not fit is put aside, and nothing goes in silence."""

import asyncio
import json
import pathlib
import time
import urllib.request
from typing import Any

import pytest

from gateway.config import Config, Gateway, Lift
from gateway.config import Influx as InfluxConfig
from gateway.service import Service
from gateway.tests.influx_rig import PER_BATCH, T0_MS, Copying, Source, ask, seed
from hil_tests import services
from hil_tests.http_proxy import HttpProxy

pytestmark = [pytest.mark.chain, pytest.mark.usefixtures("quick_copy")]


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


def test_a_victoria_metrics_that_is_killed_gets_again_what_it_had_answered_for_and_not_written(
    tmp_path: pathlib.Path, source: Source
) -> None:
    try:
        child, port = services.victoria_metrics(tmp_path)
    except services.StartError as error:
        pytest.skip(str(error))
    child.start(lambda: services.listens(port))
    source.fill(40)
    try:
        with Copying(source, port, api="v2", written_after_s=12) as copying:
            for _ in range(2):
                services.wait_until(lambda: copying.copy._sent_row == source.log.newest_row, 10, "the answers")
                assert copying.counter("records") == 0
                child.kill()  # behind its answer and before it has written
                child.start(lambda: services.listens(port))
                services.wait_until(lambda: copying.copy._sent_row != source.log.newest_row, 10, "a doubt")
            copying.until_even()
        child.kill()
        child.start(lambda: services.listens(port))
        (series,) = map(json.loads, text(port, "/api/v1/export?match[]=lift_floor").splitlines())
        assert [list(pair) for pair in zip(series["timestamps"], series["values"], strict=True)] == source.history(
            "floor"
        )
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
