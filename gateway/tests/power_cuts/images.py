"""What a disk may hold after a power cut: images made of a record of writes and syncs. It knows no SQLite.

Ours, strict: what was synced is there; of what was written since, any part may be, whole or in sectors, in any order; of
names made, changed and removed since their folder was synced, the first few. A file and its name are synced apart.
"""

import pathlib
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

SECTOR = 512
_HEAD = struct.Struct("<cIIQ")


@dataclass
class Step:
    """One call: C(reate), W(rite), T(runcate to `offset`), S(ync), U(nlink), R(ename to `data`); names without their folder."""

    kind: str
    name: str
    offset: int
    data: bytes


def read(record: pathlib.Path, root: pathlib.Path) -> list[Step]:
    """The steps of a record. The folder's own name is ""."""
    raw, at, steps = record.read_bytes(), 0, []
    while at < len(raw):
        kind, name_length, length, offset = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        name = raw[at : at + name_length].decode()
        data = raw[at + name_length : at + name_length + length]
        at += name_length + length
        if kind == b"R":
            data = _inside(data.decode(), root).encode()
        steps.append(Step(kind.decode(), _inside(name, root), offset, data))
    return steps


def _inside(name: str, root: pathlib.Path) -> str:
    return name.removeprefix(str(root)).strip("/")


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    since: list[Step] = field(default_factory=list)


class Disk:
    """Follows the steps; `cut(chance)` is one image of a power cut now: {name: bytes}."""

    def __init__(self, before: dict[str, bytes]) -> None:
        """`before`: the files that stand there, all synced."""
        self._names = {name: _File(bytearray(content)) for name, content in before.items()}
        self._synced_names = dict(self._names)
        # Folders as they were after each change of a name since the folder's sync.
        self._since: list[dict[str, _File]] = []

    def follow(self, step: Step) -> None:
        """The next step of the record."""
        if step.kind == "S" and step.name == "":
            self._synced_names, self._since = dict(self._names), []
        elif step.kind == "S":
            file = self._names[step.name]
            for earlier in file.since:
                _apply(file.synced, earlier)
            file.since = []
        elif step.kind in "WT":
            self._names[step.name].since.append(step)
        else:
            if step.kind == "C":
                self._names[step.name] = _File()
            else:
                file = self._names.pop(step.name)
                if step.kind == "R":
                    self._names[step.data.decode()] = file
            self._since.append(dict(self._names))

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """One image: how much got through is drawn from nothing to everything."""
        names = chance.choice([self._synced_names, *self._since])
        luck = chance.choice([0.0, 0.2, 0.5, 0.8, 1.0])
        torn = chance.random() < 0.5
        out = {}
        for name, file in names.items():
            content = bytearray(file.synced)
            kept = [step for step in file.since if chance.random() < luck]
            if chance.random() < 0.3:
                kept = file.since[: chance.randint(0, len(file.since))]
            for step in kept:
                for part in _parts(step, chance) if torn else [step]:
                    _apply(content, part)
            out[name] = bytes(content)
        return out


def _apply(content: bytearray, step: Step) -> None:
    if step.kind == "T":
        del content[step.offset :]
        content.extend(bytes(step.offset - len(content)))
        return
    content.extend(bytes(max(0, step.offset - len(content))))
    content[step.offset : step.offset + len(step.data)] = step.data


def _parts(step: Step, chance: random.Random) -> Iterator[Step]:
    """The sectors of one write that got through."""
    if step.kind == "T" or chance.random() < 0.5:
        yield step
        return
    at = 0
    while at < len(step.data):
        end = min(len(step.data), at + SECTOR - (step.offset + at) % SECTOR)
        if chance.random() < 0.5:
            yield Step("W", step.name, step.offset + at, step.data[at:end])
        at = end
