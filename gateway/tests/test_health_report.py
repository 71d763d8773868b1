"""Marks, baselines, trends and the score, from days that a test made up: by the table, and never better than is known."""

import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Lift, LiftHealth
from gateway.health import day as bits
from gateway.health.day import DAY_MS, Day, date_of, number
from gateway.health.figures import KEPT, Samples, Spread, quantile, slope
from gateway.health.report import Baseline, PartReport, Report, mark, report, settle, whole
from protocols import health
from protocols.health import BY_NAME, PARTS

FIRST = number(dt.date(2026, 9, 1))
LIFT = Lift("lift-1", "s", stops=6)
ALL = bits.DOOR_1 | bits.MOTION | bits.SPEED | bits.POSITION | bits.ZONE | bits.FAULT_WORD | bits.FLOOR


def spread(median: int, count: int = 50) -> Spread:
    return Spread(count, median - 40, median, median + 40, median + 80)


def good(date: int, **more: Any) -> Day:
    """A day of a lift that is well."""
    door = more.pop("door_ms", 2600)
    off = more.pop("off_mm", 1)
    values = {
        "observed": DAY_MS, "judged": DAY_MS, "running": 600_000, "runs": 60, "stops": 60, "cycles": 62, "reversals": 4, "crossed": 55,
        "travel_mm": 400_000, "starts": 60, "starts_total": 100_000 + 60 * (date - FIRST), "hours_total": 900, "step_mm": 1,
        "known": ALL,
    }  # fmt: skip
    spreads = [spread(door), spread(door), Spread(), Spread(), spread(4200), Spread(50, 0, off, off, off)]
    return Day(date, spreads=spreads, **{**values, **more})


def days(count: int, first: int = FIRST, **more: Any) -> list[Day]:
    return [good(first + at, **more) for at in range(count)]


def told(
    found: list[Day],
    lift: Lift = LIFT,
    faults: dict[int, int] | None = None,
    *,
    none: bool = False,
    date: int | None = None,
) -> Report:
    """On the day behind the last of them."""
    known = None if none else (faults or {})
    today = found[-1].date + 1 if date is None else date
    return report(lift, found, settle(None, lift, found, known), known, None, today, 5)


def part(made: Report, name: str) -> PartReport:
    return next(found for found in made.parts if found.name == name)


# -- figures --------------------------------------------------------------------------------------------------------


def test_a_slope_is_not_bent_by_a_quarter_of_odd_days() -> None:
    chance = random.Random(3)
    points = [(float(x), 10.0 + 0.5 * x + chance.gauss(0, 0.3)) for x in range(40)]
    for at in chance.sample(range(40), 10):
        points[at] = (points[at][0], 400.0)
    found = slope(points)
    assert found is not None
    assert found.value == pytest.approx(0.5, abs=0.15) and found.low < found.value < found.high
    assert found.low > 0


@given(st.lists(st.floats(0, 100), min_size=14, max_size=40), st.randoms(use_true_random=False))
def test_the_interval_holds_the_slope_and_turns_with_the_days(values: list[float], chance: random.Random) -> None:
    points = [(float(at), value) for at, value in enumerate(values)]
    found = slope(points)
    assert found is not None and found.low <= found.value <= found.high
    turned = slope([(x, -y) for x, y in points])
    assert turned is not None and turned.value == pytest.approx(-found.value, abs=1e-9)
    chance.shuffle(points)
    assert slope(points) == found


def test_what_only_scatters_is_seldom_called_a_trend() -> None:
    chance = random.Random(5)
    trends = 0
    for _ in range(200):
        found = slope([(float(x), chance.gauss(50, 5)) for x in range(30)])
        trends += found is not None and (found.low > 0 or found.high < 0)
    assert trends <= 20  # 5 % are 10


