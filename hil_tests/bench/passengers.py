"""People: who wants to go where, and when the next one comes. Seeded; it knows neither doors nor drive."""

import random
from dataclasses import dataclass

# Shares of the day's starts by local hour: mornings and evenings (shape from domain notes 3.5 and 7, values ours).
HOURLY = (1, 1, 1, 1, 1, 2, 5, 9, 8, 6, 5, 6, 6, 4, 4, 4, 5, 7, 9, 8, 6, 4, 2, 1)
HOUR_MS = 3_600_000
# Passengers per start: each comes, on average, to one run to fetch and one to bring, less the rides shared and the
# fetches saved, plus the return to base. Measured on the twin.
PASSENGERS_PER_START = 0.51
MOST_WAITING = 4


@dataclass
class Passenger:
    """One trip. `decides_ms`: time from boarding to pressing a call. `stays`: does not leave the car by itself.

    `goods_ms`: how long goods take in and out, with something in the doorway all the while.
    """

    origin: int
    target: int
    decides_ms: int = 0
    stays: bool = False
    goods_ms: int = 0
    aboard: bool = False
    calls_ms: int | None = None  # when the car call will be pressed; None = pressed, or not aboard yet


class Traffic:
    """Draws passengers of a house with `stops` stops and `starts_per_day` starts of its lift, at `utc_offset_h`."""

    def __init__(self, stops: int, starts_per_day: float, utc_offset_h: int, rng: random.Random) -> None:
        self._stops = stops
        self._per_share = starts_per_day * PASSENGERS_PER_START / sum(HOURLY)
        self._offset_ms = utc_offset_h * HOUR_MS
        self._rng = rng

    def next_ms(self, now_ms: int) -> int:
        """When the next passenger after `now_ms` comes: a Poisson stream whose rate changes each hour of the day."""
        left = self._rng.expovariate(1.0)
        at = now_ms
        while True:
            local = at + self._offset_ms
            per_ms = HOURLY[local // HOUR_MS % 24] * self._per_share / HOUR_MS
            rest = HOUR_MS - local % HOUR_MS
            if left < per_ms * rest:
                return at + max(1, int(left / per_ms))
            left -= per_ms * rest
            at += rest

    def draw(self) -> Passenger:
        """Somebody: nine of ten trips begin or end at the lowest stop; few linger before they press a call."""
        rng = self._rng
        upper = rng.randint(2, self._stops)
        if rng.random() < 0.1 and self._stops > 2:
            origin, target = rng.sample(range(2, self._stops + 1), 2)
        else:
            origin, target = (1, upper) if rng.random() < 0.5 else (upper, 1)
        decides = rng.uniform(15_000, 45_000) if rng.random() < 0.01 else rng.expovariate(1 / 1500)
        return Passenger(origin, target, int(decides))
