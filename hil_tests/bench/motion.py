"""Jerk-limited motion of a car from rest to rest, and its braking. Pure arithmetic: seconds and millimetres, no lift, no clock."""

import bisect
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Speed mm/s, acceleration mm/s2, jerk mm/s3. The default is the brisk curve of a 1 m/s lift (domain notes 7)."""

    speed: float = 1000.0
    acceleration: float = 600.0
    jerk: float = 600.0


# The two curves of a 1 m/s lift (domain notes 7): the brisk one above, and the factory's with S-segments of 2.5 s.
JERKS = {"brisk": 600.0, "factory": 240.0}
# Speeds of the factory setting (domain notes 7); their accelerations are ours.
INSPECTION = Limits(speed=250.0, acceleration=300.0, jerk=600.0)
RESCUE = Limits(speed=100.0, acceleration=200.0, jerk=400.0)
RELEVEL = Limits(speed=40.0, acceleration=100.0, jerk=400.0)

# A dropped brake stops a 1 m/s car within about a third of a metre (ours). It is not jerk-limited: that is its nature.
BRAKE_MM_S2 = 1500.0


def _ramp(peak: float, limits: Limits) -> list[tuple[float, float]]:
    """[(seconds, jerk)] from standstill to `peak` mm/s."""
    a, j = limits.acceleration, limits.jerk
    if peak >= a * a / j:
        return [(a / j, j), (peak / a - a / j, 0.0), (a / j, -j)]
    half = (peak / j) ** 0.5
    return [(half, j), (half, -j)]


def _ramp_distance(peak: float, limits: Limits) -> float:
    """Millimetres of one ramp: the S-curve is symmetric, so half the peak speed times its duration."""
    return peak * sum(seconds for seconds, _ in _ramp(peak, limits)) / 2


def _peak(distance_mm: float, limits: Limits) -> float:
    """The highest speed that two ramps leave room for; bisection, because the short trips have no closed form worth reading."""
    if 2 * _ramp_distance(limits.speed, limits) <= distance_mm:
        return limits.speed
    low, high = 0.0, limits.speed
    for _ in range(50):
        middle = (low + high) / 2
        if 2 * _ramp_distance(middle, limits) > distance_mm:
            high = middle
        else:
            low = middle
    return low


class Trip:
    """One run over `distance_mm` > 0 from rest to rest, never beyond `limits`. `seconds` is its flight time."""

    def __init__(self, distance_mm: float, limits: Limits) -> None:
        if distance_mm <= 0:
            raise ValueError(f"a trip over {distance_mm} mm is none")
        peak = _peak(distance_mm, limits)
        up = _ramp(peak, limits)
        cruise = max(0.0, distance_mm - 2 * _ramp_distance(peak, limits)) / peak
        self.distance_mm = distance_mm
        self._starts: list[float] = []
        self._pieces: list[tuple[float, float, float, float]] = []  # mm, mm/s, mm/s2, mm/s3 at the piece's start
        t = s = v = a = 0.0
        # The way down mirrors the way up: the same jerks, in the same order, negated.
        for seconds, j in [*up, (cruise, 0.0), *[(seconds, -j) for seconds, j in up]]:
            self._starts.append(t)
            self._pieces.append((s, v, a, j))
            s += v * seconds + a * seconds**2 / 2 + j * seconds**3 / 6
            v += a * seconds + j * seconds**2 / 2
            a += j * seconds
            t += seconds
        self.seconds = t

    def at(self, seconds: float) -> tuple[float, float]:
        """(distance covered in mm, speed in mm/s) after `seconds`; at rest before the start and after the end."""
        if seconds >= self.seconds:
            return self.distance_mm, 0.0
        if seconds <= 0.0:
            return 0.0, 0.0
        index = bisect.bisect_right(self._starts, seconds) - 1
        s, v, a, j = self._pieces[index]
        dt = seconds - self._starts[index]
        return s + v * dt + a * dt**2 / 2 + j * dt**3 / 6, max(0.0, v + a * dt + j * dt**2 / 2)


class Braking:
    """The brake drops at `speed` mm/s: constant deceleration to standstill after `seconds`. Same face as Trip."""

    def __init__(self, speed: float, deceleration: float = BRAKE_MM_S2) -> None:
        self._speed = speed
        self._deceleration = deceleration
        self.seconds = speed / deceleration
        self.distance_mm = speed * self.seconds / 2

    def at(self, seconds: float) -> tuple[float, float]:
        """(distance covered in mm, speed in mm/s) after `seconds`."""
        dt = max(0.0, min(seconds, self.seconds))
        return self._speed * dt - self._deceleration * dt**2 / 2, max(0.0, self._speed - self._deceleration * dt)


class Creep:
    """A lining that slips evenly at `speed` mm/s and bites again after `distance_mm`. Same face as Trip."""

    def __init__(self, speed: float, distance_mm: float) -> None:
        self._speed = speed
        self.distance_mm = distance_mm
        self.seconds = distance_mm / speed

    def at(self, seconds: float) -> tuple[float, float]:
        """(distance covered in mm, speed in mm/s) after `seconds`."""
        if not 0.0 <= seconds < self.seconds:
            return (0.0 if seconds < 0.0 else self.distance_mm), 0.0
        return self._speed * seconds, self._speed


class Falling:
    """A car that no brake holds gathers speed at `acceleration` mm/s2 over `free_mm`, then a second brake stops it. As Trip."""

    def __init__(self, acceleration: float, free_mm: float) -> None:
        self._acceleration = acceleration
        self._free_mm = free_mm
        self._free_s = (2 * free_mm / acceleration) ** 0.5
        self._stop = Braking(acceleration * self._free_s)
        self.seconds = self._free_s + self._stop.seconds
        self.distance_mm = free_mm + self._stop.distance_mm

    def at(self, seconds: float) -> tuple[float, float]:
        """(distance covered in mm, speed in mm/s) after `seconds`."""
        if seconds < self._free_s:
            dt = max(0.0, seconds)
            return self._acceleration * dt**2 / 2, self._acceleration * dt
        covered, speed = self._stop.at(seconds - self._free_s)
        return self._free_mm + covered, speed


Motion = Trip | Braking | Creep | Falling
