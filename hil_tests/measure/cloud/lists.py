"""Lists of a cloud that has a million incidents: how long each takes to answer, for who sees everything and for one contractor."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Engine, text

from hil_tests.measure.cloud.site import Site
from hil_tests.measure.figures import percentile

IN_A_BATCH = 20_000
# Of a hundred incidents so many are open: the rest is history.
OPEN_OF_100 = 1
HISTORY_MS = 365 * 86_400_000
# So many of them are grave enough for a case: the cloud opens these by itself, before anything is measured.
CASE_OF = 2000
STILL_S = 3.0
KINDS = ("door_blocked", "trapped_between_floors", "button_pressed", "node_offline", "levelling_inaccurate")
PATHS = (
    "/api/v1/lifts", "/api/v1/lifts?limit=500", "/api/v1/lifts?q=4999", "/api/v1/lifts?trouble=fault", "/api/v1/gateways",
    "/api/v1/incidents", "/api/v1/incidents?phase=open", "/api/v1/incidents?phase=closed", "/api/v1/incidents?lift={lift}",
    "/api/v1/incidents?folded=false&phase=open", "/api/v1/incidents?area=none", "/api/v1/incidents?before_ms={middle}",
    "/api/v1/assignments", "/api/v1/assignments?unassigned=true", "/api/v1/cases", "/api/v1/cases?phase=open",
    "/api/v1/organisations", "/api/v1/people", "/api/v1/tokens", "/api/v1/channels", "/api/v1/audit",
)  # fmt: skip


class Timed(NamedTuple):
    """One list: who asked, its times in ms, how many entries it had."""

    path: str
    who: str
    times: list[float]
    entries: int


def _body(number: int, lift: str, opened_ms: int, phase: str) -> dict[str, Any]:
    stages = {
        name: opened_ms + at for at, name in enumerate(("onset", "detected", "published", "received", "committed"))
    }
    phases = ["open"] if phase == "open" else ["open", "closed"]
    return {
        "id": f"{lift}-1-{number}", "rev": len(phases), "version": len(phases), "lift": lift, "kind": KINDS[number % len(KINDS)],
        "code": None, "class": "fault", "severity": 1 if number % CASE_OF else 2, "phase": phase, "cause": "bench", "presses": 0, "opened_at_ms": opened_ms,
        "closed_at_ms": None if phase == "open" else opened_ms + 60_000, "profile": "nice3000", "area": None, "members": [],
        "snapshot": {"floor": 2, "doors": [2], "mains": True, "passenger": False, "position_mm": 2900, "speed_mm_s": 0},
        "last_known": {}, "last_known_at_ms": None, "evidence": [["stopped", opened_ms], ["door_open", opened_ms]], "stages": stages,
        "deliveries": [{"destination": "city", "rev": 1, "phase": "open", "sent": opened_ms, "receipted": opened_ms + 9, "attempts": 1}],
        "offset_err_ms": 5, "revisions": [{"rev": at + 1, "phase": name, "stages": stages} for at, name in enumerate(phases)],
    }  # fmt: skip


def _rows(site: Site, count: int, now_ms: int) -> Iterator[dict[str, Any]]:
    each = len(site.lifts) // site.contractors
    for number in range(count):
        at = number * 7919 % len(site.lifts)
        opened_ms = now_ms - HISTORY_MS + number * HISTORY_MS // count
        phase = "open" if number % 100 < OPEN_OF_100 else "closed"
        body = _body(number, site.lifts[at], opened_ms, phase)
        yield {
            "id": body["id"], "gateway": f"g-{min(at // each, site.contractors - 1)}", "lift": site.lifts[at], "version": body["version"],
            "area": None, "phase": phase, "opened_at_ms": opened_ms, "changed_at_ms": opened_ms,
            "body": json.dumps(body, ensure_ascii=False), "receipts": "[]",
        }  # fmt: skip


def fill(site: Site, count: int, tell: Callable[[int], None]) -> None:
    """Put so many incidents of a year into the database, past the cloud."""
    engine = site.engine()
    batch: list[dict[str, Any]] = []
    done = 0
    for row in _rows(site, count, time.time_ns() // 1_000_000):
        batch.append(row)
        if len(batch) == IN_A_BATCH:
            _insert(engine, batch)
            done, batch = done + len(batch), []
            tell(done)
    _insert(engine, batch)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE incident"))
    engine.dispose()


def _insert(engine: Engine, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            query = f"INSERT INTO incident ({', '.join(names)}) VALUES (:{', :'.join(names)})"  # noqa: S608  our own names
            connection.execute(text(query), rows)
        return
    raw: Any = engine.raw_connection()  # psycopg's, which has COPY
    with raw.cursor() as cursor, cursor.copy(f"COPY incident ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(list(row.values()))
    raw.commit()
    raw.close()


def wait_for_cases(site: Site) -> int:
    """Until no more are opened; how many there are, of the first 200."""
    known, since = -1, time.monotonic()
    while time.monotonic() - since < STILL_S:
        found = len(site.get("/api/v1/cases?limit=200"))
        if found != known:
            known, since = found, time.monotonic()
        time.sleep(0.5)
    return known


def measure(site: Site, times: int) -> list[Timed]:
    """Each list so often, one request after the other on one connection."""
    middle = time.time_ns() // 1_000_000 - HISTORY_MS // 2
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    out = []
    for who, token in (("administrator", site.admin_token), ("contractor", site.tokens[0])):
        for path in PATHS:
            took, entries, status = [], 0, 200
            for _ in range(times + 1):
                begun = time.monotonic()
                place = path.format(lift=site.lifts[0], middle=middle)
                connection.request("GET", place, headers={"Authorization": f"Bearer {token}"})
                answer = connection.getresponse()
                body, status = answer.read(), answer.status
                took.append(1000 * (time.monotonic() - begun))
                if status != 200:
                    break
                found = json.loads(body)
                entries = len(found if isinstance(found, list) else found["gateways"])
            if status == 200:
                out.append(Timed(path, who, took[1:], entries))  # the first one opens files and fills caches
            elif status != 403:
                raise RuntimeError(f"{path} for {who}: {status} {body[:200]!r}")
    connection.close()
    return out


def slowest(found: list[Timed]) -> float:
    """The highest p95 of all, ms."""
    return max(percentile(timed.times, 0.95) for timed in found)
