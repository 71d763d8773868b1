"""What the wire does to the detector: silence, holes, long periods, lost and old states, resets, the button between two states."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detection.states import LONGEST_MS, StateDetector
from gateway.tests.on_the_wire import DetectorOnWire
from protocols import codes, messages
from protocols.detector import Settings, Transition
from protocols.state import LiftState
from protocols.tests.both.test_detector import DOOR_OPEN, MOVING, PARKED

STRANDED = {"passenger": True, "door_zone": False}
OPEN, UPDATED, CLOSED = codes.OPEN, codes.UPDATED, codes.CLOSED
SILENT: dict[str, Any] = {"controller_link": False, "mains": True, "passenger": False}


class Wire:
    """States of one terminal, each as a payload of its own."""

    def __init__(self, settings: Settings | None = None, period_ms: int = 1000, late_ms: int | None = None) -> None:
        self.detector = StateDetector(settings or Settings(), period_ms if late_ms is None else late_ms)
        self.period_ms = period_ms
        self.boot, self.seq, self.now = 1, 0, 0
        self.told: list[Transition] = []

    def state(self, after_ms: int, *changes: dict[str, Any], skip: int = 0, age_ms: int = 0, **more: Any) -> "Wire":
        """One state, so long after the last; `skip` before it were lost, the controller's answer is `age_ms` old."""
        values: dict[str, Any] = dict(PARKED)
        for change in changes:
            if change is SILENT:
                values = {}
            values.update(change)
        values.update(more)
        self.now += after_ms
        self.seq += 1 + skip
        head = {
            "boot": self.boot, "seq": self.seq, "up_ms": self.now, "sample_up_ms": max(0, self.now - age_ms),
            "period_ms": self.period_ms,
        }  # fmt: skip
        payload = messages.state_payload(head, LiftState(**values))
        self.told += self.detector.take(messages.decode("state", payload))
        return self

    def states(self, count: int, *changes: dict[str, Any], **more: Any) -> "Wire":
        for _ in range(count):
            self.state(self.period_ms, *changes, **more)
        return self

    def reset(self) -> "Wire":
        self.boot, self.seq, self.now = self.boot + 1, 0, 0
        return self

    def kinds(self) -> list[tuple[str, str]]:
        return [(step.kind, step.phase) for step in self.told]


# -- silence ----------------------------------------------------------------------------------------------------------


def test_evidence_before_and_after_a_silence_is_not_evidence_throughout() -> None:
    wire = Wire().states(15, STRANDED).state(60_000, STRANDED)
    assert wire.told == [] and wire.detector.holes == 1
    wire.states(19, STRANDED)
    assert wire.told == []
    assert wire.states(2, STRANDED).kinds() == [("trapped_between_floors", OPEN)]


def test_a_silence_ends_nothing_either() -> None:
    wire = Wire().states(25, STRANDED).state(1000).state(60_000)
    assert wire.kinds() == [("trapped_between_floors", OPEN)]  # in the zone before and after it, for a moment each
    assert wire.states(1).kinds()[1:] == [("trapped_between_floors", CLOSED)]


def test_a_few_lost_states_are_no_change_of_the_world() -> None:
    wire = Wire()
    for _ in range(8):
        wire.state(3000, STRANDED, skip=2)
    assert wire.kinds() == [("trapped_between_floors", OPEN)] and wire.detector.lost == 14
    wire = Wire()
    for _ in range(40):
        wire.state(4000, STRANDED, skip=3)
    assert wire.told == []


def test_a_terminal_that_froze_and_counts_on_was_silent() -> None:
    wire = Wire().states(15, STRANDED).state(30_000, STRANDED)
    assert wire.told == [] and wire.detector.lost == 0 and wire.detector.holes == 1


def test_a_chain_that_opens_behind_a_lost_state_is_told_all_the_same() -> None:
    wire = Wire().states(5, MOVING).state(2000, safety_circuit=False, door_zone=False, skip=1)
    assert wire.kinds() == [("safety_circuit_open_running", OPEN)]


def test_technicians_do_not_leave_in_a_silence() -> None:
    wire = Wire().states(3, work_mode=1).states(3, MOVING, DOOR_OPEN, work_mode=1)
    wire.state(60_000, MOVING, DOOR_OPEN, work_mode=1)
    assert [step.withheld for step in wire.told if step.kind == "running_with_door_open"] == [codes.AT_WORK]


# -- long periods -----------------------------------------------------------------------------------------------------


def test_what_ripens_between_two_states_is_told_when_the_next_confirms_it() -> None:
    wire = Wire(period_ms=90_000, late_ms=10_000).state(90_000, passenger=True).state(90_000, passenger=True)
    assert wire.kinds() == [("trapped_at_level", OPEN)]
    told = wire.told[0]
    assert (told.onset_ms, told.detected_ms) == (90_000, 180_000)


