"""The twin's faults and its ordinary days in the gateway's place: what a node would tell, the gateway tells from a terminal's states.

How much later, and what it misses: LIFTWATCH_PLACES=50 with --log-cli-level=INFO runs each fault so often and tells how many were
caught and the seconds from the sign to the alarm, p50/p99.
"""

import functools
import logging
import os

import pytest

from gateway.tests.on_the_wire import DetectorOnWire
from hil_tests.bench.ordinary import Life, house
from hil_tests.bench.watched import Make
from hil_tests.measure.detection import FAULT_NAMES, POLL_MS, Run, run_fault
from hil_tests.measure.figures import percentile
from hil_tests.tests.test_detector_on_twin import LATE_MS, TOLD, check_dead_presence, check_fault
from protocols.detector import Detector

_log = logging.getLogger(__name__)

# A terminal tells a change by 200 ms and a number by a second after the sample that shows it.
WIRE_MS = 1200
CYCLE_MS = 2 * POLL_MS[1]
BEGIN_MS = 1_700_000_000_000
PLACES: dict[str, Make] = {
    "node": Detector,
    "1 s": DetectorOnWire,
    "1 s, 1 % lost": functools.partial(DetectorOnWire, lost_share=0.01),
    "10 s": functools.partial(DetectorOnWire, period_ms=10_000),
}
RUNS = int(os.environ.get("LIFTWATCH_PLACES", "0"))


@pytest.mark.parametrize("doors", [1, 2])
@pytest.mark.parametrize("name", TOLD)
def test_each_fault_is_told_by_the_gateway_at_most_a_state_later(name: str, doors: int) -> None:
    check_fault(name, doors, DetectorOnWire, LATE_MS + WIRE_MS)


def test_a_terminal_that_does_not_know_who_is_aboard_is_told_so() -> None:
    check_dead_presence(DetectorOnWire)


@pytest.mark.parametrize("name", FAULT_NAMES)
def test_varied_runs_are_caught_and_end_and_tell_nothing_else(name: str) -> None:
    run = run_fault(name, 0, 77, DetectorOnWire)
    assert run.delay_ms is not None and run.ended and run.others == [], run


def test_ordinary_days_bring_no_false_alarm_at_a_state_a_second() -> None:
    for number in range(2):
        report = Life(house(number, 5), BEGIN_MS, make=DetectorOnWire).live(1.0)
        assert report.false == [] and report.controls_found == report.controls, report.false


@pytest.mark.skipif(not RUNS, reason="takes minutes: set LIFTWATCH_PLACES=50 and --log-cli-level=INFO")
@pytest.mark.parametrize("name", FAULT_NAMES)
def test_what_the_wire_costs(name: str) -> None:
    found = {at: [run_fault(name, number, 2, make) for number in range(RUNS)] for at, make in PLACES.items()}
    _log.info("%s: %s", name, " | ".join(f"{at} {_figures(runs)}" for at, runs in found.items()))
    assert all(run.delay_ms is not None and run.ended for run in found["1 s"])


def _figures(runs: list[Run]) -> str:
    delays = [run.delay_ms / 1000 for run in runs if run.delay_ms is not None]
    others = sum(len(run.others) for run in runs)
    ended = sum(run.ended for run in runs)
    spread = f"{percentile(delays, 0.5):.1f}/{percentile(delays, 0.99):.1f}" if delays else "-"
    return (
        f"{len(delays)} {spread}"
        + (f" others {others}" if others else "")
        + (f" ended {ended}" if ended < len(runs) else "")
    )
