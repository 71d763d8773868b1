"""The faults that only the course of events tells, those of the node's own inputs, and the national list's modes, by timelines."""

from protocols import codes
from protocols.course import MODES
from protocols.detector import Settings
from protocols.faults import FAULTS
from protocols.state import LiftState
from protocols.tests import place
from protocols.tests.both.test_detector import DOOR_OPEN, MOVING, Timeline

MUTE: dict = {name: None for name in ("car_status", "direction", "door_zone", "floor", "door_1", "speed_mm_s", "safety_circuit",
                                "door_lock", "service_mode")}  # fmt: skip
MUTE.update({"controller_link": False, "mains": False})
RELEVEL = {"car_status": 1, "direction": 1, "speed_mm_s": 40}


def opened(timeline: Timeline) -> list[str]:
    return [kind for kind, phase in timeline.kinds() if phase == codes.OPEN]


def closed(timeline: Timeline) -> list[str]:
    return [kind for kind, phase in timeline.kinds() if phase == codes.CLOSED]


def test_somebody_shut_in_by_a_power_cut_is_told_after_half_a_minute() -> None:
    timeline = Timeline().hold(5000, MOVING, passenger=True).hold(40000, MUTE, passenger=True)
    assert opened(timeline) == ["mains_lost", "trapped_in_power_cut"]
    alarm = timeline.transitions[1]
    assert place.is_at(alarm.onset_ms, 5100) and place.is_at(alarm.detected_ms, 35100)
    timeline.hold(60000, passenger=True)  # the mains is back; nobody has opened yet
    assert "trapped_in_power_cut" not in closed(timeline)
    timeline.hold(3000, DOOR_OPEN)
    assert "trapped_in_power_cut" in closed(timeline)


def test_a_power_cut_with_the_door_open_or_with_nobody_aboard_traps_nobody() -> None:
    for before, during in (
        (dict(DOOR_OPEN, passenger=True), {"passenger": True}), ({}, {"passenger": False}), ({}, {"passenger": None}),
        ({"passenger": True, "service_mode": 2}, {"passenger": True}),
    ):  # fmt: skip
        timeline = Timeline().hold(5000, before).hold(120000, MUTE, during)
        assert [kind for kind in opened(timeline) if kind != "inspection"] == ["mains_lost"], (before, during)


def test_a_rescue_device_that_opens_the_door_in_a_power_cut_has_let_them_out() -> None:
    timeline = Timeline().hold(5000, MOVING, passenger=True).hold(10000, MUTE, passenger=True)
    timeline.hold(15000, mains=False, passenger=True, service_mode=5, car_status=1, speed_mm_s=100, door_zone=False)
    timeline.hold(10000, DOOR_OPEN, mains=False, service_mode=5).hold(120000, MUTE, passenger=True)
    assert "trapped_in_power_cut" not in opened(timeline)


def test_a_car_that_leaves_its_landing_with_an_open_door_is_told_by_the_first_sample() -> None:
    timeline = Timeline().hold(3000, DOOR_OPEN, passenger=True).hold(300, DOOR_OPEN, RELEVEL, passenger=True)
    assert timeline.seen == []
    timeline.hold(100, DOOR_OPEN, MOVING, passenger=True)
    assert place.are(timeline.seen, [("unintended_car_movement", codes.OPEN, 3400)])
    timeline.hold(5000, DOOR_OPEN, MOVING)
    assert opened(timeline) == ["unintended_car_movement"]  # which says it better than a door that is open in a run
    timeline.hold(4000, DOOR_OPEN)
    assert closed(timeline) == ["unintended_car_movement"]


def test_a_zone_switch_that_flickers_beside_an_open_door_moves_no_car() -> None:
    timeline = Timeline().hold(3000, DOOR_OPEN)
    for _ in range(5):
        timeline.hold(2000, DOOR_OPEN, door_zone=False).hold(2000, DOOR_OPEN)
    assert timeline.seen == []


def test_a_door_that_opens_in_a_run_is_no_unintended_movement() -> None:
    timeline = Timeline().hold(3000, DOOR_OPEN).hold(3000).hold(3000, MOVING).hold(500, MOVING, DOOR_OPEN)
    assert opened(timeline) == ["running_with_door_open"]


