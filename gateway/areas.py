"""Area events: one cause over many lifts is one incident, with its members in the order in which they are looked after.

Events and times in, revisions out: no I/O, no clock. `now_ms` is the gateway's monotonic time, by which all is grouped and
held, so that a clock that is set parts nothing; times that are told are unix ms. An event costs some bisections, however
many lifts there are.
"""

import itertools
from collections.abc import Collection, Iterable

from gateway.area_book import Book
from gateway.area_causes import DOUBT, OF_KIND, POWER_CUT, SILENCE, Cause
from gateway.area_incident import Alarm, Area, Event, Strand, closed_at, onset
from gateway.area_restore import EVER_MS, Held, restore
from gateway.own_events import AREA_SLOTS, own_id
from gateway.triage import RANK, URGENT, Whereabouts, told_by
from protocols import codes


class Areas:
    """All areas of one gateway. What `due` gives is told and then reported by `told`; `marks` say which incidents are of which area."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._book = Book()
        self._register = self._book.register
        self._slots = itertools.cycle(AREA_SLOTS)
        self._broker_up = True

    def restore(self, areas: Iterable[Event], incidents: Iterable[Held], now_ms: int, unix_ms: int) -> None:
        """Go on where the gateway before this one stopped; as `area_restore.restore` takes it."""
        for event, site in restore(self._book, areas, incidents, now_ms, unix_ms):
            self.took(event, site, Whereabouts(), now_ms - max(0, unix_ms - event["received"]))
        for lift in list(self._register.cars):
            self._claim(lift)
            self._judge_anew(lift)

    # -- what comes in --------------------------------------------------------------------------------------------

    def known(self, lift: str, site: str) -> None:
        """A lift has been heard of: it could tell, and counts for the share."""
        self._register.known(lift, site)

    def broker(self, is_up: bool) -> None:
        """Is our own way to the broker open? If not, the silence of all nodes says nothing about them."""
        self._broker_up = is_up

    def took(self, event: Event, site: str, where: Whereabouts, now_ms: int) -> None:
        """One revision of an incident of a lift, its newest; `where` is what the node's state tells of its car meanwhile."""
        lift, kind = event["lift"], event["kind"]
        self._register.known(lift, site)
        if event.get("withheld") and event["phase"] != codes.CLOSED:
            return  # a technician's doing, or nobody in need: if it outlasts that, a further revision says so
        if event["class"] == "alarm":
            self._took_alarm(event, now_ms)
        elif kind == DOUBT:
            doubts = self._register.car(lift).doubts
            (doubts.discard if event["phase"] == codes.CLOSED else doubts.add)(event["id"])
            self._judge_anew(lift)
            self._register.forget(lift)
        elif kind in OF_KIND:
            self._took_cause(event, now_ms, where)
        self.knows(lift, where)

    def knows(self, lift: str, where: Whereabouts) -> None:
        """What a node tells of its car now; what it does not tell stays as it was known."""
        car = self._register.cars.get(lift)
        if car is None:
            return
        found = where.or_else(car.where)
        if found != car.where:
            car.where = found
            self._judge_anew(lift)

    def lifts(self) -> list[str]:
        """The lifts of which anything is open here, or was just now."""
        return list(self._register.cars)

    def release(self, lift: str, now_ms: int, unix_ms: int) -> None:
        """A lift is no more watched: nobody will tell the end of what is open there."""
        car = self._register.car(lift)
        car.alarms.clear()
        car.doubts.clear()
        for strand in self._register.strands_of(lift):
            strand.incidents = dict.fromkeys(strand.incidents, False)
            if strand.ended_ms is None:
                self._book.ended(strand, now_ms, unix_ms)
        self._judge_anew(lift)
        self._register.forget(lift)

    # -- alarms, and what is known of a car -----------------------------------------------------------------------

    def _took_alarm(self, event: Event, now_ms: int) -> None:
        lift, name = event["lift"], event["id"]
        alarms = self._register.car(lift).alarms
        held = alarms.get(name)
        if held is not None and held.rev > event["rev"]:
            return
        if event["phase"] != codes.CLOSED:
            onset_ms, since_ms = onset(event, now_ms)
            alarms[name] = Alarm(event["kind"], event["rev"], onset_ms, since_ms)
            self._claim(lift)
            self._judge_anew(lift)
            return
        alarms.pop(name, None)
        for strand in self._register.strands_of(lift):
            if name in strand.also and not strand.is_open() and strand.ended_ms is None:
                self._book.ended(strand, now_ms, closed_at(event))
            strand.forget_oldest()
        self._judge_anew(lift)
        self._register.forget(lift)

    def _claim(self, lift: str) -> None:
        """Its alarms since the area began are the area's: of the first cause, if it is a member of two, and for good."""
        strands = self._register.strands_of(lift)
        claimed = {name for strand in strands if strand.area is not None for name in strand.also}
        for strand in strands:
            area = strand.area
            if area is None or strand.has_left:
                continue
            for name, alarm in strand.car.alarms.items():
                if name not in claimed and alarm.onset_ms >= area.first_ms - area.cause.window_ms:
                    strand.also[name] = None
                    strand.ended_ms = strand.ended_unix_ms = None
                    self._book.marks[name] = area.name
                    self._book.touch(area)
            return

    def _judge_anew(self, lift: str) -> None:
        """Does its class differ from when it was looked at last? Worse news of people are told sooner."""
        for strand in self._register.strands_of(lift):
            name = strand.judged()[0]
            rank = RANK[name]
            if rank == strand.rank:
                continue
            worse = strand.rank is None or rank < strand.rank
            # A sensor that sees somebody now and then is news once; an alarm always.
            urgent = worse and name in URGENT and (rank == 0 or name not in strand.urged)
            strand.rank = rank
            if strand.area is not None:
                strand.urged.add(name)
                self._book.touch(strand.area, urgent=urgent)

    # -- members --------------------------------------------------------------------------------------------------

    def _cause_of(self, event: Event) -> Cause:
        """A node that told of no mains before it fell silent is part of the power cut, not of another silence."""
        cause, lift = OF_KIND[event["kind"]], event["lift"]
        if cause is not SILENCE:
            return cause
        for strand in self._register.strands_of(lift):
            if event["id"] in strand.incidents:
                return strand.cause
        power = self._register.strand(POWER_CUT, lift)
        without = event["last_known"].get("mains") is False or (power is not None and power.is_open())
        return POWER_CUT if without else SILENCE

    def _took_cause(self, event: Event, now_ms: int, where: Whereabouts) -> None:
        cause, lift, name = self._cause_of(event), event["lift"], event["id"]
        strand = self._register.strand(cause, lift)
        if strand is not None and strand.revs.get(name, 0) > event["rev"]:
            return
        over, is_new = event["phase"] == codes.CLOSED, strand is None
        if strand is None:
            strand = Strand(lift, self._register.sites[lift], cause, *onset(event, now_ms), self._register.car(lift))
            strand.car.where = where.or_else(told_by(event).or_else(strand.car.where))
            self._register.add(strand)
        comes_back, is_first = strand.ended_ms is not None and not over, name not in strand.incidents
        strand.incidents[name], strand.revs[name] = not over, event["rev"]
        strand.forget_oldest()
        if comes_back:
            self._back(strand, event, now_ms)
        if is_new or (comes_back and strand.area is None):
            self._place(strand, now_ms, event["received"])
        elif is_first and strand.area is not None:
            self._book.marks[name] = strand.area.name
            self._book.touch(strand.area)
        if not strand.is_open() and strand.ended_ms is None:
            # One that is told long after its end has left already: `due` sees to it before anything is told.
            self._book.ended(strand, now_ms - max(0, event["received"] - closed_at(event)), closed_at(event))
        self._judge_anew(lift)

    def _back(self, strand: Strand, event: Event, now_ms: int) -> None:
        """It tells the cause again. In an area it goes on as the member that it was; alone it is as if it were new."""
        strand.ended_ms = strand.ended_unix_ms = None
        strand.returns += 1
        onset_ms, since_ms = onset(event, now_ms)
        if strand.area is None:
            self._register.drop(strand)
            strand.onset_ms, strand.since_unix_ms = onset_ms, since_ms
            self._register.add(strand)
        elif strand.has_left:
            strand.has_left, strand.since_unix_ms = False, since_ms
            strand.area.present += 1
            self._book.touch(strand.area)

    # -- grouping -------------------------------------------------------------------------------------------------

    def _place(self, strand: Strand, now_ms: int, unix_ms: int) -> None:
        """Into the area that it belongs to, if any, and into a new one if with it there are many."""
        cause, site, register = strand.cause, strand.site, self._register
        for key in ((cause.area, None), (cause.area, site)):
            area = self._book.open.get(key)
            if area is not None and area.reaches(strand.onset_ms):
                self._join(area, strand)
                break
        if strand.area is not None and strand.area.site is None:
            return
        span = strand.onset_ms - cause.window_ms, strand.onset_ms + cause.window_ms
        if strand.area is None and register.are_many(cause, site, *span):
            self._gather(self._book.open.get((cause.area, site)) or self._begin(strand, site, now_ms, unix_ms), *span)
        if register.are_many(cause, None, *span):
            self._widen(strand, span, now_ms, unix_ms)

    def _begin(self, strand: Strand, site: str | None, now_ms: int, unix_ms: int) -> Area:
        name = own_id(self._gateway, unix_ms, next(self._slots))
        could = self._register.could(strand.onset_ms - strand.cause.window_ms, site)
        area = Area(name, strand.cause, site, now_ms, strand.onset_ms, strand.onset_ms, could)
        if area.cause is SILENCE and not self._broker_up:
            area.note = "broker"
        return self._book.begin(area)

    def _join(self, area: Area, strand: Strand) -> None:
        self._book.enter(area, strand)
        self._book.mark(area, strand)
        self._book.touch(area, urgent=strand.judged()[0] in URGENT)
        self._claim(strand.lift)

    def _gather(self, area: Area, low_ms: int, high_ms: int) -> None:
        """All loose strands of the span become its members, and those within its reach; each that joins reaches further."""
        onsets = self._register.onsets(area.cause, area.site)
        for onset_ms, lift in onsets.within(min(low_ms, area.first_ms - area.cause.window_ms), EVER_MS):
            if not (low_ms <= onset_ms <= high_ms or area.reaches(onset_ms)):
                if onset_ms > high_ms:
                    break
                continue
            strand = self._register.strand(area.cause, lift)
            if strand is not None and strand.area is None:
                self._join(area, strand)

    def _widen(self, strand: Strand, span: tuple[int, int], now_ms: int, unix_ms: int) -> None:
        """It is many over sites: the oldest area of a site in the span is the gateway's from now on, the others go into it."""
        cause = strand.cause
        near = [
            area for area in self._book.open.values()
            if area.cause is cause and area.site is not None and area.overlaps(*span)
        ]  # fmt: skip
        near.sort(key=lambda area: (area.opened_ms, area.name))
        area = self._book.open.get((cause.area, None))
        if area is None and near:
            area = near.pop(0)
            self._book.widen(area, self._register.could(span[0], None))
        elif area is None:
            area = self._begin(strand, None, now_ms, unix_ms)
        for other in near:
            self._book.merge(other, area)
        self._gather(area, *span)
        self._book.touch(area)

    # -- what goes out --------------------------------------------------------------------------------------------

    def due(self, now_ms: int, unix_ms: int) -> list[Event]:
        """The revisions that are to be told now. Until `told` has them they are due again, unchanged: they may be stored already."""
        for strand in self._book.leaving(now_ms):
            self._judge_anew(strand.lift)
        out = []
        for area in list(self._book.dirty.values()):
            at_ms = area.due_ms()
            if at_ms is not None and at_ms > now_ms:
                continue
            event = area.pending or (None if at_ms is None else area.compose(self._gateway, unix_ms))
            if event is not None:
                area.pending = event
                out.append(event)
            else:
                area.passed_over()
                del self._book.dirty[area.name]
        return out

    def told(self, event: Event, now_ms: int) -> None:
        """A revision is committed. An area to which somebody came while its end was told goes on."""
        area = self._book.areas[event["id"]]
        area.told(event, now_ms)
        if event["phase"] == codes.CLOSED and not area.present:
            self._book.close(area)

    def marks(self, limit: int) -> list[tuple[str, str]]:
        """At most `limit` of (incident, area that it is of) which are to be stored; until `marked` has them they come again."""
        untold = {name for name, area in self._book.areas.items() if area.event is None}
        ready = ((name, area) for name, area in self._book.marks.items() if area not in untold)
        return list(itertools.islice(ready, limit))

    def marked(self, pairs: Iterable[tuple[str, str]], missing: Collection[str]) -> None:
        """These are stored, but for `missing`, whose own commit is still to come: they wait behind all others."""
        marks = self._book.marks
        for name, area in pairs:
            if marks.get(name) == area:
                del marks[name]
                if name in missing:
                    marks[name] = area

    def tell_anew(self) -> None:
        """What was stored of the areas may be lost: tell and mark all that is open once more."""
        for area in self._book.areas.values():
            area.signature = None
            self._book.touch(area)
            for strand in area.members.values():
                self._book.mark(area, strand)

    def values(self) -> dict[str, float]:
        """Gauges: open areas, their members that have not left, and incidents still to be marked."""
        present = sum(area.present for area in self._book.open.values())
        return {
            "areas_open": len(self._book.open),
            "area_members": present,
            "area_marks_waiting": len(self._book.marks),
        }
