"""What one local day of one lift came to: counts, times and samples, as kept for the trends. It knows neither records nor marks."""

import datetime as dt

import msgspec

from gateway.health.figures import Samples, Spread

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
# The quantities that a day keeps samples of. Door times: (door 1 opening, closing, door 2 opening, closing).
TRIP, LEVELLING = 4, 5
QUANTITIES = 6


class Day(msgspec.Struct, array_like=True):
    """`date` is the local day's number, 1970-01-01 being 0. New fields go behind the last, with a default: old days are still read.

    Times in ms: `span` of the day since the lift was first seen, `observed` with records, and of that `silent` (the controller gave no
    answer), `dark` (no mains), `other_mode` (locked, inspected, fire: somebody meant it), `judged` (in automatic operation, the
    fault word known), `stopped` (of `judged`: standing with a fault word), `running`.

    `cycles` and `reversals` are of both doors; `crossed` counts the runs over the place between two stops that had most of them.
    `starts` and the totals are the controller's counters, -1 where it tells none.
    """

    date: int
    span: int = DAY_MS
    observed: int = 0
    silent: int = 0
    dark: int = 0
    other_mode: int = 0
    judged: int = 0
    stopped: int = 0
    running: int = 0
    runs: int = 0
    stops: int = 0
    failed: int = 0
    relevels: int = 0
    flickers: int = 0
    cycles: int = 0
    reversals: int = 0
    crossed: int = 0
    travel_mm: int = 0
    starts: int = -1
    starts_total: int = -1
    hours_total: int = -1
    step_mm: int = 0
    late: int = 0
    holes: int = 0
    known: int = 0
    spreads: list[Spread] = []

    @property
    def all_starts(self) -> int:
        """Starts by the controller's counter, or else as they were seen."""
        return self.starts if self.starts >= 0 else self.runs + self.failed

    def spread(self, quantity: int) -> Spread:
        """Of one of the quantities."""
        return self.spreads[quantity] if quantity < len(self.spreads) else Spread()


# Bits of `known`: what the lift's controller told on that day, so that a count of 0 is no silence.
DOOR_1, DOOR_2, MOTION, SPEED, POSITION, ZONE, FAULT_WORD, FLOOR = (1 << bit for bit in range(8))
KNOWN_BITS = {
    "door_1": DOOR_1, "door_2": DOOR_2, "car_status": MOTION, "speed_mm_s": SPEED, "position_mm": POSITION, "door_zone": ZONE,
    "controller_fault": FAULT_WORD, "floor": FLOOR,
}  # fmt: skip


def fresh(date: int) -> tuple[Day, list[Samples]]:
    """A day that begins, with its samples."""
    return Day(date), [Samples() for _ in range(QUANTITIES)]


# Before every day that there is, and behind.
FIRST, LAST = -1, 1 << 31
_EPOCH = dt.date(1970, 1, 1).toordinal()


def number(date: dt.date | None) -> int:
    """The number of a local date; FIRST for none."""
    return FIRST if date is None else date.toordinal() - _EPOCH


def date_of(number: int) -> dt.date:
    """The local date of a day's number."""
    return dt.date.fromordinal(number + _EPOCH)
