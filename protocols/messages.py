"""The JSON messages of the contract: one table for each kind, and one codec that walks it. No topic, no clock, no delivery.

Missing = the default; a number out of its range decodes to the default, and the message is malformed if it has none.
Names that this version does not know are ignored, so that old and new can talk.
"""

import json
from binascii import unhexlify

from protocols import codes
from protocols.errors import DecodeError, EncodeError
from protocols.state import LiftState, from_known

# Events carry a snapshot and evidence: measured at most 1,000 bytes. State is smaller. All are capped before parsing.
MAX_PAYLOAD_BYTES = 4096
MAX_TEXT = 200
MAX_LIST = 64
MAX_UP_MS = 1 << 53
MAX_COUNT = 1 << 32

# Kinds of items.
INT = "int"
STR = "str"
BOOL = "bool"
LIST = "list"
DICT = "dict"
REQUIRED = object()  # in place of a default: a message without it is malformed


def Item(  # noqa: N802  reads as what it makes
    name: str, kind: str, default: object, low: int = 0, high: int = MAX_UP_MS, choices: tuple | None = None
) -> tuple:
    """One line of a message's table, as a tuple: on the chip 60 objects with names would cost 4 KB more.

    `choices` limits a text, `low`/`high` a number; the unit is in the name.
    """
    return (name, kind, default, low, high, choices)


_BOOT = Item("boot", INT, REQUIRED, 0, MAX_COUNT)
_CONN = Item("conn", INT, 0, 0, MAX_COUNT)
_UP = Item("up_ms", INT, REQUIRED)

STATE_ITEMS = (
    _BOOT,
    _CONN,
    Item("seq", INT, REQUIRED, 0, MAX_COUNT),
    _UP,
    Item("sample_up_ms", INT, None),
    Item("period_ms", INT, 1000, 100, 3600000),
    Item("rtt_ms", INT, None, 0, 3600000),
    Item("link_bytes", INT, None),
    Item("rssi_dbm", INT, None, -127, 20),
    Item("faults", LIST, ()),
    Item("withheld", LIST, ()),
    Item("near_misses", DICT, {}),
    Item("suppressed", DICT, {}),
)

EVENT_ITEMS = (
    Item("id", STR, REQUIRED),
    Item("rev", INT, REQUIRED, 1, MAX_COUNT),
    _BOOT,
    _UP,
    Item("phase", STR, REQUIRED, choices=codes.PHASES),
    Item("kind", STR, REQUIRED),
    Item("code", INT, None, 0, 255),
    Item("class", STR, "fault", choices=codes.CLASSES),
    Item("severity", INT, 2, 1, 4),
    Item("cause", STR, ""),
    Item("onset_up_ms", INT, REQUIRED, -MAX_UP_MS),
    Item("detected_up_ms", INT, REQUIRED, -MAX_UP_MS),
    Item("published_up_ms", INT, REQUIRED),
    Item("closed_up_ms", INT, None),
    Item("t_ms", INT, 0),
    Item("kept", BOOL, False),
    Item("attempt", INT, 1, 1, MAX_COUNT),
    Item("presses", INT, 0, 0, MAX_COUNT),
    Item("withheld", STR, "", choices=codes.WITHHELD),
    Item("evidence", LIST, ()),
    Item("frames", LIST, ()),
    Item("snapshot", DICT, {}),
    Item("last_known", DICT, {}),
    Item("last_known_up_ms", INT, None, -MAX_UP_MS),
)

LINK_ITEMS = (
    Item("online", BOOL, REQUIRED),
    _BOOT,
    _CONN,
    Item("contract", INT, 1, 1, 255),
    Item("detects", BOOL, True),
    Item("fw", STR, ""),
    Item("profile", STR, ""),
    Item("stops", INT, None, 2, 128),
    Item("doors", INT, 1, 1, 2),
    Item("rated_speed_mm_s", INT, None, 100, 20000),
    Item("period_ms", INT, 1000, 100, 3600000),
    Item("log_capacity_h", INT, 0, 0, 100000),
    Item("counters", DICT, {}),
)

ACK_ITEMS = (
    Item("gw", STR, REQUIRED),
    Item("t_ms", INT, REQUIRED),
    Item("echo_up_ms", INT, None),
    Item("boot", INT, REQUIRED, 0, MAX_COUNT),
    Item("log", LIST, ()),
    Item("events", LIST, ()),
    Item("told", BOOL, True),
)

CMD_ITEMS = (
    Item("id", STR, REQUIRED),
    Item("expires_ms", INT, REQUIRED),
    Item("what", STR, REQUIRED, choices=codes.COMMANDS),
    Item("args", DICT, {}),
)

REPLY_ITEMS = (
    Item("id", STR, REQUIRED),
    Item("ok", BOOL, REQUIRED),
    Item("what", STR, ""),
    Item("detail", STR, ""),
    _UP,
)

ITEMS = {
    "state": STATE_ITEMS,
    "event": EVENT_ITEMS,
    "link": LINK_ITEMS,
    "ack": ACK_ITEMS,
    "cmd": CMD_ITEMS,
    "reply": REPLY_ITEMS,
}


