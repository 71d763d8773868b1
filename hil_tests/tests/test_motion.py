"""The car's motion: flight times by the formulas of the trade, and no jerk beyond the limit, whatever the trip."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil_tests.bench.failing import FALL_MM, FALL_MM_S2
from hil_tests.bench.motion import (
    BRAKE_MM_S2,
    INSPECTION,
    RELEVEL,
    RESCUE,
    Braking,
    Creep,
    Falling,
    Limits,
    Motion,
    Trip,
)

BRISK = Limits()
FACTORY = Limits(jerk=240.0)  # S-segments of 2.5 s at 0.6 m/s²

LIMITS = st.builds(
    Limits,
    speed=st.floats(40, 2500),
    acceleration=st.floats(100, 1500),
    jerk=st.floats(100, 2000),
)


@pytest.mark.parametrize(
    ("distance_mm", "limits", "seconds"),
    [
        (3000, BRISK, 5.67),  # d/v + v/a + a/j
        (18_000, BRISK, 20.67),
        (3000, FACTORY, 7.36),  # peaks at 0.81 m/s
        (18_000, FACTORY, 22.08),
    ],
)
def test_a_trip_takes_what_the_formula_says(distance_mm: int, limits: Limits, seconds: float) -> None:
    assert Trip(distance_mm, limits).seconds == pytest.approx(seconds, abs=0.02)


def test_a_trip_that_reaches_full_speed_takes_distance_and_two_and_two_thirds_seconds() -> None:
    for distance_m in (2.7, 5.8, 14.5):
        assert Trip(distance_m * 1000, BRISK).seconds == pytest.approx(distance_m + 8 / 3, abs=1e-6)


def test_one_storey_by_the_factory_curve_does_not_reach_full_speed() -> None:
    trip = Trip(3000, FACTORY)
    assert max(trip.at(ms / 1000)[1] for ms in range(0, 7400, 10)) == pytest.approx(810, abs=10)


@given(distance_mm=st.floats(5, 60_000), limits=LIMITS)
def test_a_trip_ends_where_it_should_and_at_rest(distance_mm: float, limits: Limits) -> None:
    trip = Trip(distance_mm, limits)
    almost, speed = trip.at(trip.seconds - 1e-9)
    assert almost == pytest.approx(distance_mm, rel=1e-6, abs=0.01)
    assert speed == pytest.approx(0, abs=0.01)
    assert trip.at(0.0) == (0.0, 0.0) and trip.at(trip.seconds + 1) == (distance_mm, 0.0)


@given(distance_mm=st.floats(5, 60_000), limits=LIMITS)
def test_no_trip_breaks_its_limits(distance_mm: float, limits: Limits) -> None:
    trip = Trip(distance_mm, limits)
    steps = 400
    dt = trip.seconds / steps
    speeds = [trip.at(i * dt)[1] for i in range(steps + 1)]
    places = [trip.at(i * dt)[0] for i in range(steps + 1)]
    accelerations = [(b - a) / dt for a, b in itertools.pairwise(speeds)]
    jerks = [(b - a) / dt for a, b in itertools.pairwise(accelerations)]
    slack = 1.001
    assert max(speeds) <= limits.speed * slack
    assert max(map(abs, accelerations)) <= limits.acceleration * slack + 0.01
    # Rounding of a second difference of metres over milliseconds is what the constant allows.
    assert max(map(abs, jerks)) <= limits.jerk * slack + 1e-9 * limits.speed / dt**2
    assert all(b >= a for a, b in itertools.pairwise(places))


@given(distance_mm=st.floats(5, 60_000), limits=LIMITS, share=st.floats(0, 1))
def test_the_speed_is_the_slope_of_the_way(distance_mm: float, limits: Limits, share: float) -> None:
    trip = Trip(distance_mm, limits)
    at, step = share * trip.seconds, 1e-4
    slope = (trip.at(at + step)[0] - trip.at(max(0.0, at - step))[0]) / (step + min(step, at))
    assert slope == pytest.approx(trip.at(at)[1], abs=limits.acceleration * step + 0.5)


def test_a_trip_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 mm"):
        Trip(0, BRISK)


def test_the_brake_stops_a_car_within_a_third_of_a_metre() -> None:
    braking = Braking(1000.0)
    assert braking.distance_mm == pytest.approx(1000**2 / BRAKE_MM_S2 / 2)
    assert braking.at(braking.seconds) == pytest.approx((braking.distance_mm, 0.0))
    assert braking.at(0.0) == (0.0, 1000.0)


@pytest.mark.parametrize(("limits", "speed"), [(INSPECTION, 250), (RESCUE, 100), (RELEVEL, 40)])
def test_the_slow_modes_keep_their_speeds(limits: Limits, speed: float) -> None:
    trip = Trip(2900, limits)
    assert max(trip.at(trip.seconds * i / 50)[1] for i in range(51)) == pytest.approx(speed)


@pytest.mark.parametrize("motion", [Creep(50.0, 175.0), Falling(400.0, 250.0), Braking(500.0, 250.0)])
def test_what_moves_by_itself_has_its_speed_as_the_slope_of_its_way(motion: Motion) -> None:
    step = 1e-4
    for part in range(1, 40):
        at = motion.seconds * part / 40
        slope = (motion.at(at + step)[0] - motion.at(at - step)[0]) / (2 * step)
        assert slope == pytest.approx(motion.at(at)[1], rel=0.01)
    assert motion.at(motion.seconds) == pytest.approx((motion.distance_mm, 0.0), abs=1e-6)
    assert motion.at(motion.seconds + 5)[0] == pytest.approx(motion.distance_mm)


def test_a_falling_car_is_stopped_within_the_length_that_the_standard_allows() -> None:
    # 1.2 m (EN 81-20 5.6.7, from memory); the hardest fall of the twin's.
    assert Falling(FALL_MM_S2[1], FALL_MM[1]).distance_mm < 1200
