"""Health beside a real local log and a real journal: followed once however often it is stopped, cut or damaged, and told a few at a time."""

import datetime as dt
import itertools
import pathlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from gateway import config
from gateway import journal as jobs
from gateway.config import Lift
from gateway.health import follower as module
from gateway.health.day import Day, number
from gateway.health.follower import FILE, HealthFollower, count_faults
from gateway.health.report import Baseline
from gateway.health.store import HealthStore, Snapshot
from gateway.journal import Journal
from gateway.locallog import LocalLog, Stored
from gateway.tests.health_rig import BEGIN_MS, DAY_MS, LIFT, ZONE_MS, Walk
from gateway.tests.test_stores import ask, event
from protocols import codes
from protocols.records import Batch

TODAY = number(dt.date(2026, 11, 2))


@pytest.fixture(scope="module")
def life() -> list[tuple[int, Batch]]:
    """A week of a small lift: sixteen trips a day, each day its doors are a little slower."""
    walk = Walk()
    for day in range(7):
        for trip in range(16):
            walk.run(1 if trip % 2 else 3 + trip % 4)
            walk.open(2600 + 100 * day)
            walk.close(2600 + 100 * day)
            walk.rest(30 * 60_000)
        walk.rest(BEGIN_MS + (day + 1) * DAY_MS - walk.now_ms)
    return list(walk.end())


