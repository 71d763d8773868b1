"""A technician at work: how work mode begins and ends, what is withheld meanwhile, and the filter of the alarm button."""

from protocols import codes
from protocols.detector import Settings, is_withheld_at_work
from protocols.faults import FAULTS, fault
from protocols.state import LiftState
from protocols.tests import place
from protocols.tests.both.test_detector import DOOR_OPEN, MOVING, Timeline
from protocols.work_mode import LONGEST_MS, USUAL_MS, WorkMode

DOOR_FAULT = dict(DOOR_OPEN, **MOVING)


def test_the_key_begins_and_ends_work_mode() -> None:
    work = WorkMode()
    assert work.look(False, 0) == codes.NO_WORK
    assert work.look(True, 100) == codes.WORK_BY_KEY
    assert work.look(True, 60000) == codes.WORK_BY_KEY
    assert work.look(False, 60100) == codes.NO_WORK


def test_a_key_left_in_the_switch_ends_by_itself_and_must_be_turned_again() -> None:
    work = WorkMode()
    work.look(True, 0)
    assert work.look(True, USUAL_MS - 1) == codes.WORK_BY_KEY
    assert work.look(True, USUAL_MS) == codes.NO_WORK
    assert work.look(True, 10 * USUAL_MS) == codes.NO_WORK
    work.look(False, 10 * USUAL_MS + 100)
    assert work.look(True, 10 * USUAL_MS + 200) == codes.WORK_BY_KEY


def test_a_command_lasts_its_time_is_renewed_and_is_ended_by_another() -> None:
    work = WorkMode()
    work.command(60000, 0)
    assert work.look(None, 59999) == codes.WORK_BY_COMMAND and work.look(None, 60000) == codes.NO_WORK
    work.command(60000, 100000)
    work.command(60000, 150000)
    assert work.look(False, 200000) == codes.WORK_BY_COMMAND
    work.command(0, 200100)
    assert work.look(False, 200100) == codes.NO_WORK


def test_no_work_mode_outlasts_the_longest_and_a_key_outlives_no_command_to_end() -> None:
    work = WorkMode()
    work.command(10 * LONGEST_MS, 0)
    assert work.look(None, LONGEST_MS - 1) and not work.look(None, LONGEST_MS)
    work.look(True, LONGEST_MS + 100)
    work.command(0, LONGEST_MS + 200)
    assert work.look(True, LONGEST_MS + 300) == codes.NO_WORK


def test_turning_the_key_back_leaves_a_work_mode_that_was_commanded() -> None:
    work = WorkMode()
    work.look(True, 0)
    work.command(60000, 1000)
    assert work.look(False, 2000) == codes.WORK_BY_COMMAND


def test_faults_at_work_are_told_as_withheld_and_the_button_is_not() -> None:
    timeline = Timeline().hold(3000, work_mode=1).hold(3000, DOOR_FAULT, work_mode=1)
    assert [(t.kind, t.withheld) for t in timeline.transitions] == [
        ("work_mode", ""), ("running_with_door_open", codes.AT_WORK),
    ]  # fmt: skip
    assert timeline.transitions[0].cause == "work_by_key"
    pressed = timeline.detector.press(timeline.now, LiftState(door_zone=False))
    assert [(t.kind, t.phase, t.withheld) for t in pressed] == [("button_pressed", codes.OPEN, "")]


def test_what_ends_at_work_was_never_told_to_anybody() -> None:
    timeline = Timeline().hold(3000, work_mode=2).hold(3000, DOOR_FAULT, work_mode=2).hold(9000, work_mode=2)
    assert [(t.kind, t.phase, t.withheld) for t in timeline.transitions] == [
        ("work_mode", codes.OPEN, ""), ("running_with_door_open", codes.OPEN, codes.AT_WORK),
        ("running_with_door_open", codes.CLOSED, codes.AT_WORK),
    ]  # fmt: skip
    assert timeline.detector.near_misses == {}


def test_what_outlasts_the_work_is_told_as_soon_as_it_ends() -> None:
    timeline = (
        Timeline().hold(3000, work_mode=1).hold(3000, DOOR_FAULT, work_mode=1).hold(3000, DOOR_FAULT, work_mode=0)
    )
    told = [(t.phase, t.cause, t.withheld) for t in timeline.transitions if t.kind == "running_with_door_open"]
    assert [(phase, withheld) for phase, _, withheld in told] == [(codes.OPEN, codes.AT_WORK), (codes.UPDATED, "")]
    assert told[1][1] == "work_ended"
    last = [t for t in timeline.transitions if t.kind == "running_with_door_open"][1]
    assert place.is_at(last.detected_ms, 6100) and place.is_at(last.onset_ms, 3100)  # the onset is that of the fault
    assert [t.phase for t in timeline.transitions if t.kind == "work_mode"] == [codes.OPEN, codes.CLOSED]


