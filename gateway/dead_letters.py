"""Jobs on the journal for deliveries that a destination refused for good. They send nothing."""

import json
import sqlite3
from typing import Any

from gateway.journal import Job, store_delivery


def listed(limit: int) -> Job:
    """Job: the newest `limit` deliveries that a destination refused for good, as the API shows them."""

    def job(database: sqlite3.Connection) -> list[dict[str, Any]]:
        rows = database.execute(
            "SELECT d.id, d.rev, d.destination, d.sent_ms, d.attempts, d.detail, r.body FROM delivery d "
            "JOIN revision r ON r.id = d.id AND r.rev = d.rev WHERE d.state = 'refused' "
            "ORDER BY r.received_ms DESC, d.rev DESC LIMIT ?",
            (limit,),
        )
        out = []
        for name, rev, destination, sent_ms, attempts, detail, text in rows:
            body = json.loads(text)
            out.append(
                {"id": name, "rev": rev, "destination": destination, "lift": body["lift"], "kind": body["kind"],
                 "phase": body["phase"], "received_ms": body["received"], "sent_ms": sent_ms, "attempts": attempts,
                 "detail": detail}
            )  # fmt: skip
        return out

    return job


def counted() -> Job:
    """Job: {destination: how many deliveries it has refused that nobody replayed}."""

    def job(database: sqlite3.Connection) -> dict[str, int]:
        return dict(
            database.execute("SELECT destination, count(*) FROM delivery WHERE state = 'refused' GROUP BY destination")
        )

    return job


def replayed(destination: str, name: str | None, rev: int | None, limit: int) -> Job:
    """Job: at most `limit` refused deliveries, all or those of one incident or revision, wait again.

    Returns (their bodies, oldest first; how many were left). One that a later revision has overtaken is left unless its `rev`
    is named: an opening that comes behind its closing would call people out for nothing.
    """

    def job(database: sqlite3.Connection) -> tuple[list[dict[str, Any]], int]:
        rows = database.execute(
            "SELECT r.id, r.rev, r.body, EXISTS (SELECT 1 FROM delivery n WHERE n.id = d.id AND n.rev > d.rev "
            "AND n.destination = d.destination AND n.state = 'receipted') "
            "FROM delivery d JOIN revision r ON r.id = d.id AND r.rev = d.rev "
            "WHERE d.destination = ? AND d.state = 'refused' AND (? IS NULL OR d.id = ?) AND (? IS NULL OR d.rev = ?) "
            "ORDER BY r.received_ms, r.rev",
            (destination, name, name, rev, rev),
        ).fetchall()
        taken = [row for row in rows if rev is not None or not row[3]][:limit]
        for found, number, _, _ in taken:
            store_delivery(found, number, destination, None, None, 0, "waiting", "replayed by hand")(database)
        return [json.loads(body) for _, _, body, _ in taken], len(rows) - len(taken)

    return job
