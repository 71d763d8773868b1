"""Recordings: the log of one lift in a file, with what the detector must know of it, and labels. Bytes in, values out; no I/O.

The batches are the contract's own bodies, as the node closed them. The node never imports this: it needs zlib and memory.
docs/recordings.md describes the form.
"""

import json
import zlib

from protocols.errors import DecodeError, EncodeError
from protocols.records import MAX_BODY_BYTES, Batch, get_varint, put_varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# A transfer that takes it for text would change the end of the line.
MAGIC = b"LWREC\x01\r\n"
FORMAT = 1
HEADER, BATCHES, GAP, LABEL, END = b"H", b"B", b"G", b"L", b"E"
HEAD_BYTES = 13
# A block is one piece of what a damage costs, and of what is unpacked at once: about a week of an ordinary lift (ours).
BLOCK_BYTES = 256 * 1024
# No block of ours unpacks to more: whatever claims to is no recording.
MAX_BLOCK_BYTES = 2 * BLOCK_BYTES


class Header:
    """Of which lift, by which settings of the detector, with which register profile; `origin` says who wrote it and from what."""

    def __init__(self, lift: str, settings: dict, profile: str | None = None, site: str = "", origin: str = "") -> None:
        """`settings` are those of detector.Settings by name; whoever replays the recording checks them."""
        self.lift = lift
        self.settings = settings
        self.profile = profile
        self.site = site
        self.origin = origin


class Label:
    """What truly happened: `fault` by its name in the fault table, or "" for a mere note, from `onset_ms` to `end_ms` (unix ms).

    `also`: names of what is just as true meanwhile, and may be told beside it.
    """

    def __init__(self, fault: str, onset_ms: int, end_ms: int, text: str = "", also: "list[str] | None" = None) -> None:
        self.fault = fault
        self.onset_ms = onset_ms
        self.end_ms = end_ms
        self.text = text
        self.also = also or []


class Gap:
    """Batches `first` to `last` (None: to its end) of `life` that the writer knew to be missing, and why."""

    def __init__(self, life: int, first: int, last: int | None, reason: str) -> None:
        self.life = life
        self.first = first
        self.last = last
        self.reason = reason