class Rig:
    """A gateway's data folder with a local log that a test fills, and a follower of it."""

    def __init__(self, data: pathlib.Path) -> None:
        self.data = data
        self.now_ms = BEGIN_MS + 7 * DAY_MS
        self.may_write = True
        self.stored = 0
        self.open_log()

    def open_log(self) -> None:
        self.log = LocalLog(self.data / "log.db", 50_000_000, self._stored)

    def _stored(self, entries: list[Stored], ok: bool) -> None:
        assert ok
        self.stored += len(entries)

    def put(self, batches: list[tuple[int, Batch]], lift: str = "lift-1") -> None:
        wanted = self.stored + len(batches)
        for offset_ms, batch in batches:
            last_ms = offset_ms + batch.records()[-1][0]
            assert self.log.put(Stored(lift, batch, offset_ms, last_ms, [], last_ms, True))
        self.wait(lambda: self.stored == wanted)

    def follower(self, **settings: Any) -> HealthFollower:
        wanted = config.Health(**{"records_per_s": 10_000_000, **settings})
        return HealthFollower(
            wanted, self.data, self.log, lambda lift: Lift(lift, "s", floor_pitch_mm=LIFT.floor_pitch_mm), lambda: self.may_write,
            lambda: self.now_ms,
        )  # fmt: skip

    def followed(self, found: HealthFollower) -> HealthFollower:
        found.start()
        self.wait(lambda: found.row == self.log.newest_row and self.log.newest_row > 0)
        return found

    @staticmethod
    def wait(holds: Callable[[], bool], timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.fixture
def rig(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(module, "IDLE_S", 0.01)
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    rig = Rig(tmp_path)
    yield rig
    rig.log.close()


def told(found: HealthFollower, lift: str = "lift-1") -> Any:
    return msgspec.to_builtins(found.report(lift))


@pytest.fixture(scope="module")
def whole(life: list[tuple[int, Batch]], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is told of that life where nothing happens to the gateway."""
    rig = Rig(tmp_path_factory.mktemp("whole"))
    rig.put(life)
    found = rig.followed(rig.follower())
    report = told(found)
    found.stop()
    rig.log.close()
    return report


def test_a_week_of_a_lift_is_told_part_by_part(whole: Any) -> None:
    parts = {part["name"]: part for part in whole["parts"]}
    assert (whole["days"], whole["first"], whole["date"]) == (7, "2026-11-02", "2026-11-09")
    assert parts["door_1_closing"]["value"] == 2900 and parts["door_1_closing"]["baseline_days"] == 7
    assert parts["trip_time"]["value"] == pytest.approx(3500, abs=50)
    assert parts["failed_starts"]["value"] == 0 and parts["failed_starts"]["mark"] == 100
    assert parts["faults"]["value"] is None
    starts = next(used for used in whole["usage"] if used["name"] == "starts")
    assert starts["per_day"] == 16 and starts["total"] == 1000 + 7 * 16


def test_a_gateway_that_is_stopped_in_between_tells_the_same(
    rig: Rig, life: list[tuple[int, Batch]], whole: Any
) -> None:
    step = len(life) // 5
    for begin in range(0, len(life), step):
        rig.put(life[begin : begin + step])
        found = rig.followed(rig.follower())
        found.stop()
        assert found.counters["failures"] == 0
    assert told(found) == whole


def test_one_that_dies_follows_again_what_it_had_not_saved(
    rig: Rig, life: list[tuple[int, Batch]], whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.put(life[:400])
    rig.followed(rig.follower()).stop()
    rig.put(life[400:])
    dead = rig.follower()
    # It dies without a word: nothing of the rest is ever saved.
    monkeypatch.setattr(dead, "_save", lambda: None)
    rig.followed(dead).stop()
    found = rig.followed(rig.follower())
    assert told(found) == whole
    found.stop()
    assert rig.followed(rig.follower()).counters["records"] == 0


def test_a_log_that_began_anew_is_followed_from_its_beginning_and_nothing_counts_twice(
    rig: Rig, life: list[tuple[int, Batch]], whole: Any
) -> None:
    rig.put(life[:400])
    rig.followed(rig.follower()).stop()
    rig.log.close()
    for path in rig.data.glob("log.db*"):
        path.unlink()
    rig.open_log()
    # The node sends again what it still holds, some of which was followed before.
    rig.log._held = {"lift-1": (1, 299)}
    rig.put(life[299:390])
    found = rig.followed(rig.follower())
    rig.put(life[390:])
    rig.wait(lambda: found.row == rig.log.newest_row)
    assert told(found) == whole
    found.stop()


def test_damaged_rows_and_files_cost_only_themselves(rig: Rig, life: list[tuple[int, Batch]], whole: Any) -> None:
    rig.put(life)
    rig.followed(rig.follower()).stop()
    path = rig.data / FILE
    with sqlite3.connect(path) as database:
        database.execute("UPDATE day SET body = x'93' WHERE date = ?", (TODAY + 2,))
        database.execute("UPDATE course SET body = zeroblob(40)")
        database.commit()
    found = rig.followed(rig.follower())
    parts = {part["name"]: part for part in told(found)["parts"]}
    assert told(found)["days"] == 6 and parts["door_1_closing"]["value"] == 2950
    found.stop()
    # A file that is none any more: what the log still has is made again, and is the same.
    path.write_bytes(b"\x00" * 4096)
    found = rig.followed(rig.follower())
    assert told(found) == whole
    found.stop()
    assert list(rig.data.glob("health.db.damaged-*"))


def test_courses_of_another_version_are_made_anew_from_the_log_and_the_days_stay(
    rig: Rig, life: list[tuple[int, Batch]], whole: Any
) -> None:
    rig.put(life)
    rig.followed(rig.follower()).stop()
    with sqlite3.connect(rig.data / FILE) as database:
        database.execute("UPDATE cursor SET form = 0")
        database.execute("UPDATE course SET body = x'01'")
    found = rig.followed(rig.follower())
    assert told(found) == whole and found.counters["failures"] == 0
    found.stop()


def test_days_of_a_damaged_file_outlive_a_log_that_has_lost_them(
    rig: Rig, life: list[tuple[int, Batch]], whole: Any
) -> None:
    rig.put(life)
    rig.followed(rig.follower()).stop()
    path = rig.data / FILE
    content = bytearray(path.read_bytes())
    content[:100] = bytes(100)
    path.write_bytes(content)
    with sqlite3.connect(rig.data / "log.db") as database:
        (middle,) = database.execute("SELECT max(row) / 2 FROM batch").fetchone()
        database.execute("DELETE FROM batch WHERE row < ?", (middle,))
    found = rig.followed(rig.follower())
    assert told(found)["days"] == 7
    assert {part["name"]: part["value"] for part in told(found)["parts"]} == {
        part["name"]: part["value"] for part in whole["parts"]
    }
    found.stop()


def test_a_settled_baseline_stays_when_its_days_are_gone(rig: Rig) -> None:
    walk = Walk()
    for day in range(20):
        for trip in range(8):
            walk.trip(2 + trip % 5)
            walk.rest(3_600_000)
        walk.rest(BEGIN_MS + (day + 1) * DAY_MS - walk.now_ms)
    rig.now_ms = walk.now_ms
    rig.put(walk.end())
    found = rig.followed(rig.follower())
    rig.wait(lambda: not found._unsettled)
    found.stop()
    store = HealthStore(rig.data / FILE, lambda: rig.now_ms)
    store.open()
    assert len(store.days("lift-1", 0, 1 << 40)) == 20
    store.save(Snapshot(1, {}, {"lift-1": []}, {}), TODAY + 15)
    assert len(store.days("lift-1", 0, 1 << 40)) == 5
    baseline = store.baseline("lift-1")
    assert baseline is not None and baseline.settled["door_1_opening"] == (2600, 14)
    store.close()
    assert {part["name"]: part for part in told(found)["parts"]}["door_1_opening"]["baseline"] == 2600


def test_what_is_saved_is_whole_or_not_there(tmp_path: pathlib.Path) -> None:
    store = HealthStore(tmp_path / FILE, lambda: 1)
    store.open()
    store.save(Snapshot(7, {"a": b"one"}, {"a": [Day(5)]}, {"a": Baseline(-1)}), 0)
    with pytest.raises(TypeError):
        store.save(Snapshot(9, {"a": b"two", "b": None}, {"a": [Day(6)]}, {}), 0)  # type: ignore[dict-item]
    store.close()
    again = HealthStore(tmp_path / FILE, lambda: 1)
    assert again.open() == (7, {"a": b"one"})
    assert [day.date for day in again.days("a", 0, 100)] == [5]
    again.close()


def test_a_disk_that_is_full_costs_nothing_but_the_saving(
    rig: Rig, life: list[tuple[int, Batch]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAVE_MS", 0)
    rig.may_write = False
    rig.put(life)
    found = rig.followed(rig.follower())
    assert told(found)["days"] == 7 and found._store.days("lift-1", 0, 1 << 40) == []
    rig.may_write = True
    rig.wait(lambda: len(found._store.days("lift-1", 0, 1 << 40)) == 7)
    found.stop()


def test_a_backlog_is_followed_at_a_bounded_rate(rig: Rig, life: list[tuple[int, Batch]]) -> None:
    rig.put(life[:300])
    records = sum(batch.count for _, batch in life[:300])
    begun = time.monotonic()
    found = rig.followed(rig.follower(records_per_s=records))
    assert time.monotonic() - begun > 0.8
    found.stop()


def test_the_cloud_is_told_a_few_at_a_time_what_is_new_and_all_of_it_again_when_it_asks(
    rig: Rig, life: list[tuple[int, Batch]]
) -> None:
    lifts = [f"lift-{at}" for at in range(12)]
    for lift in lifts:
        rig.put(life[:20], lift)
    found = rig.followed(rig.follower())

    def rounds(again: bool) -> list[list[str]]:
        out = [[report.lift for report in found.due(again)]]
        while out[-1]:
            out.append([report.lift for report in found.due(False)])
        return out[:-1]

    first = rounds(True)
    assert max(map(len, first)) == module.REPORTS and sorted(itertools.chain.from_iterable(first)) == sorted(lifts)
    rig.put(life[20:30], "lift-3")
    rig.wait(lambda: found.row == rig.log.newest_row)
    assert found.due(False) == []  # it was told a moment ago
    found._told["lift-3"] -= 60_000
    assert [report.lift for report in found.due(False)] == ["lift-3"]
    assert sorted(itertools.chain.from_iterable(rounds(True))) == sorted(lifts)
    found.stop()


def test_while_a_backlog_is_followed_the_cloud_keeps_what_it_has(
    rig: Rig, life: list[tuple[int, Batch]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVEN_BATCHES", 100)
    rig.put(life[:50])
    found = rig.followed(rig.follower(records_per_s=500))
    assert [report.lift for report in found.due(True)] == ["lift-1"]
    rig.put(life[50:])
    assert rig.log.behind(found.row) > 100 and found.due(True) == []
    found._config = config.Health(records_per_s=10_000_000)
    rig.wait(lambda: found.row == rig.log.newest_row)
    assert [report.lift for report in found.due(False)] == ["lift-1"]
    found.stop()


def test_days_are_told_as_they_were_and_the_one_that_goes_on_as_not_over(
    rig: Rig, life: list[tuple[int, Batch]]
) -> None:
    rig.now_ms = BEGIN_MS + 4 * DAY_MS + 12 * 3_600_000
    rig.put([entry for entry in life if sum((entry[0], entry[1].up_ms)) < rig.now_ms])
    found = rig.followed(rig.follower())
    days = found.answer({"lift": "lift-1", "from": "2026-11-03", "to": "2026-12-31"})["days"]
    assert [day["date"] for day in days] == ["2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06"]
    assert [day["over"] for day in days] == [True] * 3 + [False]
    assert days[0]["parts"]["door_1_closing"] == 2700 and days[1]["parts"]["door_1_closing"] == 2800
    assert days[0]["parts"]["door_2_closing"] is None and days[0]["observed_hours"] == 24
    assert found.report("lift-1").today["starts"] == days[-1]["usage"]["starts"] > 0
    found.stop()


def test_incidents_that_were_failures_of_the_lift_are_counted_once_on_the_day_they_began(
    tmp_path: pathlib.Path,
) -> None:
    journal = Journal(tmp_path / "journal.db")

    def happened(
        name: str, at_ms: int, kind: str, event_class: str = "fault", revs: int = 2, withheld: str = ""
    ) -> None:
        for rev in range(1, revs + 1):
            found = {
                **event(name, rev, "open" if rev == 1 else "closed", kind),
                "class": event_class,
                "withheld": withheld,
                "received": at_ms + 5000,
            }
            found["stages"] = {"onset": at_ms - 1000, "detected": at_ms, "published": at_ms}
            ask(journal, jobs.store_revision(found))

    midnight_ms = BEGIN_MS + 16 * 3_600_000
    happened("lift-1-1-1", midnight_ms - 1, "door_blocked")
    happened("lift-1-1-2", midnight_ms, "trapped_at_level", "alarm", 3)
    happened("lift-1-1-3", midnight_ms, "overspeed")
    happened("lift-1-1-4", midnight_ms, "button_pressed", "alarm")
    happened("lift-1-1-5", midnight_ms, "mains_lost", "event")
    happened("lift-1-1-6", midnight_ms, "controller_mute")
    happened("g-1-8", midnight_ms, "node_offline")
    happened("lift-1-1-7", midnight_ms, "door_blocked", withheld=codes.AT_WORK)
    journal.close()
    assert count_faults(tmp_path / "journal.db", ZONE_MS) == {"lift-1": {TODAY: 1, TODAY + 1: 2}}
    with pytest.raises(sqlite3.Error):
        count_faults(tmp_path / "none.db", ZONE_MS)


def test_without_a_journal_the_faults_are_not_known(rig: Rig, life: list[tuple[int, Batch]]) -> None:
    rig.put(life)
    found = rig.followed(rig.follower())
    faults = next(part for part in told(found)["parts"] if part["name"] == "faults")
    assert faults["value"] is None and faults["reason"]["key"] == "no_incidents"
    found.stop()
