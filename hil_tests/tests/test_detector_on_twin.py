"""What each injected fault is told as: number, confirmation time and evidence, at the pace of a 9600 baud bus with lost polls."""

import random

import pytest

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
from hil_tests.bench.watched import Make, Watched
from protocols import codes
from protocols.detector import Detector, Settings, Transition
from protocols.faults import BY_NAME
from protocols.state import LiftState

MINUTE = 60_000
POLL_MS = (110, 190)
LOST_SHARE = 0.01
# A confirmation ends with the first sample at or after its time; two polls may be lost before it.
LATE_MS = 3 * POLL_MS[1]

# name: (national code, class, shortest confirmation ms, longest): figures of the contract, written from the issue.
TOLD: dict[str, tuple[int | None, str, int, int]] = {
    "trapped_at_level": (None, "alarm", 45_000, 90_000),
    "trapped_between_floors": (None, "alarm", 15_000, 30_000),
    "running_with_door_open": (None, "fault", 0, 0),
    "safety_circuit_open_running": (1, "fault", 0, 0),
    "stopped_outside_door_zone": (4, "fault", 30_000, 60_000),
    "door_blocked": (2, "fault", 150_000, 150_000),
    "trapped_in_power_cut": (None, "alarm", 30_000, 30_000),
    "unintended_car_movement": (5, "fault", 0, 0),
    "overspeed": (None, "fault", 0, 500),
    "over_travel_up": (None, "fault", 0, 1000),
    "over_travel_down": (None, "fault", 0, 1000),
    "door_reversal_loop": (2, "fault", 0, 90_000),
    "start_failing": (None, "fault", 0, 180_000),
    "brake_slipping": (None, "fault", 2_000, 2_000),
    "levelling_inaccurate": (None, "fault", 0, 600_000),
    "floor_position_lost": (7, "fault", 0, 1000),
    "restart_prevented": (8, "fault", 120_000, 120_000),
    "battery_low": (None, "event", 10_000, 10_000),
    "button_stuck": (None, "fault", 180_000, 180_000),
    "presence_stuck": (None, "fault", 0, 900_000),
    "input_flickering": (None, "fault", 0, 60_000),
    "out_of_service": (42, "event", 0, 2000),
    "inspection": (43, "event", 0, 2000),
    "fire_return": (44, "event", 0, 2000),
    "firefighter": (45, "event", 0, 2000),
    "emergency_power": (46, "event", 0, 2000),
    "earthquake": (47, "event", 0, 2000),
    "automatic_restored": (40, "event", 0, 0),
    "door_wont_open": (3, "fault", 10_000, 15_000),
    "run_time_exceeded": (6, "fault", 20_000, 45_000),
    "work_mode": (None, "event", 0, 0),
    "mains_lost": (41, "event", 2_000, 2_000),
    "controller_mute": (None, "fault", 2_000, 10_000),
}


def _follow(watched: Watched, rng: random.Random, ms: int) -> list[Transition]:
    told: list[Transition] = []
    twin = watched.twin
    end = twin.now_ms + ms
    while twin.now_ms < end:
        twin.advance(twin.now_ms + rng.randint(*POLL_MS))
        if rng.random() >= LOST_SHARE:
            told += watched.look()
    return told


def test_every_fault_of_the_table_is_looked_at() -> None:
    assert set(TOLD) | {"button_pressed"} == set(BY_NAME)


@pytest.mark.parametrize("doors", [1, 2])
@pytest.mark.parametrize("name", TOLD)
def test_each_fault_has_its_number_its_time_and_its_evidence(name: str, doors: int) -> None:
    check_fault(name, doors, Detector, LATE_MS)


def check_fault(name: str, doors: int, make: Make, late_ms: int) -> None:
    """The fault `name` of a twin with so many doors is told by a detector of `make`, at most `late_ms` beyond its time, and ends."""
    code, event_class, shortest_ms, longest_ms = TOLD[name]
    assert (BY_NAME[name].code, BY_NAME[name].event_class) == (code, event_class)
    for seed in range(2):
        rng = random.Random(seed)
        twin = Twin(LiftSpec(stops=4 + seed, doors=doors, seed=seed, traffic_factor=5.0))
        watched = Watched(twin, make)
        twin.advance(10 * MINUTE + seed * 777)
        assert _follow(watched, rng, MINUTE) == []
        injected_ms = twin.now_ms
        SCRIPTS[name].inject(twin)
        told: list[Transition] = []
        for wanted in (codes.OPEN, codes.CLOSED):
            limit_ms = twin.now_ms + 15 * MINUTE
            while (name, wanted) not in [(step.kind, step.phase) for step in told] and twin.now_ms < limit_ms:
                told += _follow(watched, rng, 5000)
            SCRIPTS[name].clear(twin)
        mine = [step for step in told if step.kind not in SCRIPTS[name].also]
        assert [(step.kind, step.phase) for step in mine] == [(name, codes.OPEN), (name, codes.CLOSED)], seed
        opened = mine[0]
        # A door that is held stood open a while before.
        assert opened.onset_ms >= injected_ms - (10_000 if name == "door_blocked" else 0)
        assert shortest_ms <= opened.detected_ms - opened.onset_ms <= longest_ms + late_ms
        assert opened.evidence and all(since <= opened.detected_ms for _, since in opened.evidence)


def test_a_stranded_car_whose_presence_sensor_is_dead_is_told_with_unknown_occupancy() -> None:
    check_dead_presence(Detector)


def check_dead_presence(make: Make) -> None:
    """Presence unknown is told as such by a detector of `make`."""
    twin = Twin(LiftSpec(seed=5))
    detector = make(Settings(1000, 14_500, 1))
    SCRIPTS["trapped_between_floors"].inject(twin)
    told = []
    for _ in range(1200):
        twin.advance(twin.now_ms + 130)
        told += detector.step(LiftState(**{**twin.sample(), "passenger": None}), twin.now_ms)
    mine = [(step.kind, step.cause) for step in told if step.kind not in SCRIPTS["trapped_between_floors"].also]
    assert mine == [("stopped_outside_door_zone", "occupancy_unknown")]
