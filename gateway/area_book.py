"""What the gateway holds of its areas: which are open, which have news, who is held before it has left, what is to be marked.

It groups nothing and judges nothing: `areas` does, and `area_restore` fills it at a start. No I/O, no clock.
"""

import heapq
import itertools
from collections.abc import Iterator

from gateway.area_incident import Area, Strand
from gateway.area_register import Register

Key = tuple[str, str | None]


class Book:
    """State, and the steps that keep its parts in accord."""

    def __init__(self) -> None:
        self.register = Register()
        self.areas: dict[str, Area] = {}  # with those that went into another one, until their end is told
        self.open: dict[Key, Area] = {}
        self.dirty: dict[str, Area] = {}
        self.marks: dict[str, str] = {}  # incident -> the area that it is of, to be stored
        self._holds: list[tuple[int, int, Strand]] = []
        self._pushed = itertools.count()

    def begin(self, area: Area) -> Area:
        """A new one, the only open one of its key."""
        self.areas[area.name] = self.open[area.key] = area
        return area

    def touch(self, area: Area, *, urgent: bool = False) -> None:
        """Something of it may be new."""
        area.touch(urgent=urgent)
        self.dirty[area.name] = area

    def mark(self, area: Area, strand: Strand) -> None:
        """All incidents of this member are of the area."""
        for name in (*strand.incidents, *strand.also):
            self.marks[name] = area.name

    def enter(self, area: Area, strand: Strand) -> None:
        """From now on it is a member of `area`, and of no other of its cause."""
        strand.area = area
        area.members[strand.lift] = strand
        area.present += not strand.has_left
        area.first_ms, area.newest_ms = min(area.first_ms, strand.onset_ms), max(area.newest_ms, strand.onset_ms)

    def merge(self, other: Area, area: Area) -> None:
        """All members of `other` are of `area` now; if anybody has heard of it, or is just hearing, its end is still to be told."""
        del self.open[other.key]
        for strand in other.members.values():
            self.enter(area, strand)
            self.mark(area, strand)
        other.members, other.present, other.into, other.note = {}, 0, area.name, "merged"
        self.touch(other)
        if other.event is None and other.pending is None:
            del self.areas[other.name], self.dirty[other.name]

    def widen(self, area: Area, could: int) -> None:
        """It is no more of one site, but of the gateway."""
        del self.open[area.key]
        area.site, area.could = None, could
        self.open[area.key] = area

    def ended(self, strand: Strand, ended_ms: int, ended_unix_ms: int) -> None:
        """Nothing of it is open any more; it is held until it has left."""
        strand.ended_ms, strand.ended_unix_ms = ended_ms, ended_unix_ms
        heapq.heappush(self._holds, (ended_ms + strand.hold_ms(), next(self._pushed), strand))

    def leaving(self, now_ms: int) -> Iterator[Strand]:
        """Those that have been well for long enough: members have left from now on, others are dropped."""
        while self._holds and self._holds[0][0] <= now_ms:
            strand = heapq.heappop(self._holds)[2]
            if strand.ended_ms is None or strand.has_left or now_ms - strand.ended_ms < strand.hold_ms():
                continue  # it came back meanwhile, and stands further behind if it ended again
            if self.register.strand(strand.cause, strand.lift) is not strand:
                continue
            if strand.area is None:
                self.register.drop(strand)
                continue
            strand.has_left = True
            strand.area.present -= 1
            self.touch(strand.area)
            yield strand

    def close(self, area: Area) -> None:
        """Its end is told."""
        del self.areas[area.name], self.dirty[area.name]
        if not area.into:
            del self.open[area.key]
        for strand in area.members.values():
            self.register.drop(strand)
