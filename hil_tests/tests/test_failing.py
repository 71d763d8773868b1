"""A failing drive, brake or stop as it looks from the bus: how fast, how far, with which word, and what the controller does next."""

import pytest

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import ZONE_MM
from hil_tests.bench.twin import LiftSpec, Twin
from hil_tests.tests.test_twin import still, until

SEEDS = range(5)


def injected(name: str, seed: int, **built: int) -> Twin:
    twin = still(seed=seed, **built)
    twin.advance(60_000)
    SCRIPTS[name].inject(twin)
    return twin


@pytest.mark.parametrize("rated", [1000, 1600])
@pytest.mark.parametrize("curve", ["brisk", "factory"])
def test_an_overspeeding_car_runs_beyond_115_percent_for_a_second_and_stops_level(rated: int, curve: str) -> None:
    for seed in SEEDS:
        twin = still(seed=seed, stops=7, rated_speed_mm_s=rated, curve=curve)
        SCRIPTS["overspeed"].inject(twin)
        until(twin, lambda t: t.speed_mm_s > 1.15 * rated)
        assert until(twin, lambda t: t.speed_mm_s < 1.15 * rated) >= 1000
        until(twin, lambda t: t.phase == "parked")
        assert twin.position_mm == twin.floor_mm(7)


@pytest.mark.parametrize(("name", "word", "end"), [("over_travel_up", 43, 6), ("over_travel_down", 44, 1)])
def test_over_travel_goes_a_quarter_metre_beyond_the_last_stop_and_back_by_itself(
    name: str, word: int, end: int
) -> None:
    for seed in SEEDS:
        twin = injected(name, seed)
        until(twin, lambda t: t.fault_number == word)
        fastest = twin.speed_mm_s
        until(twin, lambda t: t.phase == "stopped")
        assert 250 < abs(twin.position_mm - twin.floor_mm(end)) < 350 and fastest > 400
        assert (twin.position_mm > twin.floor_mm(end)) == (end == 6)
        assert until(twin, lambda t: t.phase == "running") > 9000
        until(twin, lambda t: t.phase == "parked")
        assert twin.floor == end and twin.position_mm == twin.floor_mm(end) and twin.fault_number == 0


def test_a_start_that_fails_is_tried_again_and_again_and_never_moves() -> None:
    twin = injected("start_failing", 1)
    height, starts = twin.position_mm, twin.starts
    words = set()
    for _ in range(1800):
        twin.advance(twin.now_ms + 100)
        words.add(twin.sample()["controller_fault"])
        assert twin.position_mm == height and twin.speed_mm_s == 0
    assert twin.starts - starts >= 10 and words == {0, 37}
    SCRIPTS["start_failing"].clear(twin)
    until(twin, lambda t: t.position_mm != height)


def test_a_slipping_brake_lets_the_parked_car_creep_while_the_controller_says_that_it_stands() -> None:
    for seed in SEEDS:
        twin = injected("brake_slipping", seed)
        until(twin, lambda t: t.phase == "sliding")
        sample = twin.sample()
        assert sample["car_status"] == 0 and 40 <= twin.speed_mm_s <= 70 and sample["door_1"] == 2
        slid_ms = until(twin, lambda t: t.speed_mm_s == 0)
        assert slid_ms > 2000 and ZONE_MM < abs(twin.position_mm - twin.floor_mm(1)) < 200
        until(twin, lambda t: t.phase == "parked")
        assert twin.position_mm == twin.floor_mm(1), "the controller brought it back"


def test_unintended_movement_takes_the_empty_car_out_of_the_zone_with_its_door_open_and_latches() -> None:
    for seed in SEEDS:
        twin = injected("unintended_car_movement", seed)
        until(twin, lambda t: t.phase == "falling")
        assert twin.door_zone and twin.sample()["door_1" if twin.floor == 1 or len(twin.doors) == 1 else "door_2"] == 4
        until(twin, lambda t: t.phase == "stopped")
        assert not twin.door_zone and twin.fault_number == 65 and not twin.door_lock_closed
        stuck = twin.position_mm
        twin.advance(twin.now_ms + 600_000)
        assert twin.position_mm == stuck, "only a reset on site frees it"
        SCRIPTS["unintended_car_movement"].clear(twin)
        until(twin, lambda t: t.phase == "running")
        assert twin.door_lock_closed, "it shuts its door before it moves"
        until(twin, lambda t: t.phase == "parked")


