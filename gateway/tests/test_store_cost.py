"""What history and alarms cost on the gateway's disk, what its gauges say of it, and what may ever leave the stores."""

import logging
import pathlib
import random
import time

import pytest

from gateway import journal as jobs
from gateway.journal import Journal
from gateway.locallog import LocalLog, Stored
from gateway.store_watch import prune
from gateway.tests.test_stores import ask, event
from protocols.records import Batch, BatchWriter

_log = logging.getLogger(__name__)

# The busiest of the four ordinary days in docs/delivery.md: 650 batches of 70 bytes.
BATCHES_A_DAY = 650
RECORDS = 7
DAY_MS = 86_400_000


def ordinary(lift: int, number: int) -> Stored:
    """One batch of an ordinary day."""
    chance = random.Random(f"{lift} {number}")
    up_ms = number * DAY_MS // BATCHES_A_DAY
    writer = BatchWriter(1, number, 1, up_ms, 1_700_000_000_000 + up_ms)
    for record in range(RECORDS):
        writer.add(up_ms + record * 700, {"floor": chance.randint(1, 11), "load_permille": chance.randint(0, 900)})
    batch = Batch(writer.close(), 1)
    return Stored(f"lift-{lift}", batch, 1_700_000_000_000, 1_700_000_000_000 + up_ms + RECORDS * 700, [], 1, True)


def test_a_day_of_a_lift_takes_a_tenth_of_a_megabyte_and_the_hours_left_are_true(tmp_path: pathlib.Path) -> None:
    lifts, quota = 10, 4_000_000
    log = LocalLog(tmp_path / "log.db", quota, lambda entries, ok: None)
    for number in range(1, BATCHES_A_DAY + 1):
        for lift in range(lifts):
            log.put(ordinary(lift, number))
        if number % 50 == 0:
            while log.depth():
                time.sleep(0.001)
    log.close()
    a_day = log.used_bytes() / lifts
    _log.info("local log: %.0f bytes for a lift's day of %d batches", a_day, BATCHES_A_DAY)
    assert a_day < 150_000
    assert log.hours_held() == pytest.approx(24, rel=0.01)
    assert log.hours_left() == pytest.approx((quota - log.used_bytes()) / (a_day * lifts / 24), rel=0.01)
    assert log.dropped_bytes == 0


def test_the_reserve_has_room_for_tens_of_thousands_of_alarms(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    count = 1500
    for number in range(count):
        alarm = event(f"lift-1-1-{number}")
        # As long as a real one: 30 values in its snapshot, two frames of the bus.
        alarm |= {"snapshot": {f"name_{each}": each for each in range(30)}, "frames": [[1, "00" * 40]] * 2}
        journal.submit(jobs.store_revision(alarm), lambda result, error: None)
        ask(journal, jobs.store_delivery(alarm["id"], 1, "city", 5, 6, 1, "receipted", "ok"))
    most = journal.file.bytes_on_disk()
    journal.close()
    each = journal.file.bytes_on_disk() / count
    wal = most - journal.file.bytes_on_disk()
    fit = (64_000_000 - wal) / each
    _log.info("journal: %.0f bytes an alarm, WAL %d bytes: %.0f alarms in the reserve", each, wal, fit)
    assert fit > 20_000


def test_only_what_is_closed_answered_old_and_with_the_cloud_ever_leaves_the_journal(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    for name, phase, done, cloud in (
        ("gone", "closed", True, True), ("open", "open", True, True), ("unanswered", "closed", False, True),
        ("untold", "closed", True, False),
    ):  # fmt: skip
        ask(journal, jobs.store_revision(event(f"{name}-1-1")))
        ask(journal, jobs.store_revision(event(f"{name}-1-1", 2, phase)))
        ask(journal, jobs.store_delivery(f"{name}-1-1", 2, "city", 1, 2, 1, "receipted", "ok"))
        if done:
            ask(journal, jobs.mark_done(f"{name}-1-1", 2))
        if cloud:
            ask(journal, jobs.cloud_has(f"{name}-1-1", 1 << 50))
    now_ms = 1 << 50

    def held() -> set[str]:
        tables = ("revision", "delivery", "incident")
        found = [{row[0] for row in ask(journal, lambda database, table=table: database.execute(  # type: ignore[misc]
            f"SELECT id FROM {table}").fetchall())} for table in tables]  # fmt: skip
        assert found[0] == found[1] == found[2]
        return {name.split("-")[0] for name in found[0]}

    assert ask(journal, prune(1000, True, True)) == 0
    assert held() == {"gone", "open", "unanswered", "untold"}
    assert ask(journal, prune(now_ms, True, True)) == 1
    assert held() == {"open", "unanswered", "untold"}
    # Without a cloud or a city that must answer nobody is waited for.
    assert ask(journal, prune(now_ms, True, False)) == 1
    assert ask(journal, prune(now_ms, False, False)) == 1
    assert held() == {"open"}
    journal.close()