def _fits(item: tuple, value: object) -> bool:
    _, kind, _, low, high, choices = item
    if kind == INT:
        return isinstance(value, int) and value is not True and value is not False and low <= value <= high
    if kind == STR:
        return isinstance(value, str) and len(value) <= MAX_TEXT and (not choices or value in choices)
    if kind == BOOL:
        return value is True or value is False
    if kind == LIST:
        return isinstance(value, (list, tuple)) and len(value) <= MAX_LIST
    return isinstance(value, dict) and len(value) <= MAX_LIST


def encode(kind: str, values: dict, state: LiftState | None = None) -> bytes:
    """The payload (bytes) of a message of `kind` from {name: value}; `state` adds the LiftState's fields to a `state`.

    Names that hold their default are left out. EncodeError names what does not fit.
    """
    out = {}
    for item in ITEMS[kind]:
        name, default = item[0], item[2]
        value = values.get(name, default)
        if value is REQUIRED:
            raise EncodeError("%s: %s is missing" % (kind, name))
        if value == default or (default == () and not value):
            continue
        if not _fits(item, value):
            raise EncodeError("%s: %s = %r does not fit" % (kind, name, value))
        out[name] = value
    for name in values:
        if not any(item[0] == name for item in ITEMS[kind]):
            raise EncodeError("%s has no %s" % (kind, name))
    if state is not None:
        out.update(state.known())
    payload = json.dumps(out).encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise EncodeError("%s of %d bytes; at most %d are allowed" % (kind, len(payload), MAX_PAYLOAD_BYTES))
    return payload


def _accepts_cut_json() -> bool:
    try:
        json.loads('{"a":1')
    except ValueError:
        return False
    return True


# MicroPython's parser takes the end of the text for any closing bracket that is missing (1.25, measured).
LENIENT_JSON = _accepts_cut_json()


def _is_whole(payload: bytes) -> bool:
    """True if every bracket opened outside a text is closed again."""
    depth = 0
    in_text = escaped = False
    for byte in payload:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # backslash
                escaped = True
            elif byte == 0x22:  # quote
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte == 0x7B or byte == 0x5B:  # { [
            depth += 1
        elif byte == 0x7D or byte == 0x5D:  # } ]
            depth -= 1
    return depth == 0 and not in_text


def decode(kind: str, payload: bytes) -> dict:
    """{name: value} of a message of `kind`, every name of its table present; raise DecodeError if it is malformed."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise DecodeError("%s of %d bytes; at most %d are allowed" % (kind, len(payload), MAX_PAYLOAD_BYTES))
    try:
        found = json.loads(payload)
    except (ValueError, UnicodeError):
        found = None
    if not isinstance(found, dict) or (LENIENT_JSON and not _is_whole(payload)):
        raise DecodeError("%s is no JSON object" % kind)
    return from_object(kind, found)


def from_object(kind: str, found: dict) -> dict:
    """As `decode`, from the parsed JSON object."""
    values = {}
    for item in ITEMS[kind]:
        name, default = item[0], item[2]
        value = found.get(name)
        if value is None or not _fits(item, value):
            if default is REQUIRED:
                raise DecodeError("%s: %s is missing or does not fit" % (kind, name))
            value = default
        values[name] = value
    check = _CHECKS.get(kind)
    if check is not None:
        check(values)
    if kind == "state":
        values["state"] = from_known(found)
    elif kind == "event":
        for name in ("snapshot", "last_known"):
            values[name] = from_known(values[name]).known()
    return values


# A frame of 63 registers, the most that a profile reads at once, is 131 bytes.
MAX_FRAME_BYTES = 131


def _is_frame(pair: object) -> bool:
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], int) and isinstance(pair[1], str)):
        return False
    try:
        return 0 < len(unhexlify(pair[1])) <= MAX_FRAME_BYTES
    except ValueError:
        return False


def _check_event(values: dict) -> None:
    values["frames"] = [pair for pair in values["frames"] if _is_frame(pair)]
    values["evidence"] = [
        [pair[0], pair[1]]
        for pair in values["evidence"]
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], int)
    ]


def _check_ack(values: dict) -> None:
    log = values["log"]
    if log and not (len(log) == 2 and all(isinstance(part, int) and part >= 0 for part in log)):
        raise DecodeError("ack: log is not [life, n]")
    events = []
    for entry in values["events"]:
        if not (
            isinstance(entry, list)
            and len(entry) == 3
            and isinstance(entry[0], str)
            and isinstance(entry[1], int)
            and entry[2] in (codes.COMMITTED, codes.DONE)
        ):
            raise DecodeError("ack: an event's receipt is not [id, rev, level]")
        events.append((entry[0], entry[1], entry[2]))
    values["events"] = events


def _check_state(values: dict) -> None:
    for part in ("faults", "withheld"):
        values[part] = [name for name in values[part] if isinstance(name, str) and len(name) <= MAX_TEXT]
    for part in ("near_misses", "suppressed"):
        counts = values[part]
        values[part] = {
            name: counts[name] for name in counts if isinstance(counts[name], int) and 0 <= counts[name] < MAX_COUNT
        }


_CHECKS = {"event": _check_event, "ack": _check_ack, "state": _check_state}


def state_payload(values: dict, state: LiftState) -> bytes:
    """The payload of a `state` message: `values` of its table and the fields known in `state`."""
    return encode("state", values, state)
