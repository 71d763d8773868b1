"""The link's named accidents, one after the other on one stack with TLS and under load; at the end everything is accounted for.

Each must be over by itself within a bound. The tests build on each other: what one leaves behind is what the next begins with.
"""

import contextlib
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hil_tests.demo.stack import SITE, Stack
from hil_tests.measure import breakage
from hil_tests.measure.cuts import await_back
from hil_tests.measure.judgement import Judgement
from hil_tests.services import ROOT, movable_clock, wait_until
from hil_tests.wires import Wires
from protocols.identity import client_id
from protocols.records import Batch

pytestmark = pytest.mark.chain

DAY_S = 86400
TAKEN_S = 4.0


class Running:
    """A stack whose links, broker and gateway's clock a test can spoil, under load all the time."""

    def __init__(self, data: pathlib.Path) -> None:
        self.wires = Wires()
        self.clock = data / "clock"
        self.faked = movable_clock(self.clock)
        self.stack = Stack(data, 2, traffic=5.0, wires=self.wires, gateway_env=self.faked, tls=True)
        self.stack.start()
        self.load = breakage.Load(self.stack, 1)
        self.load.__enter__()

    def calm(self) -> None:
        """No more load: what is on its way arrives."""
        self.load.__exit__()

    def stop(self) -> None:
        self.calm()
        self.stack.stop()
        self.wires.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("link"))
    yield found
    found.stop()


@contextlib.contextmanager
def second_client(running: Running, name: str) -> Iterator[list[int]]:
    """Somebody else who insists on a client id for a while; yields what counts how often it was let in."""
    let_in: list[int] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.on_connect = lambda *_: let_in.append(1)
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", running.stack.plain_port, keepalive=5)
    client.loop_start()
    try:
        yield let_in
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_half_open_socket_of_the_nodes_is_found_and_replaced(running: Running) -> None:
    running.wires.set("node-broker", "dead")
    running.wires.set("node-broker", "open")
    # Half a keep-alive of 15 s to ask, half for the answer; then the way up with TLS.
    assert await_back(running.stack, "a dead line of the nodes", 25) > 1


def test_a_half_open_socket_of_the_gateway_is_found_before_an_alarm_takes_another_way(running: Running) -> None:
    running.wires.set("gateway-broker", "dead")
    running.wires.set("gateway-broker", "open")
    await_back(running.stack, "a dead line of the gateway", 15)


def test_a_broker_that_was_killed_is_found_again(running: Running) -> None:
    running.stack.restart("broker", kill=True)
    await_back(running.stack, "the broker's kill", 25)


def test_a_broker_that_forgot_all_sessions_and_births_is_told_anew(running: Running) -> None:
    kept = running.stack.data / "broker" / "mosquitto.db"
    running.stack.children["broker"].stop()
    assert kept.exists()
    kept.unlink()
    running.stack.start_part("broker")
    await_back(running.stack, "the loss of its sessions", 25)


@pytest.mark.parametrize("whose", ["node", "gateway"])
def test_a_second_client_with_the_same_id_harms_only_as_long_as_it_insists(running: Running, whose: str) -> None:
    name = client_id(SITE, "lift-1") if whose == "node" else "gateway-demo-events"
    with second_client(running, name) as let_in:
        time.sleep(TAKEN_S)
    assert let_in
    await_back(running.stack, f"a second client as the {whose}", 30)


@pytest.mark.parametrize("days", [1, -1])
def test_a_gateway_whose_clock_jumps_by_a_day_and_back_goes_on(running: Running, days: int) -> None:
    if running.faked is None:
        pytest.skip("needs libfaketime: install Debian's package faketime")
    running.clock.write_text(f"{days * DAY_S:+d}")
    await_back(running.stack, f"a jump of {days:+d} day", 15)
    # With that time in all nodes they must get through TLS again.
    running.wires.set("node-broker", "cut")
    running.wires.set("node-broker", "open")
    await_back(running.stack, f"a cut after a jump of {days:+d} day", 25)
    running.clock.write_text("+0")
    await_back(running.stack, "the jump back", 15)


def test_after_all_of_that_nothing_is_lost_and_nothing_came_twice(running: Running) -> None:
    running.calm()
    seen = {lift: sum(at == lift for at, _ in running.load.pressed) for lift in running.stack.lift_ids()}
    judgement = Judgement(running.stack, seen)
    judgement.run()
    assert not judgement.failures, judgement.failures
    assert judgement.figures["revisions"] > 50 and judgement.figures["gaps"] == 0


