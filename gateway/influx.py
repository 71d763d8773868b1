"""InfluxDB as a cursor on the local log: lines out, receipts back, InfluxQL in. It owns no data and holds up nobody.

Only the low-level client of influxdb-client is used: its write API wants /api/v2/write, which 1.x lacks before 1.8.
"""

import logging
import threading
from typing import Any

import urllib3
from influxdb_client._sync.api_client import ApiClient
from influxdb_client.configuration import Configuration
from influxdb_client.rest import ApiException

from gateway.journal import unix_ms
from gateway.locallog import LocalLog, Point, Reader
from protocols.fields import BOOL, BY_NAME

_log = logging.getLogger(__name__)

MEASUREMENT = "lift"
CURSOR = "influx"
BATCHES = 200
TIMEOUT_S = 10.0
IDLE_S = 0.5
RETRY_S = 2.0


def line(site: str, point: Point) -> bytes | None:
    """The line of one point, checked against the field table; None if nothing in it is known. Ids need no escaping."""
    parts = []
    for name, value in sorted(point.changes.items()):
        if value is None:
            continue  # unknown is the absence of a value, never a 0
        if BY_NAME[name].kind == BOOL:
            parts.append(f"{name}={'true' if value else 'false'}")
        else:
            parts.append(f"{name}={int(value)}i")
    if not parts:
        return None
    return f"{MEASUREMENT},lift={point.lift},site={site} {','.join(parts)} {point.t_ms}".encode()


class Influx:
    """A thread that copies the log; `sites` {lift: site} gives the tag. Counters are read by the metrics."""

    def __init__(self, url: str, database: str, log: LocalLog, sites: dict[str, str]) -> None:
        configuration = Configuration()
        configuration.host = url.rstrip("/")
        configuration.timeout = int(TIMEOUT_S * 1000)
        configuration.retries = urllib3.Retry(0)  # type: ignore[attr-defined]  # read by its rest.py
        self._client = ApiClient(configuration)
        self._database = database
        self._log = log
        self._sites = sites
        self._stop = threading.Event()
        self.counters = {"points": 0, "quarantined": 0, "failures": 0}
        self.row = 0
        self.up = False
        self._thread = threading.Thread(target=self._run, name="influx", daemon=True)

    def start(self) -> None:
        """Begin copying."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the request under way."""
        self._stop.set()
        self._thread.join(timeout=TIMEOUT_S + 1)

    def _call(self, method: str, path: str, query: list[tuple[str, str]], body: bytes | None = None) -> Any:
        # A POST without a body is refused by the client itself, before anything is sent.
        body = b"" if body is None and method == "POST" else body
        # No Accept-Encoding: gzip costs more than it saves on loopback (measured).
        headers = {"Content-Type": "text/plain; charset=utf-8", "Accept": "application/json"}
        return self._client.call_api(
            path, method, query_params=query, header_params=headers, body=body, response_type="object",
            _request_timeout=int(TIMEOUT_S * 1000), _return_http_data_only=True,
        )  # fmt: skip

    def query(self, text: str) -> list[dict[str, Any]]:
        """The series of one InfluxQL query, times in ms; raises ApiException or urllib3's errors."""
        answer = self._call("GET", "/query", [("db", self._database), ("epoch", "ms"), ("q", text)])
        results = answer.get("results", [{}]) if isinstance(answer, dict) else [{}]
        series: list[dict[str, Any]] = results[0].get("series", [])
        return series

    def _run(self) -> None:
        reader = self._log.reader()
        self.row = reader.cursor(CURSOR)
        while not self._stop.is_set():
            try:
                if not self.up:
                    self._call("POST", "/query", [("q", f'CREATE DATABASE "{self._database}"')])
                    self.up = True
                if not self._copy(reader):
                    self._stop.wait(IDLE_S)
            except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
                self.counters["failures"] += 1
                if self.up:
                    _log.warning("influx: %s; the log waits", str(error)[:200])
                self.up = False
                self._stop.wait(RETRY_S)
            except Exception:  # the copy must not end
                _log.exception("influx: trying again")
                self._stop.wait(RETRY_S)

    def _copy(self, reader: Reader) -> bool:
        """Copy the next batches; the cursor moves only after the receipt. False if there was nothing."""
        last, points = reader.after(self.row, BATCHES)
        if last == self.row:
            return False
        lines = [(point, text) for point in points if (text := line(self._sites.get(point.lift, "?"), point))]
        self._write(lines, reader)
        reader.move_cursor(CURSOR, last)
        self.row = last
        return True

    def _write(self, lines: list[tuple[Point, bytes]], reader: Reader) -> None:
        """Write `lines`; what the server refuses is found by halving and put aside, the rest is stored."""
        if not lines:
            return
        try:
            self._call(
                "POST", "/write", [("db", self._database), ("precision", "ms")], b"\n".join(text for _, text in lines)
            )
        except ApiException as error:
            if error.status != 400:
                raise
            if len(lines) == 1:
                self.counters["quarantined"] += 1
                point, text = lines[0]
                reader.quarantine(unix_ms(), point.lift, str(error.body), text.decode())
                return
            # Writing a point twice changes nothing: same series, same time.
            middle = len(lines) // 2
            self._write(lines[:middle], reader)
            self._write(lines[middle:], reader)
            return
        self.counters["points"] += len(lines)

    def history(self, lift: str, from_ms: int, to_ms: int, fields: list[str], limit: int) -> dict[str, Any]:
        """As Reader.history, read by InfluxQL. `lift` and `fields` are ids of ours, so nothing can be injected."""
        series: dict[str, list[list[Any]]] = {}
        for name in fields:
            found = self.query(
                f'SELECT "{name}" FROM "{MEASUREMENT}" WHERE "lift" = \'{lift}\' '  # noqa: S608  ids and numbers only
                f"AND time >= {from_ms}ms AND time <= {to_ms}ms ORDER BY time LIMIT {limit}"
            )
            series[name] = found[0]["values"] if found else []
        truncated = any(len(values) >= limit for values in series.values())
        return {"fields": series, "gaps": [], "truncated": truncated}
