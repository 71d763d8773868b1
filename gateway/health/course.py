"""The course of one lift: follows its change records and makes days of them. Values and times in, values out; no clock, no store.

It counts what the log shows and nothing else: docs/health.md says what that is. What is unknown is not counted, and a day says of
which fields it heard.
"""

from collections.abc import Iterable
from math import gcd
from typing import Any

import msgspec

from gateway.config import Lift
from gateway.health import day as days
from gateway.health.day import DAY_MS, KNOWN_BITS, LEVELLING, TRIP, Day
from gateway.health.figures import Samples
from protocols import codes, health
from protocols.records import Batch

Record = tuple[int, dict[str, Any]]

CLOSED = (codes.DOOR_CLOSED, codes.DOOR_LOCKED)
OPENING = (codes.DOOR_OPENING, codes.DOOR_OPEN)
# Modes in which the lift does what it does every day; one that is not told is taken for ordinary.
ORDINARY = (codes.NORMAL, codes.MODE_UNKNOWN, None)
# Fields whose last value counts. The counters stand beside them: a controller that is silent has not forgotten them.
FOLLOWED = (
    "service_mode", "car_status", "door_zone", "floor", "door_1", "door_2", "speed_mm_s", "position_mm", "mains",
    "controller_link", "controller_fault", "work_mode",
)  # fmt: skip
FOLLOWED_SET = frozenset(FOLLOWED)
NUMBERS = frozenset(("position_mm", "speed_mm_s", "starts", "run_hours"))
# A record stamped so far ahead is of a clock that is wrong (ours); one so far back is of one that was set.
AHEAD_MS = 600_000
SET_BACK_MS = 120_000
# A counter that grows by more between two records is another controller's.
STARTS_STEP = 10_000


