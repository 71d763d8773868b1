"""One area incident: its members, when its next revision is due, and what that says. No I/O, no clock."""

import heapq
from dataclasses import dataclass, field
from typing import Any

from gateway import own_events
from gateway.area_causes import (
    FIRST_GAP_MS,
    GATHER_MS,
    HOLD_MS,
    JOIN_MS,
    LISTED,
    LISTED_INCIDENTS,
    LONGEST_GAP_MS,
    LONGEST_HOLD_MS,
    Cause,
)  # fmt: skip
from gateway.triage import ALARM, CLASSES, OCCUPIED, RANK, Whereabouts, judge
from protocols import codes
from protocols.fault_texts import GATEWAY_FAULTS

Event = dict[str, Any]


def onset(event: Event, now_ms: int) -> tuple[int, int]:
    """(monotonic, unix) ms of when it began, for an event received just now. The two are one time though a clock was set."""
    since_ms = event["stages"]["onset"]
    return now_ms - max(0, event["received"] - since_ms), since_ms


def closed_at(event: Event) -> int:
    """When it ended, unix ms."""
    return int(event["received"] if event["closed_at_ms"] is None else event["closed_at_ms"])


@dataclass
class Alarm:
    """Somebody of a lift is in danger: one open incident of class alarm. `onset_ms` is monotonic, `since_ms` unix."""

    kind: str
    rev: int
    onset_ms: int
    since_ms: int


@dataclass
class Car:
    """What is known of one lift, whatever it is a member of: its open alarms, and where its people are."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    doubts: set[str] = field(default_factory=set)
    where: Whereabouts = field(default_factory=Whereabouts)

    def alarm(self) -> Alarm | None:
        """The oldest open one."""
        return min(self.alarms.values(), key=lambda alarm: (alarm.since_ms, alarm.kind), default=None)


@dataclass(eq=False)
class Strand:
    """One lift under one cause: all that it told of it in one spell. Times are monotonic ms unless they say unix."""

    lift: str
    site: str
    cause: Cause
    onset_ms: int
    since_unix_ms: int
    car: Car
    incidents: dict[str, bool] = field(default_factory=dict)  # id -> is it open?
    revs: dict[str, int] = field(default_factory=dict)
    also: dict[str, None] = field(default_factory=dict)  # ids of its lift's alarms meanwhile
    area: "Area | None" = None
    ended_ms: int | None = None
    ended_unix_ms: int | None = None
    has_left: bool = False
    returns: int = 0
    rank: int | None = None  # its class when that was looked at last, as a number
    urged: set[str] = field(default_factory=set)  # classes that were urgent news of it already

    def is_open(self) -> bool:
        """Does anything of it go on? Whoever is still shut in when the mains is back is a member still."""
        return any(self.incidents.values()) or any(name in self.car.alarms for name in self.also)

    def hold_ms(self) -> int:
        """How long it must be well before it has left."""
        return int(min(LONGEST_HOLD_MS, HOLD_MS << min(self.returns, 10)))

    def judged(self) -> tuple[str, str]:
        """(class, reason) by what is known now."""
        alarm = self.car.alarm()
        return judge(self.car.where, None if alarm is None else alarm.kind, bool(self.car.doubts), self.has_left)

    def forget_oldest(self) -> None:
        """A lift that comes and goes for days has an incident each time: the oldest ones that are over need no memory."""
        over = [name for name, is_open in self.incidents.items() if not is_open]
        for name in over[: max(0, len(self.incidents) - LISTED_INCIDENTS)]:
            del self.incidents[name], self.revs[name]
        over = [name for name in self.also if name not in self.car.alarms]
        for name in over[: max(0, len(self.also) - LISTED_INCIDENTS)]:
            del self.also[name]

    def waits_since_ms(self) -> int:
        """Since when somebody in it waits, unix ms: since its alarm, if that is older."""
        alarm = self.car.alarm()
        return self.since_unix_ms if alarm is None else min(self.since_unix_ms, alarm.since_ms)

    def member(self) -> dict[str, Any]:
        """As the incident's body lists it."""
        name, reason = self.judged()
        where = self.car.where
        return {
            "lift": self.lift, "site": self.site, "incident": next(iter(self.incidents)),
            "incidents": [*self.incidents, *self.also][-LISTED_INCIDENTS:], "class": name, "reason": reason,
            "since_ms": self.waits_since_ms(), "ended_ms": self.ended_unix_ms if self.has_left else None,
            "passenger": where.passenger, "passenger_at_ms": where.passenger_at_ms, "floor": where.floor,
            "running": where.running, "in_zone": where.in_zone, "car_at_ms": where.car_at_ms, "live": where.live,
        }  # fmt: skip


