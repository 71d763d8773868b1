"""What field and sensors do to the detector beyond the plain course: unsteady presence, locked lifts, booting controllers, flapping."""

from protocols import codes
from protocols.detector import Settings
from protocols.errors import SettingsError
from protocols.state import LiftState
from protocols.tests import place

PARKED = {
    "service_mode": 1, "car_status": 0, "direction": 0, "door_zone": True, "floor": 2, "door_1": 2, "passenger": False,
    "speed_mm_s": 0, "safety_circuit": True, "door_lock": True, "mains": True, "controller_link": True,
}  # fmt: skip
MOVING = {"car_status": 1, "direction": 1, "speed_mm_s": 1000, "door_zone": False}
DOOR_OPEN = {"door_1": 4, "door_lock": False}
OPEN, CLOSED = codes.OPEN, codes.CLOSED


def _silent(**known: int | None) -> dict:
    """A sample without an answer of the controller."""
    values: dict = {name: None for name in PARKED}
    values.update(controller_link=False, passenger=False)
    values.update(known)
    return values


def _live(parts: list[tuple[int, dict]], settings: Settings | None = None) -> list[tuple[str, str, str]]:
    """Run through [(ms, changes of PARKED)] with a sample each 200 ms; returns [(kind, phase, cause)]."""
    detector = place.detector(settings)
    now = 0
    told = []
    for ms, changes in parts:
        values: dict = dict(PARKED)
        values.update(changes)
        state = LiftState(**values)
        for _ in range(ms // 200):
            now += 200
            told += [(step.kind, step.phase, step.cause) for step in detector.step(state, now)]
    return told


def test_a_presence_sensor_that_cannot_decide_does_not_hide_a_stranded_car() -> None:
    for seconds in (1, 5, 15):
        flicker = []
        for _ in range(120 // seconds):
            flicker += [(seconds * 500, {"door_zone": False, "passenger": seen}) for seen in (True, False)]
        assert _live([(5000, MOVING)] + flicker) == [("stopped_outside_door_zone", OPEN, "occupancy_unsteady")]


def test_somebody_who_sits_still_between_floors_is_no_second_event() -> None:
    told = _live([
        (5000, MOVING), (25000, {"door_zone": False, "passenger": True}), (300000, {"door_zone": False}), (5000, {}),
    ])  # fmt: skip
    assert told == [("trapped_between_floors", OPEN, "passenger"), ("trapped_between_floors", CLOSED, "in_zone")]


def test_somebody_who_sits_still_behind_closed_doors_is_still_trapped() -> None:
    told = _live([(70000, {"passenger": True}), (300000, {}), (3000, DOOR_OPEN)])
    assert told == [("trapped_at_level", OPEN, "passenger"), ("trapped_at_level", CLOSED, "door_open")]


def test_a_person_seen_late_in_a_stranded_car_raises_the_alarm_too() -> None:
    told = _live([(5000, MOVING), (40000, {"door_zone": False}), (25000, {"door_zone": False, "passenger": True})])
    assert [kind for kind, _, _ in told] == ["stopped_outside_door_zone", "trapped_between_floors"]


def test_a_lift_taken_out_of_service_with_someone_inside_is_told_and_its_open_door_is_not() -> None:
    off = ("out_of_service", OPEN, "mode_0")
    assert _live([(70000, {"service_mode": 0, "passenger": True})]) == [off, ("trapped_at_level", OPEN, "passenger")]
    stranded = {"service_mode": 0, "passenger": True, "door_zone": False}
    assert _live([(5000, MOVING), (25000, stranded)]) == [off, ("trapped_between_floors", OPEN, "passenger")]
    assert _live([(600000, dict(DOOR_OPEN, service_mode=0))]) == [off]


def test_a_controller_that_boots_after_a_power_cut_is_not_mute() -> None:
    off, boot = (10000, _silent(mains=False)), (15000, _silent(mains=True))
    told = _live([(5000, {}), off, boot, (60000, {})])
    assert told == [("mains_lost", OPEN, "mains_off"), ("mains_lost", CLOSED, "mains_on")]
    told = _live([(5000, {}), off, (60000, _silent(mains=True))])
    assert told[2:] == [("controller_mute", OPEN, "mains_on")]


def test_the_mains_may_go_a_little_after_the_controller() -> None:
    told = _live([(5000, {}), (4000, _silent(mains=True)), (60000, _silent(mains=False))])
    assert told == [("mains_lost", OPEN, "mains_off")]


def test_silence_without_a_mains_sense_says_that_the_mains_is_not_known() -> None:
    assert _live([(5000, {}), (10000, _silent())]) == [("controller_mute", OPEN, "mains_unknown")]


def test_two_minutes_of_goods_in_the_door_are_ordinary_and_longer_is_not() -> None:
    assert _live([(120000, DOOR_OPEN), (10000, {})]) == []
    assert _live([(160000, DOOR_OPEN)]) == [("door_blocked", OPEN, "door_not_closed")]


def test_a_longer_confirmation_of_the_held_door_leaves_the_reversal_loop_alone() -> None:
    settings = Settings(confirm_ms={"door_blocked": 600000})
    assert _live([(300000, DOOR_OPEN)], settings) == []
    cycle: list[tuple[int, dict]] = [(1600, {"door_1": 1}), (1600, {"door_1": 3}), (2000, DOOR_OPEN)]
    assert _live(cycle * 6, settings) == [("door_reversal_loop", OPEN, "door_reversing")]


def test_an_opening_that_fell_into_a_hole_of_the_samples_is_no_shut_door() -> None:
    arrived: list[tuple[int, dict]] = [(4000, dict(MOVING, passenger=True)), (400, {"passenger": True})]
    unseen = (2600, _silent(mains=True, passenger=True))
    assert _live(arrived + [unseen, (30000, {"passenger": True})]) == []
    # The same without the hole is the fault.
    assert [kind for kind, _, _ in _live(arrived + [(30000, {"passenger": True})])] == ["door_wont_open"]


def test_a_rescue_run_on_emergency_power_may_creep() -> None:
    creeping = dict(MOVING, service_mode=5, speed_mm_s=100)
    assert _live([(40000, creeping)]) == [("emergency_power", OPEN, "mode_5")]


def test_a_flapping_supply_is_few_events_that_stay_open_longer() -> None:
    flaps = [(3000, _silent(mains=False)), (6000, {})] * 40
    told = _live([(5000, {})] + flaps + [(120000, {})])
    opened = [kind for kind, phase, _ in told if phase == OPEN]
    assert 1 <= opened.count("mains_lost") <= 3 and told[-1] == ("mains_lost", CLOSED, "mains_on")


def test_a_single_fault_after_a_quiet_minute_clears_as_fast_as_ever() -> None:
    detector = place.detector()
    now = 0
    cleared = []
    for mains, samples in ((False, 30), (True, 700), (False, 30), (True, 700)):
        changed = now + 100
        for _ in range(samples):
            now += 100
            for step in detector.step(LiftState(**dict(PARKED, mains=mains)), now):
                if step.phase == CLOSED:
                    cleared.append(step.detected_ms - changed)
    assert len(cleared) == 2 and all(place.is_at(ms, 5000) for ms in cleared)


def test_confirmations_that_are_no_times_are_refused() -> None:
    wrong: tuple[dict, ...] = (
        {"confirm_ms": {"door_blocked": -1}}, {"confirm_ms": {"door_blocked": "90"}}, {"confirm_ms": {"door_blocked": True}},
        {"confirm_ms": {"trapped_at_level": 3600001}}, {"confirm_ms": [1]}, {"rated_speed_mm_s": "1000"}, {"travel_mm": None},
    )  # fmt: skip
    for settings in wrong:
        try:
            Settings(**settings)
        except SettingsError as error:
            assert next(iter(settings)) in str(error)
            continue
        raise AssertionError(settings)
