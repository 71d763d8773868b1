"""Properties of the Modbus RTU master core: nothing but reads leaves it, and nothing but our answer gets through it."""

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocols.modbus.errors import ModbusError, PeerError, RequestError
from protocols.modbus.rtu import Answer, Framing, Request, byte_time_us, gap_us, transaction_us

framings = st.one_of(
    st.builds(Framing, st.just("crc"), st.just(0), st.sampled_from((1, 2))),
    st.builds(Framing, st.just("xor"), st.integers(0, 0xFFFF), st.sampled_from((1, 2))),
)
integers = st.one_of(st.integers(), st.integers(-2, 300), st.integers(0x5FF0, 0x6010), st.integers(-2, 0x10010))


@st.composite
def requests(draw: st.DrawFn, framing: st.SearchStrategy[Framing] = framings) -> Request:
    function = draw(st.integers(1, 4))
    count = draw(st.integers(1, 2000 if function <= 2 else 125))
    return Request(draw(st.integers(1, 247)), function, draw(st.integers(0, 0x10000 - count)), count, draw(framing))


def frame_of(request: Request, data: bytes) -> bytes:
    """The frame in which a controller answers `request` with `data`."""
    length = len(data).to_bytes(request.framing.byte_count_bytes, "big")
    return request.framing.seal(bytes((request.unit, request.function)) + length + data)


def data_of(draw: st.DrawFn | st.DataObject, request: Request) -> bytes:
    strategy = st.binary(min_size=request.data_bytes(), max_size=request.data_bytes())
    return draw.draw(strategy) if isinstance(draw, st.DataObject) else draw(strategy)


def fed(request: Request, chunks: list[bytes]) -> list[int] | str | None:
    """What feeding ends in: values, the kind of PeerError, or None while bytes are missing."""
    answer = Answer(request)
    values = None
    try:
        for chunk in chunks:
            assert values is None, "an answer was complete and then went on"
            values = answer.feed(chunk)
    except PeerError as error:
        return error.kind
    return values


# -- what leaves --------------------------------------------------------------------------------------------------


@given(integers, integers, integers, integers, framings)
def test_whatever_is_asked_for_only_a_read_can_leave(
    unit: int, function: int, address: int, count: int, framing: Framing
) -> None:
    try:
        frame = Request(unit, function, address, count, framing).encode()
    except RequestError:
        return
    assert frame[1] in (1, 2, 3, 4) and frame[0] == unit and 1 <= frame[0] <= 247
    assert len(frame) == 8 and framing.is_sealed(frame)
    assert frame[2:6] == address.to_bytes(2, "big") + count.to_bytes(2, "big")


@given(requests(), st.sampled_from(("unit", "function", "address", "count")), integers)
def test_a_request_tampered_with_after_it_was_made_cannot_leave_as_a_write(
    request: Request, name: str, value: int
) -> None:
    setattr(request, name, value)
    with suppress(ModbusError):
        assert request.encode()[1] in (1, 2, 3, 4)


# -- what comes back ----------------------------------------------------------------------------------------------


