"""What each injected fault is told as: number, confirmation time and evidence, at the pace of a 9600 baud bus with lost polls."""

import random

import pytest

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
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
    "door_wont_open": (3, "fault", 10_000, 15_000),
    "run_time_exceeded": (6, "fault", 20_000, 45_000),
    "mains_lost": (41, "event", 2_000, 2_000),
    "controller_mute": (None, "fault", 2_000, 10_000),
}


def _follow(twin: Twin, detector: Detector, rng: random.Random, ms: int) -> list[Transition]:
    told: list[Transition] = []
    end = twin.now_ms + ms
    while twin.now_ms < end:
        twin.advance(twin.now_ms + rng.randint(*POLL_MS))
        if rng.random() >= LOST_SHARE:
            told += detector.step(LiftState(**twin.sample()), twin.now_ms)
    return told


def test_every_fault_of_the_table_is_looked_at() -> None:
    assert set(TOLD) | {"button_pressed"} == set(BY_NAME)


@pytest.mark.parametrize("doors", [1, 2])
@pytest.mark.parametrize("name", TOLD)
def test_each_fault_has_its_number_its_time_and_its_evidence(name: str, doors: int) -> None:
    code, event_class, shortest_ms, longest_ms = TOLD[name]
    assert (BY_NAME[name].code, BY_NAME[name].event_class) == (code, event_class)
    for seed in range(3):
        rng = random.Random(seed)
        twin = Twin(LiftSpec(stops=4 + seed, doors=doors, seed=seed, traffic_factor=5.0))
        detector = Detector(Settings(1000, (twin.spec.stops - 1) * twin.spec.floor_pitch_mm, doors))
        assert _follow(twin, detector, rng, 10 * MINUTE + seed * 777) == []
        injected_ms = twin.now_ms
        SCRIPTS[name].inject(twin)
        told: list[Transition] = []
        while not told and twin.now_ms < injected_ms + 15 * MINUTE:
            told += _follow(twin, detector, rng, 5000)
        SCRIPTS[name].clear(twin)
        told += _follow(twin, detector, rng, 3 * MINUTE)
        assert [(step.kind, step.phase) for step in told] == [(name, codes.OPEN), (name, codes.CLOSED)], seed
        opened = told[0]
        # A door that is held stood open a while before.
        assert opened.onset_ms >= injected_ms - (10_000 if name == "door_blocked" else 0)
        assert shortest_ms <= opened.detected_ms - opened.onset_ms <= longest_ms + LATE_MS
        assert opened.evidence and all(since <= opened.detected_ms for _, since in opened.evidence)


def test_a_stranded_car_whose_presence_sensor_is_dead_is_told_with_unknown_occupancy() -> None:
    twin = Twin(LiftSpec(seed=5))
    detector = Detector(Settings(1000, 14_500, 1))
    SCRIPTS["trapped_between_floors"].inject(twin)
    told = []
    for _ in range(1200):
        twin.advance(twin.now_ms + 130)
        told += detector.step(LiftState(**{**twin.sample(), "passenger": None}), twin.now_ms)
    assert [(step.kind, step.cause) for step in told] == [("stopped_outside_door_zone", "occupancy_unknown")]
