"""One MQTT connection as a state machine: bytes and now_ms in, packets and messages out. Used once, then thrown away."""

from protocols.mqtt import packets
from protocols.mqtt.packets import MqttError

CONNACK_MS = 10000
# A ping goes out after half the keep-alive without traffic from us, so that the broker never wonders.
PING_SHARE = 2
# How long a doubted line may be silent before it is asked, and how long it may take to answer: a slow mobile link's round trip
# is 2 s (ours).
DOUBT_MS = 4000


class Connection:
    """States: "new" → "waiting" (CONNACK) → "subscribing" → "up" → "down". All `now` in ms."""

    def __init__(
        self,
        client_id: str,
        keepalive_ms: int,
        topics: list[str],
        will: tuple[str, bytes] | None = None,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        """`will` is (topic, payload); `topics` are subscribed before the connection counts as up."""
        self.state = "new"
        self._keepalive_ms = keepalive_ms
        self._topics = topics
        topic, payload = will or (None, b"")
        self._connect = packets.connect(client_id, keepalive_ms // 1000, topic, payload, user, password)
        self._decoder = packets.Decoder()
        self._deadline_ms: int | None = None
        self._sent_ms = 0
        self._heard_ms = 0

    def start(self, now: int) -> bytes:
        """The CONNECT packet."""
        self.state = "waiting"
        self._deadline_ms = now + CONNACK_MS
        self._sent_ms = self._heard_ms = now
        return self._connect

    def receive(self, data: bytes, now: int) -> tuple[bytes, list[tuple[str, bytes, bool]]]:
        """(bytes to send, [(topic, payload, retained)]) for what came from the broker; raise MqttError to give it up."""
        self._heard_ms = now
        out = b""
        messages = []
        try:
            for kind, flags, body in self._decoder.feed(data):
                if kind == packets.PUBLISH and self.state in ("subscribing", "up"):
                    messages.append(packets.parse_publish(flags, body))
                else:
                    out += self._control(kind, flags, body, now)
        except MqttError:
            self.state = "down"
            raise
        if out:
            self._sent_ms = now
        return out, messages

    def _control(self, kind: int, flags: int, body: bytes, now: int) -> bytes:
        """The answer to a packet that is no message. Each is taken only where it is due: a stray one would end a deadline."""
        if flags == 0:
            if kind == packets.CONNACK and self.state == "waiting":
                return self._connected(body, now)
            if kind == packets.SUBACK and self.state == "subscribing":
                if len(body) != 2 + len(self._topics) or any(code > 2 for code in body[2:]):
                    raise MqttError("the broker refused a subscription")
                self.state = "up"
                self._deadline_ms = None
                return b""
            if kind == packets.PINGRESP and self.state == "up":
                self._deadline_ms = None
                return b""
        raise MqttError("packet type %d, flags %d in state %s" % (kind, flags, self.state))

    def _connected(self, body: bytes, now: int) -> bytes:
        if len(body) != 2 or body[1]:
            code = body[1] if len(body) == 2 else 0
            raise MqttError("the broker refused: %s" % packets.REFUSALS.get(code, "code %d" % code))
        self._deadline_ms = now + CONNACK_MS
        self.state = "subscribing"
        return packets.subscribe(1, self._topics)

    def publish(self, topic: str, payload: bytes, now: int, retain: bool = False) -> bytes:
        """The PUBLISH packet, to be written in one piece."""
        if self.state != "up":
            raise MqttError("publish in state %s" % self.state)
        self._sent_ms = now
        return packets.publish(topic, payload, retain)

    def tick(self, now: int, doubted: bool = False) -> bytes:
        """A PINGREQ if one is due, else b""; raise MqttError when an answer is overdue: the connection is half open.

        `doubted`: what was sent should have been answered by now, so the line is asked at once, whatever the keep-alive.
        """
        if self._deadline_ms is not None and now >= self._deadline_ms:
            state, self.state = self.state, "down"
            raise MqttError("no answer from the broker in state %s" % state)
        half = self._keepalive_ms // PING_SHARE
        if doubted:
            half = min(half, DOUBT_MS)
            if self.state == "up" and self._deadline_ms is not None:
                self._deadline_ms = min(self._deadline_ms, now + half)
        if self.state != "up" or self._deadline_ms is not None:
            return b""
        # Silence from the broker is tested too: writing into a half-open socket succeeds for minutes.
        if now - self._heard_ms >= half or (now - self._sent_ms >= half and not doubted):
            self._sent_ms = now
            self._deadline_ms = now + half
            return packets.PINGREQ_PACKET
        return b""
