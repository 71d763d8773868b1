"""The lane of states that alarms are made of, on a real broker: it carries what is followed, and waits for no telemetry."""

import asyncio
import pathlib
import time

import pytest

from gateway import broker
from gateway.broker import Lane
from gateway.config import Broker, Config, Gateway, Lift
from gateway.service import Service
from gateway.tests.test_detection import LIFT, SITE, STRANDED, Terminal, eventually
from hil_tests import services
from hil_tests.services import wait_until
from protocols import messages

pytestmark = pytest.mark.chain

OTHERS = 100


def test_a_lane_carries_what_is_followed_until_it_is_left_and_over_new_connections(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "SUBSCRIBED", 2)
    server, port = services.mosquitto(tmp_path)
    server.start(lambda: services.listens(port))
    heard: list[str] = []
    lane = Lane("states", "states", "127.0.0.1", port, [], lambda topic, payload, kept: heard.append(topic))
    other = Lane("other", "other", "127.0.0.1", port, ["nothing"], lambda *message: None)

    def carries(*topics: str) -> bool:
        heard.clear()
        for topic in ("a", "b", "c", "d", "e"):
            other.publish(topic, b"x")
        wait_until(lambda: "e" in heard, 5, "the last one")
        return sorted(heard) == sorted([*topics, "e"])

    try:
        other.start()
        wait_until(lambda: other.connected, 5, "a connection")
        assert not lane.connected
        lane.follow("e")
        wait_until(lambda: lane.connected, 5, "the connection of the lane that was started by what it follows")
        time.sleep(0.2)
        assert carries()
        for topic in ("a", "b", "c"):
            lane.follow(topic)
        lane.leave("b")
        lane.leave("never")
        time.sleep(0.2)
        assert carries("a", "c")
        server.stop()
        wait_until(lambda: not lane.connected and not other.connected, 10, "the loss of both")
        lane.follow("d")
        server.start(lambda: services.listens(port))
        wait_until(lambda: lane.connected and other.connected, 20, "new connections")
        time.sleep(0.2)
        assert carries("a", "c", "d")
    finally:
        lane.stop()
        other.stop()
        server.stop()


async def test_an_alarm_made_of_states_does_not_wait_behind_telemetry(tmp_path: pathlib.Path) -> None:
    server, port = services.mosquitto(tmp_path)
    await asyncio.to_thread(server.start, lambda: services.listens(port))
    config = Config(Gateway("g", str(tmp_path / "data")), Broker(port=port), lift=[Lift(LIFT, SITE)])
    service = Service(config)
    taken = [0]
    receive = service.bulk_lane._receive

    def slowly(name: str, payload: bytes, retained: bool) -> None:
        time.sleep(0.1)  # overload: telemetry comes ten times as fast as it is taken
        taken[0] += 1
        receive(name, payload, retained)

    service.bulk_lane._receive = slowly
    await service.start()
    terminal = Terminal()
    sender = Lane("sender", "sender", "127.0.0.1", port, ["nothing"], lambda *message: None)
    try:
        sender.start()
        await eventually(lambda: sender.connected and service.events_lane.connected and service.bulk_lane.connected)
        birth = {"online": True, "boot": 1, "conn": 1, "detects": False}
        sender.publish(f"lift/1/{SITE}/{LIFT}/link", messages.encode("link", birth))
        await eventually(lambda: service.states_lane.connected)
        await asyncio.sleep(0.2)
        other = Terminal("other")
        for _ in range(OTHERS):
            sender.publish(f"lift/1/{SITE}/other/state", other.payload())
        for button in (False, True):
            sender.publish(f"lift/1/{SITE}/{LIFT}/state", terminal.payload(STRANDED, button=button))
        end = service.lifts.known(LIFT)
        assert end is not None
        await eventually(
            lambda: end.detected is not None and any(held.level for held in end.detected._held.values()), 5
        )
        assert taken[0] < OTHERS
        # What the other lane brings of it later is known already.
        await eventually(lambda: taken[0] == OTHERS + 2, 20)
        assert end.detected is not None and end.detected.states.samples == 2
    finally:
        await asyncio.to_thread(sender.stop)
        await service.stop()
        await asyncio.to_thread(server.stop)
