"""The detector by timelines of samples, on both interpreters and in both places (tests/place.py)."""

from protocols import codes
from protocols.conditions import FACTS, found
from protocols.detector import Detector, Settings, Transition
from protocols.errors import SettingsError
from protocols.faults import BY_NAME, FAULTS
from protocols.state import LiftState
from protocols.tests import place

PARKED = {
    "service_mode": 1, "car_status": 0, "direction": 0, "door_zone": True, "floor": 2, "door_1": 2, "passenger": False,
    "speed_mm_s": 0, "safety_circuit": True, "door_lock": True, "mains": True, "controller_link": True,
}  # fmt: skip
MOVING = {"car_status": 1, "direction": 1, "speed_mm_s": 1000, "door_zone": False}
DOOR_OPEN = {"door_1": 4, "door_lock": False}


class Timeline:
    """Feeds a detector with samples every 100 ms and keeps what it says."""

    def __init__(self, travel_mm: int = 15000, doors: int = 1, confirm_ms: dict[str, int] | None = None) -> None:
        self.detector = place.detector(Settings(1000, travel_mm, doors, confirm_ms))
        self.now = 0
        self.seen: list[tuple[str, str, int]] = []  # (kind, phase, detected_ms)
        self.transitions: list[Transition] = []

    def hold(self, ms: int, *changes: dict, **more: int | None) -> "Timeline":
        values: dict = dict(PARKED)
        for change in changes:
            values.update(change)
        values.update(more)
        end = self.now + ms
        while self.now < end:
            self.now += 100
            self.take(self.detector.step(LiftState(**values), self.now))
        return self

    def take(self, transitions: list[Transition]) -> None:
        self.transitions += transitions
        self.seen += [(step.kind, step.phase, step.detected_ms) for step in transitions]

    def kinds(self) -> list[tuple[str, str]]:
        return [(kind, phase) for kind, phase, _ in self.seen]


def _trip(timeline: Timeline, **more: int | None) -> None:
    """One ordinary trip with a passenger: in, up one floor, out."""
    timeline.hold(3000, DOOR_OPEN, passenger=True, **more)
    timeline.hold(2500, passenger=True, door_1=1, door_lock=False, **more).hold(1000, passenger=True, **more)
    timeline.hold(600, passenger=True, car_status=1, direction=1, speed_mm_s=200, **more)
    timeline.hold(4000, MOVING, passenger=True, **more)
    timeline.hold(700, passenger=True, car_status=1, direction=1, speed_mm_s=150, floor=3, **more)
    timeline.hold(500, passenger=True, door_1=3, door_lock=False, floor=3, **more)
    timeline.hold(2500, passenger=True, door_1=3, door_lock=False, floor=3, **more)
    timeline.hold(4000, DOOR_OPEN, passenger=False, floor=3, **more)
    timeline.hold(2500, door_1=1, door_lock=False, floor=3, **more).hold(5000, floor=3, **more)


def test_ordinary_trips_raise_nothing() -> None:
    timeline = Timeline()
    for _ in range(20):
        _trip(timeline)
    assert timeline.seen == []


def test_unknown_alone_raises_nothing() -> None:
    timeline = Timeline()
    nothing = {name: None for name in PARKED}
    timeline.hold(300000, nothing)
    timeline.hold(300000, nothing, passenger=True, mains=True)
    assert timeline.seen == []


def test_trapped_between_floors_after_its_confirmation_and_cleared_at_a_floor() -> None:
    timeline = Timeline().hold(5000, MOVING, passenger=True)
    timeline.hold(40000, passenger=True, door_zone=False)
    assert place.are(timeline.seen, [("trapped_between_floors", codes.OPEN, 25100)])
    first = timeline.transitions[0]
    assert place.is_at(first.onset_ms, 5100) and ("out_of_zone", 100) in first.evidence
    assert ("stopped", first.onset_ms) in first.evidence
    timeline.hold(3000, DOOR_OPEN, passenger=True)
    assert timeline.kinds()[1:] == [("trapped_between_floors", codes.CLOSED)]


def test_trapped_at_level_needs_a_person_and_a_minute() -> None:
    assert Timeline().hold(600000).seen == []
    timeline = Timeline().hold(59000, passenger=True)
    assert timeline.seen == []
    timeline.hold(5000, passenger=True)
    assert timeline.kinds() == [("trapped_at_level", codes.OPEN)]
    assert timeline.hold(3000, DOOR_OPEN, passenger=True).kinds()[1:] == [("trapped_at_level", codes.CLOSED)]


