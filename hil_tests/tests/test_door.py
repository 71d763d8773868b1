"""The door leaf: how long it takes, what stops it, what its switches and motor say."""

from hil_tests.bench.door import AJAR, CLOSED, CLOSING, NEVER, OPEN, OPENING, Door

TRAVEL = 2600


def test_a_door_opens_and_closes_in_its_time() -> None:
    door = Door(TRAVEL)
    door.open(0)
    assert door.state(100) == OPENING and door.done_ms() == TRAVEL
    assert door.state(TRAVEL) == OPEN and not door.is_shut(TRAVEL)
    door.close(5000)
    assert door.state(5001) == CLOSING
    assert door.done_ms() == 5000 + TRAVEL and door.is_shut(5000 + TRAVEL)
    assert door.state(5000 + TRAVEL) == CLOSED


def test_a_door_that_is_called_back_needs_only_the_rest_of_the_way() -> None:
    door = Door(TRAVEL)
    door.open(0)
    door.close(TRAVEL)
    door.open(TRAVEL + 1000)
    assert door.done_ms() == TRAVEL + 2000


def test_a_thing_on_the_sill_stops_it() -> None:
    door = Door(TRAVEL)
    door.open(0)
    door.close(TRAVEL, blocked_at=0.4)
    done = door.done_ms()
    assert done == TRAVEL + round(0.6 * TRAVEL)
    assert door.position(done + 10_000) == 0.4
    assert door.state(done + 10_000) == CLOSING


def test_a_jammed_door_stays_and_obeys_again_when_free() -> None:
    door = Door(TRAVEL)
    door.jam(0, True)
    door.open(100)
    assert door.done_ms() == NEVER
    assert door.state(60_000) == OPENING and door.is_shut(60_000)
    door.jam(60_000, False)
    assert door.position(60_000 + TRAVEL) == 1.0


def test_a_door_without_power_stays_ajar() -> None:
    door = Door(TRAVEL)
    door.open(0)
    door.halt(1300)
    assert door.state(99_000) == AJAR and door.position(99_000) == 0.5
