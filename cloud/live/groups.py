"""Groups of lifts that are the same people's: what of them changed is encoded once, and the bytes are shared. The clock is given.

A viewer remembers of each group how far he has come. He gets the changes since then, or if that is too long ago the newest state
of the whole group: there is no queue that could grow.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from cloud.accounts.scope import NOBODYS, Assignment
from cloud.live.board import AGES, Board

MAX_LIFTS = 100
# Ticks whose changes are kept: a viewer who missed no more of them (a second and a half) is told these.
KEPT = 7
# What a page that begins is told may be as old as this: many begin at once when the cloud was started anew.
FRESH_MS = 300

_encode = msgspec.json.Encoder().encode
_MISSING: Any = object()


class Change(NamedTuple):
    """One tick of a group: {lift: its changes} of those known before, {lift: all of it} of new ones, each as JSON."""

    seq: int
    patches: dict[str, bytes]
    whole: dict[str, bytes]
    text: bytes


class Group:
    """At most MAX_LIFTS lifts of one assignment."""

    def __init__(self, board: Board, assignment: Assignment) -> None:
        self._board, self.assignment = board, assignment
        self.lifts: set[str] = set()
        self.dirty: set[str] = set()
        self.seq = 0
        self._told: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._whole: tuple[int, int, dict[str, bytes]] = (-1, 0, {})

    def tick(self, now_ms: int) -> bool:
        """Encode what changed; whether anything did."""
        patches, whole = {}, {}
        for name in self.dirty & self.lifts:
            outline = self._board.outline(name, now_ms)
            before = self._told.get(name)
            if before is not None and before[0] == outline:
                # Most that is heard of a lift says that it is as before: this costs a third of comparing its views.
                patches[name] = _ages(name, *self._board.ages(name, now_ms))
                continue
            view = self._board.view(name, now_ms)
            if before is None:
                whole[name] = _encode(view)
            else:
                patches[name] = _encode(_patch(name, before[1], view))
            self._told[name] = outline, view
        self.dirty = set()
        if not patches and not whole:
            return False
        self.seq += 1
        self._changes.append(Change(self.seq, patches, whole, events(patches.values(), whole.values())))
        return True

    def sleep(self) -> None:
        """Nobody looks: what changes is not encoded."""
        if self._told:
            self._told, self._whole = {}, (-1, 0, {})
            self._changes.clear()
            self.seq += 1
        self.dirty = set()

    def since(self, seq: int, now_ms: int) -> bytes:
        """The events for who has seen `seq`; then he has seen `self.seq`."""
        if self.has(seq):
            return b"".join(change.text for change in self._changes if change.seq > seq)
        return events((), self.whole(now_ms).values())

    def some_since(self, seq: int, only: frozenset[str], now_ms: int) -> bytes:
        """The same of some lifts."""
        if not self.has(seq):
            return events((), _of(self.whole(now_ms), only))
        return b"".join(
            events(_of(change.patches, only), _of(change.whole, only)) for change in self._changes if change.seq > seq
        )

    def whole(self, now_ms: int) -> dict[str, bytes]:
        """{lift: all of it as JSON} as of `self.seq`, on which later changes build: tick first what is dirty."""
        for name in self.lifts - self._told.keys():
            self._told[name] = self._board.outline(name, now_ms), self._board.view(name, now_ms)
        seq, made_ms, found = self._whole
        if seq != self.seq or now_ms - made_ms > FRESH_MS:
            found = {name: _encode(self._board.view(name, now_ms)) for name in sorted(self.lifts)}
            self._whole = (self.seq, now_ms, found)
        return found

    def has(self, seq: int) -> bool:
        """All changes since `seq` are kept."""
        return seq == self.seq or (bool(self._changes) and self._changes[0].seq - 1 <= seq < self.seq)

    def drop(self, name: str) -> None:
        """It is no longer of this group."""
        self.lifts.discard(name)
        self.dirty.discard(name)
        self._told.pop(name, None)
        self._whole = (-1, 0, {})
        # The changes kept have it: who is behind these is told all of the group anew.
        self._changes.clear()


class Groups:
    """Which group each lift is in."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.all: list[Group] = []
        self._of: dict[str, Group] = {}
        self._open: dict[Assignment, Group] = {}
        self.dirty: set[Group] = set()

    def place(self, name: str, assignment: Assignment) -> None:
        """Put a lift where it belongs."""
        held = self._of.get(name)
        if held is not None:
            if held.assignment == assignment:
                return
            held.drop(name)
            if not held.lifts:
                self._forget(held)
            elif held.assignment not in self._open:
                self._open[held.assignment] = held
        group = self._open.get(assignment)
        if group is None:
            group = self._open[assignment] = Group(self._board, assignment)
            self.all.append(group)
        group.lifts.add(name)
        self._of[name] = group
        if len(group.lifts) >= MAX_LIFTS:
            del self._open[assignment]
        self.mark(name)

    def _forget(self, group: Group) -> None:
        self.all.remove(group)
        self.dirty.discard(group)
        if self._open.get(group.assignment) is group:
            del self._open[group.assignment]

    def mark(self, name: str) -> bool:
        """What is shown of a lift has changed; False if it has no place yet."""
        group = self._of.get(name)
        if group is None:
            return False
        group.dirty.add(name)
        self.dirty.add(group)
        return True

    def arrange(self, assignments: dict[str, Assignment]) -> set[tuple[Assignment, Assignment]]:
        """Put all lifts where they belong; from where to where some were moved."""
        moved = set()
        for name in self._board.lifts:
            held, wanted = self._of.get(name), assignments.get(name, NOBODYS)
            if held is not None and held.assignment != wanted:
                moved.add((held.assignment, wanted))
            self.place(name, wanted)
        return moved


def events(patches: Iterable[bytes], whole: Iterable[bytes]) -> bytes:
    """As server-sent events: `lifts` are whole, `changes` have of each lift what is otherwise than before."""
    out = b""
    for kind, found in ((b"lifts", list(whole)), (b"changes", list(patches))):
        if found:
            out += b"event: " + kind + b'\ndata: {"lifts":[' + b",".join(found) + b"]}\n\n"
    return out


def _of(found: dict[str, bytes], only: frozenset[str]) -> list[bytes]:
    return [text for name, text in found.items() if name in only]


def _patch(name: str, before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What is otherwise; of the state field by field, what there is no more as null."""
    changed = [key for key, value in now.items() if key in AGES or before.get(key, _MISSING) != value]
    out: dict[str, Any] = {"id": name, **{key: now[key] for key in changed}}
    old_state, state = before["state"], now["state"]
    if "state" in out:
        out["state"] = {key: value for key, value in state.items() if old_state.get(key, _MISSING) != value}
        out["state"] |= dict.fromkeys(old_state.keys() - state.keys())
    return out


def _ages(name: str, age_ms: int | None, link_age_ms: int | None) -> bytes:
    return _encode({"id": name, "age_ms": age_ms, "link_age_ms": link_age_ms})
