"""Each fault by script: what it does in the shaft, that the detector tells it as itself and as nothing else, and that it ends."""

from collections.abc import Callable

import pytest

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
from protocols.detector import Detector, Settings, Transition
from protocols.faults import BY_NAME
from protocols.state import LiftState

MINUTE = 60_000


def lift_at(seed: int, busy: float = 1.0, doors: int = 1) -> Twin:
    """A lift in the middle of some ordinary moment."""
    twin = Twin(LiftSpec(stops=4 + seed % 4, doors=doors, seed=seed, traffic_factor=busy))
    twin.advance(10 * MINUTE + seed * 1237)
    return twin


def samples(twin: Twin, ms: int) -> list[dict[str, int | bool | None]]:
    """What the bus shows every 100 ms from now on."""
    found = []
    for _ in range(ms // 100):
        twin.advance(twin.now_ms + 100)
        found.append(twin.sample())
    return found


# What must be seen at one moment for the fault to be there.
SEEN: dict[str, Callable[[dict[str, int | bool | None]], bool]] = {
    "trapped_at_level": lambda s: (
        bool(s["passenger"]) and s["car_status"] == 0 and s["door_zone"] is True and s["door_1"] == 2
    ),
    "trapped_between_floors": lambda s: (
        bool(s["passenger"]) and s["car_status"] == 0 and s["door_zone"] is False and s["door_1"] == 2
    ),
    "running_with_door_open": lambda s: s["car_status"] == 1 and s["door_1"] == 6 and s["door_lock"] is False,
    "safety_circuit_open_running": lambda s: s["safety_circuit"] is False and s["car_status"] == 1,
    "stopped_outside_door_zone": lambda s: s["passenger"] is False and s["car_status"] == 0 and s["door_zone"] is False,
    "door_blocked": lambda s: s["light_curtain"] is True and s["door_1"] == 3,
    "door_wont_open": lambda s: s["door_1"] == 3 and s["door_lock"] is True and s["car_status"] == 0,
    "run_time_exceeded": lambda s: s["car_status"] == 1 and s["speed_mm_s"] == 1000,
    "mains_lost": lambda s: s["mains"] is False and s["controller_link"] is False,
    "controller_mute": lambda s: s["mains"] is True and s["controller_link"] is False,
}
ALL = [name for name in SCRIPTS if name not in ("button_pressed", "line_noise")]


def test_the_scripts_have_exactly_the_agreed_names() -> None:
    assert set(SCRIPTS) == set(BY_NAME) | {"line_noise"}


@pytest.mark.parametrize("busy", [1.0, 25.0])
@pytest.mark.parametrize("name", ALL)
def test_each_fault_comes_quickly_by_itself_and_ends_when_cleared(name: str, busy: float) -> None:
    for seed in range(4):
        twin = lift_at(seed, busy)
        SCRIPTS[name].inject(twin)
        # A car that is busy finishes what it is at, first.
        assert any(SEEN[name](sample) for sample in samples(twin, 60_000)), (name, seed, twin.phase)
        SCRIPTS[name].clear(twin)
        samples(twin, 60_000)
        starts = twin.starts
        passenger = twin.travel(2, 1)
        samples(twin, 4 * MINUTE)
        assert passenger not in twin.passengers and twin.starts > starts, (name, seed, twin.phase)
        assert twin.fault_number == 0 and twin.safety_closed


@pytest.mark.parametrize("doors", [1, 2])
@pytest.mark.parametrize("busy", [1.0, 25.0])
@pytest.mark.parametrize("name", [*ALL, "line_noise"])
def test_the_detector_tells_each_fault_as_itself_and_as_nothing_else(name: str, busy: float, doors: int) -> None:
    for seed in range(3):
        twin = lift_at(seed, busy, doors)
        detector = Detector(Settings(1000, (twin.spec.stops - 1) * twin.spec.floor_pitch_mm, doors))
        told = [(t.kind, t.phase) for t in follow(twin, detector, MINUTE)]
        assert told == []
        SCRIPTS[name].inject(twin)
        told = [(t.kind, t.phase) for t in follow(twin, detector, 2 * MINUTE)]
        SCRIPTS[name].clear(twin)
        told += [(t.kind, t.phase) for t in follow(twin, detector, 2 * MINUTE)]
        expected = [] if name == "line_noise" else [(name, "open"), (name, "closed")]
        assert told == expected, (seed, told)


def follow(twin: Twin, detector: Detector, ms: int) -> list[Transition]:
    """What the detector tells of the next `ms`."""
    told: list[Transition] = []
    for _ in range(ms // 100):
        twin.advance(twin.now_ms + 100)
        told += detector.step(LiftState(**twin.sample()), twin.now_ms)
    return told


def test_a_silence_in_which_the_door_was_open_raises_no_door_fault() -> None:
    for seed in range(80, 86):
        for silent_ms in (3000, 4500, 6000, 20_000):
            twin = lift_at(seed, 30.0)
            detector = Detector(Settings(1000, (twin.spec.stops - 1) * twin.spec.floor_pitch_mm))
            while twin.phase != "opening":
                follow(twin, detector, 100)
            SCRIPTS["controller_mute"].inject(twin)
            twin.quiet.add("test")
            told = follow(twin, detector, silent_ms)
            SCRIPTS["controller_mute"].clear(twin)
            told += follow(twin, detector, MINUTE)
            assert {t.kind for t in told} <= {"controller_mute"}, (seed, silent_ms)


def test_a_press_is_an_alarm_until_the_way_out_is_free() -> None:
    twin = lift_at(1)
    detector = Detector(Settings())
    SCRIPTS["button_pressed"].inject(twin)
    [(edge_ms, down)] = twin.button_edges
    assert down and edge_ms == twin.now_ms
    assert [t.phase for t in detector.press(edge_ms, LiftState(**twin.sample()))] == ["open"]
    SCRIPTS["button_pressed"].clear(twin)
    detector.release()
    assert [(t.kind, t.phase) for t in follow(twin, detector, MINUTE)] == [("button_pressed", "closed")]


def test_a_trapped_passenger_stays_aboard_until_it_is_cleared_and_then_walks_out() -> None:
    twin = lift_at(2)
    SCRIPTS["trapped_between_floors"].inject(twin)
    samples(twin, 30_000)
    stuck = twin.position_mm
    samples(twin, 10 * MINUTE)
    assert twin.position_mm == stuck and twin.aboard and twin.speed_mm_s == 0
    SCRIPTS["trapped_between_floors"].clear(twin)
    samples(twin, MINUTE)
    assert not twin.aboard and twin.door_zone


def test_the_blocked_door_reverses_again_and_again() -> None:
    twin = lift_at(3)
    SCRIPTS["door_blocked"].inject(twin)
    samples(twin, 90_000)
    assert twin.reversals >= 8 and twin.fault_number == 49
    assert twin.doors[0].position(twin.now_ms) >= 0.4


def test_with_slipping_ropes_the_car_hardly_moves_while_the_drive_turns() -> None:
    twin = lift_at(0)
    SCRIPTS["run_time_exceeded"].inject(twin)
    samples(twin, 10_000)
    before = twin.position_mm
    assert all(sample["speed_mm_s"] == 1000 for sample in samples(twin, 60_000))
    assert 0 < abs(twin.position_mm - before) < 2000


def test_a_power_cut_between_floors_holds_the_car_by_its_brake_and_kills_the_controller() -> None:
    twin = Twin(LiftSpec(seed=1))
    twin.quiet.add("test")
    twin.travel(1, 5)
    while not (twin.speed_mm_s == 1000 and not twin.door_zone):
        twin.advance(twin.now_ms + 50)
    SCRIPTS["mains_lost"].inject(twin)
    samples(twin, 5000)
    stuck = twin.position_mm
    told = samples(twin, MINUTE)
    assert twin.position_mm == stuck and twin.speed_mm_s == 0
    assert all(set(s) == {"mains", "passenger", "button", "controller_link"} for s in told)
    SCRIPTS["mains_lost"].clear(twin)
    assert not twin.controller_answers, "a controller boots first"
    samples(twin, 2 * MINUTE)
    assert not twin.passengers, "the ride is finished after all"


def test_two_faults_at_once_end_one_by_one() -> None:
    twin = lift_at(1)
    SCRIPTS["controller_mute"].inject(twin)
    SCRIPTS["trapped_at_level"].inject(twin)
    samples(twin, 30_000)
    SCRIPTS["controller_mute"].clear(twin)
    assert twin.sample()["controller_link"] is True and twin.aboard
    SCRIPTS["trapped_at_level"].clear(twin)
    samples(twin, 30_000)
    assert not twin.aboard and not twin.quiet