def test_what_may_have_ended_before_it_ripened_is_not_told() -> None:
    # The change is told at most 10 s late: for 55 s they were shut in, for the last 10 nobody knows.
    wire = Wire(period_ms=90_000, late_ms=10_000).state(90_000, passenger=True)
    wire.state(65_000, DOOR_OPEN, passenger=True).states(1, DOOR_OPEN)
    assert wire.told == []
    # For 75 s they certainly were: a node would have told it, too.
    wire = Wire(period_ms=90_000, late_ms=10_000).state(90_000, passenger=True)
    wire.state(85_000, DOOR_OPEN, passenger=True).states(1, DOOR_OPEN)
    assert wire.kinds() == [("trapped_at_level", OPEN), ("trapped_at_level", CLOSED)]


def test_a_number_that_only_one_state_shows_did_not_last() -> None:
    creep = {"speed_mm_s": 60}
    assert Wire(period_ms=10_000).states(1).states(1, creep).states(3).told == []
    assert Wire(period_ms=10_000).states(1).states(2, creep).kinds() == [("brake_slipping", OPEN)]


def test_a_run_and_a_power_cut_last_until_their_end_is_told() -> None:
    wire = Wire(period_ms=10_000).states(3, MOVING).state(6000, safety_circuit=False, door_zone=False)
    assert wire.kinds() == [("safety_circuit_open_running", OPEN)]
    # The controller starts after a cut; before it was told to be over nobody knows how long it has.
    cut = Wire(period_ms=10_000).states(5).states(3, SILENT, mains=False).state(9000, SILENT)
    assert cut.state(10_000, SILENT).states(2).kinds() == [("mains_lost", OPEN), ("mains_lost", CLOSED)]


def test_a_short_silence_of_the_controller_is_no_fault_at_a_long_period() -> None:
    assert Wire(period_ms=10_000).states(5).states(1, SILENT).states(5).told == []


def test_a_period_that_nobody_keeps_costs_no_time() -> None:
    wire = Wire(period_ms=3_600_000).states(2, STRANDED)
    assert wire.told == [] and wire.detector.holes == 1
    wire = Wire(period_ms=3_600_000, late_ms=1000).state(1000, STRANDED).state(LONGEST_MS, STRANDED)
    assert wire.kinds() == [("trapped_between_floors", OPEN)]


def test_a_time_that_is_wrong_once_stops_no_clock() -> None:
    wire = Wire().states(5, STRANDED).state(10**12, STRANDED)
    wire.now -= 10**12
    assert wire.states(25, STRANDED).kinds() == [("trapped_between_floors", OPEN)]
    wire.now += 10**12
    wire.state(1000, STRANDED)
    wire.now -= 10**12
    assert wire.states(3).kinds()[1:] == [("trapped_between_floors", CLOSED)]


# -- old samples ------------------------------------------------------------------------------------------------------


def test_a_sample_that_is_old_is_not_what_is() -> None:
    wire = Wire().states(3, MOVING, passenger=True)
    for age in range(1, 30):
        wire.state(1000, STRANDED, age_ms=1000 * age)
    assert wire.kinds() == [("controller_mute", OPEN)]
    assert wire.detector.state.door_zone is None and wire.detector.state.passenger is True
    known, at_ms = wire.detector.last_known()
    assert known["door_zone"] is False and at_ms is not None and at_ms <= wire.now - 1000


def test_what_a_silent_controller_told_is_not_taken_for_known() -> None:
    wire = Wire().states(30, STRANDED, controller_link=False)
    assert [kind for kind, _ in wire.kinds()] == ["controller_mute"]


# -- resets -----------------------------------------------------------------------------------------------------------


def test_an_event_outlives_a_reset_of_its_terminal_and_evidence_does_not() -> None:
    wire = Wire().states(25, STRANDED).reset().states(25, STRANDED)
    assert wire.kinds() == [("trapped_between_floors", OPEN)]
    assert wire.states(3).kinds()[1:] == [("trapped_between_floors", CLOSED)]
    early = Wire().states(15, STRANDED).reset().states(15, STRANDED)
    assert early.told == []


def test_counts_are_those_of_a_boot() -> None:
    wire = Wire().states(17, STRANDED).states(3)
    assert wire.detector.near_misses == {"trapped_between_floors": 1}
    wire.detector.set(Settings(doors=2), 1000)
    assert wire.states(3).detector.near_misses == {"trapped_between_floors": 1}
    assert wire.reset().states(1).detector.near_misses == {}


