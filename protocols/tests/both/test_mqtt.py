"""The MQTT core: golden packets, three ways of feeding, the states of a connection, on both interpreters."""

from binascii import unhexlify

from protocols.mqtt import packets
from protocols.mqtt.client import Connection
from protocols.mqtt.packets import Decoder, MqttError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STREAM = b"\x20\x02\x00\x00" + b"\x90\x03\x00\x01\x00" + b"\x30\x06\x00\x01tabc" + b"\xd0\x00"
PACKETS = [(2, 0, b"\0\0"), (9, 0, b"\0\1\0"), (3, 0, b"\0\1tabc"), (13, 0, b"")]


def _refused(call: "Callable[..., object]", *arguments: object) -> bool:
    try:
        call(*arguments)
    except MqttError:
        return True
    return False


def _up(keepalive_ms: int = 15000) -> Connection:
    connection = Connection("c", keepalive_ms, ["t"])
    connection.start(0)
    connection.receive(b"\x20\x02\x00\x00", 5)
    connection.receive(b"\x90\x03\x00\x01\x00", 6)
    assert connection.state == "up"
    return connection


def test_golden_packets() -> None:
    assert packets.connect("ab", 15) == unhexlify("100e00044d5154540402000f00026162")
    assert packets.connect("a", 15, "w", b"x")[9] == 0x26
    assert packets.connect("a", 15, None, b"", "u", "p")[9] == 0xC2
    assert packets.subscribe(1, ["a", "b"]) == unhexlify("820a000100016100000162 00".replace(" ", ""))
    assert packets.publish("t", b"abc") == b"\x30\x06\x00\x01tabc"
    assert packets.publish("t", b"", True) == b"\x31\x03\x00\x01t"
    assert packets.publish("t", b"x" * 200)[:3] == b"\x30\xcb\x01"


def test_the_stream_decodes_whole_and_byte_by_byte() -> None:
    assert Decoder().feed(STREAM) == PACKETS
    decoder = Decoder()
    found = []
    for index in range(len(STREAM)):
        found += decoder.feed(STREAM[index : index + 1])
    assert found == PACKETS


def test_lengths_are_capped_before_anything_is_kept() -> None:
    assert _refused(Decoder().feed, b"\x30\xff\xff\xff\x7f")
    assert _refused(Decoder().feed, b"\x30\xff\xff\xff\xff\x01")


def test_a_connection_comes_up_and_carries_messages() -> None:
    connection = Connection("c", 15000, ["t"], ("w", b"x"))
    assert connection.start(0)[0] == 0x10
    out, messages = connection.receive(b"\x20\x02\x00\x00", 5)
    assert out == packets.subscribe(1, ["t"]) and messages == [] and connection.state == "subscribing"
    out, messages = connection.receive(b"\x90\x03\x00\x01\x00\x31\x04\x00\x01tz", 6)
    assert out == b"" and messages == [("t", b"z", True)] and connection.state == "up"
    assert connection.publish("t", b"1", 7) == packets.publish("t", b"1")


def test_refusals_and_nonsense_end_the_connection() -> None:
    for text in ("20020005", "200100", "21020000", "9003000100", "0000", "f000", "d000", "3003000174"):
        data = unhexlify(text)
        connection = Connection("c", 15000, ["t"])
        connection.start(0)
        assert _refused(connection.receive, data, 1), data
        assert connection.state == "down"
    connection = Connection("c", 15000, ["t"])
    connection.start(0)
    connection.receive(b"\x20\x02\x00\x00", 1)
    assert _refused(connection.receive, b"\x90\x03\x00\x01\x80", 2)
    for data in (b"\x32\x05\x00\x01t\x00\x01", b"\x30\x02\x00\x05", b"\x30\x03\x00\x01\xff"):
        assert _refused(_up().receive, data, 9), data


def test_a_silent_broker_is_pinged_and_then_given_up() -> None:
    connection = _up()
    assert connection.tick(7000) == b""
    assert connection.tick(7507) == packets.PINGREQ_PACKET
    connection.receive(b"\xd0\x00", 7600)
    assert connection.tick(15100) == packets.PINGREQ_PACKET
    assert connection.tick(15200) == b""
    assert _refused(connection.tick, 22700)


def test_writing_alone_does_not_hide_a_half_open_connection() -> None:
    connection = _up()
    for now in range(1000, 8000, 1000):
        connection.publish("t", b"", now)
    assert connection.tick(8000) == packets.PINGREQ_PACKET
    for now in range(8100, 15500, 100):
        connection.publish("t", b"", now)
    assert _refused(connection.tick, 15500)


def test_a_line_in_doubt_is_asked_long_before_the_keep_alive() -> None:
    connection = _up(240000)
    connection.publish("t", b"", 50000)
    assert connection.tick(50000) == b"" and connection.tick(50000, True) == packets.PINGREQ_PACKET
    assert connection.tick(53000, True) == b""
    connection.receive(b"\xd0\x00", 53500)
    assert connection.tick(54000, True) == b""  # it has just spoken
    assert connection.tick(57500, True) == packets.PINGREQ_PACKET
    assert _refused(connection.tick, 61500)
    # Also where it was asked without haste already.
    connection = _up(240000)
    assert connection.tick(120007) == packets.PINGREQ_PACKET
    assert connection.tick(121000, True) == b"" and _refused(connection.tick, 125000)


def test_no_connack_in_time_is_an_error() -> None:
    connection = Connection("c", 15000, ["t"])
    connection.start(0)
    assert connection.tick(9999) == b""
    assert _refused(connection.tick, 10000)
