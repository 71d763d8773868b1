"""What was recorded around a serious event: kept once the log has the minute behind it, once, over restarts, in bounded number."""

import os
import pathlib

import pytest

from gateway import black_boxes
from gateway import journal as jobs
from gateway.black_boxes import FOLDER, MAX_WAITING, SOUGHT_MS, BlackBoxes
from gateway.config import Lift
from gateway.journal import Journal
from gateway.locallog import Stored
from gateway.tests.test_log_export import held
from gateway.tests.test_stores import ask, event
from protocols.recording import read
from protocols.records import Batch, BatchWriter

T_MS = 1_795_000_000_000
MINUTE_MS = 60_000


def batch(number: int, first_ms: int, last_ms: int) -> Stored:
    """A batch with a record each second between these uptimes."""
    writer = BatchWriter(1, number, 1, first_ms, 0)
    for up_ms in range(first_ms, last_ms + 1, 1000):
        writer.add(up_ms, {"position_mm": up_ms % 9000})
    return Stored("lift-1", Batch(writer.close(), 1), T_MS, T_MS + last_ms, [], 1, True)


def told(data: pathlib.Path, at_ms: int, name: str = "lift-1-1-1", severity: int = 4) -> None:
    journal = Journal(data / "journal.db")
    stages = {"onset": T_MS + at_ms - 20_000, "detected": T_MS + at_ms, "published": T_MS + at_ms}
    found = {**event(name), "severity": severity, "stages": stages, "received": T_MS + at_ms, "profile": "nice3000"}
    ask(journal, jobs.store_revision(found))
    ask(journal, jobs.store_revision({**found, "rev": 2, "phase": "closed", "received": T_MS + at_ms + 5000}))
    journal.close()


def boxes(data: pathlib.Path) -> BlackBoxes:
    return BlackBoxes(data, "gateway gw", lambda name: Lift(name, "site"), lambda: True)


def files(data: pathlib.Path) -> list[str]:
    return sorted(path.name for path in (data / FOLDER).iterdir())


def test_a_box_is_kept_once_the_minute_behind_its_event_is_in_the_log(tmp_path: pathlib.Path) -> None:
    told(tmp_path, 300_000)
    log = held(tmp_path / "log.db", [batch(n, n * 60_000, n * 60_000 + 59_000) for n in range(1, 6)])
    found = boxes(tmp_path)
    found.keep(T_MS + 400_000)
    values = found.values()
    assert (files(tmp_path), values["black_boxes_waiting"], values["black_boxes_failed"]) == ([], 1, 0)
    log.close()
    held(tmp_path / "log.db", [batch(6, 360_000, 419_000)]).close()
    for _ in range(2):
        found.keep(T_MS + 430_000)
    assert (files(tmp_path), found.values()["black_boxes_kept"]) == (["lift-1-1-1.lwrec"], 1)
    recording = read((tmp_path / FOLDER / "lift-1-1-1.lwrec").read_bytes())
    assert recording.complete and recording.header.profile == "nice3000"
    (note,) = recording.labels
    assert (note.fault, note.onset_ms, note.text) == ("", T_MS + 280_000, "button_pressed lift-1-1-1")
    times = [offset + up_ms for offset, found_batch in recording.batches for up_ms, _ in found_batch.records()]
    assert min(times) <= T_MS + 220_000 and max(times) >= T_MS + 360_000


def test_a_restart_keeps_what_was_not_kept_before_it(tmp_path: pathlib.Path) -> None:
    told(tmp_path, 300_000)
    held(tmp_path / "log.db", [batch(n, n * 60_000, n * 60_000 + 59_000) for n in range(1, 8)]).close()
    boxes(tmp_path).keep(T_MS + 500_000)
    again = boxes(tmp_path)
    again.keep(T_MS + 500_000)
    assert (files(tmp_path), again.values()["black_boxes_kept"]) == (["lift-1-1-1.lwrec"], 0)


def test_what_is_not_serious_has_no_box(tmp_path: pathlib.Path) -> None:
    told(tmp_path, 300_000, severity=2)
    held(tmp_path / "log.db", [batch(n, n * 60_000, n * 60_000 + 59_000) for n in range(1, 8)]).close()
    boxes(tmp_path).keep(T_MS + 500_000)
    assert files(tmp_path) == []


