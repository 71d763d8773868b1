"""The twin as a lift: it carries people, keeps its timers and its modes, and does not care who looks how often."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin

DAY = 86_400_000
QUIET = "test"


def still(**built: Any) -> Twin:
    """A twin to which nobody comes by himself."""
    twin = Twin(LiftSpec(**built))
    twin.quiet.add(QUIET)
    return twin


def until(twin: Twin, holds: Callable[[Twin], bool], limit_ms: int = 180_000) -> int:
    """Go on until `holds`; the time that took."""
    begin = twin.now_ms
    while not holds(twin):
        assert twin.now_ms < begin + limit_ms, f"not within {limit_ms} ms; phase {twin.phase}"
        twin.advance(twin.now_ms + 20)
    return twin.now_ms - begin


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.integers(1, 400_000), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_what_happens_does_not_depend_on_who_looks_how_often(steps: list[int], seed: int) -> None:
    watched = Twin(LiftSpec(seed=seed, traffic_factor=20.0))
    unwatched = Twin(LiftSpec(seed=seed, traffic_factor=20.0))
    for step in steps:
        watched.advance(watched.now_ms + step)
        watched.sample()
    unwatched.advance(watched.now_ms)
    assert watched.sample() == unwatched.sample()
    assert watched.passengers == unwatched.passengers


def test_a_passenger_is_fetched_and_brought() -> None:
    twin = still(stops=6)
    passenger = twin.travel(4, 1)
    until(twin, lambda t: passenger.aboard)
    assert twin.floor == 4 and twin.presence and twin.load_permille > 0
    until(twin, lambda t: passenger not in t.passengers)
    assert twin.floor == 1 and twin.sample()["door_1"] == 4
    until(twin, lambda t: t.phase == "parked")
    assert not twin.presence and twin.starts == 2


def test_the_car_runs_only_with_its_door_shut_and_its_chain_closed() -> None:
    twin = Twin(LiftSpec(traffic_factor=30.0, seed=4))
    runs = 0
    for now in range(0, DAY // 8, 70):
        twin.advance(now)
        sample = twin.sample()
        if sample["speed_mm_s"] and not sample["door_zone"]:
            runs += 1
            assert sample["door_1"] == 2 and sample["door_lock"] and sample["safety_circuit"]
            assert sample["direction"] in (1, 2) and sample["car_status"] == 1
    assert runs > 1000


def test_calls_are_collected_on_the_way() -> None:
    twin = still(stops=6)
    for origin, target in ((1, 3), (1, 5), (1, 6)):
        twin.travel(origin, target)
    stops: list[int] = []
    until(twin, lambda t: t.phase == "open")
    while twin.passengers:
        twin.advance(twin.now_ms + 50)
        if twin.phase == "open" and (not stops or stops[-1] != twin.floor):
            stops.append(twin.floor)
    assert stops == [1, 3, 5, 6]


def test_the_door_is_held_longer_for_a_landing_call_than_for_a_car_call() -> None:
    twin = still()
    twin.travel(1, 2)
    until(twin, lambda t: t.phase == "open")
    for_landing = until(twin, lambda t: t.phase == "closing")
    until(twin, lambda t: t.floor == 2 and t.phase == "open")
    for_car = until(twin, lambda t: t.phase == "closing")
    assert for_landing == pytest.approx(5000, abs=40) and for_car == pytest.approx(3000, abs=40)


def test_an_idle_car_goes_back_to_its_base_after_ten_minutes() -> None:
    twin = still()
    twin.travel(1, 5)
    until(twin, lambda t: t.phase == "parked" and t.floor == 5)
    twin.advance(twin.now_ms + 9 * 60_000)
    assert twin.floor == 5
    twin.advance(twin.now_ms + 2 * 60_000)
    assert twin.floor == 1 and twin.phase == "parked"


def test_with_two_doors_only_the_one_of_the_stop_opens() -> None:
    twin = still(doors=2)
    twin.travel(1, 3)
    until(twin, lambda t: t.phase == "open")
    assert (twin.sample()["door_1"], twin.sample()["door_2"]) == (4, 2)
    until(twin, lambda t: t.phase == "open" and t.floor == 3)
    assert (twin.sample()["door_1"], twin.sample()["door_2"]) == (2, 4)


@pytest.mark.parametrize("starts_per_day", [50, 100, 125])
def test_the_house_makes_the_starts_of_its_class(starts_per_day: int) -> None:
    twin = Twin(LiftSpec(starts_per_day=float(starts_per_day), seed=7))
    twin.advance(100 * DAY)
    assert twin.starts / 100 == pytest.approx(starts_per_day, rel=0.1)


def test_mornings_and_evenings_are_busy_and_nights_are_not() -> None:
    twin = Twin(LiftSpec(utc_offset_h=8, seed=3))
    by_hour = [0] * 24
    before = 0
    for hour in range(100 * 24):
        twin.advance((hour + 1) * 3_600_000)
        by_hour[(hour + 8) % 24] += twin.starts - before
        before = twin.starts
    assert sum(by_hour[0:5]) < 0.08 * sum(by_hour)
    assert by_hour[7] > 3 * by_hour[3] and by_hour[18] > 3 * by_hour[3]


def test_the_same_seed_lives_the_same_life() -> None:
    lives = []
    for seed in (5, 5, 6):
        twin = Twin(LiftSpec(seed=seed))
        twin.advance(10 * DAY)
        lives.append((twin.starts, twin.reversals, twin.run_ms))
    assert lives[0] == lives[1] != lives[2]


def test_in_inspection_the_car_obeys_the_technician_at_a_quarter_metre_a_second() -> None:
    twin = still()
    twin.set_mode("inspection")
    twin.inspect_to(4000)
    twin.advance(twin.now_ms + 8000)
    sample = twin.sample()
    assert sample["service_mode"] == 2 and sample["speed_mm_s"] == 250 and sample["direction"] == 1
    until(twin, lambda t: t.speed_mm_s == 0)
    assert twin.position_mm == pytest.approx(4000) and not twin.door_zone
    twin.set_mode("automatic")
    until(twin, lambda t: t.phase == "open")
    assert twin.position_mm == twin.floor_mm(twin.floor)


def test_in_a_fire_drill_the_car_returns_and_stands_open() -> None:
    twin = still()
    twin.travel(1, 5)
    until(twin, lambda t: t.phase == "parked" and t.floor == 5)
    twin.set_mode("fire")
    until(twin, lambda t: t.phase == "open" and t.floor == 1)
    twin.advance(twin.now_ms + 600_000)
    assert twin.sample()["service_mode"] == 3 and twin.sample()["door_1"] == 4
    twin.set_mode("automatic")
    until(twin, lambda t: t.phase == "parked")


def test_a_locked_lift_takes_nobody() -> None:
    twin = still()
    twin.set_mode("locked")
    until(twin, lambda t: t.phase == "parked" and t.sample()["door_1"] == 2)
    twin.travel(3, 1)
    twin.advance(twin.now_ms + 60_000)
    assert twin.floor == 1 and twin.starts == 0 and twin.sample()["service_mode"] == 0
    twin.set_mode("automatic")
    until(twin, lambda t: not t.passengers)


def test_idle_hours_cost_nothing() -> None:
    twin = still()
    until(twin, lambda t: t.idle_until_ms() > t.now_ms)
    assert twin.idle_until_ms() > twin.now_ms + 365 * DAY
    twin.quiet.clear()
    twin.advance(twin.idle_until_ms())
    assert twin.phase == "parked" and not twin.passengers
    twin.advance(twin.now_ms + 1)
    assert twin.passengers or twin.starts


def test_the_button_leaves_its_edges() -> None:
    twin = still()
    twin.advance(1000)
    twin.press(True)
    twin.press(True)
    assert twin.sample()["button"] is True
    twin.advance(1400)
    twin.press(False)
    assert twin.button_edges == [(1000, True), (1400, False)]
