"""What the nodes themselves said on their consoles: the truth against which destinations are judged. Nothing else is read here."""

import pathlib
import re
from dataclasses import dataclass

LINE = re.compile(r"^\d+ info ([a-z_]+) (open|updated|closed) ([a-z0-9-]+-\d+-\d+)$", re.MULTILINE)


@dataclass
class Told:
    """One event as its node told it: the newest revision and its phase."""

    name: str
    lift: str
    kind: str
    rev: int
    phase: str


def read_consoles(consoles: dict[str, pathlib.Path]) -> list[Told]:
    """Every event in {lift: console file}, in the order of its opening."""
    found: dict[str, Told] = {}
    for lift, path in consoles.items():
        for kind, phase, name in LINE.findall(path.read_text(errors="replace")):
            event = found.setdefault(name, Told(name, lift, kind, 0, phase))
            event.rev += 1
            # An alarm that found the node's table full goes on with the newest held one.
            event.phase = "updated" if phase == "open" and event.rev > 1 else phase
    return list(found.values())
