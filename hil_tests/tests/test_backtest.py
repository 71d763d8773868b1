"""Back-test: a recording replayed tells what its node told, holes are unknown time, labels are judged, damage is told."""

import io
import pathlib
import re
from typing import Any

import pytest
from click.testing import CliRunner

from hil_tests.backtest.cli import backtest
from hil_tests.backtest.replay import SILENT_MS, Told, replay
from hil_tests.backtest.score import MISSED, MONTH_MS, Score, poisson_interval
from hil_tests.bench.cli import twin
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.recorder import BEGIN_MS, MINUTE_MS, SAMPLE_MS, Recorder
from protocols import codes
from protocols.detector import Detector, Settings
from protocols.errors import DecodeError
from protocols.faults import BY_NAME
from protocols.recording import Header, Label, Recording, Writer, read
from protocols.records import BatchWriter
from protocols.state import LiftState

# Two polls, and one that was lost between them.
LATE_MS = 3 * SAMPLE_MS[1]
# What rests on small distances: the log's deadband of 400 mm, at 1 m/s, with the detector's pace on top.
LATER_MS = {"over_travel_up": 1500, "over_travel_down": 1500}
LASTS_MS = {"presence_stuck": 20 * MINUTE_MS}


class Live(Recorder):
    """A recorder that shows the detector each sample too, as the node does."""

    def __init__(self, write: Any, spec: LiftSpec) -> None:
        super().__init__(write, spec, BEGIN_MS, "test")
        self.told: list[tuple[str, int]] = []
        self._pressed = False
        self._detector = Detector(Settings(1000, (spec.stops - 1) * spec.floor_pitch_mm, spec.doors))

    def _record(self, sample: dict[str, int | bool | None], now_ms: int) -> None:
        super()._record(sample, now_ms)
        state = LiftState(**sample)
        found = []
        if state.button and not self._pressed:
            found = self._detector.press(now_ms, state)
        elif not state.button:
            self._detector.release()
        self._pressed = bool(state.button)
        found += self._detector.step(state, now_ms)
        self.told += [(step.kind, step.detected_ms) for step in found if step.phase == codes.OPEN]


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name in BY_NAME])
def test_a_replayed_fault_is_told_as_its_node_told_it(name: str) -> None:
    out = io.BytesIO()
    live = Live(out.write, LiftSpec(seed=11, traffic_factor=5.0))
    live.follow(BEGIN_MS + 15 * MINUTE_MS)
    live.fault(name, LASTS_MS.get(name, 5 * MINUTE_MS))
    live.follow(live.twin.now_ms + 5 * MINUTE_MS)
    live.close()
    recording = read(out.getvalue())
    assert recording.complete
    found = replay(recording)
    assert [told.kind for told in found.told] == [kind for kind, _ in live.told]
    if name not in [kind for kind, _ in live.told]:
        pytest.skip(f"the twin of this test does not bring {name} about")
    for told, (_, at_ms) in zip(found.told, live.told, strict=True):
        assert abs(told.detected_ms - at_ms) <= LATER_MS.get(told.kind, LATE_MS), told
    assert found.holes == 0
    assert abs(found.observed_ms - (live.twin.now_ms - BEGIN_MS)) < 11 * MINUTE_MS


# -- time of which nothing is recorded ----------------------------------------------------------------------------------

TRAPPED = {"car_status": 0, "speed_mm_s": 0, "door_zone": False, "door_1": 2, "passenger": True, "service_mode": 1}
FREE = {**TRAPPED, "door_zone": True, "passenger": False}


def recording(*batches: tuple[int, int, int, list[tuple[int, dict[str, Any]]]], offset_ms: int = BEGIN_MS) -> Recording:
    """Of batches (life, number, boot, [(up_ms, changes)])."""
    out = io.BytesIO()
    writer = Writer(out.write, Header("lift-1", {"doors": 1}))
    for life, number, boot, records in batches:
        batch = BatchWriter(life, number, boot, records[0][0], 0)
        for up_ms, changes in records:
            batch.add(up_ms, changes)
        writer.batch(offset_ms, batch.close())
    writer.close()
    return read(out.getvalue())


