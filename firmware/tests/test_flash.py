"""The node's flash: real littlefs under power cuts, and a node on the VM that is reset with alarms and history not yet told."""

import pathlib
import re
import time

import pytest

from firmware.tests.rig import Rig, on_vm
from hil_tests import services
from protocols import messages, records

pytestmark = pytest.mark.chain


def test_a_power_cut_in_any_operation_of_any_write_leaves_old_or_new_and_the_node_goes_on() -> None:
    found = on_vm("ring_on_vm", "600", heap="8M")
    kinds = {
        name: (int(operations), int(cuts))
        for name, operations, cuts in re.findall(r"(.+): (\d+) operations, (\d+) cuts", found)
    }
    assert set(kinds) == {
        "append",
        "rotation",
        "first event",
        "event",
        "forget",
        "all",
        "format",
        "format over rubbish",
    }
    assert all(cuts == 3 * operations > 0 for operations, cuts in kinds.values()), kinds
    batches, erases, blocks, most, least = (int(number) for number in re.findall(r"\d+", found[found.index("wear:") :]))
    assert batches == 600
    # No block ends long before the others do: littlefs goes round all that are free.
    assert least > 0 and most <= 4 * erases / blocks, found


def held(rig: Rig) -> list[tuple[str, int]]:
    return [(event["id"], event["presses"]) for event in rig.ear.all("event") if event.get("kept")]


def test_an_alarm_and_the_history_that_nobody_has_heard_outlive_a_reset(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path)
    try:
        services.wait_until(lambda: any(kind == "log" for kind, *_ in rig.ear.heard), 20, "the first batch")
        rig.broker.kill()
        rig.press()
        time.sleep(1)  # the event comes to flash
        del rig.ear.heard[:]
        rig.node.kill()
        services.wait_until(lambda: rig.node.console.read_text().count("boot 2") == 1, 20, "the second boot")
        rig.broker.start(lambda: services.listens(rig.port))
        services.wait_until(lambda: bool(held(rig)), 30, "the alarm of the first boot")
        assert held(rig)[0][0] == "lift-1-1-1"
        birth = [link for link in rig.ear.all("link") if link["online"]][-1]
        assert birth["boot"] == 2 and birth["log_capacity_h"] > 300
        assert birth["counters"]["flash_errors"] == birth["counters"]["flash_formatted"] == 0
        services.wait_until(lambda: any(kind == "log" for kind, *_ in rig.ear.heard), 20, "history")
        first = next(records.decode_wire(payload) for kind, payload, _ in rig.ear.heard if kind == "log")
        assert (first.life, first.number, first.boot) == (1, 1, 1)
    finally:
        rig.stop()


def test_a_receipted_and_ended_alarm_is_gone_from_flash(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path)
    try:
        services.wait_until(lambda: bool(rig.ear.all("state")), 20, "the first state")
        rig.inject("mains_lost")
        services.wait_until(lambda: bool(rig.ear.all("event")), 20, "the alarm")
        time.sleep(0.5)  # it comes to flash
        rig.inject("mains_lost", clear=True)
        services.wait_until(lambda: rig.ear.all("event")[-1]["phase"] == "closed", 20, "its end")
        ended = rig.ear.all("event")[-1]
        rig.ear.ack([[ended["id"], ended["rev"], 2]])
        time.sleep(1)
        rig.node.kill()
        services.wait_until(lambda: rig.ear.all("state")[-1]["boot"] == 2, 20, "the first state of the second boot")
        time.sleep(1)
        assert not held(rig)
    finally:
        rig.stop()


def test_a_node_without_the_partition_says_so_and_works(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path, env={"FLASH": ""})
    try:
        services.wait_until(lambda: bool(rig.ear.all("state")), 20, "the first state")
        assert "no partition liftlog" in rig.node.console.read_text()
        rig.press()
        services.wait_until(lambda: bool(rig.ear.all("event")), 10, "the alarm")
        assert messages.decode("event", next(p for kind, p, _ in rig.ear.heard if kind == "event"))["rev"] == 1
    finally:
        rig.stop()