class Recording:
    """What could be read. `problems` are texts for a person, one for each damage; `complete`: the end was there, and all before it."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.batches: list[tuple[int, Batch]] = []  # (ms from uptime to unix, batch), as written
        self.labels: list[Label] = []
        self.gaps: list[Gap] = []
        self.problems: list[str] = []
        self.complete = False


class Writer:
    """Writes one recording by `write(bytes)`: batches in the order of time, gaps and labels whenever they are known, then `close`."""

    def __init__(self, write: "Callable[[bytes], Any]", header: Header) -> None:
        self._write = write
        self._entries = bytearray()
        self.batches = self.labels = self.gaps = 0
        write(MAGIC)
        self._block(
            HEADER,
            {
                "format": FORMAT, "lift": header.lift, "site": header.site, "profile": header.profile,
                "settings": header.settings, "origin": header.origin,
            },
        )  # fmt: skip

    def batch(self, offset_ms: int, body: bytes) -> None:
        """Add one batch; `offset_ms` maps its uptimes to unix time. DecodeError if `body` is none."""
        Batch(body, 1)
        put_varint(self._entries, offset_ms << 1 if offset_ms >= 0 else (-offset_ms << 1) - 1)
        put_varint(self._entries, len(body))
        self._entries += body
        self.batches += 1
        if len(self._entries) >= BLOCK_BYTES:
            self._flush()

    def gap(self, gap: Gap) -> None:
        """Say that batches are missing."""
        self._block(GAP, {"life": gap.life, "first": gap.first, "last": gap.last, "reason": gap.reason})
        self.gaps += 1

    def label(self, label: Label) -> None:
        """Say what happened; EncodeError if it ends before it begins."""
        if label.end_ms < label.onset_ms:
            raise EncodeError("a label of %r that ends before it begins" % (label.fault,))
        self._block(
            LABEL,
            {
                "fault": label.fault, "onset_ms": label.onset_ms, "end_ms": label.end_ms, "text": label.text,
                "also": label.also,
            },
        )  # fmt: skip
        self.labels += 1

    def close(self) -> None:
        """Write what is left and the end, without which a reader says that the file is cut off."""
        self._flush()
        self._block(END, {"batches": self.batches, "labels": self.labels, "gaps": self.gaps})

    def _flush(self) -> None:
        if self._entries:
            self._packed(BATCHES, bytes(self._entries))
            self._entries = bytearray()

    def _block(self, kind: bytes, value: dict) -> None:
        self._packed(kind, json.dumps(value, ensure_ascii=False).encode())

    def _packed(self, kind: bytes, payload: bytes) -> None:
        packed = zlib.compress(payload, 9)
        head = kind + len(packed).to_bytes(4, "little") + zlib.crc32(packed).to_bytes(4, "little")
        self._write(head + zlib.crc32(head).to_bytes(4, "little") + packed)


def read(data: bytes) -> Recording:
    """The recording in `data`. DecodeError if it is none, or its header is lost; any other damage costs its block and is told."""
    if data[: len(MAGIC)] != MAGIC:
        known = data[:5] == MAGIC[:5]
        raise DecodeError("no recording of version %d" % FORMAT if known else "no recording: it does not begin as one")
    recording = None
    at = len(MAGIC)
    number = 0
    ended = None
    while at < len(data) and ended is None:
        number += 1
        where = "block %d at byte %d" % (number, at)
        head = data[at : at + HEAD_BYTES]
        if len(head) < HEAD_BYTES or zlib.crc32(head[:9]) != int.from_bytes(head[9:], "little"):
            cut = len(head) < HEAD_BYTES
            _lost(
                recording, "%s: %s; the rest is left out" % (where, "it is cut off" if cut else "its head is damaged")
            )
            return _checked(recording, None)
        kind = head[:1]
        size = int.from_bytes(head[1:5], "little")
        packed = data[at + HEAD_BYTES : at + HEAD_BYTES + size]
        at += HEAD_BYTES + size
        try:
            if len(packed) < size:
                raise DecodeError("it is cut off")
            payload = _unpacked(packed, int.from_bytes(head[5:9], "little"))
            if recording is None:
                recording = Recording(_header(kind, payload))
            elif kind == END:
                ended = _value(payload)
            else:
                _take(recording, kind, payload, where)
        except DecodeError as error:
            _lost(recording, "%s: %s; it is left out" % (where, error))
    if at < len(data):
        _lost(recording, "%d bytes behind the end are left out" % (len(data) - at))
    return _checked(recording, ended)


def _lost(recording: Recording | None, problem: str) -> None:
    if recording is None:
        raise DecodeError("the recording's header is lost: " + problem)
    recording.problems.append(problem)


def _checked(recording: Recording | None, ended: dict | None) -> Recording:
    if recording is None:
        raise DecodeError("a recording without a header")
    if ended is None:
        recording.problems.append("it has no end: what was written after its last whole block is not there")
        return recording
    found = (len(recording.batches), len(recording.labels), len(recording.gaps))
    wanted = (ended.get("batches"), ended.get("labels"), ended.get("gaps"))
    if found != wanted:
        recording.problems.append("batches, labels, gaps: %r of %r are there" % (found, wanted))
    recording.complete = not recording.problems
    return recording


def _unpacked(packed: bytes, crc: int) -> bytes:
    if zlib.crc32(packed) != crc:
        raise DecodeError("its checksum is wrong")
    unpacker = zlib.decompressobj()
    try:
        payload = unpacker.decompress(packed, MAX_BLOCK_BYTES)
    except zlib.error as error:
        raise DecodeError("it cannot be unpacked: %s" % error)
    if not unpacker.eof:
        raise DecodeError("it unpacks to more than %d bytes, or not to its end" % MAX_BLOCK_BYTES)
    return payload


def _value(payload: bytes) -> dict:
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise DecodeError("no JSON: %s" % error)
    if not isinstance(value, dict):
        raise DecodeError("no JSON object")
    return value


def _item(value: dict, name: str, kind: type) -> "Any":
    item = value.get(name)
    if not isinstance(item, kind) or isinstance(item, bool):
        raise DecodeError("%s is %r; %s is needed" % (name, item, kind.__name__))
    return item


def _header(kind: bytes, payload: bytes) -> Header:
    if kind != HEADER:
        raise DecodeError("it is not the header")
    value = _value(payload)
    if value.get("format") != FORMAT:
        raise DecodeError("format %r; this side knows %d" % (value.get("format"), FORMAT))
    profile = None if value.get("profile") is None else _item(value, "profile", str)
    settings = _item(value, "settings", dict)
    return Header(
        _item(value, "lift", str), settings, profile, str(value.get("site", "")), str(value.get("origin", ""))
    )


def _take(recording: Recording, kind: bytes, payload: bytes, where: str) -> None:
    if kind == BATCHES:
        _take_batches(recording, payload, where)
    elif kind == LABEL:
        value = _value(payload)
        label = Label(
            _item(value, "fault", str), _item(value, "onset_ms", int), _item(value, "end_ms", int),
            str(value.get("text", "")), [str(name) for name in _item(value, "also", list)] if "also" in value else None,
        )  # fmt: skip
        if label.end_ms < label.onset_ms:
            raise DecodeError("a label that ends before it begins")
        recording.labels.append(label)
    elif kind == GAP:
        value = _value(payload)
        last = None if value.get("last") is None else _item(value, "last", int)
        recording.gaps.append(
            Gap(_item(value, "life", int), _item(value, "first", int), last, str(value.get("reason", "")))
        )
    else:
        recording.problems.append("%s: a kind %r that this version does not know; it is left out" % (where, kind))


def _take_batches(recording: Recording, payload: bytes, where: str) -> None:
    at = 0
    while at < len(payload):
        raw, at = get_varint(payload, at)
        size, at = get_varint(payload, at)
        if size > MAX_BODY_BYTES or at + size > len(payload):
            raise DecodeError("a batch of %d bytes does not fit" % size)
        try:
            batch = Batch(payload[at : at + size], 1)
        except DecodeError as error:
            recording.problems.append("%s: %s; it is left out" % (where, error))
        else:
            recording.batches.append((raw >> 1 if not raw & 1 else -((raw + 1) >> 1), batch))
        at += size