def test_three_samples_of_overspeed_are_told_and_two_are_noise() -> None:
    fast, sample_ms = dict(MOVING, speed_mm_s=1150), place.here.sample_ms
    timeline = Timeline().hold(3000, MOVING).hold(2 * sample_ms, fast).hold(3000, MOVING).hold(2 * sample_ms, fast)
    assert timeline.hold(sample_ms, MOVING, speed_mm_s=None).hold(2 * sample_ms, fast).seen == []
    timeline.hold(sample_ms, fast)
    assert opened(timeline) == ["overspeed"]
    assert timeline.transitions[0].onset_ms == timeline.transitions[0].detected_ms - 2 * sample_ms
    assert Timeline().hold(10000, MOVING, speed_mm_s=1149).seen == []
    slow = Timeline().hold(3000, fast, service_mode=2)
    assert "overspeed" in opened(slow)  # no mode excuses it


def test_a_car_beyond_its_end_landings() -> None:
    assert Timeline().hold(5000, position_mm=15200).hold(5000, position_mm=-200).seen == []
    timeline = Timeline().hold(2000, position_mm=15300, door_zone=False)
    assert opened(timeline) == ["over_travel_up"]
    assert closed(timeline.hold(4000, position_mm=15000)) == ["over_travel_up"]
    assert opened(Timeline().hold(2000, position_mm=-300, door_zone=False)) == ["over_travel_down"]
    assert "over_travel_up" not in opened(Timeline().hold(5000, position_mm=15300, service_mode=2))


def test_three_relevellings_in_ten_minutes_are_inaccurate_and_two_are_loading() -> None:
    timeline = Timeline()
    for _ in range(2):
        timeline.hold(2000, DOOR_OPEN).hold(500, DOOR_OPEN, RELEVEL)
    assert timeline.seen == []
    timeline.hold(2000, DOOR_OPEN).hold(500, DOOR_OPEN, RELEVEL)
    assert opened(timeline) == ["levelling_inaccurate"]
    assert place.is_at(timeline.transitions[0].onset_ms, 2100)
    assert closed(timeline.hold(602000)) == ["levelling_inaccurate"]
    apart = Timeline()
    for _ in range(6):
        apart.hold(2000, DOOR_OPEN).hold(500, DOOR_OPEN, RELEVEL).hold(400000)
    assert apart.seen == []


def test_three_starts_that_move_nothing() -> None:
    start = {"car_status": 1, "speed_mm_s": 0, "position_mm": 3000}
    still = {"position_mm": 3000}
    timeline = Timeline().hold(1000, still)
    for _ in range(2):
        timeline.hold(3000, start).hold(10000, still)
    assert timeline.seen == []
    timeline.hold(3000, start).hold(10000, still)
    assert opened(timeline) == ["start_failing"]
    assert closed(timeline.hold(1200, MOVING)) == ["start_failing"]
    good = Timeline().hold(1000, still)
    for _ in range(5):
        good.hold(3000, start).hold(2000, still).hold(3000, MOVING).hold(2000, still)
    assert good.seen == []


def test_a_car_that_moves_while_its_drive_stands() -> None:
    creep = {"speed_mm_s": 60}
    assert Timeline().hold(1500, creep).hold(5000).seen == []  # the state word may lag
    assert opened(Timeline().hold(3000, creep)) == ["brake_slipping"]
    drift = Timeline().hold(3000, position_mm=6000)
    for step in range(1, 5):
        drift.hold(30000, position_mm=6000 - 100 * step)
    assert opened(drift) == ["brake_slipping"]
    found_anew = Timeline().hold(3000, position_mm=6000).hold(60000, position_mm=9000)
    assert found_anew.seen == []  # the controller found its position, the car did not move
    ordinary = Timeline()
    for floor in range(4):
        ordinary.hold(4000, MOVING, position_mm=3000 * floor + 1500).hold(60000, position_mm=3000 * (floor + 1))
    assert ordinary.seen == []


