"""The faults that take their time to confirm, all at once on a lift each: each alone, with its code, to the city and closed."""

import os
import pathlib

import pytest

from hil_tests.bench.faults import SCRIPTS
from hil_tests.demo.stack import Stack
from hil_tests.services import wait_until

# fault: (national code, the city's code)
FAULTS = {
    "trapped_at_level": (None, "09"),
    "stopped_outside_door_zone": (4, "04"),
    "door_reversal_loop": (2, "02"),
    "door_wont_open": (3, "03"),
    "run_time_exceeded": (6, "06"),
}
# A trip to the far end, then 60 s of evidence for a person who stays: the slowest.
CONFIRM_S = 150
CLEAR_S = 90


@pytest.mark.chain
@pytest.mark.skipif(
    not os.environ.get("LIFTWATCH_SLOW_FAULTS"), reason="takes three minutes: set LIFTWATCH_SLOW_FAULTS=1"
)
def test_each_slow_fault_comes_alone_and_ends(tmp_path: pathlib.Path) -> None:
    stack = Stack(tmp_path, len(FAULTS), baud=38400, traffic=1.0, influx=False)
    stack.start()
    try:
        lifts = dict(zip(stack.lift_ids(), FAULTS, strict=True))
        for lift, fault in lifts.items():
            stack.inject(lift, fault)

        def seen(phases: tuple[str, ...]) -> dict[str, set[str]]:
            return {
                lift: {found["kind"] for found in stack.incidents(lift=lift) if found["phase"] in phases}
                - SCRIPTS[fault].also
                for lift, fault in lifts.items()
            }

        wanted = {lift: {fault} for lift, fault in lifts.items()}
        anything = ("open", "updated", "closed")
        wait_until(lambda: all(seen(anything).values()), CONFIRM_S, "an event on every lift")
        assert seen(anything) == wanted
        for lift, fault in lifts.items():
            stack.inject(lift, fault, clear=True)
        wait_until(lambda: seen(("closed",)) == wanted, CLEAR_S, "the end of every event")
        assert seen(anything) == wanted
        wait_until(lambda: sum(entry["phase"] == "closed" for entry in stack.received()) == len(FAULTS), 15, "the ends")
        for lift, fault in lifts.items():
            national, code = FAULTS[fault]
            assert {incident["code"] for incident in stack.incidents(lift=lift)} == {national}
            bodies = [entry["body"] for entry in stack.received() if entry["lift"] == lift]
            assert {body["failureCode"] for body in bodies} == {code}
            assert [body["faultStatus"] for body in bodies] == [0, 1]
    finally:
        stack.stop()
