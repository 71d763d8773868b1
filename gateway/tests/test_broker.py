"""The lanes over TLS with a real broker: a good certificate is taken, any other refused, told and waited for."""

import logging
import pathlib
import time

import pytest

from gateway.broker import Lane
from gateway.config import Tls, tls_context
from hil_tests import services
from hil_tests.authority import Authority
from hil_tests.services import wait_until
from hil_tests.wires import Wires

pytestmark = pytest.mark.chain


def test_a_lane_takes_only_a_broker_whose_certificate_is_valid_and_of_its_host(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    own = authority.sign("gateway")
    pairs = {
        "good": authority.sign("good", "127.0.0.1"),
        "elsewhere": authority.sign("elsewhere", "broker.test"),
        "old": authority.sign("old", "127.0.0.1", begins_days=-9, ends_days=-1),
        "stranger": stranger.sign("stranger", "127.0.0.1"),
    }
    ports = {name: services.free_port() for name in pairs}
    more = "".join(
        services.tls_listener(port, authority.ca, pairs[name], certified=name == "good") for name, port in ports.items()
    )
    broker, plain = services.mosquitto(tmp_path, more="allow_anonymous true\n" + more)
    broker.start(lambda: all(services.listens(port) for port in (plain, *ports.values())))
    heard: list[bytes] = []
    context = tls_context(Tls(str(authority.ca), str(own.certificate), str(own.key)))
    lanes = {}
    try:
        with caplog.at_level(logging.WARNING):
            for name, port in ports.items():
                lane = Lane(name, name, "127.0.0.1", port, ["t"], lambda topic, payload, kept: heard.append(payload))
                lane.secure(context)
                lane.start()
                lanes[name] = lane
            wait_until(lambda: lanes["good"].connected, 5, "the good one's connection")
            wait_until(lambda: all(lane.errors for name, lane in lanes.items() if name != "good"), 5, "the refusals")
        lanes["good"].publish("t", b"x")
        wait_until(lambda: heard == [b"x"], 5, "the message")
        assert not any(lane.connected for name, lane in lanes.items() if name != "good")
        for name, word in (("elsewhere", "mismatch"), ("old", "expired"), ("stranger", "verify failed")):
            assert any(name in line and word in line for line in caplog.messages), (name, caplog.messages)
    finally:
        begun = time.monotonic()
        for lane in lanes.values():
            lane.stop()
        assert time.monotonic() - begun < 10
        broker.stop()


def test_a_lane_whose_line_died_without_a_word_is_back_before_an_alarm_takes_the_next_route(
    tmp_path: pathlib.Path,
) -> None:
    broker, port = services.mosquitto(tmp_path)
    broker.start(lambda: services.listens(port))
    wires = Wires()
    heard: list[bytes] = []
    lane = Lane(
        "events", "gateway", "127.0.0.1", wires.lay("broker", port), ["t"], lambda *message: heard.append(message[1])
    )
    other = Lane("other", "other", "127.0.0.1", port, ["nothing"], lambda *message: None)
    try:
        lane.start()
        other.start()
        wait_until(lambda: lane.connected and other.connected, 5, "both connections")
        wires.set("broker", "dead")
        wires.set("broker", "open")

        def heard_again() -> bool:
            other.publish("t", b"x")
            return bool(heard)

        # 10 s is how long an alarm waits for its receipt before it takes another way (escalate_ms).
        wait_until(heard_again, 10, "a message on a new line")
        assert lane.connects == 2
    finally:
        lane.stop()
        other.stop()
        broker.stop()
        wires.close()
