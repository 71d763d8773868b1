"""The Modbus RTU core: golden frames, three ways of feeding, wrong answers and wire time, on both interpreters."""

from binascii import hexlify, unhexlify

from protocols.modbus import rtu
from protocols.modbus.crc import crc16, xor_check
from protocols.modbus.errors import PeerError, RequestError

# (request unit, function, address, count), frame, answer, values. CRCs made by an independent implementation.
GOLDEN = (
    ((1, 3, 0x1010, 2), "010310100002c10e", "01030403e8000afa44", [1000, 10]),
    ((17, 3, 0x006B, 3), "1103006b00037687", "110306ae415652434049ad", [0xAE41, 0x5652, 0x4340]),
    ((1, 4, 8, 1), "010400080001b008", "010402000a3937", [10]),
    ((17, 1, 0x13, 10), "11010013000a4f58", "110102cd01ed6f", [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]),
)


def _kind(request: rtu.Request, *chunks: bytes) -> str:
    """The kind of PeerError that feeding `chunks` ends in, "" if none."""
    answer = rtu.Answer(request)
    try:
        for chunk in chunks:
            answer.feed(chunk)
    except PeerError as error:
        return error.kind
    return ""


def test_the_check_values_are_those_of_the_standard() -> None:
    assert crc16(b"123456789") == 0x4B37
    assert xor_check(b"\x01\x02\x04", 0xAB10) == 0xAB17


def test_golden_requests_and_answers() -> None:
    for fields, frame, answer, values in GOLDEN:
        request = rtu.Request(*fields)
        assert hexlify(request.encode()).decode() == frame, fields
        assert len(unhexlify(answer)) == request.answer_bytes()
        assert rtu.Answer(request).feed(unhexlify(answer)) == values, fields


def test_byte_by_byte_gives_the_same() -> None:
    for fields, _, answer, values in GOLDEN:
        collector = rtu.Answer(rtu.Request(*fields))
        data = unhexlify(answer)
        for index in range(len(data) - 1):
            assert collector.feed(data[index : index + 1]) is None
            assert collector.missing() == len(data) - index - 1
        assert collector.feed(data[-1:]) == values


def test_only_reads_can_exist() -> None:
    for function in range(-1, 256):
        if function in (1, 2, 3, 4):
            continue
        try:
            rtu.Request(1, function, 0x6000, 1)
        except RequestError:
            continue
        raise AssertionError(function)


def test_ranges_are_checked_before_anything_is_sent() -> None:
    for unit, address, count in ((0, 0, 1), (248, 0, 1), (1, -1, 1), (1, 0, 0), (1, 0, 126), (1, 65535, 2)):
        try:
            rtu.Request(unit, 3, address, count)
        except RequestError:
            continue
        raise AssertionError((unit, address, count))


def test_wrong_answers_are_told_apart() -> None:
    request = rtu.Request(1, 3, 0x1010, 2)
    good = unhexlify("01030403e8000afa44")
    flipped = bytes((good[0], good[1], good[2], good[3] ^ 1)) + good[4:]
    assert _kind(request, flipped) == "check"
    assert _kind(request, good + b"\0") == "malformed"
    assert _kind(request, b"\x02" + good[1:]) == "foreign"
    assert _kind(request, b"\x01\x04" + good[2:]) == "foreign"
    assert _kind(request, b"\x01\x03\x02\x00\x01") == "malformed"
    assert _kind(request, b"\x00" + good) == "foreign"
    assert _kind(request, good[:5]) == ""


def test_a_late_answer_of_another_length_is_not_ours() -> None:
    late = rtu.STANDARD.seal(b"\x01\x03\x02\x00\x07")
    assert _kind(rtu.Request(1, 3, 0x1010, 14), late) == "malformed"


def test_exceptions_standard_and_vendor() -> None:
    request = rtu.Request(1, 3, 0x1010, 14)
    for frame in (b"\x01\x83\x06", b"\x01\x03\x80\x01\x00\x06"):
        try:
            rtu.Answer(request).feed(rtu.STANDARD.seal(frame))
        except PeerError as error:
            assert error.kind == "exception" and error.code == 6
            continue
        raise AssertionError(frame)


def test_oem_framings() -> None:
    framing = rtu.Framing("xor", 0x125A, 2)
    request = rtu.Request(1, 3, 0x1018, 1, framing)
    assert hexlify(request.encode()).decode() == "01031018000151" + "12"
    answer = unhexlify("010300020007" + "5d12")
    assert rtu.Answer(request).feed(answer) == [7]
    locked = unhexlify("010380010007" + "de12")
    try:
        rtu.Answer(request).feed(locked)
        raise AssertionError("an exception passed")
    except PeerError as error:
        assert error.kind == "exception" and error.code == 7
    assert _kind(request, answer[:-1] + b"\xff") == "check"


def test_wire_time_is_the_arithmetic_of_the_bus() -> None:
    assert rtu.gap_us(9600) == 3647 and rtu.gap_us(38400) == 1750
    request = rtu.Request(1, 3, 0x1010, 16)
    # 45 bytes, two gaps and a reply delay of 10 ms: 64 ms at 9600, 25 ms at 38400.
    assert 64000 <= rtu.transaction_us(request, 9600, 10, 10000) <= 64400
    assert 25000 <= rtu.transaction_us(request, 38400, 10, 10000) <= 25500
