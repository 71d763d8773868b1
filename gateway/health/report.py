"""A lift's health from its days: each part with value, baseline, trend and mark, or why it is not known, and the score of them.

Values in, values out: no clock, no store. The limits and weights are those of protocols/health.py.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from gateway.config import Lift
from gateway.health import parts
from gateway.health.day import DAY_MS, HOUR_MS, TRIP, Day, date_of, number
from gateway.health.figures import median, slope
from protocols import health
from protocols.health import PARTS, Part

# Reasons of a part, or of the whole, for not being known: protocols/health_texts.py has their words.
Faults = Mapping[int, int]


class Reason(msgspec.Struct, omit_defaults=True):
    """Why something is not known: `have` of `need` are there, or the controller does not tell `fields`, or in steps of `step`."""

    key: str
    have: float = 0
    need: float = 0
    fields: list[str] = []
    step: int = 0


class Trend(msgspec.Struct):
    """Change a week with the interval that holds it with 95 %, the days that it rests on, and in how many weeks it would be bad."""

    per_week: float
    low: float
    high: float
    days: int
    direction: str  # "worse" or "better", of use "more" or "less"; "steady" where the interval has 0 in it or it comes to little
    weeks_to_bad: int | None = None


class PartReport(msgspec.Struct):
    """One part. `count` and `days` are what the value rests on; `spread` is the middle half of a day's values."""

    name: str
    value: float | None = None
    mark: int | None = None
    reason: Reason | None = None
    baseline: float | None = None
    baseline_days: int = 0
    trend: Trend | None = None
    spread: float | None = None
    count: int = 0
    days: int = 0


class UsageReport(msgspec.Struct):
    """How much: of an ordinary day of the window, of the lift's first days, the change a week, and since ever where that is counted."""

    name: str
    per_day: float | None = None
    baseline: float | None = None
    trend: Trend | None = None
    total: float | None = None


class Report(msgspec.Struct):
    """The whole: a score with its parts, or `reason` why there is none; `known`: percent of the weight that is known."""

    lift: str
    at_ms: int
    date: str
    days: int
    first: str | None
    score: int | None
    known: int
    lowest: str | None
    reason: Reason | None
    parts: list[PartReport]
    usage: list[UsageReport]
    today: dict[str, float]


class Baseline(msgspec.Struct, array_like=True):
    """What the lift was in its first days: {part: (value, days)} of those that are settled for good, since the local day `since`."""

    since: int
    settled: dict[str, tuple[float, int]] = {}


class _Known(NamedTuple):
    """The finished days, in order, and the day that is not over."""

    days: list[Day]
    today: int
    faults: Faults | None

    def window(self, span: int, most: int) -> list[Day]:
        """The last `most` of the days that are younger than `span`."""
        return [day for day in self.days if day.date >= self.today - span][-most:]


def settle(held: Baseline | None, lift: Lift, days: Sequence[Day], faults: Faults | None) -> Baseline:
    """The baseline with what can be settled of `days`, finished and in order; settled parts stay, unless works began it anew."""
    since = number(lift.health.baseline_from)
    out = Baseline(since, dict(held.settled)) if held is not None and held.since == since else Baseline(since)
    young = [day for day in days if day.date >= since]
    for part in PARTS:
        if part.kind != health.LIFE and part.name not in out.settled:
            value, count = _baseline(part, young, faults)
            if value is not None and count >= health.BASELINE_DAYS:
                out.settled[part.name] = (value, count)
    return out


def _baseline(part: Part, days: Sequence[Day], faults: Faults | None) -> tuple[float | None, int]:
    """(value, how many days it rests on) of the first days that have one."""
    if part.kind == health.TYPICAL:
        values = [value for day in days if (value := parts.typical_of(part.name, day)) is not None]
        values = values[: health.BASELINE_DAYS]
        return (round(median(values), 1) if values else None), len(values)
    found = [pair for day in days if (pair := _pair(part, day, faults)) is not None and pair[1]][: health.BASELINE_DAYS]
    count, of = sum(pair[0] for pair in found), sum(pair[1] for pair in found)
    return (parts.ratio(count, of, part.per) if _occasions(part, of) >= part.least else None), len(found)


