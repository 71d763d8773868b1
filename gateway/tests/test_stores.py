"""Journal and local log on real files: receipts after commits, duplicates, restarts, gaps, bounds."""

import pathlib
import queue
from typing import Any

import pytest

from gateway import area_store, journal_rows
from gateway import journal as jobs
from gateway.journal import Journal
from gateway.locallog import LocalLog, Stored
from protocols.delivery.gateway import Gap
from protocols.records import Batch, BatchWriter


def event(name: str = "lift-1-1-1", rev: int = 1, phase: str = "open", kind: str = "button_pressed") -> dict[str, Any]:
    return {
        "id": name, "rev": rev, "lift": "lift-1", "kind": kind, "code": 90, "class": "alarm", "severity": 4, "phase": phase,
        "cause": "pressed", "presses": 1, "closed_at_ms": None, "snapshot": {}, "last_known": {}, "last_known_at_ms": None, "evidence": [], "attempt": 1,
        "stages": {"onset": 1, "detected": 2, "published": 3}, "received": 4, "offset_err_ms": 1,
    }  # fmt: skip


def ask(journal: Journal, job: jobs.Job) -> Any:
    answers: queue.Queue[Any] = queue.Queue()
    assert journal.submit(job, lambda result, error: answers.put((result, error)))
    result, error = answers.get(timeout=5)
    if error is not None:
        raise error
    return result


def batch(number: int, life: int = 1, floor: int = 1) -> Batch:
    writer = BatchWriter(life, number, 1, number * 1000, 0)
    writer.add(number * 1000, {"floor": floor})
    return Batch(writer.close(), 1)