def test_an_empty_or_unknown_car_between_floors_is_code_4_and_says_which() -> None:
    for passenger, cause in ((False, "empty"), (None, "occupancy_unknown")):
        timeline = Timeline().hold(2000, MOVING).hold(40000, door_zone=False, passenger=passenger)
        assert timeline.kinds() == [("stopped_outside_door_zone", codes.OPEN)]
        assert timeline.transitions[0].cause == cause and BY_NAME["stopped_outside_door_zone"].code == 4


def test_running_with_door_open_is_seen_by_the_first_sample_outside_the_zone() -> None:
    timeline = Timeline().hold(1000, MOVING).hold(100, MOVING, door_1=6)
    assert place.are(timeline.seen, [("running_with_door_open", codes.OPEN, 1100)])
    inside = Timeline().hold(800, car_status=1, speed_mm_s=150, door_1=3, door_lock=False)
    assert inside.seen == []  # opening while levelling in the zone is ordinary


def test_a_safety_circuit_matters_only_while_running() -> None:
    assert Timeline().hold(60000, safety_circuit=False).seen == []
    timeline = Timeline().hold(1000, MOVING).hold(100, MOVING, safety_circuit=False)
    assert place.are(timeline.seen, [("safety_circuit_open_running", codes.OPEN, 1100)])
    # The drive stops at once, so the first sample to show it may show a standing car already.
    late = Timeline().hold(1000, MOVING).hold(100, safety_circuit=False, door_zone=False)
    assert place.are(late.seen, [("safety_circuit_open_running", codes.OPEN, 1100)])


def test_a_door_held_or_reversing_is_blocked_and_a_goods_move_is_not() -> None:
    assert Timeline().hold(145000, DOOR_OPEN).seen == []
    assert Timeline().hold(155000, DOOR_OPEN).kinds() == [("door_blocked", codes.OPEN)]
    timeline = Timeline()
    for _ in range(40):
        timeline.hold(1500, door_1=1, door_lock=False).hold(1500, door_1=3, door_lock=False).hold(3000, DOOR_OPEN)
    assert timeline.kinds() == [("door_reversal_loop", codes.OPEN)]  # and no word of a blocked door beside it
    first = timeline.transitions[0]
    assert place.is_at(first.onset_ms, 1600) and place.is_at(first.detected_ms, 1600 + 4 * 6000)
    assert timeline.hold(4000).kinds()[1:] == [("door_reversal_loop", codes.CLOSED)]


def test_a_door_that_does_not_open_on_arrival() -> None:
    timeline = Timeline().hold(4000, MOVING, passenger=True).hold(13000, passenger=True)
    assert timeline.kinds() == [("door_wont_open", codes.OPEN)]
    parked = Timeline().hold(4000, MOVING).hold(600000)  # a parking run opens no door
    assert parked.seen == []
    tried = Timeline().hold(4000, MOVING).hold(13000, door_1=3)
    assert tried.kinds() == [("door_wont_open", codes.OPEN)]


def test_a_run_beyond_the_limiter() -> None:
    settings = Settings(travel_mm=15000)
    assert settings.run_time_limit_ms == 30200
    assert Timeline(travel_mm=15000).hold(29000, MOVING).seen == []
    assert Timeline(travel_mm=15000).hold(32000, MOVING).kinds() == [("run_time_exceeded", codes.OPEN)]


def test_mains_loss_is_told_from_a_mute_controller() -> None:
    silent: dict = {name: None for name in PARKED}
    silent.update(controller_link=False, passenger=False)
    timeline = Timeline().hold(60000, silent, mains=False)
    assert timeline.kinds() == [("mains_lost", codes.OPEN)] and place.is_at(timeline.seen[0][2], 2100)
    assert timeline.hold(6000).kinds()[1:] == [("mains_lost", codes.CLOSED)]
    timeline = Timeline().hold(60000, silent, mains=True)
    assert timeline.kinds() == [("controller_mute", codes.OPEN)] and place.is_at(timeline.seen[0][2], 5100)
    assert timeline.hold(3000).kinds()[1:] == [("controller_mute", codes.CLOSED)]


