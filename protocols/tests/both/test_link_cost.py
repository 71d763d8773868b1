"""The model of a link's cost against records that a proxy saw."""

from protocols.link_cost import PACKET_BYTES, LinkCost

# (bytes written, bytes of the record): mbedtls 3.6 in TLS 1.3, which pads what it writes; then TLS 1.2 with AES-GCM, which does not.
SEEN = (
    (223, 245),
    (460, 485),
    (481, 517),
    (504, 533),
    (512, 549),
    (528, 565),
    (530, 565),
    (7, 36),
    (100, 129),
    (527, 556),
)


def test_no_record_is_dearer_than_reckoned_and_none_is_much_cheaper() -> None:
    for written, record in SEEN:
        cost = LinkCost(True)
        cost.passed(written)
        assert record <= cost.total() - PACKET_BYTES <= record + 8, (written, cost.total())


def test_without_tls_a_packet_is_itself_and_its_segments() -> None:
    cost = LinkCost(False)
    cost.passed(100)
    assert cost.total() == 100 + PACKET_BYTES