def test_what_stands_unchanged_ripens_between_the_records() -> None:
    found = replay(recording((1, 1, 1, [(0, TRAPPED), (60_000, FREE)])))
    (told,) = found.told
    assert told.kind == "trapped_between_floors"
    assert told.onset_ms == BEGIN_MS and 20_000 <= told.detected_ms - BEGIN_MS <= 21_000
    assert (found.observed_ms, found.holes) == (60_000, 0)


@pytest.mark.parametrize(
    "second",
    [
        (1, 3, 1, [(60_000, {"floor": 2})]),  # batch 2 is missing
        (1, 2, 2, [(60_000, {"floor": 2})]),  # another boot
        (2, 1, 1, [(60_000, {"floor": 2})]),  # another log
        (1, 2, 1, [(5000 + SILENT_MS + 1, {"floor": 2})]),  # the node writes at least each 10 minutes
    ],
)
def test_behind_a_hole_nothing_is_known_and_nothing_ripens_in_it(second: tuple[Any, ...]) -> None:
    found = replay(recording((1, 1, 1, [(0, TRAPPED), (5000, {"floor": 1})]), second))
    assert (found.told, found.holes, found.observed_ms) == ([], 1, 5000)


def test_a_batch_that_stands_there_twice_counts_once() -> None:
    first = (1, 1, 1, [(0, TRAPPED), (60_000, FREE)])
    assert len(replay(recording(first, first)).told) == 1


def test_what_a_black_box_held_is_replayed_in_its_minute() -> None:
    changed: list[tuple[int, dict[str, Any]]] = [(0, FREE), (100_000, {"floor": 2}), (200_000, {"floor": 3})]
    first = (1, 1, 1, changed)
    held: list[tuple[int, dict[str, Any]]] = [(120_000, {**FREE, "button": True}), (121_000, {"button": False})]
    found = replay(recording(first, (1, 2, 1, held), (1, 3, 1, [(201_000, {"floor": 4})])))
    assert [(told.kind, told.detected_ms - BEGIN_MS) for told in found.told] == [("button_pressed", 120_000)]
    assert (found.observed_ms, found.holes) == (201_000, 0)


def test_a_clock_that_was_set_back_makes_no_time() -> None:
    found = replay(recording((1, 1, 1, [(50_000, TRAPPED)]), (1, 2, 2, [(10_000, TRAPPED), (80_000, FREE)])))
    assert [told.kind for told in found.told] == ["trapped_between_floors"]
    assert found.observed_ms == 30_000


def test_a_press_is_told_at_its_edge_and_again_only_behind_its_end() -> None:
    records: list[tuple[int, dict[str, Any]]] = [
        (0, FREE),
        (1000, {"button": True}),
        (1200, {"button": False}),
        (3000, {"button": True}),
    ]
    found = replay(recording((1, 1, 1, [*records, (9000, {"floor": 2})])))
    assert [(told.kind, told.detected_ms - BEGIN_MS) for told in found.told] == [("button_pressed", 1000)]


def test_confirmation_times_can_be_others_than_the_tables() -> None:
    entry = (1, 1, 1, [(0, TRAPPED), (60_000, FREE)])
    (told,) = replay(recording(entry), {"trapped_between_floors": 45_000}).told
    assert 45_000 <= told.detected_ms - BEGIN_MS <= 46_000
    assert replay(recording(entry), {"trapped_between_floors": 90_000}).told == []


@pytest.mark.parametrize("settings", [{"doors": 7}, {"colour": 1}, {"confirm_ms": 3}, {"confirm_ms": {"x": 1}}])
def test_settings_that_no_detector_has_are_told(settings: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match=r"detector|confirm_ms"):
        replay(Recording(Header("lift-1", settings)))


# -- labels ---------------------------------------------------------------------------------------------------------------


