"""What the tests of health share: a lift that is moved by hand under the node's own log, and who follows that. It asserts nothing."""

import datetime as dt
from typing import Any

from gateway.config import Lift
from gateway.health.course import Course, decoded, encoded
from gateway.health.day import Day
from gateway.health.recorded import NEVER_MS
from protocols.delivery.log import ChangeLog, RamStore
from protocols.records import Batch
from protocols.state import LiftState

ZONE_MS = 8 * 3_600_000
# Monday, 8 in the morning by the lift's clock.
BEGIN_MS = int(dt.datetime(2026, 11, 2, 0, 0, tzinfo=dt.UTC).timestamp() * 1000)
DAY_MS = 86_400_000
PITCH_MM = 3000
LIFT = Lift("lift-1", "s", stops=6, floor_pitch_mm=PITCH_MM)
PARKED: dict[str, Any] = {
    "service_mode": 1, "car_status": 0, "door_zone": True, "floor": 1, "door_1": 2, "speed_mm_s": 0, "position_mm": 0,
    "controller_link": True, "controller_fault": 0, "mains": True, "starts": 1000, "run_hours": 50,
}  # fmt: skip


class Walk:
    """One lift and its log. Each step takes its time; `batches` are what a gateway would store, (ms from uptime to unix, batch)."""

    def __init__(self, begin_ms: int = BEGIN_MS, **state: Any) -> None:
        self.state = {**PARKED, **state}
        self.now_ms = begin_ms
        self.offset_ms = begin_ms
        self.log = ChangeLog(RamStore(1, 1_000_000_000), 1)
        self._taken = 0
        self.batches: list[tuple[int, Batch]] = []
        self.set(0)

    def set(self, after_ms: int, **changes: Any) -> None:
        """After so long the lift shows these `changes`; what nobody tells is None."""
        while after_ms > 60_000:
            self._look(60_000)
            after_ms -= 60_000
        self.state |= changes
        self._look(after_ms)

    def _look(self, after_ms: int) -> None:
        self.now_ms += after_ms
        up_ms = self.now_ms - self.offset_ms
        self.log.record(LiftState(**self.state), up_ms, self.now_ms)
        self.log.flush(up_ms)
        self._take()

    def _take(self) -> None:
        for number in range(self._taken + 1, self.log.newest + 1):
            body = self.log.body(number)
            assert body is not None
            self.batches.append((self.offset_ms, Batch(body, 1)))
            self._taken = number

    def end(self) -> list[tuple[int, Batch]]:
        """Close what is open; all batches."""
        self.log.flush(self.now_ms - self.offset_ms + 3_600_000)
        self._take()
        return self.batches

    # -- what a lift does ---------------------------------------------------------------------------------------------

    def rest(self, ms: int) -> None:
        """Nothing happens."""
        self.set(ms)

    def open(self, ms: int = 2600, door: str = "door_1") -> None:
        """A door opens."""
        self.set(500, **{door: 3, "door_lock": False})
        self.set(ms, **{door: 4})

    def close(self, ms: int = 2600, door: str = "door_1") -> None:
        """A door closes."""
        self.set(3000, **{door: 1})
        self.set(ms, **{door: 2, "door_lock": True})

    def run(self, floor: int, off_mm: int = 0, extra_ms: int = 3500) -> None:
        """The car goes to `floor` at 1 m/s, to rest `off_mm` from its landing; it takes `extra_ms` beyond distance / speed."""
        target = (floor - 1) * PITCH_MM + off_mm
        took = abs(target - self.state["position_mm"]) + extra_ms
        self.set(1000, car_status=1, direction=1, starts=self.state["starts"] + 1)
        self.set(1000, speed_mm_s=200)
        self.set(1000, speed_mm_s=1000, door_zone=False, position_mm=(self.state["position_mm"] + target) // 2 + 7)
        self.set(took - 2200, floor=floor, door_zone=True)
        self.set(200, car_status=0, direction=0, speed_mm_s=0, position_mm=target)

    def trip(self, floor: int, **more: Any) -> None:
        """A run with an opening and a closing at its end."""
        self.run(floor, **more)
        self.open()
        self.close()


def follow(
    batches: list[tuple[int, Batch]], lift: Lift = LIFT, course: Course | None = None
) -> tuple[list[Day], Course]:
    """(days that are over, course) behind `batches`; between two of them the course is bytes, as in the gateway."""
    kept = encoded(course or Course())
    days: list[Day] = []
    for offset_ms, batch in batches:
        course = decoded(kept)
        days += course.take(lift, ZONE_MS, offset_ms, batch, batch.records(), NEVER_MS)
        kept = encoded(course)
    return days, decoded(kept)


def today(walk: Walk, lift: Lift = LIFT) -> Day:
    """The day that `walk` is in."""
    _, course = follow(walk.end(), lift)
    return course.so_far()
