"""The hash chain of the audit log, pure: an entry's hash covers its canonical body and the hash before. Values in, values out."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
# What is hashed, in any order: the body is canonical JSON (keys sorted, no spaces, UTF-8).
BODY = (
    "number", "at_ms", "actor_kind", "actor", "actor_name", "organisation", "action", "object", "detail", "ip", "request",
)  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """The first place where the chain does not hold."""

    number: int
    why: str


def link(previous: str, body: Mapping[str, Any]) -> str:
    """The hash of an entry with this body behind the entry with the hash `previous`."""
    text = json.dumps({name: body[name] for name in BODY}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous.encode() + b"\n" + text.encode()).hexdigest()


class Verifier:
    """Walks the chain from its first entry; `broken` is the first place where it does not hold, None as long as it does."""

    def __init__(self, expected: Mapping[int, str] | None = None) -> None:
        """`expected`: {number: hash} as noted down before, away from the database."""
        self._expected = dict(expected or {})
        self.number = 0
        self.hash = GENESIS
        self.broken: Broken | None = None

    def take(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """The next entries by number, each with its body, `previous` and `hash`."""
        for entry in entries:
            if self.broken is not None:
                return
            self._take(entry)

    def _take(self, entry: Mapping[str, Any]) -> None:
        number = entry["number"]
        if number != self.number + 1:
            self.broken = Broken(self.number + 1, f"entry {self.number + 1} is missing: the next is {number}")
        elif entry["previous"] != self.hash:
            self.broken = Broken(number, f"entry {number} does not name the hash of the entry before")
        elif link(self.hash, entry) != entry["hash"]:
            self.broken = Broken(number, f"entry {number} is not what was written: its hash does not fit")
        elif self._expected.pop(number, entry["hash"]) != entry["hash"]:
            self.broken = Broken(number, f"entry {number} is not the one that was noted down: the log was written anew")
        else:
            self.number, self.hash = number, entry["hash"]

    def end(self, head_number: int, head_hash: str) -> None:
        """All entries were taken: the newest must be the one that the head names."""
        if self.broken is None and (self.number, self.hash) != (head_number, head_hash):
            first = min(self.number, head_number) + 1
            self.broken = Broken(first, f"the head names entry {head_number}, the newest is {self.number}")
        elif self.broken is None and self._expected:
            number = min(self._expected)
            self.broken = Broken(number, f"entry {number}, which was noted down, is missing")
