"""The simple terminal: at whose pace states go out, and that no edge of the button gets lost between two of them."""

from typing import Any

import pytest

from hil_tests.bench.terminal import MAX_EDGES, Terminal
from protocols import messages
from protocols.state import LiftState

PARKED = {"controller_link": True, "car_status": 0, "door_zone": True, "speed_mm_s": 0, "button": False}


class Told:
    """A terminal and what it has told."""

    def __init__(self, period_ms: int = 1000) -> None:
        self.terminal = Terminal(7, period_ms)
        self.states: list[dict[str, Any]] = []

    def look(self, now: int, **values: int) -> "Told":
        for payload in self.terminal.look(LiftState(**{**PARKED, **values}), now):
            self.states.append(messages.decode("state", payload))
        return self

    def times(self) -> list[int]:
        return [state["up_ms"] for state in self.states]

    def buttons(self) -> list[bool | None]:
        return [state["state"].button for state in self.states]


def test_nothing_new_is_told_once_a_period_and_a_change_at_once() -> None:
    told = Told()
    for now in range(0, 5000, 100):
        told.look(now, door_zone=now < 2300)
    assert told.times() == [0, 1000, 2000, 2300, 3300, 4300]
    assert [state["seq"] for state in told.states] == [1, 2, 3, 4, 5, 6]
    assert told.states[0]["period_ms"] == 1000 and told.states[0]["boot"] == 7


def test_changes_are_told_five_times_a_second_at_most_and_one_that_is_over_is_told_too() -> None:
    told = Told()
    for now in range(0, 1000, 10):
        told.look(now, door_zone=now // 10 % 2 == 0)
    assert told.times() == list(range(0, 1000, 200))
    told = Told().look(0).look(20, car_status=1).look(330).look(400)
    assert [(state["up_ms"], state["state"].car_status) for state in told.states] == [(0, 0), (200, 1), (400, 0)]


def test_numbers_wait_for_the_next_period() -> None:
    told = Told()
    for now in range(0, 2000, 100):
        told.look(now, speed_mm_s=now)
    assert told.times() == [0, 1000]


def test_a_press_is_shown_until_a_state_has_told_it() -> None:
    told = Told().look(0)
    told.terminal.press()
    told.terminal.release()
    told.terminal.press()
    for now in range(10, 1500, 10):
        told.look(now)
    assert told.buttons()[:4] == [False, True, False, True]
    assert told.times()[:4] == [0, 200, 400, 600]


def test_more_edges_than_a_finger_makes_are_left_out_in_pairs() -> None:
    told = Told().look(0)
    for _ in range(20):
        told.terminal.press()
        told.terminal.release()
    for now in range(10, 5000, 10):
        told.look(now)
    assert told.buttons().count(True) == MAX_EDGES // 2 and told.buttons()[-1] is False


def test_a_sample_is_as_old_as_the_answer_of_the_bus() -> None:
    told = Told().look(0).look(1000).look(2000, controller_link=False).look(3000, controller_link=False)
    assert [state["sample_up_ms"] for state in told.states] == [0, 1000, 1000, 1000]


@pytest.mark.parametrize("conn", [1, 2])
def test_birth_and_will_are_of_one_connection_and_all_is_told_anew(conn: int) -> None:
    told = Told().look(0)
    birth = messages.decode("link", told.terminal.birth(conn, stops=6))
    will = messages.decode("link", told.terminal.will(conn))
    assert (birth["detects"], birth["conn"], birth["stops"], birth["online"]) == (False, conn, 6, True)
    assert (will["conn"], will["online"]) == (conn, False)
    assert told.look(500).times() == [0, 500] and told.states[-1]["conn"] == conn