def test_an_empty_gateway_in_the_old_ones_place_is_told_all_that_is_still_held(running: Running) -> None:
    stack = running.stack

    def is_open() -> list[str]:
        found = [incident for incident in stack.incidents(lift="lift-1") if incident["kind"] == "button_pressed"]
        return [incident["id"] for incident in found if incident["phase"] != "closed"]

    def stays_open() -> bool:
        """An alarm that all have receipted; one in a car whose door opens just then ends by itself."""
        stack.press("lift-1")
        wait_until(lambda: bool(is_open()), 10, "the alarm")
        breakage.settle(stack)
        return bool(is_open())

    wait_until(stays_open, 60, "an alarm that goes on")
    (alarm,) = is_open()
    stack.children["gateway"].kill()
    stack.press("lift-2")
    shutil.rmtree(stack.data / "gateway")
    stack.start_part("gateway")
    stack.wait_good()
    judgement = Judgement(stack, {}, store_is_new=True)
    judgement.run()
    assert not judgement.failures, judgement.failures
    # The log from where the ring begins, and also the alarm that had all its receipts from the store that is gone.
    assert judgement.figures["batches"] > 0

    def is_in_new_journal() -> bool:
        with contextlib.closing(sqlite3.connect(stack.data / "gateway" / "journal.db")) as journal:
            return bool(journal.execute("SELECT 1 FROM revision WHERE id = ?", (alarm,)).fetchall())

    wait_until(is_in_new_journal, 15, f"{alarm} told again")


def test_new_nodes_in_the_old_ones_places_take_their_numbers_up_behind_them(running: Running) -> None:
    stack = running.stack
    running.calm()
    stack.nodes["lift-2"].kill()  # so that one of them is followed after two boots, the other after its first
    wait_until(lambda: newest_boot(stack, "lift-2") == 2, 30, "history of the second boot")
    breakage.settle(stack)
    # A gateway that has not heard the old ones knows them by its stores.
    stack.children["gateway"].stop()
    for node in stack.nodes.values():
        node.stop()
        for kept in ("nvs.json", "flash.bin"):
            (node.console.parent / kept).unlink()
        node.start()
    for lift in stack.lift_ids():
        stack.press(lift, hold_ms=5000)  # they are booting meanwhile
    stack.start_part("gateway")
    stack.wait_good()
    judgement = Judgement(stack, {}, store_is_new=True)
    judgement.run()
    assert not judgement.failures, judgement.failures
    for lift, boot in (("lift-1", 2), ("lift-2", 3)):
        names = [entry["id"] for entry in stack.received() if entry["id"].startswith(f"{lift}-{boot}-")]
        assert names, f"the press at {lift} went by another boot"
        wait_until(lambda lift=lift: lives_ended(stack, lift) == 1, 20, f"the gap of {lift}")  # type: ignore[misc]


def provision_replacement(stack: Stack, lift: str) -> int:
    """A settings file for another node at this lift, by the command that an installer uses; its first boot."""
    file = str(stack.data / "nodes" / lift / "settings.json")
    command = [sys.executable, str(ROOT / "liftwatch.py"), "provision", "--from", file, "--replace", "--out", file]
    said = subprocess.run(command, check=True, timeout=20, capture_output=True, text=True).stdout
    found = re.search(r"its boots begin at (\d+)", said)
    assert found is not None, said
    return int(found[1])


def test_a_node_provisioned_as_a_replacement_needs_to_ask_nobody(running: Running) -> None:
    stack = running.stack
    running.calm()
    breakage.settle(stack)
    node = stack.nodes["lift-2"]
    node.stop()
    for kept in ("nvs.json", "flash.bin"):
        (node.console.parent / kept).unlink()
    first_boot = provision_replacement(stack, "lift-2")
    said = node.console.stat().st_size
    node.start()
    stack.press("lift-2", hold_ms=8000)

    def is_told() -> bool:
        return any(entry["id"].startswith(f"lift-2-{first_boot}-") for entry in stack.received())

    # The lift is still good by what the node before said last.
    wait_until(is_told, 30, "an alarm of the replacement at the city")
    stack.wait_good()
    judgement = Judgement(stack, {}, store_is_new=True)
    judgement.run()
    assert not judgement.failures, judgement.failures
    # Nothing had to be renamed, nor a connection given up for another boot's.
    told = node.console.read_text()[said:]
    assert f"boot {first_boot}," in told and "is told as" not in told
    assert told.count("link: up") == 1
    wait_until(lambda: lives_ended(stack, "lift-2") == 2, 20, "the gap of the life before")


def newest_boot(stack: Stack, lift: str) -> int:
    """The boot of the newest batch that the gateway has of the lift."""
    with contextlib.closing(sqlite3.connect(stack.data / "gateway" / "log.db")) as log:
        (body,) = log.execute("SELECT body FROM batch WHERE lift = ? ORDER BY row DESC LIMIT 1", (lift,)).fetchone()
    return Batch(body, 1).boot


def lives_ended(stack: Stack, lift: str) -> int:
    """Booked gaps of lives of the lift's log that ended with a node."""
    with contextlib.closing(sqlite3.connect(stack.data / "gateway" / "log.db")) as log:
        found = log.execute("SELECT count(*) FROM gap WHERE lift = ? AND reason = 'life_ended'", (lift,)).fetchone()
    return int(found[0])
