"""The JSON messages against the golden vectors, on both interpreters."""

import json

from protocols import messages
from protocols.errors import DecodeError, EncodeError
from protocols.state import LiftState

with open(__file__.rsplit("/", 3)[0] + "/vectors/messages.json") as _file:
    VECTORS = json.load(_file)


def _plain(value: object) -> object:
    """Tuples as lists, so that decoded values compare with JSON."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


def test_each_good_vector_decodes_to_its_values() -> None:
    for vector in VECTORS["good"]:
        found = messages.decode(vector["kind"], vector["json"].encode())
        for name in vector["values"]:
            assert _plain(found[name]) == vector["values"][name], (vector["kind"], name, found[name])
        if "known" in vector:
            assert found["state"].known() == vector["known"], found["state"].known()


def test_each_bad_vector_is_malformed() -> None:
    for vector in VECTORS["bad"]:
        try:
            messages.decode(vector["kind"], vector["json"].encode())
        except DecodeError:
            continue
        raise AssertionError(vector["why"])


def test_what_is_encoded_decodes_to_the_same() -> None:
    for vector in VECTORS["good"]:
        kind = vector["kind"]
        first = messages.decode(kind, vector["json"].encode())
        state = first.pop("state", None)
        again = messages.decode(kind, messages.encode(kind, first, state))
        for name in first:
            assert _plain(again[name]) == _plain(first[name]), (kind, name)


def test_a_message_cut_at_any_byte_is_malformed() -> None:
    whole = VECTORS["good"][2]["json"].encode()
    for length in range(len(whole)):
        try:
            messages.decode("event", whole[:length])
        except DecodeError:
            continue
        raise AssertionError(length)


def test_a_payload_over_the_cap_is_refused_before_parsing() -> None:
    try:
        messages.decode("state", b" " * (messages.MAX_PAYLOAD_BYTES + 1))
    except DecodeError as error:
        assert "at most" in str(error)
        return
    raise AssertionError("accepted")


def test_bytes_that_are_no_utf_8_are_malformed() -> None:
    try:
        messages.decode("state", b'{"boot":\xff\xfe}')
    except DecodeError:
        return
    raise AssertionError("accepted")


def test_encoding_a_value_out_of_range_is_our_fault() -> None:
    good = {"boot": 1, "seq": 1, "up_ms": 1}
    for name, value in (("boot", -1), ("seq", None), ("period_ms", 5), ("up_ms", "1"), ("no_such", 1)):
        values: dict = dict(good)
        values[name] = value
        try:
            messages.encode("state", values)
        except EncodeError:
            continue
        raise AssertionError(name)


def test_unknown_fields_are_left_out_and_come_back_unknown() -> None:
    payload = messages.state_payload({"boot": 1, "seq": 1, "up_ms": 1}, LiftState(floor=2, passenger=False))
    state = messages.decode("state", payload)["state"]
    assert state.floor == 2 and state.passenger is False
    assert state.mains is None and state.speed_mm_s is None and state.door_1 is None
