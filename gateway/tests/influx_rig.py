"""What the tests of InfluxDB's copy share: a log that is filled, a copy that runs, and a look into the server. It asserts little."""

import pathlib
import time
from typing import Any

from gateway.config import Influx as InfluxConfig
from gateway.influx import Server
from gateway.influx_copy import InfluxCopy
from gateway.locallog import LocalLog, Stored
from hil_tests import services
from protocols.records import Batch, BatchWriter

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
        self.config = InfluxConfig(f"http://127.0.0.1:{port}", "test", **{"records_per_s": 10_000_000, **config})
        self.source = source
        self.copy = InfluxCopy(self.config, source.log, lambda lift: "s")

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


def ask(port: int, text: str) -> None:
    Server(InfluxConfig(f"http://127.0.0.1:{port}", "test"))._call("POST", "/query", [("q", text)])


def seed(port: int, text: str) -> None:
    ask(port, "CREATE DATABASE test")
    Server(InfluxConfig(f"http://127.0.0.1:{port}", "test")).write([text.encode()])
