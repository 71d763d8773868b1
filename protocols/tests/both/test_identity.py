"""Ids, topics and incident ids, on both interpreters."""

from protocols import identity
from protocols.errors import DecodeError, SettingsError


def test_ids_are_short_and_plain() -> None:
    for text in ("a", "lift-1", "0", "x" * 32):
        assert identity.is_id(text), text
    for other in ("", "A", "a_b", "a/b", "a+b", "x" * 33, "梯", None, 7):
        assert not identity.is_id(other), other


def test_a_wrong_id_is_told_by_name() -> None:
    try:
        identity.check_id("Lift 1", "lift")
    except SettingsError as error:
        assert "lift" in str(error) and "a-z" in str(error)
        return
    raise AssertionError("accepted")


def test_topics_come_back() -> None:
    for kind in identity.UP_KINDS + identity.DOWN_KINDS:
        assert identity.parse_topic(identity.topic("s-1", "l-2", kind)) == ("s-1", "l-2", kind)


def test_foreign_topics_are_malformed() -> None:
    for text in ("", "lift/2/s/l/state", "lift/1/s/l/power", "lift/1/S/l/state", "lift/1/s/l", "lift/1/s/l/state/x",
                 "lift/1//l/state", "lift/1/s/l/state" + "x" * 200):  # fmt: skip
        try:
            identity.parse_topic(text)
        except DecodeError:
            continue
        raise AssertionError(text)


def test_incident_ids_come_back_even_where_the_lift_ends_like_one() -> None:
    for lift in ("a", "a-1", "a-1-2", "7-7"):
        assert identity.parse_event_id(identity.event_id(lift, 12, 3)) == (lift, 12, 3)
    for text in ("", "a-1", "a-x-1", "a-1-x", "-1-1", "A-1-1", "a-1-12345678901", None):
        try:
            identity.parse_event_id(text)
        except DecodeError:
            continue
        raise AssertionError(text)