def test_the_sample_of_a_day_is_even_and_the_same_each_time() -> None:
    samples, other = Samples(), Samples()
    for value in range(3000):
        samples.put(value)
        other.put(value)
    assert samples == other and samples.seen == 3000 and len(samples.kept) == KEPT
    assert samples.spread().median == pytest.approx(1500, abs=500)
    parts = [0, 0, 0]
    for value in samples.kept:
        parts[value // 1000] += 1
    assert min(parts) >= KEPT // 8


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=KEPT))
def test_few_values_are_all_kept(values: list[int]) -> None:
    samples = Samples()
    for value in values:
        samples.put(value)
    found = samples.spread()
    assert found.count == len(values) and found.median == round(quantile(sorted(values), 0.5))
    assert found.quarter <= found.median <= found.three_quarters <= found.nine_tenths


# -- marks ----------------------------------------------------------------------------------------------------------


def test_each_mark_is_hundred_up_to_good_and_nothing_from_bad_on() -> None:
    for row in PARTS:
        assert (mark(row, row.good, None), mark(row, row.bad, None)) == (100, 0)
        assert mark(row, (row.good + row.bad) / 2, None) == 50
        assert mark(row, row.bad * 10, None) == 0


@given(st.sampled_from(PARTS), st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1e4))
def test_worse_is_never_marked_better(row: health.Part, value: float, other: float, baseline: float) -> None:
    low, high = sorted((value, other))
    low, high = max(low, row.quick or 0), max(high, row.quick or 0)
    assert mark(row, low, baseline) >= mark(row, high, baseline)
    assert mark(row, low, baseline) <= mark(row, low, None)


def test_a_door_is_marked_by_what_is_usual_and_by_what_it_was_itself() -> None:
    row = BY_NAME["door_1_closing"]
    assert mark(row, 3900, None) == 100
    assert mark(row, 3900, 2600) == pytest.approx(46, abs=1)
    assert mark(row, 1500, None) == 50 and mark(row, 900, None) == 0


# -- parts ----------------------------------------------------------------------------------------------------------


def test_a_lift_that_is_well_has_all_its_marks_and_a_full_score() -> None:
    made = told(days(30))
    assert [found.name for found in made.parts if found.mark is None] == []
    assert (made.score, made.known, made.reason, made.days, made.first) == (100, 100, None, 30, "2026-09-01")
    assert "door_2_opening" not in {found.name for found in made.parts}
    ropes = part(made, "ropes")
    assert ropes.value == pytest.approx(100 * (100_000 + 29 * 60) * 55 / 60 * 4 / 1_500_000, abs=0.1)


def test_with_two_doors_each_has_its_parts() -> None:
    made = told(days(30), Lift("lift-1", "s", doors=2))
    second = part(made, "door_2_opening")
    assert second.mark is None and second.reason is not None and second.reason.fields == ["door_2"]


def test_before_three_days_nothing_is_known_and_nothing_is_good() -> None:
    made = told(days(2))
    assert made.score is None and made.known == 0
    assert made.reason is not None and (made.reason.key, made.reason.have) == ("days", 2)
    assert all(found.value is None and found.mark is None and found.reason is not None for found in made.parts)
    assert report(LIFT, [], Baseline(-1), {}, None, FIRST, 5).score is None


def test_what_the_controller_does_not_tell_is_not_known_and_lowers_the_known_share() -> None:
    made = told(days(30, known=ALL & ~bits.DOOR_1 & ~bits.POSITION))
    for name in ("door_1_opening", "levelling", "door_reversals", "relevellings"):
        found = part(made, name)
        assert found.value is None and found.mark is None and found.reason is not None
        assert found.reason.key == "not_told"
    assert part(made, "levelling").reason.fields == ["position_mm"]  # type: ignore[union-attr]
    assert (made.known, made.score) == (100 - 6 - 6 - 8 - 10 - 8 - 8, None)


def test_less_than_the_stated_share_known_is_no_score() -> None:
    made = told(days(30, known=bits.FAULT_WORD, starts_total=-1), none=True)
    assert made.score is None and made.known < health.KNOWN_SHARE
    assert made.reason is not None and (made.reason.key, made.reason.need) == ("little", health.KNOWN_SHARE)
    assert part(made, "ropes").reason.fields == ["starts"]  # type: ignore[union-attr]
    assert part(made, "faults").reason.key == "no_incidents"  # type: ignore[union-attr]