def test_events_are_judged_by_the_labels() -> None:
    from hil_tests.backtest.replay import Replay

    labels = [
        Label("mains_lost", 1000, 5000, also=["controller_mute"]),
        Label("door_blocked", 100_000, 200_000),
        Label("", 300_000, 400_000, "noise on the line"),
    ]
    told = [
        Told("mains_lost", 1500, 3500, ""),
        Told("controller_mute", 1500, 4000, ""),
        Told("mains_lost", 4000, 60_000, ""),  # a second time, still about that cut
        Told("door_wont_open", 110_000, 120_000, ""),
        Told("trapped_at_level", 310_000, 370_000, ""),
    ]
    score = Score()
    score.add(labels, Replay(told=told, observed_ms=MONTH_MS + 104_000))
    mains, door = score.of("mains_lost"), score.of("door_blocked")
    assert (mains.labels, mains.hits, mains.misses, mains.others, mains.false) == (1, 1, 0, 0, 0)
    assert (mains.since_label_ms, mains.since_onset_ms) == ([2500], [2000])
    assert (door.labels, door.hits, door.misses, door.others) == (1, 0, 1, 1)
    assert score.matrix == {
        "mains_lost": {"mains_lost": 1, "controller_mute": 1},
        "door_blocked": {"door_wont_open": 1, MISSED: 1},
    }
    assert [event.kind for event in score.false] == ["trapped_at_level"]
    assert score.of("trapped_at_level").false == 1
    assert score.lift_months() == 1.0


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904), (100, 81.364, 121.627)]
)
def test_the_interval_is_the_exact_one(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), abs=1e-3)


# -- the commands -----------------------------------------------------------------------------------------------------------


def ran(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(backtest, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    file = tmp_path_factory.mktemp("recordings") / "lift.lwrec"
    made = ["record", str(file), "--days", "0.1", "--fault", "trapped_at_level", "--fault", "mains_lost"]
    result = CliRunner().invoke(twin, made)
    assert result.exit_code == 0 and "2 labels" in result.output, result.output
    return file


def test_a_labelled_recording_gives_matrix_times_and_rate(labelled: pathlib.Path) -> None:
    code, output = ran(labelled, "--jobs", 1)
    assert code == 0
    assert re.search(r"^trapped_at_level +1 +1 +0 +0 +0 +6\d\.\d\d", output, re.MULTILINE), output
    assert re.search(r"^\d mains_lost +\. +1|^\d mains_lost +1 +\.", output, re.MULTILINE), output
    assert "false alarms outside of labels: 0 in" in output and "95 %: 0 to" in output


def test_a_sweep_shows_what_each_time_buys(labelled: pathlib.Path) -> None:
    code, output = ran(labelled, "--sweep", "trapped_at_level=20,3000", "--jobs", 1)
    assert code == 0
    assert re.search(r"^20 +1 +1 +0 +2\d", output, re.MULTILINE), output
    assert re.search(r"^3000 +1 +0 +1 +- ", output, re.MULTILINE), output


def test_damage_is_told_and_what_is_whole_is_used(labelled: pathlib.Path, tmp_path: pathlib.Path) -> None:
    whole = labelled.read_bytes()
    (tmp_path / "cut.lwrec").write_bytes(whole[:-30])
    (tmp_path / "rubbish.lwrec").write_bytes(b"rubbish")
    code, output = ran(tmp_path / "cut.lwrec", tmp_path / "rubbish.lwrec", tmp_path / "none.lwrec", "--jobs", 1)
    assert code == 1
    assert "cut.lwrec: it has no end" in output or "cut off" in output
    assert "rubbish.lwrec: cannot be used: no recording" in output
    assert "none.lwrec: cannot be used: No such file" in output
    assert "1 recordings of 1 lifts" in output and "trapped_at_level" in output


def test_without_labels_the_events_are_listed(tmp_path: pathlib.Path) -> None:
    out = io.BytesIO()
    writer = Writer(out.write, Header("lift-7", {}))
    batch = BatchWriter(1, 1, 1, 0, 0)
    batch.add(0, TRAPPED)
    batch.add(60_000, FREE)
    writer.batch(BEGIN_MS, batch.close())
    writer.close()
    (tmp_path / "bare.lwrec").write_bytes(out.getvalue())
    code, output = ran(tmp_path / "bare.lwrec", "--jobs", 1)
    assert code == 0 and "no labels" in output
    assert re.search(r"lift-7 +2023-11-14 22:13:40\.\d+ +trapped_between_floors +passenger +20\.\d", output), output


@pytest.mark.parametrize(
    "text", ["button_pressed=5", "trapped=5", "mains_lost=x", "mains_lost=-1", "mains_lost=9999999"]
)
def test_a_sweep_of_what_cannot_be_set_is_refused(labelled: pathlib.Path, text: str) -> None:
    code, output = ran(labelled, "--sweep", text)
    assert code == 2 and "--sweep" in output
