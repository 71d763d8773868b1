"""Each fault by script: what it does in the shaft, that the detector tells it as itself and as nothing else, and that it ends."""

import pytest

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.signs import Onset
from hil_tests.bench.twin import Twin
from hil_tests.bench.watched import Watched
from protocols.codes import CLOSED, OPEN
from protocols.detector import Transition
from protocols.faults import BY_NAME

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


def appears(name: str, twin: Twin, ms: int) -> bool:
    """Does the fault show within `ms`?"""
    onset, end_ms = Onset(name), twin.now_ms + ms
    while onset.ms is None and twin.now_ms < end_ms:
        twin.advance(twin.now_ms + 100)
        onset.look(twin)
    return onset.ms is not None


ALL = [name for name in SCRIPTS if name not in ("button_pressed", "line_noise")]
# The rarest: three stops beside the level, ten openings in ten minutes; and levelling is calm only ten minutes later.
LONGEST_MS = 15 * MINUTE


def test_the_scripts_have_exactly_the_agreed_names() -> None:
    assert set(SCRIPTS) == set(BY_NAME) | {"line_noise"}


@pytest.mark.parametrize("busy", [1.0, 25.0])
@pytest.mark.parametrize("name", ALL)
def test_each_fault_comes_quickly_by_itself_and_ends_when_cleared(name: str, busy: float) -> None:
    for seed in (0, 4, 8, 12):  # of four stops each
        twin = lift_at(seed, busy)
        SCRIPTS[name].inject(twin)
        # A car that is busy finishes what it is at, first.
        assert appears(name, twin, 90_000), (name, seed, twin.phase)
        samples(twin, 5000)
        SCRIPTS[name].clear(twin)
        samples(twin, 60_000)
        starts = twin.starts
        passenger = twin.travel(2, 1)
        samples(twin, 4 * MINUTE)
        assert passenger not in twin.passengers and twin.starts > starts, (name, seed, twin.phase)
        assert twin.fault_number == 0 and twin.safety_closed and twin.mains and twin.mode == "automatic"


@pytest.mark.parametrize("doors", [1, 2])
@pytest.mark.parametrize("busy", [1.0, 25.0])
@pytest.mark.parametrize("name", ALL)
def test_the_detector_tells_each_fault_as_itself_and_as_nothing_else(name: str, busy: float, doors: int) -> None:
    for seed in range(2):
        watched = Watched(lift_at(seed, busy, doors))
        assert watched.follow(MINUTE) == []
        SCRIPTS[name].inject(watched.twin)
        told = watched.until(name, OPEN, LONGEST_MS) + watched.follow(5000)
        SCRIPTS[name].clear(watched.twin)
        told += watched.until(name, CLOSED, LONGEST_MS) if (name, CLOSED) not in steps(told) else []
        told += watched.follow(MINUTE)
        assert [step for step in steps(told) if step[0] not in SCRIPTS[name].also] == [(name, OPEN), (name, CLOSED)], (
            seed
        )
        assert watched.detector.open_kinds() == []


def test_noise_on_the_line_is_the_bus_s_business_and_no_fault_of_the_lift() -> None:
    watched = Watched(lift_at(1, 25.0))
    SCRIPTS["line_noise"].inject(watched.twin)
    assert watched.follow(2 * MINUTE) == []


def steps(told: list[Transition]) -> list[tuple[str, str]]:
    return [(transition.kind, transition.phase) for transition in told]


def test_a_silence_in_which_the_door_was_open_raises_no_door_fault() -> None:
    for seed in range(80, 86):
        for silent_ms in (3000, 4500, 6000, 20_000):
            watched = Watched(lift_at(seed, 30.0))
            twin = watched.twin
            while twin.phase != "opening":
                watched.follow(100)
            SCRIPTS["controller_mute"].inject(twin)
            twin.quiet.add("test")
            told = watched.follow(silent_ms)
            SCRIPTS["controller_mute"].clear(twin)
            told += watched.follow(MINUTE)
            assert {t.kind for t in told} <= {"controller_mute"}, (seed, silent_ms)


def test_a_press_is_an_alarm_until_the_way_out_is_free() -> None:
    watched = Watched(lift_at(1))
    SCRIPTS["button_pressed"].inject(watched.twin)
    assert watched.twin.button_edges == [(watched.twin.now_ms, True)]
    assert steps(watched.look()) == [("button_pressed", OPEN)]
    SCRIPTS["button_pressed"].clear(watched.twin)
    assert steps(watched.follow(MINUTE)) == [("button_pressed", CLOSED)]


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
    SCRIPTS["door_reversal_loop"].inject(twin)
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
    assert all(set(s) == {"mains", "passenger", "button", "battery_low", "work_mode", "controller_link"} for s in told)
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