def _pair(part: Part, day: Day, faults: Faults | None) -> tuple[float, float] | None:
    """(what happened, of how many) on one day; None where nobody knows."""
    if part.name == "faults":
        return None if faults is None else (faults.get(day.date, 0), day.all_starts)
    share = parts.SHARES[part.name]
    return share.counted(day) if day.known & share.needs == share.needs else None


def _occasions(part: Part, of: float) -> float:
    return of / HOUR_MS if part.of == "hours" else of


# -- parts ----------------------------------------------------------------------------------------------------------


def report(
    lift: Lift, days: Sequence[Day], baseline: Baseline, faults: Faults | None, today: Day | None, date: int, at_ms: int
) -> Report:
    """The health of `lift` on the local day `date`, of its finished `days` in order and of `today` as far as it is over.

    `faults`: {local day: how many incidents}, None where nobody keeps them.
    """
    known = _Known([day for day in days if day.date < date], date, faults)
    made = [_part(part, lift, known, baseline) for part in PARTS if part.door <= lift.doors]
    score, share, lowest = whole(made)
    reason = None
    if score is None:
        reason = Reason("little", share, health.KNOWN_SHARE)
        if len(known.days) < health.LEAST_DAYS:
            reason = Reason("days", len(known.days), health.LEAST_DAYS)
    return Report(
        lift.id, at_ms, date_of(date).isoformat(), len(known.days),
        date_of(known.days[0].date).isoformat() if known.days else None, score, share, lowest, reason, made,
        _usage(lift, known), _so_far(lift, today) if today is not None and today.date == date else {},
    )  # fmt: skip


def whole(made: Sequence[PartReport]) -> tuple[int | None, int, str | None]:
    """(score or None, percent of the weight that is known, name of the lowest part)."""
    marks = {found.name: found.mark for found in made if found.mark is not None}
    weight = sum(health.BY_NAME[name].weight for name in marks)
    share = round(100 * weight / sum(health.BY_NAME[found.name].weight for found in made))
    lowest = min(marks, key=lambda name: (marks[name], -health.BY_NAME[name].weight), default=None)
    if share < health.KNOWN_SHARE or lowest is None:
        return None, share, lowest
    mean = sum(health.BY_NAME[name].weight * mark for name, mark in marks.items()) / weight
    part = health.LOWEST_SHARE / 100
    return round((1 - part) * mean + part * marks[lowest]), share, lowest


def mark(part: Part, value: float, baseline: float | None) -> int:
    """0 to 100 by the part's limits, and by the lift's own baseline where there is one."""
    found = _ramp(value, part.good, part.bad)
    if part.quick is not None and value < part.quick:
        found = min(found, _ramp(-value, -part.quick, -part.quick / 2))
    if part.ratio is not None and baseline is not None and max(baseline, part.floor) > 0:
        found = min(found, _ramp(value / max(baseline, part.floor), part.ratio, part.ratio_bad))
    return round(found)


def _ramp(value: float, good: float, bad: float) -> float:
    return max(0.0, min(100.0, 100.0 * (bad - value) / (bad - good)))


def _part(part: Part, lift: Lift, known: _Known, baseline: Baseline) -> PartReport:
    out = PartReport(part.name)
    if part.kind == health.LIFE:
        return _ropes(part, lift, known, out)
    window = known.window(*_span(part))
    needs = _needs(part.name)
    if known.days and not window:
        out.reason = Reason("no_data", need=health.WINDOW_SPAN_DAYS)
    elif window and (silent := parts.missing(needs, window)):
        out.reason = Reason("not_told", fields=silent)
    elif part.name == "faults" and known.faults is None:
        out.reason = Reason("no_incidents")
    elif (
        part.name == "levelling"
        and (step := min((day.step_mm for day in window if day.step_mm), default=0)) > health.STEP_MM
    ):
        out.reason = Reason("coarse", step=step, need=health.STEP_MM)
    else:
        _value(part, window, known, out)
    if out.value is None:
        return out
    settled = baseline.settled.get(part.name)
    since = number(lift.health.baseline_from)
    if settled is not None:
        out.baseline, out.baseline_days = settled
    else:
        out.baseline_days = _baseline(part, [day for day in known.days if day.date >= since], known.faults)[1]
    out.mark = mark(part, out.value, out.baseline)
    out.trend = _trend(part, known, out.value)
    return out


