"""Plain statistics for health: quantiles, samples of bounded number, a slope that a few odd days do not bend. Pure arithmetic."""

from collections.abc import Sequence

import msgspec

# Of one quantity in one day: the median of so many, drawn evenly from the day, is as good as that of all (ours: a door's time
# is known to a poll of the bus, 0.1 to 0.3 s, and the median of 32 of them to some 20 ms).
KEPT = 32
# 1.96 standard deviations: 95 %.
SURE = 1.96


def quantile(values: Sequence[float], share: float) -> float:
    """The `share` quantile of `values`, which are sorted and not empty, on the line between the two next to it."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def median(values: Sequence[float]) -> float:
    """The middle of `values`, which need no order and are not empty."""
    return quantile(sorted(values), 0.5)


class Samples(msgspec.Struct, array_like=True):
    """At most KEPT of the values put in, each with the same chance to be kept; `seen` counts all.

    No chance of its own: the same values in the same order leave the same sample.
    """

    seen: int = 0
    kept: list[int] = []

    def put(self, value: int) -> None:
        """Take one more."""
        self.seen += 1
        if len(self.kept) < KEPT:
            self.kept.append(value)
            return
        # Knuth's multiplicative hash of the count, in place of a random number.
        place = (self.seen * 2654435761 & 0xFFFFFFFF) * self.seen >> 32
        if place < KEPT:
            self.kept[place] = value

    def spread(self) -> "Spread":
        """What is told of them."""
        if not self.kept:
            return Spread()
        values = sorted(self.kept)
        return Spread(self.seen, *(round(quantile(values, share)) for share in (0.25, 0.5, 0.75, 0.9)))


class Spread(msgspec.Struct, array_like=True, frozen=True):
    """A day's values of one quantity: how many there were, quartiles, and what nine of ten stay below."""

    count: int = 0
    quarter: int = 0
    median: int = 0
    three_quarters: int = 0
    nine_tenths: int = 0


class Slope(msgspec.Struct, frozen=True):
    """A slope per step of x, and the interval that holds it with 95 %."""

    value: float
    low: float
    high: float


def slope(points: Sequence[tuple[float, float]]) -> Slope | None:
    """The median of the slopes between all pairs of `points` (Theil, Sen) with Sen's interval; None for fewer than three."""
    slopes = sorted(
        (y - before) / (x - at) for number, (x, y) in enumerate(points) for at, before in points[:number] if x != at
    )
    count = len(points)
    if count < 3 or not slopes:
        return None
    # Kendall's variance under no trend, without a correction for ties: they make the interval wider than it need be.
    reach = SURE * (count * (count - 1) * (2 * count + 5) / 18) ** 0.5
    low = max(0, int((len(slopes) - reach) / 2))
    high = min(len(slopes) - 1, int((len(slopes) + reach) / 2 + 0.5))
    return Slope(quantile(slopes, 0.5), slopes[low], slopes[high])
