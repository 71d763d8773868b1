"""The faults that take their time to confirm, all at once on a lift each: each alone, with its code, to the city and closed."""

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

        def at_city(lift: str) -> list[tuple[str, int]]:
            """(its code, 0 = new or 1 = ended) of what the city was told of the lift's fault."""
            bodies = [entry["body"] for entry in stack.received() if entry["kind"] == lifts[lift]]
            assert {body["liftId"] for body in bodies} <= {lift}
            return [(body["failureCode"], body["faultStatus"]) for body in bodies]

        told = {lift: [(FAULTS[fault][1], 0), (FAULTS[fault][1], 1)] for lift, fault in lifts.items()}
        wait_until(lambda: {lift: at_city(lift) for lift in lifts} == told, 15, f"{told} at the city")
        for lift, fault in lifts.items():
            # Nothing else went there, but what is just as true.
            assert {entry["kind"] for entry in stack.received() if entry["lift"] == lift} - SCRIPTS[fault].also == {
                fault
            }
            national = [incident["code"] for incident in stack.incidents(lift=lift) if incident["kind"] == fault]
            assert national == [FAULTS[fault][0]]
    finally:
        stack.stop()