def test_a_position_told_coarsely_says_nothing_of_levelling() -> None:
    found = part(told(days(30, step_mm=100, off_mm=0)), "levelling")
    assert found.mark is None and found.reason is not None
    assert (found.reason.key, found.reason.step) == ("coarse", 100)


def test_a_lift_that_is_hardly_used_is_told_to_be_so() -> None:
    found = part(told(days(30, cycles=3, reversals=0)), "door_reversals")
    assert found.value is None and found.reason is not None
    assert (found.reason.key, found.reason.have, found.reason.fields) == ("few", 21, ["cycles"])


def test_old_days_are_no_value_of_now() -> None:
    made = told(days(30), date=FIRST + 30 + health.WINDOW_SPAN_DAYS)
    assert part(made, "door_1_opening").value is None
    assert part(made, "door_1_opening").reason.key == "no_data"  # type: ignore[union-attr]
    assert made.score is None


def test_one_odd_day_moves_no_typical_value_and_a_share_is_of_all_occasions() -> None:
    found = [*days(29), good(FIRST + 29, door_ms=9000, reversals=62)]
    made = told(found)
    assert part(made, "door_1_opening").value == 2600
    assert part(made, "door_reversals").value == pytest.approx((6 * 4 + 62) * 1000 / (7 * 62), abs=0.1)


def test_a_lift_that_became_slow_is_worse_than_one_that_always_was() -> None:
    became = told([*days(20), *days(10, FIRST + 20, door_ms=3900)])
    always = told(days(30, door_ms=3900))
    assert part(became, "door_1_opening").mark == pytest.approx(46, abs=1)
    assert part(always, "door_1_opening").mark == 100
    assert (became.score or 0) < (always.score or 0)


def test_a_baseline_stays_until_works_begin_it_anew() -> None:
    first = settle(None, LIFT, days(20), {})
    assert first.settled["door_1_opening"] == (2600, 14)
    later = settle(first, LIFT, days(40, FIRST + 100, door_ms=3900), {})
    assert later.settled["door_1_opening"] == (2600, 14)
    worked = Lift("lift-1", "s", health=LiftHealth(baseline_from=date_of(FIRST + 110)))
    anew = settle(later, worked, days(40, FIRST + 100, door_ms=3900), {})
    assert anew.settled["door_1_opening"] == (3900, 14) and anew.since == FIRST + 110
    assert settle(anew, worked, days(5, FIRST + 100), {}).settled == anew.settled


def test_until_fourteen_days_are_there_the_lift_is_not_compared_with_itself() -> None:
    found = part(told(days(10, door_ms=3900)), "door_1_opening")
    assert (found.baseline, found.baseline_days, found.mark) == (None, 10, 100)


def test_a_trend_says_where_it_goes_what_it_rests_on_and_when_it_will_be_bad() -> None:
    slower = [good(FIRST + at, door_ms=2600 + 20 * at) for at in range(40)]
    found = part(told(slower), "door_1_opening")
    assert found.trend is not None
    assert found.trend.per_week == pytest.approx(140, abs=2) and found.trend.days == 40
    assert found.trend.direction == "worse" and found.trend.weeks_to_bad == pytest.approx((7000 - 3320) / 140, abs=1)
    assert part(told(days(40)), "door_1_opening").trend.direction == "steady"  # type: ignore[union-attr]
    better = [good(FIRST + at, door_ms=3800 - 20 * at) for at in range(40)]
    assert part(told(better), "door_1_opening").trend.direction == "better"  # type: ignore[union-attr]
    assert part(told(days(13)), "door_1_opening").trend is None