class Course(msgspec.Struct, array_like=True):
    """What is known of one lift now, and its day so far. It is kept as bytes between batches: `encoded`, `decoded`.

    `since_*`: when a door began its way from one end, None where nobody saw it; `run_*`: how a run began; `landings` and `landed`:
    height of each stop as learnt, and from how many rests.
    """

    life: int = 0
    number: int = 0
    boot: int = 0
    t_ms: int | None = None
    day: Day | None = None
    samples: list[Samples] = []
    gaps: list[int] = []
    service_mode: int | None = None
    car_status: int | None = None
    door_zone: bool | None = None
    floor: int | None = None
    door_1: int | None = None
    door_2: int | None = None
    speed_mm_s: int | None = None
    position_mm: int | None = None
    mains: bool | None = None
    controller_link: bool | None = None
    controller_fault: int | None = None
    work_mode: int | None = None
    starts: int | None = None
    since_1: int | None = None
    since_2: int | None = None
    run_since: int | None = None
    run_floor: int | None = None
    run_position: int | None = None
    run_peak: int | None = None
    landings: list[int] = []
    landed: list[int] = []
    baseline_from: int = days.FIRST

    # -- batches --------------------------------------------------------------------------------------------------

    def take(
        self, lift: Lift, zone_ms: int, offset_ms: int, batch: Batch, records: Iterable[Record], now_ms: int
    ) -> list[Day]:
        """Follow one batch of the log and its records, whose uptimes become unix ms by `offset_ms`; the days that it ended.

        `zone_ms`: local time minus UTC. A batch that was there before changes nothing. One that does not go on where the last one
        ended, or is of another boot, is behind a hole: what happened in between nobody knows.
        """
        if (batch.life, batch.number) <= (self.life, self.number):
            return []
        if (batch.life, batch.number, batch.boot) != (self.life, self.number + 1, self.boot) and self.number:
            self._forget()
        self.life, self.number, self.boot = batch.life, batch.number, batch.boot
        if self.baseline_from != (since := days.number(lift.health.baseline_from)):
            # What was worked on may stop elsewhere.
            self.baseline_from, self.landings, self.landed = since, [], []
        ended: list[Day] = []
        for up_ms, changes in records:
            self._take(lift, zone_ms, up_ms + offset_ms, changes, now_ms, ended)
        return ended

    def _take(
        self, lift: Lift, zone_ms: int, t_ms: int, changes: dict[str, Any], now_ms: int, ended: list[Day]
    ) -> None:
        before_ms = self.t_ms
        if t_ms > now_ms + AHEAD_MS:
            self._late()
            return
        if before_ms is None:
            self._turn(t_ms, zone_ms, ended, booked=False)
        elif t_ms > before_ms + health.HOLE_MS:
            self._forget()
            self._turn(t_ms, zone_ms, ended, booked=False)
        elif t_ms >= before_ms:
            self._turn(t_ms, zone_ms, ended, booked=True)
        elif t_ms < before_ms - SET_BACK_MS and self.day is not None and _date(t_ms, zone_ms) == self.day.date:
            # The clock was set: how long it was since then nobody knows.
            self._forget()
        else:
            # A black box is told behind the log of the same minute: what it shows between the deadbands is not needed here.
            self._late()
            return
        self.t_ms = t_ms
        self._follow(lift, t_ms, changes)

    def _late(self) -> None:
        if self.day is not None:
            self.day.late += 1

    def _forget(self) -> None:
        """Nobody knows what happened since the last record; landings and counters are still what they were."""
        for name in FOLLOWED:
            setattr(self, name, None)
        self.since_1 = self.since_2 = self.run_since = None
        if self.day is not None:
            self.day.holes += 1

    # -- time -----------------------------------------------------------------------------------------------------

    def _turn(self, t_ms: int, zone_ms: int, ended: list[Day], *, booked: bool) -> None:
        """Go on to `t_ms`, over midnight if need be; the time since the last record counts as it was then, if `booked`."""
        at_ms = t_ms if self.t_ms is None or not booked else self.t_ms
        date = _date(t_ms, zone_ms)
        day = self.day
        if day is None:
            day = self._begin(date)
            # The morning before the lift was first seen is nobody's loss.
            day.span = (date + 1) * DAY_MS - zone_ms - t_ms
        if day.date < date:
            if booked:
                midnight_ms = (day.date + 1) * DAY_MS - zone_ms
                self._book(day, midnight_ms - at_ms)
                at_ms = midnight_ms
            ended.append(self.so_far())
            day = self._begin(date)
        self._book(day, t_ms - at_ms)

    def _begin(self, date: int) -> Day:
        day, self.samples = days.fresh(date)
        self.day, self.gaps = day, []
        # What stands since yesterday is told of today as well.
        for name, bit in KNOWN_BITS.items():
            if getattr(self, name) is not None:
                day.known |= bit
        return day

    def _book(self, day: Day, ms: int) -> None:
        day.observed += ms
        if self.mains is False:
            day.dark += ms
        elif self.controller_link is False:
            day.silent += ms
        elif not self._is_ordinary():
            day.other_mode += ms
        elif self.controller_fault is not None:
            day.judged += ms
            # A word that stands while the car runs has not stopped it.
            if self.controller_fault and self.car_status != codes.RUNNING:
                day.stopped += ms

    def so_far(self) -> Day:
        """The day until now, with what is told of its samples."""
        assert self.day is not None
        return msgspec.structs.replace(
            self.day, crossed=max(self.gaps, default=0), spreads=[samples.spread() for samples in self.samples]
        )

    # -- records --------------------------------------------------------------------------------------------------

    def _follow(self, lift: Lift, t_ms: int, changes: dict[str, Any]) -> None:
        """Take in one record, and see what it means beside what was before."""
        day = self.day
        assert day is not None
        status, zone, door_1, door_2 = self.car_status, self.door_zone, self.door_1, self.door_2
        origin = self.floor, self.position_mm
        for name, value in changes.items():
            if name in FOLLOWED_SET:
                setattr(self, name, value)
            if value is not None:
                day.known |= KNOWN_BITS.get(name, 0)
                if name in NUMBERS:
                    self._hear(day, name, value)
        ordinary = self._is_ordinary()
        if self.door_1 != door_1:
            self.since_1 = self._door(day, 0, door_1, self.door_1, self.since_1, t_ms, ordinary)
        if self.door_2 != door_2:
            self.since_2 = self._door(day, 1, door_2, self.door_2, self.since_2, t_ms, ordinary)
        if self.car_status != status:
            if status == codes.STOPPED and self.car_status == codes.RUNNING:
                self._depart(day, t_ms, origin, ordinary)
            elif self.run_since is not None and self.car_status == codes.STOPPED:
                self._arrive(day, lift, t_ms, ordinary)
            self.run_since = self.run_since if self.car_status == codes.RUNNING else None
        elif status == codes.STOPPED and ordinary and None not in (zone, self.door_zone):
            # A car that stands with its doors shut leaves no zone: the switch does.
            day.flickers += self.door_zone is not zone and self._are_shut(lift)

    def _is_ordinary(self) -> bool:
        """Nobody works on it, and it is in no mode that somebody meant."""
        return self.service_mode in ORDINARY and not self.work_mode

    def _hear(self, day: Day, name: str, value: int) -> None:
        """A number of which more is kept than what it is now."""
        if name == "position_mm":
            if day.step_mm != 1:
                day.step_mm = gcd(day.step_mm, value)
        elif name == "speed_mm_s":
            if self.run_peak is not None and value > self.run_peak:
                self.run_peak = value
        elif name == "run_hours":
            day.hours_total = value
        else:
            day.starts_total = value
            if self.starts is not None and 0 <= value - self.starts <= STARTS_STEP:
                day.starts = max(0, day.starts) + value - self.starts
            self.starts = value

    def _door(
        self, day: Day, index: int, before: int | None, now: int | None, since: int | None, t_ms: int, ordinary: bool
    ) -> int | None:
        """One door told another state; when it began the way that it is on, if that is known."""
        if now in OPENING:
            if before == codes.DOOR_CLOSING:
                day.reversals += ordinary
                since = None
            if now == codes.DOOR_OPENING:
                return t_ms if before in CLOSED else None
            if before is not None:
                day.cycles += 1
            if before == codes.DOOR_OPENING:
                self._sample(2 * index, since, t_ms, ordinary)
            return None
        if now == codes.DOOR_CLOSING:
            return t_ms if before == codes.DOOR_OPEN else None
        if now in CLOSED and before == codes.DOOR_CLOSING:
            self._sample(2 * index + 1, since, t_ms, ordinary)
        return None

    def _sample(self, quantity: int, since: int | None, t_ms: int, ordinary: bool) -> None:
        if since is not None and ordinary and t_ms - since <= health.DOOR_LONGEST_MS:
            self.samples[quantity].put(t_ms - since)

    def _are_shut(self, lift: Lift) -> bool:
        return self.door_1 in CLOSED and (lift.doors == 1 or self.door_2 in CLOSED)

    # -- runs -----------------------------------------------------------------------------------------------------

    def _depart(self, day: Day, t_ms: int, origin: tuple[int | None, int | None], ordinary: bool) -> None:
        """The car starts from `origin`, floor and position."""
        is_open = any(door is not None and door not in CLOSED for door in (self.door_1, self.door_2))
        if is_open and self.door_zone:
            # With a door open it can only be levelling again.
            day.relevels += ordinary
            return
        (self.run_floor, self.run_position), self.run_peak = origin, self.speed_mm_s
        self.run_since = t_ms

    def _arrive(self, day: Day, lift: Lift, t_ms: int, ordinary: bool) -> None:
        """The car stands again."""
        assert self.run_since is not None
        took_ms = t_ms - self.run_since
        if took_ms > health.RUN_LONGEST_MS:
            return
        floors = between_mm = 0
        if self.floor is not None and self.run_floor is not None:
            floors = abs(self.floor - self.run_floor)
            between_mm = abs(lift.level_mm(self.floor) - lift.level_mm(self.run_floor))
        distance: int | None = None
        if self.position_mm is not None and self.run_position is not None:
            distance = abs(self.position_mm - self.run_position)
        moved = (self.run_peak or 0) >= health.MOVING_MM_S or floors > 0 or (distance or 0) >= health.MOVED_MM
        if not moved:
            # Where no speed is told, a car that is not seen to move may have moved.
            day.failed += ordinary and self.run_peak is not None
            return
        day.runs += 1
        day.running += took_ms
        if distance is None:
            distance = between_mm
        day.travel_mm += distance
        self._cross(lift)
        if not ordinary:
            return
        if self.door_zone is not False:
            day.stops += 1
        if distance >= health.LONG_TRIP * lift.rated_speed_mm_s:
            self.samples[TRIP].put(max(0, took_ms - distance * 1000 // lift.rated_speed_mm_s))
        if self.door_zone and self.floor is not None and self.position_mm is not None:
            self._rest(lift, self.floor, self.position_mm)

    def _cross(self, lift: Lift) -> None:
        """Count the run at each place between two stops that it came by."""
        if self.floor is None or self.run_floor is None:
            return
        if len(self.gaps) < lift.stops - 1:
            self.gaps += [0] * (lift.stops - 1 - len(self.gaps))
        low, high = sorted((self.floor, self.run_floor))
        for gap in range(low - 1, min(high - 1, len(self.gaps))):
            self.gaps[gap] += 1

    def _rest(self, lift: Lift, floor: int, position_mm: int) -> None:
        """How far from its landing it rests, once it is known where that is; and learn where it is."""
        if floor > lift.stops:
            return
        if len(self.landings) < lift.stops:
            more = [0] * (lift.stops - len(self.landings))
            self.landings, self.landed = self.landings + more, self.landed + more
        at = floor - 1
        count, height = self.landed[at], self.landings[at]
        off = position_mm - height
        if count and abs(off) > health.LANDING_MM:
            return
        if count >= health.LANDING_MEAN:
            self.samples[LEVELLING].put(abs(off))
        if count >= health.LANDING_LEARNT:
            return
        self.landed[at] = count + 1
        if count < health.LANDING_MEAN:
            self.landings[at] = height + round(off / (count + 1))
        else:
            self.landings[at] = height + (off > 0) - (off < 0)


def _date(t_ms: int, zone_ms: int) -> int:
    """Number of the local day."""
    return (t_ms + zone_ms) // DAY_MS


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Course)


def encoded(course: Course) -> bytes:
    """The course as it is kept."""
    return _ENCODER.encode(course)


def decoded(kept: bytes) -> Course:
    """The course that `encoded` gave; msgspec.MsgspecError if it is none of this version."""
    return _DECODER.decode(kept)
