"""The areas as they were before a restart, from what the journal holds of them and of their members. No I/O, no clock."""

from collections.abc import Iterable

from gateway.area_book import Book
from gateway.area_causes import OF_AREA, OF_KIND
from gateway.area_incident import Alarm, Area, Event, Strand, closed_at, onset
from gateway.triage import CLASSES, Whereabouts, told_by
from protocols import codes

# What a member in an area's body tells of its car, in the order of Whereabouts.
WHEREABOUTS = ("passenger", "passenger_at_ms", "running", "in_zone", "floor", "car_at_ms")
EVER_MS = 1 << 62

# (newest revision, the area that it is marked with, the lift's site).
Held = tuple[Event, str | None, str]


def restore(
    book: Book, areas: Iterable[Event], incidents: Iterable[Held], now_ms: int, unix_ms: int
) -> list[tuple[Event, str]]:
    """Fill an empty `book`; the incidents that are of no area, with their sites, as if they came now.

    `areas`: the newest revisions of those that are not closed. `incidents`: of all that are not closed or were not HOLD_MS ago,
    and of all that are of one of these areas.
    """
    listed: dict[str, str] = {}
    for event in sorted(areas, key=lambda event: (event["stages"]["detected"], event["id"])):
        _area(book, event, now_ms, unix_ms)
        for member in event["members"]:
            listed |= dict.fromkeys(member["incidents"], event["id"])
            book.register.known(member["lift"], member["site"])
    loose = []
    for event, mark, site in sorted(incidents, key=_order):
        if event["lift"] not in book.register.sites:
            book.register.known(event["lift"], site)
        area = book.areas.get(mark or listed.get(event["id"], ""))
        if event.get("withheld") and area is None:
            continue
        is_over = event["phase"] == codes.CLOSED and mark is not None  # of an area that is over too
        if area is None and is_over:
            continue
        if area is None or not _member(book, book.areas.get(area.into, area), event, mark, now_ms, unix_ms):
            loose.append((event, site))
    for area in book.areas.values():
        _settle(book, area, now_ms, unix_ms)
    for lift in list(book.register.cars):
        book.register.forget(lift)
    return loose


def _order(held: Held) -> tuple[bool, int, str]:
    """What makes a member before its alarms: an alarm is of an area only through one."""
    event = held[0]
    return event["kind"] not in OF_KIND, event["received"], event["id"]


def _area(book: Book, event: Event, now_ms: int, unix_ms: int) -> None:
    scope = event["snapshot"]
    opened_ms = now_ms - max(0, unix_ms - event["stages"]["detected"])
    cause = OF_AREA[event["kind"]]
    area = Area(event["id"], cause, scope.get("site"), opened_ms, EVER_MS, -EVER_MS, scope["lifts_known"])
    area.event, area.told_ms, area.note = event, now_ms, event["cause"]
    area.signature = area.sign(event["members"], {name: scope[name] for name in CLASSES})
    twin = book.open.get(area.key)
    if twin is None and "into" not in scope:
        book.begin(area)
    else:  # what went into another one before its end was told
        area.into = scope.get("into") or (twin.name if twin is not None else "")
        book.areas[area.name] = area
    for member in event["members"]:
        book.register.car(member["lift"]).where = Whereabouts(*(member[name] for name in WHEREABOUTS))


def _member(book: Book, area: Area, event: Event, mark: str | None, now_ms: int, unix_ms: int) -> bool:
    """True if this incident is one of the area's."""
    lift, name, over = event["lift"], event["id"], event["phase"] == codes.CLOSED
    strand = book.register.strand(area.cause, lift)
    onset_ms, since_ms = onset(event, now_ms - max(0, unix_ms - event["received"]))
    if event["kind"] not in OF_KIND:
        if event["class"] != "alarm" or strand is None:
            return False
        strand.also[name] = None
        if not over:
            strand.car.alarms[name] = Alarm(event["kind"], event["rev"], onset_ms, since_ms)
    else:
        if strand is None:
            site = book.register.sites[lift]
            strand = Strand(lift, site, area.cause, onset_ms, since_ms, book.register.car(lift), area=area)
            strand.car.where = strand.car.where.or_else(told_by(event))
            book.register.add(strand)
            area.members[lift] = strand
        strand.incidents[name], strand.revs[name] = not over, event["rev"]
    if over:
        strand.ended_unix_ms = max(strand.ended_unix_ms or 0, closed_at(event))
    if mark != area.name:
        book.marks[name] = area.name
    return True


def _settle(book: Book, area: Area, now_ms: int, unix_ms: int) -> None:
    """All of its members are restored: who has left, and is there anything to tell?"""
    for strand in area.members.values():
        if strand.is_open():
            strand.ended_unix_ms = None
        elif strand.ended_unix_ms is not None:
            ended_ms = now_ms - max(0, unix_ms - strand.ended_unix_ms)
            book.ended(strand, ended_ms, strand.ended_unix_ms)
            strand.has_left = now_ms - ended_ms >= strand.hold_ms()
        book.enter(area, strand)
    book.touch(area)
