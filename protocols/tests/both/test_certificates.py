"""When a certificate begins to be valid, and that nothing but a certificate is taken for one; on both interpreters."""

from binascii import unhexlify

from protocols.certificates import days_since_1970, not_before_s
from protocols.errors import DecodeError

# Made with the cryptography package: P-256, self-signed, valid from 2026-10-22 07:39:23 UTC.
CERTIFICATE = unhexlify(
    "308201283081cfa003020102020101300a06082a8648ce3d04030230123110300e06035504030c0774657374206361301e170d323631303232"
    "3037333932335a170d3237303931373037333932335a30123110300e06035504030c07746573742063613059301306072a8648ce3d020106"
    "082a8648ce3d03010703420004a640df3499bbe496c04da776ce1a73e6f45180c7983ea1305410c8e022636e25fcdfcf6c9d841858cd436a"
    "8fde79e9b52a8fe253d796521a93d102eed4c7dfbda316301430120603551d130101ff040830060101ff020100300a06082a8648ce3d0403"
    "020348003045022100fe5c6417d87257a30c91b2e491525407e778d6b43758e8111a1c9a6449985c15022015ad5e24dbaa422c134c409703"
    "f1699577443e43f5af2b5b4312fa07664e79e3"
)


def test_the_beginning_of_a_certificate_is_read() -> None:
    assert not_before_s(CERTIFICATE) == 1792654763
    assert not_before_s(memoryview(CERTIFICATE)) == 1792654763


def test_both_forms_of_its_time_are_read() -> None:
    short = b"\x17\x0d261022073923Z"
    at = CERTIFICATE.index(short)
    # The long form makes validity, body and certificate two bytes longer.
    longer = bytearray(CERTIFICATE[:at] + b"\x18\x0f20261022073923Z" + CERTIFICATE[at + len(short) :])
    for place in (3, 6, at - 1):
        longer[place] += 2
    assert not_before_s(bytes(longer)) == 1792654763
    assert not_before_s(CERTIFICATE.replace(short, b"\x17\x0d701022073923Z")) == 25429163  # 1970, not 2070


def test_what_is_cut_off_or_no_certificate_is_refused() -> None:
    wrong = [CERTIFICATE[:length] for length in range(0, len(CERTIFICATE), 7)]
    wrong += [b"\x30\x00" * 4, b"\xff" * 300, b"", CERTIFICATE.replace(b"\x17\x0d26", b"\x17\x0d2x"),
              CERTIFICATE.replace(b"\x17\x0d2610", b"\x17\x0d2613"), CERTIFICATE.replace(b"\x17\x0d", b"\x04\x0d")]  # fmt: skip
    for der in wrong:
        try:
            not_before_s(der)
        except DecodeError:
            continue
        raise AssertionError("took %r" % der)


def test_days_are_counted_over_leap_years() -> None:
    assert days_since_1970(1970, 1, 1) == 0
    assert days_since_1970(2000, 1, 1) * 86400 == 946684800
    assert days_since_1970(2000, 3, 1) - days_since_1970(2000, 2, 28) == 2
    assert days_since_1970(2028, 3, 1) - days_since_1970(2028, 2, 28) == 2
    assert days_since_1970(2100, 3, 1) - days_since_1970(2100, 2, 28) == 1
    assert days_since_1970(2026, 12, 31) - days_since_1970(2025, 12, 31) == 365
