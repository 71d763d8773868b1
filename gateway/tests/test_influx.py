"""InfluxDB as a cursor, against the real server: late start, a refused point among many, the same history by InfluxQL."""

import pathlib
import time

import pytest

from gateway.influx import Influx, line
from gateway.locallog import LocalLog, Point, Stored
from hil_tests import services
from protocols.records import Batch, BatchWriter

pytestmark = pytest.mark.chain


def test_unknown_is_no_value_and_kinds_are_kept() -> None:
    point = Point(1, "lift-1", 1000, {"floor": 3, "mains": True, "speed_mm_s": None})
    assert line("s", point) == b"lift,lift=lift-1,site=s floor=3i,mains=true 1000"
    assert line("s", Point(1, "lift-1", 1000, {"floor": None})) is None


def test_it_starts_late_stores_all_but_the_bad_and_moves_its_cursor(tmp_path: pathlib.Path) -> None:
    server, port = services.influxd(tmp_path)
    log = LocalLog(tmp_path / "log.db", 10_000_000, lambda entries, ok: None)
    for number in range(1, 401):
        writer = BatchWriter(1, number, 1, number * 1000, 0)
        writer.add(number * 1000, {"floor": 1 + number % 6, "mains": True})
        log.put(
            Stored(
                "lift-1", Batch(writer.close(), 1), 1_700_000_000_000, 1_700_000_000_000 + number * 1000, [], 1, True
            )
        )
    influx = Influx(f"http://127.0.0.1:{port}", "test", log, {"lift-1": "s"})
    influx.start()
    try:
        time.sleep(1)
        assert influx.row == 0
        assert influx.counters["failures"] > 0
        server.start(lambda: services.listens(port))
        services.wait_until(lambda: influx.up, 15, "the database")
        # A point of another type stands there already: the server refuses ours of that field in its shard.
        influx._call(
            "POST",
            "/write",
            [("db", "test"), ("precision", "ms")],
            b'lift,lift=lift-1,site=s speed_mm_s="bad" 1700000500000',
        )
        writer = BatchWriter(1, 401, 1, 500_000, 0)
        writer.add(500_000, {"speed_mm_s": 100})
        writer.add(501_000, {"floor": 2})
        log.put(Stored("lift-1", Batch(writer.close(), 1), 1_700_000_000_000, 1_700_000_501_000, [], 1, True))
        services.wait_until(lambda: influx.counters["quarantined"] == 1 and influx.row == 401, 20, "the copy")
        found = influx.history("lift-1", 1_700_000_000_000, 1_700_000_600_000, ["floor"], 1000)["fields"]["floor"]
        assert len(found) == 401
        assert (
            found
            == log.reader().history("lift-1", 1_700_000_000_000, 1_700_000_600_000, ["floor"], 1000)["fields"]["floor"]
        )
        assert log.reader().cursor("influx") == 401
    finally:
        influx.stop()
        log.close()
        server.stop()
