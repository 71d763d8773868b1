"""Reads from an X.509 certificate when it begins to be valid: a signed word on the time. It verifies nothing; TLS does."""

from protocols.errors import DecodeError

SEQUENCE = 0x30
VERSION = 0xA0  # [0], explicit; left out by certificates of version 1
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
# RFC 5280, 4.1.2.5.1: two digits below 50 are of this century.
CENTURY_TURN = 50


def _element(der: "bytes | memoryview", at: int) -> tuple[int, int, int]:
    """(tag, begin, end) of the DER element at `at`."""
    if at + 2 > len(der):
        raise DecodeError("a certificate that is cut off")
    tag, length = der[at], der[at + 1]
    at += 2
    if length > 127:
        size = length & 127
        # No certificate that TLS carries is longer than three bytes of length can say.
        if not 1 <= size <= 3 or at + size > len(der):
            raise DecodeError("a certificate with a length that cannot be")
        length = int.from_bytes(bytes(der[at : at + size]), "big")
        at += size
    if at + length > len(der):
        raise DecodeError("a certificate that is cut off")
    return tag, at, at + length


def days_since_1970(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar; for years from 1970 on."""
    before = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[month - 1]
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = year - 1
    leaps = last // 4 - last // 100 + last // 400 - 477  # 477 leap days lie before 1970
    return (year - 1970) * 365 + leaps + before + (1 if leap and month > 2 else 0) + day - 1


def _unix_s(tag: int, text: str) -> int:
    """A Time of RFC 5280: YYMMDDhhmmssZ or YYYYMMDDhhmmssZ."""
    if tag == UTC_TIME and len(text) == 13:
        text = ("20" if text[:2] < str(CENTURY_TURN) else "19") + text
    if tag not in (UTC_TIME, GENERALIZED_TIME) or len(text) != 15 or text[14] != "Z" or not text[:14].isdigit():
        raise DecodeError("a certificate with the time %r" % text)
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= 31:
        raise DecodeError("a certificate with the time %r" % text)
    seconds = (int(text[8:10]) * 60 + int(text[10:12])) * 60 + int(text[12:14])
    return days_since_1970(year, month, day) * 86400 + seconds


def not_before_s(der: "bytes | memoryview") -> int:
    """Unix seconds from which the certificate `der` is valid; raise DecodeError if it is none."""
    tag, at, _ = _element(der, 0)
    tag, at, _ = _element(der, at)
    if tag != SEQUENCE:
        raise DecodeError("no certificate")
    tag, _, end = _element(der, at)
    left = 4 if tag == VERSION else 3
    # Version, serial number, signature algorithm and issuer stand before the validity.
    for _ in range(left):
        _, _, at = _element(der, at)
    tag, at, _ = _element(der, at)
    if tag != SEQUENCE:
        raise DecodeError("a certificate without a validity")
    tag, at, end = _element(der, at)
    try:
        return _unix_s(tag, bytes(der[at:end]).decode())
    except UnicodeError:
        raise DecodeError("a certificate whose time is no text")
