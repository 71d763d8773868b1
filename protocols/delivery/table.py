"""The node's held events on flash: one small file each, replaced as a whole, so that a reset forgets no alarm. No clock.

`files` is the port of ring. A file is JSON {"values", "presses_before", "up_ms", "t_ms"} and its CRC-32 in four bytes.
"""

import json
from binascii import crc32

from protocols.errors import DecodeError
from protocols.identity import parse_event_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "event-"
MAX_BYTES = 4096


def _name(event_id: str) -> str:
    """Each lift has its own node, so boot and number name the event."""
    _, boot, number = parse_event_id(event_id)
    return "%s%d-%d" % (PREFIX, boot, number)


class EventTable:
    """What survives a reset of the events that wait for a receipt. Errors of flash are counted, never raised."""

    def __init__(self, files: "Any") -> None:
        self._files = files
        # Asked for more than there is, MicroPython takes the heap for all of it.
        self._sizes: dict[str, int] = {}
        self.errors = 0

    def load(self) -> list[dict]:
        """All entries that are whole, in the order of their events; what is damaged is removed and counted."""
        out = []
        try:
            found = self._files.names()
        except OSError:
            self.errors += 1
            return []
        for name, size in found:
            if name[: len(PREFIX)] != PREFIX:
                continue
            self._sizes[name] = size
            entry = self._read(name)
            if entry is None:
                self.errors += 1
                self._remove(name)
            else:
                out.append(entry)
        out.sort(key=lambda entry: parse_event_id(entry["values"]["id"])[1:])
        return out

    def _read(self, name: str) -> dict | None:
        try:
            data = self._files.read(name, 0, min(self._sizes[name], MAX_BYTES))
            text, check = data[:-4], data[-4:]
            if crc32(text) & 0xFFFFFFFF != int.from_bytes(check, "little"):
                return None
            entry: dict = json.loads(text)
            if _name(entry["values"]["id"]) != name:
                return None
            for part in ("presses_before", "up_ms", "t_ms"):
                entry[part] += 0
        except (OSError, ValueError, KeyError, TypeError, DecodeError):
            return None
        return entry

    def values(self, event_id: str) -> dict:
        """The values of one event as they were saved; {} (counted) if they cannot be read."""
        entry = self._read(_name(event_id))
        if entry is None:
            self.errors += 1
            return {}
        found: dict = entry["values"]
        return found

    def save(self, values: dict, presses_before: int, up_ms: int, t_ms: int) -> bool:
        """Keep one event as it stands at `up_ms`, unix `t_ms` (0 = unknown); False (counted) if flash refused."""
        text = json.dumps({"values": values, "presses_before": presses_before, "up_ms": up_ms, "t_ms": t_ms}).encode()
        name = _name(values["id"])
        try:
            self._files.replace(name, text + (crc32(text) & 0xFFFFFFFF).to_bytes(4, "little"))
        except OSError:
            self.errors += 1
            return False
        self._sizes[name] = len(text) + 4
        return True

    def forget(self, event_id: str) -> bool:
        """The event is over and receipted everywhere; False (counted) if flash refused."""
        return self._remove(_name(event_id))

    def _remove(self, name: str) -> bool:
        try:
            self._files.remove(name)
        except OSError:
            self.errors += 1
            return False
        self._sizes.pop(name, None)
        return True
