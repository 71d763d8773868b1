"""MQTT 3.1.1 packets as bytes, and an incremental decoder. No socket, no clock, no session.

Only what a node needs: CONNECT with will, PUBLISH at QoS 0 (delivery is ours, design), SUBSCRIBE, PING, DISCONNECT.
"""

CONNECT = 1
CONNACK = 2
PUBLISH = 3
SUBSCRIBE = 8
SUBACK = 9
PINGREQ = 12
PINGRESP = 13
DISCONNECT = 14

# The longest packet a node may get is an ack of 32 receipts, below 2 KiB: a larger one is no gateway of ours.
MAX_PACKET_BYTES = 4096
PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"

REFUSALS = {
    1: "protocol version",
    2: "client id",
    3: "server unavailable",
    4: "user name or password",
    5: "not authorised",
}


class MqttError(Exception):
    """The broker sent what MQTT 3.1.1 does not allow, or refused us: drop the connection and make another."""


def _text(value: str | bytes | bytearray) -> bytes:
    data = value if isinstance(value, (bytes, bytearray)) else value.encode()
    if len(data) > 0xFFFF:
        raise ValueError("MQTT text of %d bytes" % len(data))
    return bytes((len(data) >> 8, len(data) & 0xFF)) + data


def _packet(first: int, body: bytes) -> bytes:
    """Fixed header and body in one piece, since two writes cost a round trip of Nagle's algorithm (measured: 40 ms)."""
    out = bytearray((first,))
    length = len(body)
    while True:
        out.append(length & 127 | (128 if length > 127 else 0))
        length >>= 7
        if not length:
            break
    out += body
    return bytes(out)


def connect(
    client_id: str,
    keepalive_s: int,
    will_topic: str | None = None,
    will_payload: bytes = b"",
    user: str | None = None,
    password: str | None = None,
) -> bytes:
    """CONNECT with a clean session; the will is retained, QoS 0."""
    flags = 2
    tail = _text(client_id)
    if will_topic is not None:
        flags |= 4 | 0x20
        tail += _text(will_topic) + _text(will_payload)
    if user is not None:
        flags |= 0x80
        tail += _text(user)
        if password is not None:
            flags |= 0x40
            tail += _text(password)
    return _packet(CONNECT << 4, b"\x00\x04MQTT\x04" + bytes((flags, keepalive_s >> 8, keepalive_s & 0xFF)) + tail)


def publish(topic: str, payload: bytes, retain: bool = False) -> bytes:
    """PUBLISH at QoS 0."""
    return _packet(PUBLISH << 4 | (1 if retain else 0), _text(topic) + payload)


def subscribe(packet_id: int, topics: list[str]) -> bytes:
    """SUBSCRIBE to `topics` at QoS 0."""
    body = bytes((packet_id >> 8, packet_id & 0xFF))
    for topic in topics:
        body += _text(topic) + b"\x00"
    return _packet(SUBSCRIBE << 4 | 2, body)


class Decoder:
    """Turns the stream from the broker into packets [(type, flags, body bytes)]. Every length is capped first."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Packets that `data` completes; raise MqttError on a length that is out of bounds."""
        got = self._bytes
        got += data
        packets: list = []
        while True:
            size = self._size()
            if size is None or len(got) < size[0] + size[1]:
                return packets
            head, length = size
            packets.append((got[0] >> 4, got[0] & 15, bytes(got[head : head + length])))
            # A new buffer: MicroPython cannot delete a slice of a bytearray everywhere.
            got = self._bytes = got[head + length :]

    def _size(self) -> tuple[int, int] | None:
        """(length of the header, length of the body), None while the header is not whole."""
        got = self._bytes
        length = 0
        for index in range(1, 5):
            if index >= len(got):
                return None
            length |= (got[index] & 127) << 7 * (index - 1)
            if got[index] < 128:
                if length > MAX_PACKET_BYTES:
                    raise MqttError("a packet of %d bytes; at most %d are taken" % (length, MAX_PACKET_BYTES))
                return index + 1, length
        raise MqttError("a length of more than 4 bytes")


def parse_publish(flags: int, body: bytes) -> tuple[str, bytes, bool]:
    """(topic, payload, retained) of a PUBLISH; raise MqttError if it is malformed or not QoS 0."""
    if flags & 6:
        raise MqttError("a publish at QoS %d; only QoS 0 was subscribed" % (flags >> 1 & 3))
    length = body[0] << 8 | body[1] if len(body) >= 2 else 0xFFFF
    if len(body) < 2 + length:
        raise MqttError("a publish cut off in its topic")
    try:
        topic = body[2 : 2 + length].decode()
    except UnicodeError:
        raise MqttError("a topic that is no UTF-8")
    return topic, body[2 + length :], bool(flags & 1)
