"""An aged lift does what a new one does, by degrees worse; the same seed ages the same way."""

import statistics

import pytest

from hil_tests.bench.ageing import DAY_MS, WORST_STOP_MM, Ageing
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
from hil_tests.bench.watched import Watched
from hil_tests.tests.test_twin import still, until


def test_slow_doors_take_longer_by_their_share() -> None:
    took = []
    for slower in (0.0, 0.5):
        twin = still(door_ms=2000, ageing=Ageing(door_slower=slower))
        twin.travel(1, 3)
        until(twin, lambda t: t.phase == "opening")
        took.append(until(twin, lambda t: t.phase == "open"))
    assert took == [pytest.approx(2000, abs=25), pytest.approx(3000, abs=25)]


def test_a_drifting_drive_stops_beside_its_level_by_so_much_and_is_levelled_again_when_it_is_too_much() -> None:
    twin = Twin(LiftSpec(seed=3, traffic_factor=20.0, ageing=Ageing(stop_error_mm=10.0)))
    errors: list[float] = []
    relevelled = 0
    phase = ""
    while len(errors) < 400:
        twin.advance(twin.now_ms + 100)
        if twin.phase != phase:
            phase = twin.phase
            if phase == "arrived":
                errors.append(twin.position_mm - twin.floor_mm(twin.floor))
            elif phase == "closing":
                relevelled += abs(twin.position_mm - twin.floor_mm(twin.floor)) < 1e-6
    assert statistics.stdev(errors) == pytest.approx(10.0, rel=0.15) and max(map(abs, errors)) <= WORST_STOP_MM
    # Beyond one and a half standard deviations: one stop of seven or eight; fewer where somebody keeps the door open.
    assert 20 < relevelled < 120


def test_a_lift_that_is_worn_further_has_only_what_it_is_worn_now() -> None:
    twin = still(seed=8, door_ms=2000, ageing=Ageing(door_slower=0.5, zone_flickers=20.0))
    twin.age(Ageing())
    twin.travel(1, 3)
    until(twin, lambda t: t.phase == "opening")
    assert until(twin, lambda t: t.phase == "open") == pytest.approx(2000, abs=25)
    spells = {0: 0, 1: 0}
    was = False
    begin_ms = twin.now_ms
    for step in range(2 * 6 * 60 * 24 * 20):
        half = step // (6 * 60 * 24 * 20)
        if step % (6 * 60 * 24 * 2) == 0:
            twin.age(Ageing(zone_flickers=4.0 * half))  # every second day: what was awaited must not come besides
        twin.advance(begin_ms + step * 10_000)
        spells[half] += ("zone_flickers" in twin.flaws) and not was
        was = "zone_flickers" in twin.flaws
    assert spells[0] == 0 and 50 < spells[1] < 110


@pytest.mark.parametrize(
    ("name", "ageing"),
    [
        ("zone_flickers", Ageing(zone_flickers=2.0)),
        ("presence_noisy", Ageing(presence_noisy=2.0)),
        ("presence_stuck", Ageing(presence_stuck=2.0)),
    ],
)
def test_spells_come_as_often_as_they_are_said_to_and_pass(name: str, ageing: Ageing) -> None:
    twin = still(seed=8, ageing=ageing)
    spells = 0
    was = False
    for minute in range(60 * 24 * 60 * 6):
        twin.advance(minute * 10_000)
        spells += (name in twin.flaws) and not was
        was = name in twin.flaws
    assert 80 < spells < 160
    assert twin.flaws <= {name}


def seconds_seen(twin: Twin) -> int:
    """In how many of 2000 s the sensor sees somebody."""
    seen = 0
    for _ in range(2000):
        twin.advance(twin.now_ms + 1000)
        seen += twin.presence
    return seen


def test_a_noisy_presence_sensor_misses_people_and_sees_ghosts() -> None:
    twin = still(seed=2)
    twin.flaws.add("presence_noisy")
    assert 100 < seconds_seen(twin) < 400
    twin.travel(1, 2, stays=True)
    until(twin, lambda t: bool(t.aboard))
    assert 1200 < seconds_seen(twin) < 1600


def test_a_bouncing_button_is_one_press() -> None:
    bounced = 0
    for seed in range(30):
        watched = Watched(still(seed=seed, ageing=Ageing(button_bounce_ms=40)))
        twin = watched.twin
        watched.follow(1000)
        twin.press(True)
        told = watched.follow(600)
        twin.press(False)
        told += watched.follow(600)
        assert [(step.kind, step.phase) for step in told] == [("button_pressed", "open")], seed
        assert not twin.button
        bounced += len(twin.button_edges) > 2
    assert bounced > 20


def test_the_same_seed_ages_the_same_way_and_nothing_depends_on_who_looks() -> None:
    ageing = Ageing(0.4, 6.0, 20.0, 20.0, 2.0, 30)
    often, seldom = (Twin(LiftSpec(seed=5, ageing=ageing)) for _ in range(2))
    for at in range(0, DAY_MS, 3_600_000):
        for part in range(0, 3_600_000, 60_000):
            often.advance(at + part)
            often.sample()
        seldom.advance(often.now_ms)
        assert often.sample() == seldom.sample() and often.flaws == seldom.flaws