def test_what_began_before_the_work_is_no_business_of_its() -> None:
    timeline = Timeline().hold(3000).hold(3000, DOOR_FAULT).hold(3000, DOOR_FAULT, work_mode=1).hold(9000, work_mode=1)
    told = [(t.phase, t.withheld) for t in timeline.transitions if t.kind == "running_with_door_open"]
    assert told == [(codes.OPEN, ""), (codes.CLOSED, "")]


def test_a_reset_in_work_mode_ends_it_and_tells_what_it_withheld() -> None:
    detector = place.detector()
    detector.resume("running_with_door_open", 0, 0, codes.AT_WORK)
    state = LiftState(car_status=1, speed_mm_s=900, door_zone=False, door_1=codes.DOOR_OPEN, work_mode=0)
    told = detector.step(state, 100)
    assert [(t.phase, t.cause, t.withheld) for t in told] == [(codes.UPDATED, "work_ended", "")]


def test_notes_are_told_at_work_and_all_else_but_the_button_is_withheld() -> None:
    for row in FAULTS:
        assert is_withheld_at_work(row) is (row.severity > 1 and row.name != "button_pressed"), row.name
    assert not is_withheld_at_work(fault("inspection")) and is_withheld_at_work(fault("mains_lost"))


def _pressing(settings: Settings, **state: int) -> tuple:
    detector = place.detector(settings)
    told = detector.press(1000, LiftState(**state))
    return detector, told


def test_the_filter_withholds_a_press_only_where_the_way_out_is_known_to_be_free() -> None:
    free = {"door_zone": True, "door_1": codes.DOOR_OPEN, "car_status": 0}
    for changed, withheld in (
        ({}, codes.FILTERED), ({"door_1": codes.DOOR_CLOSING}, ""), ({"door_1": codes.DOOR_CLOSED}, ""),
        ({"door_zone": False}, ""), ({"door_zone": None}, ""), ({"door_1": None}, ""),
    ):  # fmt: skip
        detector, told = _pressing(Settings(button_filter=True), **dict(free, **changed))
        assert [(t.phase, t.withheld) for t in told] == [(codes.OPEN, withheld)], changed
        assert detector.suppressed.get("button_pressed", 0) == (1 if withheld else 0)
        _, told = _pressing(Settings(), **dict(free, **changed))
        assert [(t.phase, t.withheld) for t in told] == [(codes.OPEN, "")], changed


def test_a_filtered_alarm_goes_out_when_the_door_shuts_behind_it_or_it_is_pressed_again() -> None:
    free = LiftState(door_zone=True, door_1=codes.DOOR_OPEN, car_status=0)
    shut = LiftState(door_zone=True, door_1=codes.DOOR_CLOSING, car_status=0)
    detector, _ = _pressing(Settings(button_filter=True), **free.known_fields())
    detector.release()
    assert detector.step(free, 1100) == []
    told = detector.step(shut, 1200)
    assert [(t.phase, t.cause, t.withheld, t.presses) for t in told] == [(codes.UPDATED, "way_out_shut", "", 1)]
    assert detector.step(shut, 1300) == []
    detector, _ = _pressing(Settings(button_filter=True), **free.known_fields())
    detector.release()
    again = detector.press(1100, shut)
    # Behind a wire the shut door is told before the press.
    assert [(t.phase, t.withheld, t.presses) for t in again][-1] == (codes.UPDATED, "", 2)
    # Once it has gone out, it is not taken back.
    detector.release()
    assert detector.press(1200, free)[-1].withheld == ""


def test_lost_polls_shut_no_door_but_a_silence_does() -> None:
    free = LiftState(door_zone=True, door_1=codes.DOOR_OPEN, car_status=0)
    detector, _ = _pressing(Settings(button_filter=True), **free.known_fields())
    told = [(at, t.withheld) for at in range(1100, 9000, 100) for t in detector.step(LiftState(), at)]
    assert len(told) == 1 and place.is_at(told[0][0], 4000) and told[0][1] == ""


def test_a_filtered_alarm_ends_as_filtered_while_the_way_stays_free() -> None:
    free = LiftState(door_zone=True, door_1=codes.DOOR_OPEN, car_status=0)
    detector, _ = _pressing(Settings(button_filter=True), **free.known_fields())
    detector.release()
    told = []
    for at in range(1100, 3000, 100):
        told += detector.step(free, at)
    assert [(t.phase, t.withheld) for t in told] == [(codes.CLOSED, codes.FILTERED)]
