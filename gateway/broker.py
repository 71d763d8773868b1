"""The broker: alone knows paho-mqtt. Lanes with a connection and a thread each, so that no alarm waits behind telemetry."""

import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

_log = logging.getLogger(__name__)

# Ours: a line that died without a word is found after two of these (paho asks after one and gives up after another), and an alarm
# must not wait for that until it takes the next route. Nothing here is metered.
KEEPALIVE_S = 4
RETRY_MIN_S = 1
RETRY_MAX_S = 8
# Topics in one SUBSCRIBE, so that no broker finds the packet too large (ours).
SUBSCRIBED = 500

Receive = Callable[[str, bytes, bool], None]


class Lane:
    """One connection with its subscriptions. `receive(topic, payload, retained)` is called in the lane's thread."""

    def __init__(self, name: str, client_id: str, host: str, port: int, topics: list[str], receive: Receive) -> None:
        self.name = name
        self.connected = False
        self.connects = 0
        self.errors = 0
        self._host, self._port, self._receive = host, port, receive
        self._topics = dict.fromkeys(topics)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True, protocol=mqtt.MQTTv311
        )
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(RETRY_MIN_S, RETRY_MAX_S)
        self._client.suppress_exceptions = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lane-{name}", daemon=True)

    def login(self, user: str | None, password: str | None) -> None:
        """Set the account before `start`."""
        if user is not None:
            self._client.username_pw_set(user, password)

    def secure(self, context: ssl.SSLContext) -> None:
        """Set TLS before `start`: the broker's certificate must be valid and of the host that we dial."""
        self._client.tls_set_context(context)

    def start(self) -> None:
        """Connect for ever; a broker that is down at the start is waited for."""
        self._thread.start()

    def follow(self, topic: str) -> None:
        """Subscribe to one more topic, now and on each connection to come. A lane that was not started is started by it."""
        self._topics[topic] = None
        if self._thread.ident is None:
            self.start()
        elif self.connected:
            self._client.subscribe(topic, 0)

    def leave(self, topic: str) -> None:
        """Subscribe to it no longer."""
        if self._topics.pop(topic, topic) is None and self.connected:
            self._client.unsubscribe(topic)

    def stop(self) -> None:
        """Leave the broker."""
        self._stopping.set()
        self._client.disconnect()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 0; without a connection it is lost, which our own delivery expects."""
        if self.connected:
            self._client.publish(topic, payload, qos=0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._client.connect(self._host, self._port, KEEPALIVE_S)
                # Returns on a loss of the connection; the next turn makes a new one.
                self._client.loop_forever(retry_first_connection=False)
            except Exception as error:  # paho's thread must never die in silence (lessons, paho #692)
                if not self._stopping.is_set():
                    _log.log(logging.WARNING if not self.errors else logging.DEBUG, "%s lane: %s", self.name, error)
                self.errors += 1
            self.connected = False
            self._stopping.wait(RETRY_MIN_S)

    def _on_connect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            _log.warning("%s lane: the broker refused: %s", self.name, reason)
            return
        self.connects += 1
        self.connected = True
        # A topic that is added meanwhile is subscribed to by whoever adds it.
        topics = list(self._topics)
        for first in range(0, len(topics), SUBSCRIBED):
            client.subscribe([(topic, 0) for topic in topics[first : first + SUBSCRIBED]])
        _log.info("%s lane: connected", self.name)

    def _on_disconnect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self.connected = False

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        try:
            self._receive(message.topic, bytes(message.payload), bool(message.retain))
        except Exception:  # one bad message must not stop the lane
            self.errors += 1
            _log.exception("%s lane: a message on %s failed", self.name, message.topic[:80])
