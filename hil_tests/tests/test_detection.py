"""The labelled benchmark: it finds what is there, tells what is not as it must be, and its command says so."""

import concurrent.futures

import pytest
from click.testing import CliRunner

from hil_tests.bench.ordinary import Report
from hil_tests.measure import detection
from hil_tests.measure.cli import bench
from hil_tests.measure.detection import FAULT_NAMES, Outcome, Run, failures, run_fault
from protocols.faults import BY_NAME

# The delay that sampling adds: the longest poll, with one or two lost in a row.
CYCLE_MS = 2 * detection.POLL_MS[1]
AT_ONCE = ("button_pressed", "safety_circuit_open_running", "unintended_car_movement", "running_with_door_open")
IN_TIME = ("trapped_at_level", "trapped_between_floors", "trapped_in_power_cut")


def test_every_fault_of_the_table_is_run() -> None:
    assert set(FAULT_NAMES) == set(BY_NAME)


@pytest.mark.parametrize("name", FAULT_NAMES)
def test_varied_runs_of_each_fault_are_caught_and_end_and_tell_nothing_else(name: str) -> None:
    for number in range(2):
        run = run_fault(name, number, 77)
        assert run.delay_ms is not None and run.ended and run.others == [], run
        if name in AT_ONCE:
            assert run.delay_ms <= CYCLE_MS
        if name in IN_TIME:
            assert run.confirm_ms <= run.delay_ms <= run.confirm_ms + CYCLE_MS


def test_the_same_number_and_seed_is_the_same_run_and_another_number_is_another() -> None:
    first, again, other = (run_fault("overspeed", number, 5) for number in (1, 1, 2))
    assert first == again
    assert first.delay_ms != other.delay_ms


def test_the_command_prints_the_table_and_is_content_with_a_good_detector() -> None:
    result = CliRunner().invoke(bench, ["detection", "--lift-days", "6", "--runs", "1", "--samples", "500"])
    assert result.exit_code == 0, result.output
    for name in FAULT_NAMES:
        assert name in result.output
    for said in (
        "ordinary: 6 lift-days",
        "aged: 6 lift-days",
        "a lift-year (95 %:",
        "µs in the mean",
        "all faults found",
    ):
        assert said in result.output


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome([Run("overspeed", 3, None, 0, True, [])]), "overspeed run 3: missed"),
        (Outcome([Run("overspeed", 3, 1, 0, False, [])]), "did not end"),
        (Outcome([Run("overspeed", 3, 1, 0, True, ["door_blocked"])]), "told door_blocked too"),
        (Outcome([], {"ordinary": Report(controls=1), "aged": Report()}), "control fault was missed"),
        (
            Outcome([], {"ordinary": Report(true_expected=2, true_events=1), "aged": Report()}),
            "1 true events were missed",
        ),
        (
            Outcome([], {"ordinary": Report(lift_days=365, false=["trapped_at_level x"]), "aged": Report()}),
            "trapped_at_level x",
        ),
        (
            Outcome([], {"ordinary": Report(lift_days=365, false=["x"] * 9), "aged": Report()}),
            "more false alarms than 1",
        ),
        (
            Outcome([], {"ordinary": Report(), "aged": Report(lift_days=365, false=["x"] * 20)}),
            "more false alarms than 5",
        ),
    ],
)
def test_what_is_not_as_it_must_be_is_said(outcome: Outcome, said: str) -> None:
    assert any(said in text for text in failures(outcome)), failures(outcome)


def test_days_and_runs_are_spread_over_processes() -> None:
    shares: list[float] = []
    with concurrent.futures.ThreadPoolExecutor(1) as one:
        outcome = one.submit(detection.measure, 1, 1, 3, 2, shares.append).result()
    assert len(outcome.runs) == len(FAULT_NAMES) and shares[-1] == 1.0
    assert outcome.days["ordinary"].lift_days == outcome.days["aged"].lift_days == 1
