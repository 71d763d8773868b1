"""How long the detector takes for one sample, on this CPython: a lift's ordinary minutes, replayed. It starts nothing."""

import time

from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
from protocols.detector import Detector
from protocols.state import LiftState

SAMPLE_MS = 130  # a 9600 baud bus


def sample_times_us(samples: int) -> list[float]:
    """µs of each `step` over a busy lift's life of so many samples."""
    twin = Twin(LiftSpec(seed=7, traffic_factor=20.0))
    states = []
    for _ in range(samples):
        twin.advance(twin.now_ms + SAMPLE_MS)
        states.append((LiftState(**twin.sample()), twin.now_ms))
    detector = Detector()
    took = []
    for state, now_ms in states:
        begun = time.perf_counter_ns()
        detector.step(state, now_ms)
        took.append((time.perf_counter_ns() - begun) / 1000)
    return took
