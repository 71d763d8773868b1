"""Export of the local log beside a running gateway: what is held, in order, with its gaps; damage is left out and told."""

import pathlib
import sqlite3
import time

import pytest
from click.testing import CliRunner

from gateway.cli import gateway
from gateway.config import Lift
from gateway.errors import ExportError
from gateway.locallog import LocalLog, Stored
from gateway.log_export import export, header
from protocols.delivery.gateway import Gap
from protocols.recording import Recording, read
from protocols.records import Batch, BatchWriter

OFFSET_MS = 1_795_000_000_000
LIFT = Lift("lift-1", "site", stops=6, doors=2, rated_speed_mm_s=1000, floor_pitch_mm=2900)


def stored(number: int, lift: str = "lift-1", gaps: list[Gap] | None = None) -> Stored:
    writer = BatchWriter(1, number, 1, number * 1000, 0)
    writer.add(number * 1000, {"floor": number % 100 + 1})
    batch = Batch(writer.close(), 1)
    return Stored(lift, batch, OFFSET_MS, OFFSET_MS + number * 1000, gaps or [], 1, True)


def held(path: pathlib.Path, entries: list[Stored]) -> LocalLog:
    count = []
    log = LocalLog(path, 10_000_000, lambda done, ok: count.extend(done))
    for entry in entries:
        assert log.put(entry)
    deadline = time.monotonic() + 10
    while len(count) < len(entries) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(count) == len(entries)
    return log


def recorded(path: pathlib.Path, from_ms: int = 0, to_ms: int = 2**52) -> tuple[Recording, int]:
    out = bytearray()
    found = export(path, header(LIFT, "nice3000", "gateway gw"), from_ms, to_ms, out.extend)
    recording = read(bytes(out))
    assert recording.complete, recording.problems
    return recording, found.damaged


def test_what_is_held_of_one_lift_is_exported_while_the_log_is_in_use(tmp_path: pathlib.Path) -> None:
    log = held(tmp_path / "log.db", [stored(n) for n in range(1, 40)] + [stored(1, "lift-2")])
    recording, damaged = recorded(tmp_path / "log.db")
    assert [batch.number for _, batch in recording.batches] == list(range(1, 40)) and damaged == 0
    assert {offset for offset, _ in recording.batches} == {OFFSET_MS}
    assert recording.header.settings == {"rated_speed_mm_s": 1000, "travel_mm": 14500, "doors": 2}
    assert (recording.header.lift, recording.header.profile) == ("lift-1", "nice3000")
    log.close()


def test_only_what_touches_the_time_asked_for_is_exported(tmp_path: pathlib.Path) -> None:
    held(tmp_path / "log.db", [stored(n) for n in range(1, 40)]).close()
    recording, _ = recorded(tmp_path / "log.db", OFFSET_MS + 5000, OFFSET_MS + 8000)
    assert [batch.number for _, batch in recording.batches] == [5, 6, 7, 8]


def test_the_batches_of_a_black_box_stand_where_their_numbers_are(tmp_path: pathlib.Path) -> None:
    writer = BatchWriter(1, 3, 1, 1500, 0)
    writer.add(1500, {"floor": 9})
    boxed = Stored("lift-1", Batch(writer.close(), 1), OFFSET_MS, OFFSET_MS + 1500, [], 1, True)
    held(tmp_path / "log.db", [stored(1), stored(2), boxed, stored(4), stored(5)]).close()
    for from_ms in (0, OFFSET_MS + 2000):
        recording, _ = recorded(tmp_path / "log.db", from_ms)
        numbers = [batch.number for _, batch in recording.batches]
        assert numbers == list(range(2 if from_ms else 1, 6))


def test_gaps_that_are_booked_go_with_it(tmp_path: pathlib.Path) -> None:
    held(tmp_path / "log.db", [stored(1), stored(6, gaps=[Gap(1, 2, 5, "overwritten")]), stored(7)]).close()
    recording, _ = recorded(tmp_path / "log.db")
    assert [(gap.life, gap.first, gap.last, gap.reason) for gap in recording.gaps] == [(1, 2, 5, "overwritten")]


def test_a_damaged_row_is_left_out_and_counted(tmp_path: pathlib.Path) -> None:
    held(tmp_path / "log.db", [stored(n) for n in range(1, 6)]).close()
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute("UPDATE batch SET body = ? WHERE number = 3", (b"rubbish",))
    recording, damaged = recorded(tmp_path / "log.db")
    assert [batch.number for _, batch in recording.batches] == [1, 2, 4, 5] and damaged == 1


def test_a_log_that_is_not_there_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ExportError, match="data_dir"):
        export(tmp_path / "none.db", header(LIFT, None, ""), 0, 1, lambda data: None)
    assert not (tmp_path / "none.db").exists()


def test_the_command_writes_a_file_or_says_why_not(tmp_path: pathlib.Path) -> None:
    held(tmp_path / "log.db", [stored(n) for n in range(1, 6)]).close()
    config = tmp_path / "gateway.toml"
    config.write_text(f'[gateway]\nid = "gw"\ndata_dir = "{tmp_path}"\n[[lift]]\nid = "lift-1"\nsite = "site"\n')
    file = tmp_path / "one.lwrec"

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(gateway, ["export", *arguments, "--config", str(config)])
        return result.exit_code, result.output

    code, output = run("lift-1", str(file), "--from", "2026-01-01", "--to", "2027-01-01T00:00+08:00")
    assert code == 0 and "5 batches" in output, output
    assert len(read(file.read_bytes()).batches) == 5
    for arguments, words in (
        (("lift-9", "x"), "has no lift lift-9; there are lift-1"),
        (("lift-1", str(tmp_path / "x"), "--to", "2020-01-01"), "holds nothing"),
        (("lift-1", "x", "--from", "yesterday"), "is no time"),
    ):
        code, output = run(*arguments)
        assert code != 0 and words in output, output
    assert sorted(path.name for path in tmp_path.glob("x*")) == []