def _span(part: Part) -> tuple[int, int]:
    return (
        (health.FAULT_DAYS, health.FAULT_DAYS)
        if part.name == "faults"
        else (health.WINDOW_SPAN_DAYS, health.WINDOW_DAYS)
    )


def _needs(name: str) -> int:
    if name in parts.TYPICALS:
        return parts.TYPICALS[name].needs
    return parts.SHARES[name].needs if name in parts.SHARES else 0


def _value(part: Part, window: list[Day], known: _Known, out: PartReport) -> None:
    """Fill in the value and what it rests on, or the reason why there is none."""
    if part.kind == health.TYPICAL:
        quantity = parts.TYPICALS[part.name].quantity
        used = [day for day in window if parts.typical_of(part.name, day) is not None]
        of: float = sum(day.spread(quantity).count for day in used)
        value = median([parts.typical_of(part.name, day) or 0 for day in used]) if used else None
        if used and quantity <= TRIP:
            out.spread = round(
                median([day.spread(quantity).three_quarters - day.spread(quantity).quarter for day in used])
            )
    else:
        pairs = [(day, pair) for day in window if (pair := _pair(part, day, known.faults)) is not None]
        used = [day for day, _ in pairs]
        count, of = sum(pair[0] for _, pair in pairs), sum(pair[1] for _, pair in pairs)
        if part.name == "no_data" and used:
            # A day of which there is nothing has no row.
            lost = DAY_MS * (known.today - max(used[0].date, known.today - health.WINDOW_SPAN_DAYS) - len(used))
            count, of = count + lost, of + lost
        value = parts.ratio(count, of, part.per)
    out.count, out.days = round(_occasions(part, of)), len(used)
    if len(used) < health.LEAST_DAYS:
        out.reason = Reason("days", len(used), health.LEAST_DAYS)
    elif out.count < part.least or value is None:
        out.reason = Reason("few", out.count, part.least, [part.of])
    else:
        out.value = round(value, 2 if part.unit == "%" else 1)


def _ropes(part: Part, lift: Lift, known: _Known, out: PartReport) -> PartReport:
    """The share of the ropes' life: bends a start as seen, times the starts since they were changed."""
    used = [day for day in known.days if day.all_starts and day.crossed]
    starts, crossed = sum(day.all_starts for day in used), sum(day.crossed for day in used)
    total = next((day.starts_total for day in reversed(known.days) if day.starts_total >= 0), None)
    out.count, out.days = starts, len(used)
    if len(used) < health.LEAST_DAYS:
        out.reason = Reason("days", len(used), health.LEAST_DAYS)
    elif total is None:
        out.reason = Reason("not_told", fields=["starts"])
    elif total < lift.health.ropes_at_starts:
        out.reason = Reason("counter", have=total, need=lift.health.ropes_at_starts)
    elif starts < part.least:
        out.reason = Reason("few", starts, part.least, [part.of])
    else:
        bends = (total - lift.health.ropes_at_starts) * crossed / starts * parts.sheaves(lift)
        out.value = round(part.per * bends / lift.health.rope_life_bends, 1)
        out.mark = mark(part, out.value, None)
        week = part.per * 7 * crossed / len(used) * parts.sheaves(lift) / lift.health.rope_life_bends
        left = (part.bad - out.value) / week if week else None
        ahead = round(left) if left is not None and 0 <= left <= health.AHEAD_WEEKS else None
        # It is used up as it must be: that is no trend to the worse.
        out.trend = Trend(round(week, 3), round(week, 3), round(week, 3), len(used), "steady", ahead)
    return out


# -- trends ---------------------------------------------------------------------------------------------------------