def test_the_trend_of_rare_things_is_put_together_by_weeks() -> None:
    more = [good(FIRST + at, reversals=4 + at // 7 * 3) for at in range(56)]
    found = part(told(more), "door_reversals")
    assert found.trend is not None and found.trend.days == 56
    assert found.trend.per_week == pytest.approx(3000 / 62, rel=0.05) and found.trend.direction == "worse"


def test_faults_are_of_four_weeks_of_starts() -> None:
    found = days(30)
    made = told(found, faults={FIRST + 3: 2, FIRST + 28: 1, FIRST: 50})
    assert part(made, "faults").value == pytest.approx(3000 / (28 * 60), abs=0.1)
    assert part(made, "faults").count == 28 * 60


def test_days_without_any_record_count_as_time_without_data() -> None:
    found = [day for day in days(30) if day.date not in {FIRST + 26, FIRST + 27}]
    assert part(told(found), "no_data").value == pytest.approx(200 / 9, abs=0.01)
    silent = days(30, silent=DAY_MS // 10)
    assert part(told(silent), "no_data").value == 10
    first = [good(FIRST, span=DAY_MS // 2, observed=DAY_MS // 2), *days(5, FIRST + 1)]
    assert part(told(first), "no_data").value == 0


def test_the_ropes_are_reckoned_from_when_they_were_changed_by_how_they_run() -> None:
    def value(**settings: Any) -> float | None:
        return part(told(days(30), Lift("lift-1", "s", health=LiftHealth(**settings))), "ropes").value

    whole_life = value()
    assert whole_life is not None
    assert value(roping="1:1") == pytest.approx(whole_life / 2, abs=0.1)
    assert value(sheaves=8) == pytest.approx(whole_life * 2, abs=0.1)
    assert value(rope_life_bends=3_000_000) == pytest.approx(whole_life / 2, abs=0.1)
    assert value(ropes_at_starts=100_000) == pytest.approx(0.4, abs=0.1)
    found = part(told(days(30), Lift("lift-1", "s", health=LiftHealth(ropes_at_starts=10**9))), "ropes")
    assert found.value is None and found.reason is not None and found.reason.key == "counter"


def test_use_has_no_mark_and_its_trend_is_more_or_less() -> None:
    busier = [good(FIRST + at, starts=60 + at) for at in range(40)]
    starts = next(used for used in told(busier).usage if used.name == "starts")
    assert (starts.per_day, starts.baseline, starts.total) == (96, 66.5, 100_000 + 39 * 60)
    assert starts.trend is not None and starts.trend.direction == "more" and starts.trend.per_week == 7
    hours = next(used for used in told(busier).usage if used.name == "running_minutes")
    assert (hours.per_day, hours.total) == (10, 54_000)


# -- the whole ------------------------------------------------------------------------------------------------------


def test_the_score_is_the_weighted_mean_with_the_lowest_in_it() -> None:
    marks = {row.name: 100 for row in PARTS if row.door < 2} | {"faults": 0}
    made = [PartReport(name, 1.0, found) for name, found in marks.items()]
    weight = sum(BY_NAME[name].weight for name in marks)
    score, known, lowest = whole(made)
    assert (known, lowest) == (100, "faults")
    assert score == round(0.75 * 100 * (weight - 14) / weight)


@given(st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=len(PARTS), max_size=len(PARTS)))
def test_the_score_lies_between_its_marks_and_needs_the_stated_share(marks: list[int | None]) -> None:
    made = [PartReport(row.name, None, found) for row, found in zip(PARTS, marks, strict=True)]
    score, known, lowest = whole(made)
    there = [found for found in marks if found is not None]
    assert (score is None) == (known < health.KNOWN_SHARE or not there)
    if score is not None:
        assert min(there) <= score <= max(there)
        assert next(found.mark for found in made if found.name == lowest) == min(there)


def test_the_settings_say_what_is_wrong_with_them(tmp_path: Any) -> None:
    from gateway.config import load
    from gateway.errors import ConfigError

    text = '[gateway]\nid = "g"\ndata_dir = "d"\n[[lift]]\nid = "l"\nsite = "s"\n[lift.health]\n'
    path = tmp_path / "gateway.toml"
    path.write_text(text + "baseline_from = 2026-11-01\nroping = '1:1'\n")
    assert load(path).lift[0].health.baseline_from == dt.date(2026, 11, 1)
    for wrong in ("baseline_from = 'soon'", "roping = '3:1'", "sheaves = 0"):
        path.write_text(text + wrong)
        with pytest.raises(ConfigError, match="lift"):
            load(path)
