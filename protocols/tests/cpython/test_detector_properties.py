"""What holds of the detector whatever the samples: one life an event, unknown raises no person, and an end after ordinary days."""

import hypothesis.strategies as st
from hypothesis import given, settings

from protocols import codes
from protocols.detector import Detector, Settings, Transition
from protocols.faults import BY_NAME, FAULTS, MODE_EVENTS
from protocols.state import LiftState

ORDINARY = {
    "service_mode": 1, "car_status": 0, "direction": 0, "door_zone": True, "floor": 2, "door_1": 2, "passenger": False,
    "speed_mm_s": 0, "safety_circuit": True, "door_lock": True, "mains": True, "controller_link": True,
}  # fmt: skip
# A whole trip: the door opens wide, shuts, the car runs, stands.
TRIP = [
    (3_000, {"door_1": 3, "door_lock": False}), (20_000, {"door_1": 4, "door_lock": False}), (3_000, {"door_1": 1, "door_lock": False}),
    (1_000, {}), (12_000, {"car_status": 1, "speed_mm_s": 1000, "door_zone": False}), (60_000, {}),
]  # fmt: skip
MAYBE = st.sampled_from([None, False, True])
VALUES = st.fixed_dictionaries({
    "service_mode": st.sampled_from([None, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7]),
    "car_status": st.sampled_from([None, 0, 1]),
    "door_zone": MAYBE, "passenger": MAYBE, "safety_circuit": MAYBE, "door_lock": MAYBE, "mains": MAYBE, "controller_link": MAYBE,
    "door_1": st.sampled_from([None, 1, 2, 3, 4, 5, 6]),
    "door_2": st.sampled_from([None, 1, 2, 3, 4, 5, 6]),
    "speed_mm_s": st.sampled_from([None, 0, 29, 30, 100, 1000]),
})  # fmt: skip
# A situation and how long it lasts; a pace of samples with jitter; an edge of the button, or somebody's end of the alarm, in between.
LIVES = st.lists(
    st.tuples(VALUES, st.sampled_from([100, 900, 4_000, 25_000, 70_000, 200_000]), st.sampled_from(["", "", "", "press", "release", "end"])),
    max_size=12,
)  # fmt: skip
PACES = st.lists(st.integers(40, 900), min_size=1, max_size=7)


def _live(detector: Detector, lives: list, paces: list[int], now: int = 0) -> tuple[list[Transition], int]:
    told: list[Transition] = []
    turn = 0
    for values, ms, edge in lives:
        state = LiftState(**values)
        if edge == "press":
            told += detector.press(now, state)
        elif edge == "release":
            detector.release()
        elif edge == "end":
            told += detector.end_alarm(now)
            assert not {kind for kind in detector.open_kinds() if BY_NAME[kind].event_class == "alarm"}
        end = now + ms
        while now < end:
            now += paces[turn % len(paces)]
            turn += 1
            told += detector.step(state, now)
    return told, now


@settings(max_examples=150, deadline=None)
@given(lives=LIVES, paces=PACES, doors=st.sampled_from([1, 2]))
def test_an_event_opens_once_closes_once_and_the_open_ones_are_told(lives: list, paces: list[int], doors: int) -> None:
    detector = Detector(Settings(doors=doors))
    told, now = _live(detector, lives, paces)
    open_now: dict[str, Transition] = {}
    last_ms = 0
    for step in told:
        assert last_ms <= step.detected_ms <= now and step.onset_ms <= step.detected_ms
        last_ms = step.detected_ms
        if step.phase == codes.OPEN:
            assert step.kind not in open_now, step.kind
            open_now[step.kind] = step
        else:
            assert step.onset_ms == open_now[step.kind].onset_ms
            if step.phase == codes.CLOSED:
                del open_now[step.kind]
        assert step.cause and step.evidence and all(since <= step.detected_ms for _, since in step.evidence)
    assert sorted(open_now) == sorted(detector.open_kinds())


@settings(max_examples=100, deadline=None)
@given(lives=LIVES, paces=PACES)
def test_every_event_ends_after_a_return_to_ordinary_days(lives: list, paces: list[int]) -> None:
    detector = Detector()
    _, now = _live(detector, lives, paces)
    detector.release()
    trips = [({**ORDINARY, **changes}, ms, "") for _ in range(2) for ms, changes in TRIP]
    told, later = _live(detector, trips, [150], now)
    told += _live(detector, [(ORDINARY, 600_000, "")], [2_000], later)[0]  # longer than relevelling is remembered
    assert detector.open_kinds() == []
    # The end comes; nothing new begins once the first trip has ended what hung on from before.
    assert all(step.phase == codes.CLOSED for step in told if step.detected_ms > now + 100_000)


@settings(max_examples=100, deadline=None)
@given(
    lives=LIVES, paces=PACES, unknown=st.sampled_from([("passenger",), ("door_zone",), ("car_status", "speed_mm_s")])
)
def test_nobody_is_trapped_by_what_is_unknown(lives: list, paces: list[int], unknown: tuple[str, ...]) -> None:
    blind = [({**values, **dict.fromkeys(unknown)}, ms, edge) for values, ms, edge in lives]
    told, _ = _live(Detector(), blind, paces)
    assert not {step.kind for step in told} & {"trapped_at_level", "trapped_between_floors"}


@settings(max_examples=100, deadline=None)
@given(lives=LIVES, paces=PACES, mode=st.sampled_from([2, 3, 4, 6]))
def test_in_work_modes_only_button_mains_and_silence_are_told(lives: list, paces: list[int], mode: int) -> None:
    at_work = [({**values, "service_mode": mode}, ms, edge) for values, ms, edge in lives]
    told, _ = _live(Detector(), at_work, paces)
    # The modes themselves, what no mode excuses, and what is wrong with the node's own terminals.
    assert {step.kind for step in told} <= set(MODE_EVENTS) | {
        "button_pressed", "mains_lost", "controller_mute", "overspeed", "battery_low", "button_stuck", "presence_stuck",
    }  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(lives=LIVES, paces=PACES)
def test_nothing_is_confirmed_before_its_time(lives: list, paces: list[int]) -> None:
    told, _ = _live(Detector(), lives, paces)
    for step in told:
        fault = BY_NAME[step.kind]
        if step.phase == codes.OPEN and fault.alternatives:
            shortest = min(ms for _, ms in fault.alternatives)
            assert step.detected_ms - step.onset_ms >= shortest, step.kind


@settings(max_examples=60, deadline=None)
@given(paces=PACES, presses=st.lists(st.integers(1, 3_000), min_size=1, max_size=30))
def test_each_press_is_told_at_once_and_counted_whatever_else_happens(paces: list[int], presses: list[int]) -> None:
    detector = Detector()
    state = LiftState(service_mode=2)
    now = 0
    for number, pause in enumerate(presses, 1):
        now += pause
        [step] = detector.press(now, state)
        assert (step.detected_ms, step.presses) == (now, number)
        assert step.phase == (codes.OPEN if number == 1 else codes.UPDATED)
        detector.step(state, now)
        detector.release()


def test_the_table_is_whole() -> None:
    for fault in FAULTS:
        assert fault.event_class in codes.CLASSES and 1 <= fault.severity <= 4 and fault.clear and fault.clear_ms > 0
        assert all(name in BY_NAME for name in fault.yields_to) and all(0 <= mode <= 7 for mode in fault.suppressed)
        if fault.event_class == "alarm":
            # A way out lasts seconds: a slower end would never come.
            assert fault.flap_ms == 0
