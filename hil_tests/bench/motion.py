"""Jerk-limited motion of a car from rest to rest, and its braking. Pure arithmetic: seconds, millimetres, no lift."""

import bisect
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Speed mm/s, acceleration mm/s2, jerk mm/s3. The default is the brisk curve of a 1 m/s lift (domain notes 7)."""

    speed: float = 1000.0
    acceleration: float = 600.0
    jerk: float = 600.0


def _ramp(peak: float, limits: Limits) -> list[tuple[float, float]]:
    """[(seconds, jerk)] from standstill to `peak` mm/s."""
    a, j = limits.acceleration, limits.jerk
    if peak >= a * a / j:
        return [(a / j, j), (peak / a - a / j, 0.0), (a / j, -j)]
    half = (peak / j) ** 0.5
    return [(half, j), (half, -j)]


def _ramp_distance(peak: float, limits: Limits) -> float:
    """Millimetres of one ramp: the S-curve is symmetric, so half the speed times its duration."""
    return peak * sum(seconds for seconds, _ in _ramp(peak, limits)) / 2


class Trip:
    """One run over `distance_mm` > 0 from rest to rest, never beyond `limits`. `at(seconds)` gives (mm, mm/s)."""

    def __init__(self, distance_mm: float, limits: Limits) -> None:
        peak = limits.speed
        if 2 * _ramp_distance(peak, limits) > distance_mm:
            low, high = 0.0, peak
            for _ in range(50):
                peak = (low + high) / 2
                if 2 * _ramp_distance(peak, limits) > distance_mm:
                    high = peak
                else:
                    low = peak
            peak = low
        up = _ramp(peak, limits)
        cruise = max(0.0, distance_mm - 2 * _ramp_distance(peak, limits)) / peak
        self.distance_mm = distance_mm
        self._starts: list[float] = []
        self._pieces: list[tuple[float, float, float, float]] = []  # mm, mm/s, mm/s2, mm/s3 at the piece's start
        t = s = v = a = 0.0
        for seconds, j in [*up, (cruise, 0.0), *[(seconds, -j) for seconds, j in up]]:
            self._starts.append(t)
            self._pieces.append((s, v, a, j))
            s += v * seconds + a * seconds**2 / 2 + j * seconds**3 / 6
            v += a * seconds + j * seconds**2 / 2
            a += j * seconds
            t += seconds
        self.seconds = t

    def at(self, seconds: float) -> tuple[float, float]:
        """(distance covered in mm, speed in mm/s) after `seconds`."""
        if seconds >= self.seconds:
            return self.distance_mm, 0.0
        index = max(0, bisect.bisect_right(self._starts, max(0.0, seconds)) - 1)
        s, v, a, j = self._pieces[index]
        dt = max(0.0, seconds) - self._starts[index]
        return s + v * dt + a * dt**2 / 2 + j * dt**3 / 6, max(0.0, v + a * dt + j * dt**2 / 2)