def test_words_of_the_controller_that_have_a_national_code() -> None:
    lost = Timeline().hold(2000, controller_fault=30)
    assert opened(lost) == ["floor_position_lost"]
    assert closed(lost.hold(4000, controller_fault=0)) == ["floor_position_lost"]
    foreign = Timeline()
    foreign.detector = place.detector(Settings(profile="another"))  # whose word 30 is something else
    assert foreign.hold(5000, controller_fault=30).seen == []
    stopped = Timeline().hold(5000, MOVING, controller_fault=0).hold(500, controller_fault=0)
    stopped.hold(130000, controller_fault=41)
    assert opened(stopped) == ["restart_prevented"]
    # The word may come before the car has come to rest, or be read in the same round as its last motion.
    torn = Timeline().hold(5000, MOVING, controller_fault=0).hold(600, MOVING, controller_fault=36)
    assert opened(torn.hold(121000, controller_fault=36)) == ["restart_prevented"]
    late = Timeline().hold(5000, MOVING, controller_fault=0).hold(4000, controller_fault=0)
    assert opened(late.hold(121000, controller_fault=36)) == ["restart_prevented"]
    again = Timeline().hold(5000, MOVING, controller_fault=0).hold(600, MOVING, controller_fault=36)
    again.hold(5000, controller_fault=36).hold(5000, MOVING, controller_fault=36).hold(300000, controller_fault=36)
    assert opened(again) == []  # it has run since
    # A word that came while the car was parked says nothing of a run, and a car may be parked all night.
    parked = Timeline().hold(60000, controller_fault=0).hold(3600000, controller_fault=24)
    assert parked.seen == []


def test_a_button_that_is_held_for_minutes_is_jammed_and_its_alarm_stays() -> None:
    timeline = Timeline()
    timeline.take(timeline.detector.press(0, LiftState()))
    timeline.hold(185000)
    assert opened(timeline) == ["button_pressed", "button_stuck"]
    timeline.detector.release()
    assert closed(timeline.hold(3000)) == ["button_stuck"]


def test_a_sensor_that_always_sees_somebody_makes_occupancy_unknown() -> None:
    timeline = Timeline()
    for _ in range(11):
        timeline.hold(5000, DOOR_OPEN, passenger=True).hold(10000, passenger=True).hold(45000, MOVING, passenger=True)
        timeline.hold(1000, passenger=True)
    assert "presence_stuck" in opened(timeline) and "trapped_at_level" not in opened(timeline)
    timeline.hold(600000, passenger=True)
    assert "trapped_at_level" not in opened(timeline)
    timeline.hold(40000, passenger=True, door_zone=False)
    assert timeline.transitions[-1].kind == "stopped_outside_door_zone"
    assert timeline.transitions[-1].cause == "occupancy_unknown"
    assert "presence_stuck" in closed(timeline.hold(2000, passenger=False, door_zone=False))


def test_a_door_zone_signal_that_flickers_in_a_car_that_stands() -> None:
    timeline = Timeline().hold(1000)
    for _ in range(3):
        timeline.hold(2000, door_zone=False).hold(2000)
    assert opened(timeline) == ["input_flickering"]
    assert closed(timeline.hold(62000)) == ["input_flickering"]
    trips = Timeline()
    for _ in range(6):
        trips.hold(3000, MOVING).hold(2000, DOOR_OPEN).hold(2000)
    assert trips.seen == []


def test_a_battery_that_runs_low_is_told_before_the_node_falls_silent() -> None:
    timeline = Timeline().hold(11000, battery_low=True)
    assert opened(timeline) == ["battery_low"]
    assert closed(timeline.hold(11000, battery_low=False)) == ["battery_low"]


def test_each_mode_of_the_national_list_is_an_event_while_it_is_shown() -> None:
    names = {
        42: "out_of_service",
        43: "inspection",
        44: "fire_return",
        45: "firefighter",
        46: "emergency_power",
        47: "earthquake",
    }
    by_mode = dict(zip(MODES, sorted(names)))
    for mode in MODES:
        timeline = Timeline().hold(5000).hold(5000, service_mode=mode)
        assert opened(timeline) == [names[by_mode[mode]]]
        timeline.hold(500, service_mode=None).hold(5000)
        assert timeline.kinds()[1:] == [
            ("automatic_restored", codes.OPEN), (names[by_mode[mode]], codes.CLOSED), ("automatic_restored", codes.CLOSED),
        ]  # fmt: skip
    assert Timeline().hold(5000, service_mode=7).hold(5000).seen == []


def test_every_national_code_of_the_2017_list_has_its_fault() -> None:
    assert {fault.code for fault in FAULTS} - {None} == {1, 2, 3, 4, 5, 6, 7, 8, 40, 41, 42, 43, 44, 45, 46, 47, 90}


def test_after_a_reset_a_stuck_sensor_stays_doubted() -> None:
    detector = place.detector()
    detector.resume("presence_stuck", 0, 0)
    timeline = Timeline()
    timeline.detector = detector
    timeline.hold(120000, passenger=True)
    assert timeline.seen == []