def test_the_button_is_told_at_once_counted_and_closed_by_an_open_door() -> None:
    timeline = Timeline().hold(1000, passenger=True, door_zone=False)
    timeline.take(timeline.detector.press(1050, LiftState()))
    timeline.detector.release()
    timeline.take(timeline.detector.press(1500, LiftState()))
    assert place.are(timeline.seen, [("button_pressed", codes.OPEN, 1050), ("button_pressed", codes.UPDATED, 1500)])
    assert [step.presses for step in timeline.transitions] == [1, 2]
    assert timeline.transitions[1].onset_ms == timeline.transitions[0].onset_ms
    timeline.hold(5000, DOOR_OPEN, passenger=True)
    assert len(timeline.seen) == 2  # still pressed
    timeline.detector.release()
    timeline.hold(2000, DOOR_OPEN, passenger=True)
    assert timeline.kinds()[2:] == [("button_pressed", codes.CLOSED)]
    timeline.take(timeline.detector.press(timeline.now + 1, LiftState()))
    assert timeline.transitions[-1].phase == codes.OPEN and timeline.transitions[-1].presses == 1


def test_work_modes_suppress_and_count_all_but_the_button() -> None:
    timeline = Timeline().hold(60000, MOVING, service_mode=2, door_1=4, passenger=True)
    timeline.hold(60000, service_mode=2, door_zone=False, passenger=True)
    assert timeline.kinds() == [("inspection", codes.OPEN)]
    assert timeline.detector.suppressed["running_with_door_open"] == 1
    timeline.take(timeline.detector.press(timeline.now, LiftState(service_mode=2)))
    assert timeline.kinds()[1:] == [("button_pressed", codes.OPEN)]
    # What began at work must be confirmed anew afterwards.
    timeline.hold(19000, door_zone=False, passenger=True)
    assert "trapped_between_floors" not in [kind for kind, _ in timeline.kinds()]


def test_a_short_hole_in_the_samples_does_not_lose_the_evidence() -> None:
    silent: dict = {name: None for name in PARKED}
    silent.update(passenger=True, mains=True, controller_link=False)
    timeline = Timeline().hold(15000, passenger=True, door_zone=False).hold(2000, silent)
    timeline.hold(4000, passenger=True, door_zone=False)
    assert timeline.kinds() == [("trapped_between_floors", codes.OPEN)]


def test_a_near_miss_is_counted() -> None:
    timeline = Timeline().hold(15000, passenger=True, door_zone=False).hold(3000, passenger=True, door_1=4)
    assert timeline.seen == [] and timeline.detector.near_misses == {"trapped_between_floors": 1}


def test_settings_out_of_range_are_told() -> None:
    wrong: tuple[dict, ...] = ({"rated_speed_mm_s": 0}, {"travel_mm": 1}, {"doors": 3}, {"confirm_ms": {"no": 1}})
    for settings in wrong:
        try:
            Settings(**settings)
        except SettingsError as error:
            assert next(iter(settings)) in str(error)
            continue
        raise AssertionError(settings)


def test_the_table_names_only_conditions_that_exist() -> None:
    for fault in FAULTS:
        groups = [names for names, _ in fault.alternatives]
        for names in groups + list(fault.clear):
            assert all(0 <= found(name) < 2 * len(FACTS) for name in names), fault.name
    try:
        found("nothing of the kind")
    except ValueError:
        return
    raise AssertionError("a condition that does not exist was found")


def test_each_fact_is_told_at_its_place() -> None:
    detector = Detector()
    detector.step(LiftState(**PARKED), 100)
    conditions = detector._conditions
    assert len(conditions.facts) == len(FACTS) == len(set(FACTS))
    true = {name for name in FACTS if conditions.holds(name)}
    assert true == {
        "in_zone", "lock_closed", "safety_closed", "doors_closed", "not_seen_occupied", "mains_on", "mains_settled",
        "link_answers", "not_too_fast",
    }  # fmt: skip
    unknown = {name for name in FACTS if conditions.holds(name) is None}
    assert unknown == {"drifted", "above_top", "below_bottom", "battery_low", "word_of_position", "no_word"}
    detector.step(LiftState(**dict(PARKED, service_mode=4, passenger=True)), 200)
    assert conditions.holds("mode_4") and conditions.holds("passenger") and conditions.holds("somebody")
    assert conditions.since_ms("mode_4") == 200 and conditions.since_ms("in_zone") == 100
