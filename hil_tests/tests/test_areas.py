"""Area events over the whole chain: a power cut over most of an estate with somebody in a car, and nodes that fall silent together.

The tests build on one another: what one leaves behind is what the next begins with.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from hil_tests.demo.stack import SITE, Stack
from hil_tests.services import wait_until
from hil_tests.tests.test_chain import evidence_of

pytestmark = pytest.mark.chain

DARK = ("lift-1", "lift-2", "lift-3")
SPARED = "lift-4"
# The way to a ride, and half a minute of evidence.
TRAPPED_S = 120
# The controller's start and whoever walks out, then a minute in which a member is well.
WELL_S = 240


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("areas"), 4, baud=38400, traffic=0.01, influx=False)
    running.start()
    time.sleep(1.5)
    yield running
    running.stop()


def areas(stack: Stack, kind: str, phases: tuple[str, ...] = ("open", "updated")) -> list[dict[str, Any]]:
    return [found for found in stack.incidents(folded="false") if found["kind"] == kind and found["phase"] in phases]


def await_area(stack: Stack, kind: str, members: set[str], timeout_s: float) -> dict[str, Any]:
    """The one open area of `kind` once these are its members that have not left."""

    def present() -> list[set[str]]:
        return [{m["lift"] for m in area["members"] if m["class"] != "ended"} for area in areas(stack, kind)]

    wait_until(lambda: present() == [members], timeout_s, f"{kind} of {sorted(members)}")
    return areas(stack, kind)[0]


def of_area(stack: Stack, area: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(found["lift"], found["kind"]): found for found in stack.incidents(area=area)}


def test_a_power_cut_over_most_lifts_is_one_incident_with_whoever_is_shut_in_first(stack: Stack) -> None:
    stack.inject("lift-2", "trapped_in_power_cut")  # the mains fails on a ride, with somebody aboard
    wait_until(
        lambda: any(one["kind"] == "mains_lost" for one in stack.incidents(lift="lift-2")), TRAPPED_S, "the ride's end"
    )
    for lift in ("lift-1", "lift-3"):
        stack.inject(lift, "mains_lost")
    area = await_area(stack, "area_power_cut", set(DARK), 20)
    assert (area["lift"], area["snapshot"]["site"], area["snapshot"]["lifts_known"]) == ("demo", SITE, 4)
    first = area["members"][0]
    assert (first["lift"], first["passenger"], first["live"]) == ("lift-2", True, True), (
        "the sensor lives on the battery"
    )
    assert first["class"] in ("occupied", "alarm") and area["severity"] >= 3

    def is_alarm() -> bool:
        return bool(areas(stack, "area_power_cut")[0]["members"][0]["class"] == "alarm")

    wait_until(is_alarm, 60, "the alarm at the top of the area")
    area = areas(stack, "area_power_cut")[0]
    assert (area["severity"], area["phase"], area["members"][0]["reason"]) == (4, "updated", "trapped_in_power_cut")
    wait_until(lambda: len(of_area(stack, area["id"])) == 4, 15, "the mark on each incident of the area")
    assert set(of_area(stack, area["id"])) == {
        *((lift, "mains_lost") for lift in DARK),
        ("lift-2", "trapped_in_power_cut"),
    }
    shown = {one["id"] for one in stack.incidents(folded="false")}
    assert area["id"] in shown and not shown & {one["id"] for one in of_area(stack, area["id"]).values()}
    # Each member went to the city as ever; its file has no code for the area.
    codes = sorted((entry["lift"], entry["body"]["failureCode"]) for entry in stack.received() if entry["lift"] in DARK)
    assert codes == [("lift-1", "41"), ("lift-2", "41"), ("lift-3", "41")] or ("lift-2", "09") in codes
    assert {entry["state"] for entry in area["deliveries"] if entry["destination"] == "city"} == {"not_mapped"}
    assert len(area["revisions"]) <= 4


def test_a_node_of_it_that_falls_silent_and_a_gateway_that_is_killed_leave_it_the_one_it_is(stack: Stack) -> None:
    before = areas(stack, "area_power_cut")[0]
    stack.nodes["lift-3"].stop()
    wait_until(
        lambda: ("lift-3", "node_offline") in of_area(stack, before["id"]), 60, "the silence of lift-3, as of the cut"
    )
    silent = of_area(stack, before["id"])["lift-3", "node_offline"]
    assert silent["cause"] == "on_battery" and silent["last_known"]["mains"] is False
    assert areas(stack, "area_silence", ("open", "updated", "closed")) == []
    stack.restart("gateway", kill=True)
    stack.nodes["lift-3"].start()
    heard = ("good", "bus_silent")
    wait_until(lambda: all(lift["quality"] in heard for lift in stack.lifts()), 30, "all nodes heard, dark or not")
    wait_until(lambda: of_area(stack, before["id"])["lift-3", "node_offline"]["phase"] == "closed", 60, "its return")
    after = await_area(stack, "area_power_cut", set(DARK), 30)
    assert after["id"] == before["id"] and after["members"][0]["class"] == "alarm"


def test_it_ends_with_its_last_member_and_stands_in_the_evidence(stack: Stack) -> None:
    (area,) = areas(stack, "area_power_cut")
    stack.inject("lift-2", "trapped_in_power_cut", clear=True)
    for lift in ("lift-1", "lift-3"):
        stack.inject(lift, "mains_lost", clear=True)
    wait_until(lambda: bool(areas(stack, "area_power_cut", ("closed",))), WELL_S, "the end of the area")
    (closed,) = areas(stack, "area_power_cut", ("closed",))
    assert closed["id"] == area["id"] and {member["class"] for member in closed["members"]} == {"ended"}
    assert all(one["phase"] == "closed" for one in of_area(stack, area["id"]).values())
    assert closed["closed_at_ms"] >= max(one["closed_at_ms"] for one in of_area(stack, area["id"]).values()) - 1000
    told = evidence_of(stack, closed["id"])
    assert "area_power_cut open" in told and "area_power_cut closed" in told
    assert f"of the area event {area['id']}" in evidence_of(stack, closed["members"][0]["incident"])


def test_nodes_that_are_switched_off_together_are_one_silence_by_what_they_told_last(stack: Stack) -> None:
    stack.wait_good()
    for lift in DARK:
        stack.nodes[lift].stop()
    area = await_area(stack, "area_silence", set(DARK), 60)
    assert (area["cause"], area["class"], area["severity"]) == ("", "fault", 2)
    assert {member["class"] for member in area["members"]} == {"empty"}
    assert not any(member["live"] for member in area["members"])
    wait_until(lambda: len(of_area(stack, area["id"])) == 3, 10, "the mark on each silence")
    for lift in DARK:
        stack.nodes[lift].start()
    wait_until(lambda: bool(areas(stack, "area_silence", ("closed",))), 180, "the end of the silence")
    assert areas(stack, "area_power_cut") == []


def test_a_broker_that_dies_is_one_silence_of_all_and_says_that_it_is_our_own_way(stack: Stack) -> None:
    stack.wait_good()
    stack.children["broker"].stop()
    area = await_area(stack, "area_silence", {*DARK, SPARED}, 90)
    assert area["cause"] == "broker" and area["snapshot"]["lifts"] == area["snapshot"]["lifts_known"] == 4
    stack.start_part("broker")
    wait_until(lambda: len(areas(stack, "area_silence", ("closed",))) == 2, 180, "the end of the silence")
