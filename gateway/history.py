"""Change records of long times made few enough to be drawn. Pure: points in, points out."""

from typing import Any

# Unix ms, and the value or None.
Point = list[Any]

# Read at most so many of all fields for one answer that is reduced: a month of a busy lift (ours).
RAW_LIMIT = 500_000


def step_ms(from_ms: int, to_ms: int, points: int) -> int:
    """How long a span is of which the answer keeps a few records; 1 = all are kept."""
    return max(1, -(-(to_ms - from_ms) // points)) if points > 0 else 1


def reduced(series: list[Point], from_ms: int, step: int) -> list[Point]:
    """Of each span of `step` ms the first, the lowest, the highest, the last record and the first unknown: no peak and no hole is lost."""
    if step <= 1:
        return series
    out: list[Point] = []
    at = 0
    while at < len(series):
        end = at
        span = (series[at][0] - from_ms) // step
        while end < len(series) and (series[end][0] - from_ms) // step == span:
            end += 1
        out += _kept(series[at:end])
        at = end
    return out


def _kept(points: list[Point]) -> list[Point]:
    known = [index for index, point in enumerate(points) if point[1] is not None]
    unknown = [index for index, point in enumerate(points) if point[1] is None]
    kept = {0, len(points) - 1, *unknown[:1]}
    if known:
        kept |= {min(known, key=lambda index: points[index][1]), max(known, key=lambda index: points[index][1])}
    return [points[index] for index in sorted(kept)]