@dataclass(eq=False)
class Area:
    """Many lifts of one `cause`: at one `site`, or over sites of the gateway if that is None. Times as in Strand."""

    name: str
    cause: Cause
    site: str | None
    opened_ms: int
    first_ms: int
    newest_ms: int
    could: int  # lifts that could have told when it was opened
    members: dict[str, Strand] = field(default_factory=dict)
    present: int = 0
    event: Event | None = None  # what was told last
    pending: Event | None = None  # what is being told
    told_ms: int = 0
    changes: int = 0
    told_changes: int = -1
    composed_changes: int = 0
    signature: Any = None  # of what was told last
    composed: Any = None
    is_urgent: bool = False
    into: str = ""  # the area that it went into
    note: str = ""

    @property
    def key(self) -> tuple[str, str | None]:
        """Of one key one is open at a time."""
        return self.cause.area, self.site

    def reaches(self, onset_ms: int) -> bool:
        """Does what began then belong to it without being many itself?"""
        return self.first_ms - self.cause.window_ms <= onset_ms <= self.newest_ms + JOIN_MS

    def overlaps(self, low_ms: int, high_ms: int) -> bool:
        """Does something that began in that span?"""
        return self.first_ms - self.cause.window_ms <= high_ms and low_ms <= self.newest_ms + JOIN_MS

    def touch(self, *, urgent: bool = False) -> None:
        """Something of it may be new."""
        self.changes += 1
        self.is_urgent = self.is_urgent or urgent

    def due_ms(self) -> int | None:
        """When its next revision is to be told; None while nothing is new."""
        if not self.present:
            return self.opened_ms
        if self.changes == self.told_changes:
            return None
        if self.event is None:
            return self.opened_ms + GATHER_MS
        gap_ms = max(FIRST_GAP_MS, min(LONGEST_GAP_MS, (self.told_ms - self.opened_ms) // 10))
        return self.told_ms + (FIRST_GAP_MS if self.is_urgent else gap_ms)

    def compose(self, gateway: str, unix_ms: int) -> Event | None:
        """The revision that is due, None if there would be nothing new in it."""
        self.composed_changes = self.changes
        counts = dict.fromkeys(CLASSES, 0)
        places = []
        for strand in self.members.values():
            name, _ = strand.judged()
            counts[name] += 1
            places.append((RANK[name], strand.waits_since_ms(), strand.lift))
        listed = [self.members[lift].member() for _, _, lift in heapq.nsmallest(LISTED, places)]
        signature = self.sign(listed, counts)
        if self.present and signature == self.signature:
            return None
        self.composed = signature
        more = {
            "severity": self._severity(counts), "cause": self.note, "members": listed,
            "snapshot": {
                "scope": "gateway" if self.site is None else "site", **({} if self.site is None else {"site": self.site}),
                "sites": len({strand.site for strand in self.members.values()}), "lifts": len(places),
                "lifts_known": max(self.could, len(places)), **counts, **({"into": self.into} if self.into else {}),
            },
        }  # fmt: skip
        if self.event is None:
            return self._opened(gateway, unix_ms, more)
        if self.present:
            return own_events.revised(self.event, codes.UPDATED, unix_ms, closed_at_ms=None, **more)
        ended = [strand.ended_unix_ms for strand in self.members.values() if strand.ended_unix_ms is not None]
        return own_events.closed(self.event, unix_ms, max(ended, default=None), **more)

    def _opened(self, gateway: str, unix_ms: int, more: Event) -> Event:
        since = [strand.since_unix_ms for strand in self.members.values()]
        evidence = [["first_member", min(since)], ["newest_member", max(since)], ["many", unix_ms]]
        return own_events.opened(
            self.name, gateway, self.cause.area, self.cause.event_class, onset_ms=min(since), now_ms=unix_ms,
            evidence=evidence, **more,
        )  # fmt: skip

    def _severity(self, counts: dict[str, int]) -> int:
        if counts[ALARM]:
            return 4
        return max(GATEWAY_FAULTS[self.cause.area], self.cause.occupied if counts[OCCUPIED] else 0)

    @staticmethod
    def sign(listed: list[dict[str, Any]], counts: dict[str, int]) -> Any:
        """What makes a revision worth telling: who is listed in which order and class, and how many there are of each."""
        return [(member["lift"], member["class"], member["reason"]) for member in listed], counts

    def told(self, event: Event, now_ms: int) -> None:
        """`event`, as composed, is committed."""
        self.event, self.told_ms, self.told_changes = event, now_ms, self.composed_changes
        self.signature, self.pending = self.composed, None
        self.is_urgent = self.is_urgent and self.changes != self.composed_changes

    def passed_over(self) -> None:
        """What was composed last said nothing new."""
        self.told_changes, self.is_urgent = self.composed_changes, False