def _trend(part: Part, known: _Known, value: float) -> Trend | None:
    """How the part changes; None while there are too few days."""
    days = known.window(health.TREND_DAYS, health.TREND_DAYS)
    if part.kind == health.TYPICAL:
        points = [
            (float(day.date), float(figure)) for day in days if (figure := parts.typical_of(part.name, day)) is not None
        ]
        count = len(points)
    else:
        points, count = _weeks(part, days, known)
    found = _of_points(points, count, part.kind, part.bad - part.good)
    if found is not None and found.direction == "worse" and value < part.bad:
        left = (part.bad - value) / found.per_week
        found.weeks_to_bad = round(left) if left <= health.AHEAD_WEEKS else None
    return found


def _weeks(part: Part, days: Sequence[Day], known: _Known) -> tuple[list[tuple[float, float]], int]:
    """The share of each week that ends today or whole weeks before, and how many days are in them."""
    sums: dict[int, list[float]] = {}
    for day in days:
        pair = _pair(part, day, known.faults)
        if pair is not None and pair[1]:
            week = sums.setdefault((known.today - 1 - day.date) // 7, [0.0, 0.0, 0.0])
            week[0], week[1], week[2] = week[0] + pair[0], week[1] + pair[1], week[2] + 1
    good = {week: found for week, found in sums.items() if _occasions(part, found[1]) >= part.least / 4}
    points = [(-7.0 * week, found[0] * part.per / found[1]) for week, found in sorted(good.items(), reverse=True)]
    return points, round(sum(found[2] for found in good.values()))


def _of_points(points: list[tuple[float, float]], days: int, kind: str, scale: float) -> Trend | None:
    """The trend of `points`, (day, value); what is little beside `scale` is none."""
    least = health.TREND_LEAST_DAYS if kind == health.TYPICAL else health.TREND_LEAST_WEEKS
    found = slope(points) if len(points) >= least else None
    if found is None:
        return None
    week, low, high = (round(7 * each, 3) for each in (found.value, found.low, found.high))
    matters = abs(week) * health.TREND_DAYS / 7 >= health.TREND_MATTERS / 100 * scale
    direction = "steady" if not matters or low <= 0 <= high else "worse" if week > 0 else "better"
    return Trend(week, low, high, days, direction)


# -- usage ----------------------------------------------------------------------------------------------------------


def _usage(lift: Lift, known: _Known) -> list[UsageReport]:
    """How much the lift is used; more is neither better nor worse."""
    used = {day.date: parts.usage(lift, day) for day in known.days}
    window = known.window(health.WINDOW_SPAN_DAYS, health.WINDOW_DAYS)
    trending = known.window(health.TREND_DAYS, health.TREND_DAYS)
    first = [day for day in known.days if day.date >= number(lift.health.baseline_from)][: health.BASELINE_DAYS]
    out = []
    for name, _ in health.USAGE:
        found = UsageReport(name)
        if len(window) >= health.LEAST_DAYS:
            found.per_day = round(median([used[day.date][name] for day in window]), 1)
        if len(first) >= health.BASELINE_DAYS:
            found.baseline = round(median([used[day.date][name] for day in first]), 1)
        points = [(float(day.date), used[day.date][name]) for day in trending]
        found.trend = _of_points(points, len(points), health.TYPICAL, found.per_day or 0)
        if found.trend is not None and found.trend.direction != "steady":
            found.trend.direction = "more" if found.trend.per_week > 0 else "less"
        found.total = _total(name, known.days)
        out.append(found)
    return out


def _total(name: str, days: Sequence[Day]) -> float | None:
    """What the controller's counters say since ever: starts, and hours as minutes."""
    if name == "starts":
        return next((day.starts_total for day in reversed(days) if day.starts_total >= 0), None)
    if name == "running_minutes":
        return next((60 * day.hours_total for day in reversed(days) if day.hours_total >= 0), None)
    return None


def _so_far(lift: Lift, day: Day) -> dict[str, float]:
    """Of the day that is not over: no figure of a part, only what was counted."""
    return {
        **parts.usage(lift, day), "reversals": day.reversals, "relevels": day.relevels, "flickers": day.flickers,
        "failed": day.failed, "observed_minutes": round(day.observed / parts.MINUTE_MS, 1), "holes": day.holes, "late": day.late,
    }  # fmt: skip