def test_stores_that_cannot_be_read_are_counted_and_tried_again(tmp_path: pathlib.Path) -> None:
    found = boxes(tmp_path)
    found.keep(T_MS)
    assert found.values()["black_boxes_failed"] == 1
    told(tmp_path, 300_000)
    found.keep(T_MS + 500_000)  # there is no log yet
    assert (files(tmp_path), found.values()["black_boxes_failed"]) == ([], 2)
    held(tmp_path / "log.db", [batch(n, n * 60_000, n * 60_000 + 59_000) for n in range(1, 8)]).close()
    found.keep(T_MS + 500_000)
    assert files(tmp_path) == ["lift-1-1-1.lwrec"]


def test_the_oldest_boxes_go_first(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(black_boxes, "MAX_FILES", 3)
    (tmp_path / FOLDER).mkdir()
    for number in range(5):
        path = tmp_path / FOLDER / f"lift-9-1-{number}.lwrec"
        path.write_bytes(b"x")
        os.utime(path, (number, number))
    told(tmp_path, 300_000)
    held(tmp_path / "log.db", [batch(n, n * 60_000, n * 60_000 + 59_000) for n in range(1, 8)]).close()
    boxes(tmp_path).keep(T_MS + 500_000)
    assert files(tmp_path) == ["lift-1-1-1.lwrec", "lift-9-1-3.lwrec", "lift-9-1-4.lwrec"]


def test_what_waits_is_bounded_and_given_up_after_a_day(tmp_path: pathlib.Path) -> None:
    found = boxes(tmp_path)
    for number in range(MAX_WAITING + 7):
        found.offer({**event(f"lift-1-1-{number}"), "received": T_MS, "stages": {"onset": T_MS, "detected": T_MS}})
    found.offer({**event("lift-1-1-9", rev=2, phase="closed"), "received": T_MS})
    values = found.values()
    assert (values["black_boxes_waiting"], values["black_boxes_dropped"]) == (MAX_WAITING, 7)
    held(tmp_path / "log.db", [batch(1, 1000, 2000)]).close()
    found.keep(T_MS + 1000)
    assert found.values()["black_boxes_waiting"] == MAX_WAITING
    found.keep(T_MS + SOUGHT_MS + 1)
    assert found.values()["black_boxes_waiting"] == 0


def test_a_box_is_told_field_by_field_to_who_asks_for_its_incident(tmp_path: pathlib.Path) -> None:
    told(tmp_path, 300_000)
    held(tmp_path / "log.db", [batch(n, n * 60_000, n * 60_000 + 59_000) for n in range(1, 8)]).close()
    found = boxes(tmp_path)
    assert found.answer("lift-1", "lift-1-1-1") == {"missing": "none"}
    found.keep(T_MS + 500_000)
    box = found.answer("lift-1", "lift-1-1-1")
    assert (box["onset_ms"], box["detected_ms"], box["problems"]) == (T_MS + 280_000, T_MS + 300_000, [])
    times = [t_ms for t_ms, _ in box["fields"]["position_mm"]]
    assert times == sorted(set(times)) and times[0] <= T_MS + 220_000 and times[-1] >= T_MS + 360_000
    for lift, name in (("lift-2", "lift-1-1-1"), ("lift-1", "lift-1-../../log"), ("lift-1", "lift-2-1-1")):
        assert "is no incident of" in found.answer(lift, name)["error"]
    path = tmp_path / FOLDER / "lift-1-1-1.lwrec"
    path.write_bytes(path.read_bytes()[:-40])
    assert found.answer("lift-1", "lift-1-1-1")["problems"]
    path.write_bytes(b"no recording")
    assert "cannot be read" in found.answer("lift-1", "lift-1-1-1")["error"]


def test_a_serious_incident_whose_minute_is_not_over_is_waited_for(tmp_path: pathlib.Path) -> None:
    told(tmp_path, 300_000)
    held(tmp_path / "log.db", [batch(1, 60_000, 119_000)]).close()
    found = boxes(tmp_path)
    found.keep(T_MS + 301_000)
    assert found.answer("lift-1", "lift-1-1-1") == {"missing": "waiting"}
