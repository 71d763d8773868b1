"""Properties of the MQTT core: whatever a broker sends, it ends in packets or in MqttError, in bounded memory and time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.mqtt import packets
from protocols.mqtt.client import CONNACK_MS, Connection
from protocols.mqtt.packets import MAX_PACKET_BYTES, Decoder, MqttError

KEEPALIVE_MS = 15000
TICK_MS = 500
CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x00"
PINGRESP = b"\xd0\x00"

topics = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=40)
publishes = st.builds(packets.publish, topics, st.binary(max_size=300), st.booleans())
broker_packets = st.one_of(
    st.sampled_from((CONNACK, SUBACK, PINGRESP, b"\x20\x02\x00\x05", b"\x90\x03\x00\x01\x80")),
    publishes,
    st.builds(lambda kind, body: bytes((kind, len(body))) + body, st.integers(0, 255), st.binary(max_size=20)),
)


def connection_in(state: str) -> Connection:
    connection = Connection("lift-a-b", KEEPALIVE_MS, ["t"])
    connection.start(0)
    if state != "waiting":
        connection.receive(CONNACK, 0)
    if state == "up":
        connection.receive(SUBACK, 0)
    assert connection.state == state
    return connection


# -- packets ------------------------------------------------------------------------------------------------------


@given(st.integers(0, 300_000))
def test_a_length_is_written_as_the_standard_has_it(size: int) -> None:
    packet = packets.publish("t", bytes(size))
    length, at, shift = 0, 1, 0
    while True:
        length |= (packet[at] & 0x7F) << shift
        shift += 7
        at += 1
        if packet[at - 1] < 0x80:
            break
    assert length == size + 3 == len(packet) - at and at <= 5
    # The shortest form: no byte of zeros at the end.
    assert at == 2 or packet[at - 1] != 0


@given(topics, st.binary(max_size=2000), st.booleans())
def test_a_publish_comes_back_as_it_was_written(topic: str, payload: bytes, retain: bool) -> None:
    ((kind, flags, body),) = Decoder().feed(packets.publish(topic, payload, retain))
    assert kind == packets.PUBLISH
    assert packets.parse_publish(flags, body) == (topic, payload, retain)


@given(st.lists(publishes, max_size=6), st.data())
def test_a_stream_decodes_the_same_however_it_is_cut(stream: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(stream)
    expected = [packet for one in stream for packet in Decoder().feed(one)]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=12)))
    decoder = Decoder()
    found = []
    for a, z in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += decoder.feed(whole[a:z])
    assert found == expected and len(expected) == len(stream)


@given(st.lists(st.binary(max_size=600), max_size=30))
def test_noise_ends_in_packets_or_mqtt_error_and_the_buffer_stays_small(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        try:
            decoder.feed(chunk)
        except MqttError:
            return
        assert len(decoder._bytes) < MAX_PACKET_BYTES + 5


@given(st.integers(MAX_PACKET_BYTES + 1, 0xFFFFFFF))
def test_a_packet_too_long_is_refused_at_its_header(length: int) -> None:
    head = bytearray((0x30,))
    while True:
        head.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            break
    with pytest.raises(MqttError):
        Decoder().feed(bytes(head))


# -- the connection -----------------------------------------------------------------------------------------------


@given(st.sampled_from(("waiting", "subscribing", "up")), st.lists(st.binary(max_size=80), max_size=10))
def test_noise_never_ends_a_connection_in_anything_but_mqtt_error(state: str, chunks: list[bytes]) -> None:
    connection = connection_in(state)
    try:
        for chunk in chunks:
            connection.receive(chunk, 1)
    except MqttError:
        assert connection.state == "down"
        with pytest.raises(MqttError):
            connection.publish("t", b"", 2)


@given(st.lists(st.tuples(st.integers(0, 3000), broker_packets), max_size=4))
def test_no_broker_keeps_a_connection_from_being_up_or_given_up_in_time(schedule: list[tuple[int, bytes]]) -> None:
    connection = Connection("lift-a-b", KEEPALIVE_MS, ["t"])
    connection.start(0)
    now = 0
    arrivals = []
    for after_ms, packet in schedule:
        now += after_ms
        arrivals.append((now, packet))
    try:
        for now in range(0, 2 * CONNACK_MS + TICK_MS, TICK_MS):
            while arrivals and arrivals[0][0] <= now:
                connection.receive(arrivals.pop(0)[1], now)
            connection.tick(now)
    except MqttError:
        return
    assert connection.state == "up"


@given(st.lists(st.integers(1, 4000), max_size=60))
def test_a_half_open_connection_is_found_within_the_keep_alive_however_much_we_write(pauses_ms: list[int]) -> None:
    connection = connection_in("up")
    writes = []
    at = 0
    for pause_ms in pauses_ms:
        at += pause_ms
        writes.append(at)
    for now in range(0, KEEPALIVE_MS + 2 * TICK_MS, TICK_MS):
        while writes and writes[0] <= now:
            connection.publish("t", b"x", writes.pop(0))
        try:
            connection.tick(now)
        except MqttError:
            assert connection.state == "down"
            return
    raise AssertionError("a silent broker was believed in for longer than the keep-alive")


@given(st.integers(0, 30_000), st.lists(st.tuples(st.integers(1, 9000), st.booleans()), max_size=40))
def test_the_broker_never_waits_longer_than_the_keep_alive_for_us(start: int, steps: list[tuple[int, bool]]) -> None:
    connection = Connection("lift-a-b", KEEPALIVE_MS, ["t"])
    connection.start(start)
    connection.receive(CONNACK + SUBACK, start)
    sent_ms = now = start
    for pause_ms, writes in steps:
        for _ in range(0, pause_ms, TICK_MS):
            now += TICK_MS
            if connection.tick(now):
                sent_ms = now
                connection.receive(PINGRESP, now)
            assert now - sent_ms <= KEEPALIVE_MS // 2 + TICK_MS
        if writes:
            connection.publish("t", b"", now)
            sent_ms = now
