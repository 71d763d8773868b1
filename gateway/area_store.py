"""Jobs of the journal for area events: what a start needs to go on with them, and which incidents are of which area."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from gateway.area_causes import OF_AREA
from gateway.journal import Job
from gateway.journal_rows import area_of, incident_row, put
from protocols import codes

Event = dict[str, Any]

_NEWEST = "SELECT r.body, m.area FROM incident i JOIN revision r ON r.id = i.id AND r.rev = i.rev LEFT JOIN member m ON m.id = i.id"


def mark(pairs: Iterable[tuple[str, str]]) -> Job:
    """Job: these incidents are of these areas; each that was not has a new version for the cloud. Those that are not there (yet)."""

    def job(database: sqlite3.Connection) -> set[str]:
        missing = set()
        for name, area in pairs:
            found = incident_row(database, name)
            if found is None:
                missing.add(name)
            elif area_of(database, name) != area:
                put(database, "member", (name, area))
                rev, version, cloud, done = found
                put(database, "incident", (name, rev, version + 1, cloud, done))
        return missing

    return job


def held(since_ms: int) -> Job:
    """Job: what `Areas.restore` takes, without the sites: area incidents, and all other incidents with their areas.

    Of both those that are not closed; of the others also what was told since unix `since_ms`, and all that is of one of the areas.
    It reads all of the journal: at a start only.
    """

    def job(database: sqlite3.Connection) -> tuple[list[Event], list[tuple[Event, str | None]]]:
        rows = database.execute(f"{_NEWEST} WHERE r.phase != 'closed' OR r.received_ms >= ?", (since_ms,)).fetchall()
        bodies = [(json.loads(body), area) for body, area in rows]
        areas = [event for event, _ in bodies if event["kind"] in OF_AREA and event["phase"] != codes.CLOSED]
        found = {event["id"]: (event, area) for event, area in bodies if event["kind"] not in OF_AREA}
        for event in areas:
            listed = [name for member in event["members"] for name in member["incidents"]]
            marked = [name for (name,) in database.execute("SELECT id FROM member WHERE area = ?", (event["id"],))]
            for name in {*listed, *marked} - set(found):
                row = database.execute(f"{_NEWEST} WHERE i.id = ?", (name,)).fetchone()
                if row is not None:
                    found[name] = (json.loads(row[0]), row[1])
        return areas, list(found.values())

    return job
