"""An InfluxDB server: lines out over the write API of 1.x or of 2.x, receipts back, InfluxQL in. It keeps no cursor and no queue.

Only the low-level client of influxdb-client is used: its write API knows /api/v2/write only, which 1.x lacks before 1.8.
"""

import re
from typing import Any

import urllib3
from influxdb_client._sync.api_client import ApiClient
from influxdb_client.configuration import Configuration
from influxdb_client.rest import ApiException

from gateway.config import Influx
from gateway.errors import NotDelivered, Refused
from gateway.log_reader import HELD_MS, Point
from protocols.fields import BOOL, FIELDS

MEASUREMENT = "lift"
TIMEOUT_S = 10.0
_IS_BOOL = {field.name: field.kind == BOOL for field in FIELDS}
# What 1.x, 2.x and 3.x say of lines that they do not take. Any other 400 speaks of our settings or comes from a proxy.
_OF_LINES = re.compile(r"partial write|unable to parse|field type conflict|line protocol|retention policy")
_DROPPED = re.compile(r"dropped[= ](\d+)")
_EXPIRED = re.compile(r"(beyond|outside) (the )?retention policy")


class LinesRefused(Refused):
    """Some of the lines were not taken, perhaps all; the others may have been. Writing them again changes nothing.

    `dropped`: how many, as far as it is told (None: it is not). `expired`: the only trouble is that they are too old to be kept.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = _DROPPED.search(text)
        # 1.x says dropped=0 of what it could not even parse.
        self.dropped = int(found[1]) or None if found else None
        self.expired = self.dropped is not None and _EXPIRED.search(text) is not None


def line(site: str, point: Point) -> bytes | None:
    """The line of one point; None if nothing in it is known. Values are of the field table, and ids need no escaping."""
    parts = []
    for name, value in sorted(point.changes.items()):
        if value is None:
            continue  # unknown is the absence of a value, never a 0
        if _IS_BOOL[name]:
            parts.append(f"{name}=true" if value else f"{name}=false")
        else:
            parts.append(f"{name}={int(value)}i")
    if not parts:
        return None
    return f"{MEASUREMENT},lift={point.lift},site={site} {','.join(parts)} {point.t_ms}".encode()


class Server:
    """One database of one server; threads may share it. Every request has the deadline TIMEOUT_S."""

    def __init__(self, config: Influx) -> None:
        configuration = Configuration()
        configuration.host = config.url.rstrip("/")
        self._client = ApiClient(configuration)
        self._config = config
        if config.api == "v2":
            self._path = "/api/v2/write"
            self._query = [("org", config.org), ("bucket", config.database), ("precision", "ms")]
        else:
            self._path = "/write"
            self._query = [("db", config.database), ("precision", "ms")]

    def _call(self, method: str, path: str, query: list[tuple[str, str]], body: bytes = b"") -> tuple[Any, int]:
        # No Accept-Encoding: gzip costs more than it saves on loopback (measured).
        headers = {"Content-Type": "text/plain; charset=utf-8", "Accept": "application/json"}
        if self._config.token is not None:
            headers["Authorization"] = f"Token {self._config.token}"
        try:
            data, status, _ = self._client.call_api(
                path, method, query_params=query, header_params=headers, body=body, response_type="object",
                _request_timeout=int(TIMEOUT_S * 1000), _return_http_data_only=False,
            )  # fmt: skip
        except ApiException as error:
            text = (error.body if isinstance(error.body, str) else (error.body or b"").decode(errors="replace")).strip()
            if (error.status in (400, 422) and _OF_LINES.search(text)) or error.status == 413:
                raise LinesRefused(text or f"HTTP {error.status}") from error
            raise NotDelivered(f"HTTP {error.status}: {text[:200]}") from error
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise NotDelivered(f"{type(error).__name__} {str(error)[:200]}") from error
        return data, status

    def prepare(self) -> None:
        """Make the database where that is ours to do (1.x); NotDelivered if the server does not answer."""
        if self._config.api == "v1":
            self._call("POST", "/query", [("q", f'CREATE DATABASE "{self._config.database}"')])

    def write(self, lines: list[bytes]) -> None:
        """Write; returns with a receipt for all of them. LinesRefused, or NotDelivered: nobody knows which were stored."""
        _, status = self._call("POST", self._path, self._query, b"\n".join(lines))
        if status != 204:  # what a proxy or a login page says is no receipt
            raise NotDelivered(f"HTTP {status} is no receipt")

    def ping(self) -> None:
        """Does it answer? NotDelivered if not."""
        self._call("GET", "/ping", [])

    def connections(self) -> int:
        """How often a connection to it was made."""
        return int(
            self._client.rest_client.pool_manager.connection_from_url(self._client.configuration.host).num_connections
        )

    def query(self, text: str) -> list[dict[str, Any]]:
        """The series of one InfluxQL query, times in ms; NotDelivered if the server does not answer or knows no InfluxQL."""
        answer, _ = self._call("GET", "/query", [("db", self._config.database), ("epoch", "ms"), ("q", text)])
        try:
            series: list[dict[str, Any]] = answer["results"][0].get("series", [])
            if any(found["name"] != MEASUREMENT for found in series):
                raise NotDelivered("this server knows no InfluxQL")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise NotDelivered(f"no answer to InfluxQL: {str(answer)[:200]}") from error
        return series

    def history(self, lift: str, from_ms: int, to_ms: int, fields: list[str], limit: int) -> dict[str, Any]:
        """As Reader.history, read by InfluxQL. `lift` and `fields` are ids of ours, so nothing can be injected."""
        series: dict[str, list[list[Any]]] = {}
        before: dict[str, list[Any]] = {}
        for name in fields:
            of_lift = f'SELECT "{name}" FROM "{MEASUREMENT}" WHERE "lift" = \'{lift}\' '  # noqa: S608  ids and numbers only
            found = self.query(f"{of_lift}AND time >= {from_ms}ms AND time <= {to_ms}ms ORDER BY time LIMIT {limit}")
            series[name] = found[0]["values"] if found else []
            since_ms = from_ms - HELD_MS
            last = self.query(f"{of_lift}AND time >= {since_ms}ms AND time < {from_ms}ms ORDER BY time DESC LIMIT 1")
            before |= {name: last[0]["values"][0]} if last else {}
        truncated = any(len(values) >= limit for values in series.values())
        return {"fields": series, "before": before, "gaps": [], "truncated": truncated}