@given(requests(), st.data())
def test_an_answer_is_the_same_however_it_is_cut(request: Request, data: st.DataObject) -> None:
    payload = data_of(data, request)
    frame = frame_of(request, payload)
    assert len(frame) == request.answer_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(frame) - 1), max_size=8)))
    chunks = [frame[a:z] for a, z in zip([0, *cuts], [*cuts, len(frame)], strict=True)]
    if request.function <= 2:
        expected = [payload[bit // 8] >> bit % 8 & 1 for bit in range(request.count)]
    else:
        expected = [int.from_bytes(payload[at : at + 2], "big") for at in range(0, len(payload), 2)]
    assert fed(request, chunks) == fed(request, [frame]) == expected
    assert fed(request, chunks[:-1]) is None


@given(requests(st.builds(Framing)), st.data())
def test_no_answer_with_one_two_or_three_flipped_bits_gets_through(request: Request, data: st.DataObject) -> None:
    frame = bytearray(frame_of(request, data_of(data, request)))
    for bit in data.draw(st.sets(st.integers(0, 8 * len(frame) - 1), min_size=1, max_size=3)):
        frame[bit // 8] ^= 1 << bit % 8
    assert not isinstance(fed(request, [bytes(frame)]), list)


@given(requests(st.builds(Framing)), st.data())
def test_no_answer_with_a_burst_of_up_to_16_bits_gets_through(request: Request, data: st.DataObject) -> None:
    frame = frame_of(request, data_of(data, request))
    first = data.draw(st.integers(0, 8 * len(frame) - 17))
    # On the wire the low bit of a byte comes first: so a burst is a run of bits of the little-endian number.
    hurt = int.from_bytes(frame, "little") ^ data.draw(st.integers(1, 0xFFFF)) << first
    assert not isinstance(fed(request, [hurt.to_bytes(len(frame), "little")]), list)


@given(requests(st.builds(Framing)), st.binary(min_size=1, max_size=4), st.data())
def test_rubbish_ahead_of_or_behind_an_answer_spoils_it(request: Request, rubbish: bytes, data: st.DataObject) -> None:
    frame = frame_of(request, data_of(data, request))
    assert fed(request, [frame + rubbish]) == "malformed"
    assume(not (rubbish + frame).startswith(frame))
    assert not isinstance(fed(request, [rubbish + frame]), list)


@given(requests(), requests(), st.data())
def test_a_late_answer_to_another_request_never_passes_as_ours(
    ours: Request, other: Request, data: st.DataObject
) -> None:
    # One that asked the same unit for as much by the same function looks the same: silence tells those two apart.
    assume((ours.unit, ours.function, ours.data_bytes()) != (other.unit, other.function, other.data_bytes()))
    other.framing = ours.framing
    assert not isinstance(fed(ours, [frame_of(other, data_of(data, other))]), list)


@given(requests(), st.lists(st.binary(max_size=40), max_size=12))
def test_noise_ends_in_a_counted_kind_and_keeps_no_more_than_a_frame(request: Request, chunks: list[bytes]) -> None:
    answer = Answer(request)
    kind = ""
    for chunk in chunks:
        try:
            answer.feed(chunk)
        except PeerError as error:
            kind = error.kind
            break
        assert len(answer._bytes) <= request.answer_bytes()
    assert kind in ("", "check", "foreign", "malformed", "exception")


@given(requests(), st.integers(0, 255), st.data())
def test_an_exception_is_told_in_either_form_however_it_is_cut(
    request: Request, code: int, data: st.DataObject
) -> None:
    head = bytes((request.unit,))
    standard = request.framing.seal(head + bytes((request.function | 0x80, code)))
    # The controller's own form, 8 bytes without a byte count.
    vendor = request.framing.seal(head + bytes((request.function, 0x80, 0x01, 0, code)))
    forms = [standard]
    if request.framing.byte_count_bytes == 2 or request.data_bytes() != 0x80:
        forms.append(vendor)
    for frame in forms:
        cut = data.draw(st.integers(1, len(frame) - 1))
        assert fed(request, [frame[:cut]]) is None
        answer = Answer(request)
        answer.feed(frame[:cut])
        with pytest.raises(PeerError) as error:
            answer.feed(frame[cut:])
        assert (error.value.kind, error.value.code) == ("exception", code)
        if request.framing.check == "crc":
            assert fed(request, [frame[:-1] + bytes((frame[-1] ^ 1,))]) == "check"


# -- wire time ----------------------------------------------------------------------------------------------------


@given(requests(st.builds(Framing)), st.sampled_from((1200, 9600, 19200, 38400, 115200)), st.sampled_from((10, 11)))
def test_wire_time_is_bytes_and_two_gaps_and_never_too_short(request: Request, baud: int, bits: int) -> None:
    bytes_on_wire = len(request.encode()) + request.answer_bytes()
    exact_us = bytes_on_wire * bits * 1e6 / baud + 2 * max(
        1750 if baud > 19200 else 0, 3.5 * bits * 1e6 / baud * (baud <= 19200)
    )
    ours = transaction_us(request, baud, bits, 5000) - 5000
    assert exact_us - 2 <= ours <= exact_us + bytes_on_wire + 10
    assert byte_time_us(baud, bits) * baud >= bits * 1000000
    assert gap_us(baud, bits) >= 1750
