"""The whole chain for lifts whose terminals do not detect: the gateway's alarms reach city and cloud, and outlive kill -9 of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from hil_tests.demo.stack import Stack
from hil_tests.services import wait_until

pytestmark = pytest.mark.chain

# fault: (its lift, the city's code)
FAULTS = {"trapped_between_floors": ("lift-1", "09"), "door_wont_open": ("lift-2", "03")}
KILLED = "lift-3"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("simple"), 3, traffic=0.01, influx=False, simple=3)
    stack.start()
    # A trip and a confirmation take their time: all at once.
    for fault, (lift, _) in FAULTS.items():
        stack.inject(lift, fault)
    stack.inject(KILLED, "trapped_between_floors")
    yield stack
    stack.stop()


def of(stack: Stack, lift: str, kind: str, phase: str) -> list[dict[str, Any]]:
    """The cloud's incidents of that lift and kind that are in that phase."""
    return [found for found in stack.incidents(lift=lift) if found["kind"] == kind and found["phase"] == phase]


def at_city(stack: Stack, id: str) -> list[dict[str, Any]]:
    """What the city has of an incident, in the order of its arrival."""
    return [entry for entry in stack.received() if entry["id"] == id]


def shown(stack: Stack, lift: str) -> dict[str, Any]:
    """The lift in the live view."""
    return next(found for found in stack.lifts() if found["id"] == lift)


def test_no_node_is_needed_and_each_lift_is_seen_good(stack: Stack) -> None:
    assert stack.nodes == {}
    assert [lift["quality"] for lift in stack.lifts()] == ["good"] * 3
    assert stack.metric("detection_lifts") == 3


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_to_city_and_cloud_with_its_code_and_ends_there(stack: Stack, fault: str) -> None:
    lift, code = FAULTS[fault]
    wait_until(lambda: bool(of(stack, lift, fault, "open")), 120, f"an incident {fault}")
    (told,) = of(stack, lift, fault, "open")
    wait_until(lambda: shown(stack, lift)["state"]["faults"] == [fault], 5, "the fault in the live view")
    assert told["evidence"] and told["snapshot"]["controller_link"] is True
    stages = told["stages"]
    assert stages["onset"] <= stages["detected"] <= stages["published"] <= stages["received"] + 5
    stack.inject(lift, fault, clear=True)
    wait_until(lambda: told["id"] in [found["id"] for found in of(stack, lift, fault, "closed")], 60, "its end")
    wait_until(lambda: len(at_city(stack, told["id"])) == 2, 15, "its end at the city")
    bodies = [entry["body"] for entry in at_city(stack, told["id"])]
    assert [body["failureCode"] for body in bodies] == [code] * 2
    assert [body["faultStatus"] for body in bodies] == [0, 1]


def test_an_open_alarm_outlives_kill_9_of_the_gateway_with_its_id_and_nothing_comes_twice(stack: Stack) -> None:
    wait_until(lambda: bool(of(stack, KILLED, "trapped_between_floors", "open")), 120, "somebody trapped")
    stack.press(KILLED)
    wait_until(lambda: bool(of(stack, KILLED, "button_pressed", "open")), 10, "the alarm")
    ids = {of(stack, KILLED, kind, "open")[0]["id"] for kind in ("trapped_between_floors", "button_pressed")}
    for _ in range(3):
        stack.restart("gateway", kill=True)
        wait_until(lambda: stack.metric("detection_open") >= 2, 20, "the gateway to go on with both")
    stack.wait_good()
    stack.press(KILLED)
    wait_until(lambda: bool(of(stack, KILLED, "button_pressed", "updated")), 10, "the second press")
    stack.inject(KILLED, "trapped_between_floors", clear=True)
    ended = {"lift": KILLED, "phase": "closed"}
    wait_until(lambda: ids <= {found["id"] for found in stack.incidents(**ended)}, 90, "the end of both")
    wait_until(lambda: all(at_city(stack, id)[-1]["phase"] == "closed" for id in ids), 15, "the ends at the city")
    assert {entry["id"] for entry in stack.received() if entry["lift"] == KILLED} == ids
    for id in ids:
        told = [(entry["rev"], entry["phase"]) for entry in at_city(stack, id)]
        assert [rev for rev, _ in told] == list(range(1, len(told) + 1))
        assert told[0][1] == "open" and [phase for _, phase in told].count("closed") == 1
    (pressed,) = [found for found in stack.incidents(lift=KILLED) if found["kind"] == "button_pressed"]
    assert pressed["presses"] == 2
    assert stack.incidents(lift=KILLED, phase="open") == []
