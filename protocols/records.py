"""The log's binary form: change records packed in a batch, small enough for flash and for a metered link.

Wire of one `log` message: "L", version, varint base, body. Body: varints life, n, boot, up_ms, t_ms, count, then the
records, then the CRC-32 of all that (little endian). A body never changes once closed, so flash, wire and the gateway's
store hold the same bytes; `base` (the oldest number still held) is known only when sending and stands before it.

Record: varint of ms since the record before, then changes. Change: varint key = number << 2 | unknown << 1 | more,
followed by the zigzag varint of the value where it is known. `more` says that another change of the same instant follows.
"""

from binascii import crc32

from protocols.errors import DecodeError, EncodeError
from protocols.fields import BOOL, BY_NAME, FIELDS, check_value

MAGIC = 0x4C
VERSION = 1
# A batch is one block of the node's RAM and one MQTT packet: 1 KiB keeps both small.
MAX_BODY_BYTES = 1024
MIN_BODY_BYTES = 10
MAX_WIRE_BYTES = MAX_BODY_BYTES + 12
# 2**63 is beyond every value here; 9 bytes of 7 bits hold it.
MAX_VARINT_BYTES = 9
# A record is at least 3 bytes: gap, key, value.
MAX_RECORDS = MAX_BODY_BYTES // 3


def put_varint(out: bytearray, value: int) -> None:
    """Append the non-negative `value` to the bytearray `out`, 7 bits a byte, lowest first."""
    if value < 0:
        raise EncodeError("varint of the negative number %d" % value)
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def get_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return (value, index behind it); raise DecodeError if it is cut off or too long."""
    value = 0
    shift = 0
    end = min(len(data), at + MAX_VARINT_BYTES)
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise DecodeError("a varint is cut off or longer than %d bytes" % MAX_VARINT_BYTES)


class BatchWriter:
    """Packs the records of one batch. Once `close()` has been called it takes nothing more."""

    def __init__(self, life: int, number: int, boot: int, up_ms: int, t_ms: int) -> None:
        """`up_ms` and `t_ms` (unix ms, 0 = the node has no time yet) are those of the batch's start."""
        self.number = number
        self.up_ms = up_ms
        self.count = 0
        self._last_up_ms = up_ms
        self._records = bytearray()
        self._head = (life, number, boot, up_ms, t_ms)

    def add(self, up_ms: int, changes: dict) -> bool:
        """Append one record of `changes` {field name: value or None}; False if the batch has no room for it."""
        record = bytearray()
        put_varint(record, max(0, up_ms - self._last_up_ms))
        left = len(changes)
        if not left:
            raise EncodeError("a record needs at least one change")
        for name in changes:
            left -= 1
            field = BY_NAME[name]
            value = changes[name]
            if value is not None and check_value(field, value) is None:
                raise EncodeError("%s: %r is out of its range" % (name, value))
            put_varint(record, field.number << 2 | (2 if value is None else 0) | (1 if left else 0))
            if value is not None:
                value = int(value)
                put_varint(record, value << 1 if value >= 0 else (-value << 1) - 1)
        # 6 varints of the head take at most 9 bytes each, the checksum 4.
        if len(self._records) + len(record) + 6 * MAX_VARINT_BYTES + 4 > MAX_BODY_BYTES:
            return False
        self._records += record
        self._last_up_ms = max(up_ms, self._last_up_ms)
        self.count += 1
        return True

    def renumber(self, life: int, number: int, boot: int) -> None:
        """Take another life, number and boot before it is closed."""
        self.number = number
        self._head = (life, number, boot) + self._head[3:]

    def size(self) -> int:
        """Bytes of the records so far."""
        return len(self._records)

    def close(self) -> bytes:
        """The body: what is stored and sent."""
        body = bytearray()
        for value in self._head:
            put_varint(body, value)
        put_varint(body, self.count)
        body += self._records
        body += (crc32(body) & 0xFFFFFFFF).to_bytes(4, "little")
        return bytes(body)


def wire(base: int, body: bytes) -> bytes:
    """The payload of a `log` message: `body` as stored, with the oldest number still held."""
    out = bytearray((MAGIC, VERSION))
    put_varint(out, base)
    out += body
    return bytes(out)


class Batch:
    """The head of one batch as received; `records()` unpacks the rest."""

    def __init__(self, body: bytes, base: int) -> None:
        """Read the head of `body`; raise DecodeError if its checksum or form is wrong."""
        if not MIN_BODY_BYTES <= len(body) <= MAX_BODY_BYTES:
            raise DecodeError("a batch of %d bytes; %d to %d are allowed" % (len(body), MIN_BODY_BYTES, MAX_BODY_BYTES))
        if crc32(body[:-4]) & 0xFFFFFFFF != int.from_bytes(body[-4:], "little"):
            raise DecodeError("a batch with a wrong checksum")
        at = 0
        self.life, at = get_varint(body, at)
        self.number, at = get_varint(body, at)
        self.boot, at = get_varint(body, at)
        self.up_ms, at = get_varint(body, at)
        self.t_ms, at = get_varint(body, at)
        self.count, self._first = get_varint(body, at)
        self.base = base
        self.body = body
        if self.count > MAX_RECORDS or self.number < 1 or self._first > len(body) - 4:
            raise DecodeError("a batch with %d records, number %d" % (self.count, self.number))

    def records(self) -> list[tuple[int, dict[str, int | None]]]:
        """[(up_ms, {field name: value or None})] in order; fields this version does not know are left out."""
        body = self.body
        end = len(body) - 4
        at = self._first
        up_ms = self.up_ms
        out = []
        for _ in range(self.count):
            gap, at = get_varint(body, at)
            up_ms += gap
            changes = {}
            more = 1
            while more:
                key, at = get_varint(body, at)
                more = key & 1
                value = None
                if not key & 2:
                    raw, at = get_varint(body, at)
                    value = raw >> 1 if not raw & 1 else -((raw + 1) >> 1)
                number = key >> 2
                field = FIELDS[number - 1] if 0 < number <= len(FIELDS) else None
                if field is not None:
                    if value is not None and field.kind == BOOL:
                        value = bool(value) if value in (0, 1) else None
                    changes[field.name] = check_value(field, value)
            out.append((up_ms, changes))
            if at > end:
                break
        if at != end:
            raise DecodeError("a batch whose records do not end at its checksum")
        return out


def decode_wire(payload: bytes) -> Batch:
    """The Batch of a `log` payload; raise DecodeError if it is none."""
    if not 12 <= len(payload) <= MAX_WIRE_BYTES or payload[0] != MAGIC:
        raise DecodeError("a log payload of %d bytes that is no batch" % len(payload))
    if payload[1] != VERSION:
        raise DecodeError("a log batch of version %d; this side knows %d" % (payload[1], VERSION))
    base, at = get_varint(payload, 2)
    return Batch(bytes(payload[at:]), base)