def test_a_car_that_stops_beside_its_level_levels_again_at_40_mm_a_second() -> None:
    for seed in SEEDS:
        twin = injected("levelling_inaccurate", seed)
        for _ in range(3):
            until(twin, lambda t: t.phase == "open" and t.speed_mm_s > 0)
            assert twin.sample()["car_status"] == 1 and twin.door_zone
            while twin.speed_mm_s > 0:
                assert twin.speed_mm_s <= 40.001
                twin.advance(twin.now_ms + 5)
            assert twin.position_mm == pytest.approx(twin.floor_mm(twin.floor))


@pytest.mark.parametrize(("name", "words"), [("floor_position_lost", (30, 58)), ("restart_prevented", (33, 36, 39))])
def test_a_latched_word_holds_the_car_at_its_stop_until_somebody_resets_it(name: str, words: tuple[int, ...]) -> None:
    twin = injected(name, 3)
    until(twin, lambda t: t.fault_number in words)
    starts = twin.starts
    twin.travel(2, 1)
    twin.advance(twin.now_ms + 600_000)
    assert twin.fault_number in words and twin.starts == starts and twin.door_lock_closed
    SCRIPTS[name].clear(twin)
    until(twin, lambda t: not t.passengers)


def test_a_car_held_open_is_pushed_after_two_minutes_and_does_not_shut() -> None:
    twin = injected("door_blocked", 2)
    until(twin, lambda t: t.phase == "open")
    assert until(twin, lambda t: t.phase == "closing") == pytest.approx(120_000, abs=100)
    twin.advance(twin.now_ms + 300_000)
    assert twin.reversals == 0 and twin.doors[0].position(twin.now_ms) == pytest.approx(0.4)
    SCRIPTS["door_blocked"].clear(twin)
    until(twin, lambda t: t.phase == "parked")


def test_a_flickering_zone_switch_changes_by_itself_and_the_same_whoever_looks_how_often() -> None:
    seen = []
    for step_ms in (50, 150):
        twin = injected("input_flickering", 4)
        told = {}
        while twin.now_ms < 180_000:
            twin.advance(twin.now_ms + step_ms)
            told[twin.now_ms] = twin.door_zone
        seen.append(told)
    often, seldom = seen
    assert all(often[at] == zone for at, zone in seldom.items() if at in often)
    changes = [a != b for a, b in zip(list(often.values()), list(often.values())[1:], strict=False)]
    assert sum(changes) > 30


# -- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "number"), [("emergency_power", 5), ("earthquake", 6)])
def test_emergency_power_and_earthquake_bring_the_car_to_the_next_stop_and_open_it(mode: str, number: int) -> None:
    twin = still(stops=6)
    passenger = twin.travel(1, 6)
    until(twin, lambda t: t.phase == "running" and not t.door_zone)
    twin.set_mode(mode)
    until(twin, lambda t: t.phase == "open")
    assert twin.sample()["service_mode"] == number and passenger not in twin.passengers
    assert twin.position_mm == twin.floor_mm(twin.floor)
    until(twin, lambda t: t.phase == "parked")
    starts = twin.starts
    twin.travel(3, 1)
    twin.advance(twin.now_ms + 60_000)
    assert twin.starts == starts
    twin.set_mode("automatic")
    until(twin, lambda t: not t.passengers)
    assert twin.fault_number == 0


def test_the_firefighter_takes_the_car_where_he_wants_and_its_door_stays_open() -> None:
    twin = still(stops=5)
    twin.set_mode("fire")
    until(twin, lambda t: t.phase == "open")
    twin.set_mode("firefighter")
    for floor in (4, 2):
        twin.firefighter_to(floor)
        until(twin, lambda t: t.phase == "starting")
        until(twin, lambda t: t.phase == "open")
        assert twin.floor == floor
        twin.advance(twin.now_ms + 300_000)
        assert twin.phase == "open" and twin.sample()["service_mode"] == 4
    twin.set_mode("automatic")
    until(twin, lambda t: t.phase == "parked")


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="lunch"):
        Twin(LiftSpec()).set_mode("lunch")
