"""The MQTT core over a real socket against a real mosquitto: what it says is understood, and its deadlines hold."""

import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from hil_tests.services import Child, find, free_port, listens
from protocols.mqtt import packets
from protocols.mqtt.client import Connection
from protocols.mqtt.packets import MqttError

pytestmark = pytest.mark.chain

Message = tuple[str, bytes, bool]


class Wire:
    """A connection on a blocking socket: what the node's link does, without a loop."""

    def __init__(self, port: int, connection: Connection) -> None:
        self.clock_ms: int | None = None  # a test may set it
        self.connection = connection
        self._inbox: list[Message] = []
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(connection.start(self.now()))

    def now(self) -> int:
        return int(time.monotonic() * 1000) if self.clock_ms is None else self.clock_ms

    def step(self, timeout_s: float = 0.05) -> None:
        """Tick, then take what comes within `timeout_s`."""
        self.socket.sendall(self.connection.tick(self.now()))
        self.socket.settimeout(timeout_s)
        try:
            data = self.socket.recv(256)
        except TimeoutError:
            return
        if not data:
            raise EOFError
        out, messages = self.connection.receive(data, self.now())
        self.socket.sendall(out)
        # Kept from the first moment: a retained message may come in one piece with the SUBACK.
        self._inbox += messages

    def until_up(self) -> "Wire":
        while self.connection.state != "up":
            self.step(5)
        return self

    def messages(self, count: int, timeout_s: float = 5) -> list[Message]:
        """The next `count` messages."""
        end = time.monotonic() + timeout_s
        while len(self._inbox) < count and time.monotonic() < end:
            self.step()
        found, self._inbox = self._inbox, []
        return found

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.socket.sendall(self.connection.publish(topic, payload, self.now(), retain))

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def broker(tmp_path: pathlib.Path) -> Iterator[tuple[Child, int]]:
    port = free_port()
    password_file = tmp_path / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-c", "-b", password_file, "node", "secret"],
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"},
        capture_output=True,
        check=True,
    )
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {password_file}\npersistence false\n"
        # Started by root it would become another user, who cannot read the test's folder.
        "set_tcp_nodelay true\nuser root\n"
    )
    child = Child("mosquitto", [find("mosquitto", "mosquitto"), "-c", str(config)], tmp_path)
    child.start(lambda: listens(port))
    yield child, port
    child.stop()


def client(
    port: int,
    name: str,
    *topics: str,
    will: tuple[str, bytes] | None = None,
    keepalive_ms: int = 15000,
    password: str = "secret",
) -> Wire:
    return Wire(port, Connection(name, keepalive_ms, list(topics), will, "node", password))


def write_until_given_up(wire: Wire, begun_ms: int) -> None:
    """Publish each 50 ms of a clock of its own, for 10 s at most."""
    wire.clock_ms = begun_ms
    while wire.clock_ms < begun_ms + 10_000:
        wire.clock_ms += 50
        wire.publish("t", b"into the void")
        wire.step(0.001)


def test_messages_of_all_sizes_arrive_whole_and_in_order(broker: tuple[Child, int]) -> None:
    port = broker[1]
    reader = client(port, "reader", "lift/1/s/+/event").until_up()
    writer = client(port, "writer", "x").until_up()
    payloads = [bytes((size & 0xFF,)) * size for size in (0, 1, 100, 110, 111, 127, 128, 1000, 2000, 4000)]
    for payload in payloads:
        writer.publish("lift/1/s/lift-1/event", payload)
    assert reader.messages(len(payloads)) == [("lift/1/s/lift-1/event", payload, False) for payload in payloads]
    reader.close()
    writer.close()


def test_a_retained_message_meets_a_late_subscriber_and_is_marked(broker: tuple[Child, int]) -> None:
    port = broker[1]
    writer = client(port, "writer", "t").until_up()
    writer.publish("t", "在线".encode(), retain=True)
    assert writer.messages(1) == [("t", "在线".encode(), False)]
    late = client(port, "late", "t").until_up()
    assert late.messages(1) == [("t", "在线".encode(), True)]
    writer.close()
    late.close()


def test_the_will_is_sent_retained_when_the_node_is_gone_but_not_after_a_goodbye(broker: tuple[Child, int]) -> None:
    port = broker[1]
    reader = client(port, "reader", "link/#").until_up()
    polite = client(port, "polite", "x", will=("link/polite", b"gone")).until_up()
    polite.socket.sendall(packets.DISCONNECT_PACKET)
    polite.close()
    client(port, "lost", "x", will=("link/lost", b"gone")).until_up().close()
    assert reader.messages(1) == [("link/lost", b"gone", False)]
    late = client(port, "late", "link/#").until_up()
    assert late.messages(1) == [("link/lost", b"gone", True)]
    assert reader.messages(1, 0.3) == []
    reader.close()
    late.close()


def test_a_second_connection_of_the_same_client_takes_over(broker: tuple[Child, int]) -> None:
    port = broker[1]
    first = client(port, "lift-s-1", "t").until_up()
    second = client(port, "lift-s-1", "t").until_up()
    with pytest.raises((EOFError, ConnectionError)):
        first.messages(1)
    second.publish("t", b"mine")
    assert second.messages(1) == [("t", b"mine", False)]
    first.close()
    second.close()


def test_a_wrong_password_is_told_in_words(broker: tuple[Child, int]) -> None:
    wire = client(broker[1], "node", "t", password="wrong")
    with pytest.raises(MqttError, match=r"not authorised|user name or password"):
        wire.until_up()
    assert wire.connection.state == "down"
    wire.close()


def test_pings_keep_a_quiet_connection_and_silence_ends_it(broker: tuple[Child, int]) -> None:
    # With a keep-alive of 2 s the broker drops whoever is silent for 3 s.
    port = broker[1]
    quiet = client(port, "quiet", "t", keepalive_ms=2000).until_up()
    silent = client(port, "silent", "x", keepalive_ms=2000).until_up()
    assert quiet.messages(1, 5.5) == []
    quiet.publish("t", b"alive")
    assert quiet.messages(1) == [("t", b"alive", False)]
    silent.socket.settimeout(15)
    assert silent.socket.recv(1) == b""
    quiet.close()
    silent.close()


def test_a_broker_that_hangs_is_given_up_within_the_keep_alive_though_writes_succeed(broker: tuple[Child, int]) -> None:
    child, port = broker
    wire = client(port, "node", "t", keepalive_ms=2000).until_up()
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGSTOP)
    try:
        # The broker stands still, so that only our own clock counts.
        stopped = wire.now()
        with pytest.raises(MqttError, match="no answer"):
            write_until_given_up(wire, stopped)
        assert wire.now() - stopped < 2500
    finally:
        os.kill(child.process.pid, signal.SIGCONT)
    wire.close()
