"""What the change log records of a car that runs, stops, slips and trembles, on both interpreters."""

from protocols.delivery.log import ChangeLog, RamStore
from protocols.records import Batch
from protocols.state import LiftState


def _recorded(course: list) -> list:
    """[(ms, changes)] that the log keeps of `course` [(ms, speed, position)]."""
    log = ChangeLog(RamStore(1, 100000), 1)
    for now, speed, position in course:
        log.record(LiftState(speed_mm_s=speed, position_mm=position), now)
    log.flush(10000000)
    found = []
    for number in range(1, log.newest + 1):
        body = log.body(number)
        assert body is not None
        found += Batch(body, 1).records()
    return found


def test_small_changes_of_a_running_car_are_not_recorded() -> None:
    course = [(0, 1000, 5000), (100, 1100, 5100), (200, 1149, 5399), (300, 1150, 5399), (400, 1150, 5400)]
    assert _recorded(course) == [
        (0, {"speed_mm_s": 1000, "position_mm": 5000}),
        (300, {"speed_mm_s": 1150}),
        (400, {"position_mm": 5400}),
    ]


def test_where_a_car_comes_to_rest_is_recorded_exactly() -> None:
    course = [(0, 1000, 5000), (100, 140, 5200), (200, 0, 5210), (300, 0, 5240)]
    assert _recorded(course)[1:] == [(100, {"speed_mm_s": 140}), (200, {"speed_mm_s": 0, "position_mm": 5210})]


def test_a_snapshot_of_a_parked_car_shows_no_other_place_than_the_one_it_came_to_rest_at() -> None:
    course = [(0, 1000, 5000), (100, 0, 5210), (700000, 0, 5210)]
    assert _recorded(course)[-1] == (700000, {"speed_mm_s": 0, "position_mm": 5210})
    assert _recorded(course)[-2] == (100, {"speed_mm_s": 0, "position_mm": 5210})


def test_a_car_that_slips_away_from_its_rest_is_recorded_and_one_that_trembles_is_not() -> None:
    assert _recorded([(0, 0, 5000), (100, 29, 5000), (200, 0, 5003), (300, 30, 5010)])[1:] == [
        (300, {"speed_mm_s": 30})
    ]