def test_a_revision_is_stored_once_and_survives_a_restart(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert ask(journal, jobs.store_revision(event())) == (1, False)
    assert ask(journal, jobs.store_revision(event())) == (1, False)
    assert ask(journal, jobs.store_revision(event(rev=2, phase="closed"))) == (2, False)
    journal.close()
    journal = Journal(tmp_path / "j.db")
    waiting = ask(journal, jobs.undelivered("city", 10))
    assert [(entry["id"], entry["rev"]) for entry in waiting] == [("lift-1-1-1", 1), ("lift-1-1-1", 2)]
    ask(journal, jobs.store_delivery("lift-1-1-1", 1, "city", 5, 6, 1, "receipted", "ok"))
    assert [entry["rev"] for entry in ask(journal, jobs.undelivered("city", 10))] == [2]
    journal.close()


def test_a_journal_of_another_form_is_taken_over_whole(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = journal_rows.SCHEMA[: journal_rows.SCHEMA.index("CREATE TABLE member")]
    with monkeypatch.context() as before:
        before.setattr(jobs, "SCHEMA", older)
        before.setattr(jobs, "FORM", journal_rows.FORM - 1)
        before.setattr(jobs, "verify", lambda database: None)
        journal = Journal(tmp_path / "j.db")
        for number in range(200):
            name = f"lift-1-1-{number}"
            ask(journal, jobs.store_revision(event(name)))
            ask(journal, jobs.store_delivery(name, 1, "city", 5, 6, 1, "receipted", "ok"))
        journal.close()
    journal = Journal(tmp_path / "j.db")
    shown, _ = ask(journal, jobs.behind_cloud([], {}, "", 1000))
    assert len(shown) == 200 and {d["state"] for one in shown for d in one["deliveries"]} == {"receipted"}
    assert ask(journal, area_store.mark([("lift-1-1-7", "g-1-1")])) == set()
    assert journal.file.replaced is not None and "form" in journal.file.replaced.reason
    journal.close()


def test_the_cloud_is_behind_until_it_has_the_newest_version(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "j.db")
    ask(journal, jobs.store_revision(event()))
    (shown,), _ = ask(journal, jobs.behind_cloud([], {}, "", 10))
    assert shown["stages"]["committed"] > 0
    ask(journal, jobs.store_delivery("lift-1-1-1", 1, "city", 5, 6, 2, "receipted", "ok"))
    ask(journal, jobs.cloud_has("lift-1-1-1", shown["version"]))
    (shown,), _ = ask(journal, jobs.behind_cloud([], {}, "", 10))
    assert [(d["destination"], d["receipted"], d["attempts"]) for d in shown["deliveries"]] == [("city", 6, 2)]
    ask(journal, jobs.cloud_has("lift-1-1-1", shown["version"]))
    assert ask(journal, jobs.behind_cloud([], {}, "", 10)) == ([], "")
    journal.close()


def test_one_bad_job_does_not_take_its_group_with_it(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "j.db")

    def bad(database: object) -> None:
        raise ValueError("bad")

    answers: queue.Queue[Any] = queue.Queue()
    for job in (jobs.store_revision(event("a-1-1")), bad, jobs.store_revision(event("a-1-2"))):
        journal.submit(job, lambda result, error: answers.put(error))
    assert [type(answers.get(timeout=5)) for _ in range(3)] == [type(None), ValueError, type(None)]
    assert len(ask(journal, jobs.undelivered("city", 10))) == 2
    journal.close()


def stored(number: int, gaps: list[Gap] | None = None, floor: int = 1) -> Stored:
    return Stored("lift-1", batch(number, floor=floor), 1_000_000, 1_000_000 + number * 1000, gaps or [], 1, True)


def test_batches_are_receipted_after_the_sync_and_found_again(tmp_path: pathlib.Path) -> None:
    done: queue.Queue[tuple[int, bool]] = queue.Queue()

    def tell(entries: list[Stored], ok: bool) -> None:
        for entry in entries:
            done.put((entry.batch.number, ok))

    log = LocalLog(tmp_path / "l.db", 1_000_000, tell)
    for number in (1, 2, 5):
        assert log.put(stored(number, [Gap(1, 3, 4, "overwritten")] if number == 5 else [], floor=number))
    assert [done.get(timeout=5) for _ in range(3)] == [(1, True), (2, True), (5, True)]
    assert log.positions() == {"lift-1": (1, 5)}
    found = log.reader().history("lift-1", 0, 2_000_000, ["floor"], 100)
    assert found["fields"]["floor"] == [[1_001_000, 1], [1_002_000, 2], [1_005_000, 5]]
    assert [(gap["first"], gap["last"]) for gap in found["gaps"]] == [(3, 4)]
    assert log.reader().history("lift-1", 1_001_500, 1_004_000, ["floor"], 100)["fields"]["floor"] == [[1_002_000, 2]]
    assert log.reader().history("lift-1", 0, 2_000_000, ["floor"], 2)["truncated"]
    log.close()
    again = LocalLog(tmp_path / "l.db", 1_000_000, lambda entries, ok: None)
    assert again.positions() == {"lift-1": (1, 5)}
    again.close()


def test_the_oldest_history_goes_first_when_the_log_is_full(tmp_path: pathlib.Path) -> None:
    log = LocalLog(tmp_path / "l.db", 100_000, lambda entries, ok: None)
    for number in range(1, 4001):
        while not log.put(stored(number)):
            pass
    log.close()
    assert log.used_bytes() <= 100_000
    assert log.dropped_bytes > 0
    again = LocalLog(tmp_path / "l.db", 100_000, lambda entries, ok: None)
    assert again.positions()["lift-1"] == (1, 4000)
    kept = [point.t_ms for point in again.reader().after(0, 5000)[1]]
    assert kept == list(range(kept[0], 5_000_001, 1000)) and len(kept) > 400
    again.close()


def test_a_cursor_survives_and_reads_on(tmp_path: pathlib.Path) -> None:
    log = LocalLog(tmp_path / "l.db", 1_000_000, lambda entries, ok: None)
    for number in range(1, 11):
        log.put(stored(number))
    log.close()
    log = LocalLog(tmp_path / "l.db", 1_000_000, lambda entries, ok: None)
    reader = log.reader()
    row, points = reader.after(reader.cursor("x"), 4)
    assert len(points) == 4
    reader.settle("x", row, [])
    assert log.reader().cursor("x") == row
    assert len(log.reader().after(row, 100)[1]) == 6
    log.close()


def test_after_a_restart_it_is_known_who_has_answered(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "j.db")
    ask(journal, jobs.store_revision(event("lift-1-1-1")))
    ask(journal, jobs.store_revision(event("lift-1-1-2")))
    ask(journal, jobs.store_delivery("lift-1-1-1", 1, "city", 5, 6, 1, "receipted", "ok"))
    ask(journal, jobs.mark_done("lift-1-1-1", 1))
    journal.close()
    journal = Journal(tmp_path / "j.db")
    found = {name: (rev, lift, phase, done, who) for name, rev, lift, phase, done, who in ask(journal, jobs.recent(10))}
    assert found == {
        "lift-1-1-1": (1, "lift-1", "open", True, {"city"}),
        "lift-1-1-2": (1, "lift-1", "open", False, set()),
    }
    journal.close()


def test_history_is_in_the_order_of_time_where_batches_overlap(tmp_path: pathlib.Path) -> None:
    log = LocalLog(tmp_path / "l.db", 1_000_000, lambda entries, ok: None)
    writer = BatchWriter(1, 1, 1, 1000, 0)
    writer.add(1000, {"floor": 1})
    writer.add(9000, {"floor": 9})
    log.put(Stored("lift-1", Batch(writer.close(), 1), 1_000_000, 1_009_000, [], 1, True))
    log.put(stored(2, floor=2))
    log.close()
    again = LocalLog(tmp_path / "l.db", 1_000_000, lambda entries, ok: None)
    found = again.reader().history("lift-1", 0, 2_000_000, ["floor"], 100)["fields"]["floor"]
    again.close()
    assert found == [[1_001_000, 1], [1_002_000, 2], [1_009_000, 9]]


def test_a_sample_that_stands_in_two_batches_is_one_point_of_the_history(tmp_path: pathlib.Path) -> None:
    done: queue.Queue[bool] = queue.Queue()
    log = LocalLog(tmp_path / "l.db", 10_000_000, lambda entries, ok: done.put(ok))
    first, boxed = BatchWriter(1, 1, 1, 1000, 0), BatchWriter(1, 2, 1, 500, 0)
    for up_ms, floor in ((1000, 1), (3000, 2), (9000, 3)):
        first.add(up_ms, {"floor": floor})
    for up_ms, floor in ((500, 9), (3000, 2), (3100, 2)):
        boxed.add(up_ms, {"floor": floor})
    for body, last_up_ms in ((first.close(), 9000), (boxed.close(), 3100)):
        assert log.put(Stored("lift-1", Batch(body, 1), 1_000_000, 1_000_000 + last_up_ms, [], 1, True))
        assert done.get(timeout=5)
    found = log.reader().history("lift-1", 1_000_000, 2_000_000, ["floor"], 100)
    assert [(t_ms - 1_000_000, floor) for t_ms, floor in found["fields"]["floor"]] == [
        (500, 9), (1000, 1), (3000, 2), (3100, 2), (9000, 3),
    ]  # fmt: skip
    log.close()


def test_an_incident_says_whose_fault_words_its_snapshot_holds(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "j.db")
    for number, more in enumerate(({"profile": "nice3000"}, {})):
        ask(journal, jobs.store_revision({**event(f"lift-1-1-{number}"), **more}))
    found = ask(journal, lambda database: [jobs.incident(database, f"lift-1-1-{n}", 1)["profile"] for n in range(2)])
    journal.close()
    assert found == ["nice3000", None]
