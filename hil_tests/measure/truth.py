"""What the nodes themselves said on their consoles: the truth against which destinations are judged. Nothing else is read here."""

import pathlib
import re
from dataclasses import dataclass

# A node that follows another one gives what it has never sent a name of its own.
RENAMED = re.compile(r"^\d+ info ([a-z0-9-]+-\d+-\d+) is told as ([a-z0-9-]+-\d+-\d+)$")
BOOT = re.compile(r"^\d+ info lift [a-z0-9-]+, boot (\d+),")
LINE = re.compile(r"^(\d+) info ([a-z_]+) (open|updated|closed) ([a-z0-9-]+-\d+-\d+) rev (\d+)( kept)?$")
KILLED = re.compile(r"^(\d+) killed$")
# What a node said so shortly before its plug was pulled was perhaps not yet on flash: the keeper looks each 50 ms, yields 20 times
# to an alarm that waits to be sent, and writes for some 100 ms.
UNKEPT_MS = 1500


@dataclass
class Told:
    """One event as its node told it: the newest revision and its phase. Of an uncertain one, any of its revisions may be the newest."""

    name: str
    lift: str
    kind: str
    rev: int
    phase: str
    at_ms: int  # ticks at which it was said
    revisions: int = 0
    is_uncertain: bool = False


def read_consoles(consoles: dict[str, pathlib.Path]) -> list[Told]:
    """Every event in {lift: console file}, in the order of its opening."""
    found: dict[str, Told] = {}
    for lift, path in consoles.items():
        of_node: dict[str, Told] = {}
        boot = 0
        for line in path.read_text(errors="replace").splitlines():
            if killed := KILLED.match(line):
                for event in of_node.values():
                    event.is_uncertain = event.is_uncertain or int(killed[1]) - event.at_ms <= UNKEPT_MS
            elif said := LINE.match(line):
                _say(of_node, lift, said)
            elif renamed := RENAMED.match(line):
                event = of_node[renamed[2]] = of_node.pop(renamed[1])
                event.name = renamed[2]
            elif booted := BOOT.match(line):
                if int(booted[1]) <= boot:
                    # Another node: until it has learnt of this one, it gives the same names to other events.
                    found |= of_node
                    of_node = {}
                boot = int(booted[1])
        found |= of_node
    return list(found.values())


def _say(of_node: dict[str, Told], lift: str, said: re.Match[str]) -> None:
    at_ms, kind, phase, name, rev, kept = said.groups()
    event = of_node.setdefault(name, Told(name, lift, kind, 0, phase, 0))
    if kept:
        # Of an older one, the newer may have been sent: until the next revision either is right.
        event.is_uncertain = event.rev != int(rev)
        return
    event.revisions += 1
    event.rev, event.phase, event.at_ms, event.is_uncertain = int(rev), phase, int(at_ms), False