def test_a_birth_with_other_settings_keeps_what_is_open() -> None:
    wire = Wire().states(25, STRANDED)
    wire.detector.set(Settings(1600), 1000)
    assert wire.states(3, STRANDED).detector.open_kinds() == ["trapped_between_floors"]
    wire.detector.set(Settings(1600), 1000)
    assert wire.states(3).kinds()[1:] == [("trapped_between_floors", CLOSED)]


# -- the button -------------------------------------------------------------------------------------------------------


def test_each_edge_that_a_state_shows_is_one_press() -> None:
    wire = Wire().states(2, button=False)
    for down in (True, True, False, True):
        wire.state(200, door_zone=False, button=down)
    assert wire.kinds() == [("button_pressed", OPEN), ("button_pressed", UPDATED)]
    assert wire.told[1].presses == 2


def test_a_button_that_nobody_tells_of_is_neither_pressed_nor_released() -> None:
    wire = Wire().states(2, button=True)
    wire.states(5, DOOR_OPEN, button=None)
    assert wire.kinds() == [("button_pressed", OPEN)]
    assert wire.states(3, DOOR_OPEN, button=False).kinds()[1:] == [("button_pressed", CLOSED)]


def test_a_press_that_outlasts_our_restart_is_no_second_one_and_still_held() -> None:
    wire = Wire()
    wire.detector.resume("button_pressed", 2, "")
    assert wire.states(5, DOOR_OPEN, button=True).told == []
    wire.state(1000, DOOR_OPEN, button=False).state(200, DOOR_OPEN, button=True)
    assert wire.kinds() == [("button_pressed", UPDATED)] and wire.told[0].presses == 3
    after = Wire().states(2, button=True).reset().states(1, button=True)
    assert after.kinds() == [("button_pressed", OPEN), ("button_pressed", UPDATED)]  # as a node tells it


def test_a_press_that_was_withheld_before_our_restart_goes_out_when_the_way_is_shut() -> None:
    wire = Wire(Settings(button_filter=True))
    wire.detector.resume("button_pressed", 1, codes.FILTERED)
    wire.states(1, DOOR_OPEN, button=True)
    assert wire.told == [] and wire.states(1, button=True).kinds() == [("button_pressed", UPDATED)]


# -- whatever comes ---------------------------------------------------------------------------------------------------

FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "passenger": st.booleans(), "door_zone": st.booleans(), "door_1": st.integers(1, 6), "car_status": st.integers(0, 1),
        "speed_mm_s": st.sampled_from((0, 50, 900, 1300)), "mains": st.booleans(), "button": st.booleans(),
        "controller_link": st.booleans(), "position_mm": st.integers(-500, 16_000), "service_mode": st.integers(0, 6),
        "safety_circuit": st.booleans(), "work_mode": st.integers(0, 2),
    },
)  # fmt: skip
STEPS = st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 2), FIELDS, st.integers(0, 9)), max_size=30)


@pytest.mark.parametrize("period_ms", [1000, 90_000])
@given(STEPS)
def test_an_event_opens_once_and_ends_once_whatever_comes(
    period_ms: int, steps: list[tuple[int, int, dict[str, Any], int]]
) -> None:
    wire = Wire(period_ms=period_ms)
    for after_ms, skip, fields, reset in steps:
        if not reset:
            wire.reset()
        wire.state(after_ms, fields, skip=skip, age_ms=after_ms)
    opened: set[str] = set()
    for step in wire.told:
        assert (step.kind in opened) is (step.phase != OPEN), step.kind
        assert step.onset_ms <= step.detected_ms
        opened = opened | {step.kind} if step.phase != CLOSED else opened - {step.kind}
    assert set(wire.detector.open_kinds()) == opened


@given(st.lists(st.integers(1001, 100_000), max_size=12))
def test_states_that_tell_nothing_confirm_and_clear_nothing(gaps: list[int]) -> None:
    wire = Wire().states(25, STRANDED)
    for gap in gaps:
        wire.now += gap
        wire.seq += 1
        head = {"boot": 1, "seq": wire.seq, "up_ms": wire.now, "period_ms": 90_000}
        wire.told += wire.detector.take(messages.decode("state", messages.state_payload(head, LiftState())))
    assert wire.kinds() == [("trapped_between_floors", OPEN)]


def test_a_link_that_loses_every_tenth_state_finds_the_same() -> None:
    for seed in range(20):
        detector = DetectorOnWire(lost_share=0.1)
        detector._rng.seed(seed)
        told: list[Transition] = []
        for at in range(100, 60_000, 100):
            told += detector.step(LiftState(**{**PARKED, **STRANDED}), at)
        assert [step.kind for step in told] == ["trapped_between_floors"], seed
        assert told[0].detected_ms <= 25_000
