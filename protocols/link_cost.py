"""What a node's link costs in bytes on the wire, both ways, by a model of TLS, TCP and IP. It counts what it is told, and sends nothing.

The node sees what it writes and reads; records, segments and acknowledgements are reckoned from that, each at its dearest.
"""

# A record of TLS 1.2 with AES-GCM: header 5, nonce 8, tag 16 (RFC 5288). One of TLS 1.3 has header 5, tag 16 and a byte of type,
# and mbedtls fills what it writes with that byte up to 16 (RFC 8446, 5.4; measured at a proxy).
RECORD_BYTES = 29
RECORD_13_BYTES = 21
PADDED_TO = 16
# IPv4 20 and TCP 20, without options: lwIP sends none on an ESP32.
SEGMENT_BYTES = 40
# A write or a read is one segment, and is acknowledged by one: at its dearest, since most acknowledgements ride along.
PACKET_BYTES = 2 * SEGMENT_BYTES
# TCP's opening and end are 7 segments at most.
OPEN_BYTES = 7 * SEGMENT_BYTES
# A handshake with certificates of P-256 on both sides (ours: measured at a proxy, `liftwatch bench datacost`).
HANDSHAKE_BYTES = 3350
MONTH_MS = 30 * 86400000


class LinkCost:
    """Counts one boot's link. `total()` is bytes on the wire since its beginning."""

    def __init__(self, tls: bool) -> None:
        self._tls = tls
        self._open = OPEN_BYTES + (HANDSHAKE_BYTES if tls else 0)
        self._bytes = 0

    def opened(self) -> None:
        """A connection was begun; that it may fail early is not looked at."""
        self._bytes += self._open

    def passed(self, count: int) -> None:
        """One write or read of `count` bytes."""
        if self._tls:
            count = max(count + RECORD_BYTES, (count // PADDED_TO + 1) * PADDED_TO + RECORD_13_BYTES)
        self._bytes += count + PACKET_BYTES

    def total(self) -> int:
        """Bytes on the wire, both ways."""
        return self._bytes


def per_month(total: int, up_ms: int) -> int:
    """`total` bytes of `up_ms` in bytes per 30 days."""
    return total * MONTH_MS // up_ms
