"""What the intake makes of a node's times: records keep the node's own stamp, so that no gateway gives them another."""

import pytest

from gateway.config import Lift
from gateway.intake import record_offset_ms
from gateway.lifts import LiftEnd
from protocols.records import Batch, BatchWriter

T_MS = 1_795_000_000_000
UP_MS = 5_000


def stamped(t_ms: int) -> Batch:
    writer = BatchWriter(1, 1, 3, UP_MS, t_ms)
    writer.add(UP_MS, {"floor": 2})
    return Batch(writer.close(), 1)


def end(heard_late_ms: int | None) -> LiftEnd:
    """A lift of whose boot 3 a message arrived so late; None: nothing of it was heard."""
    found = LiftEnd(Lift("lift-1", "s"), "gw", 0, 0)
    if heard_late_ms is not None:
        found.offset(3).add(UP_MS, T_MS + heard_late_ms)
    return found


@pytest.mark.parametrize("heard_late_ms", [0, 3, 900, 4_000, None])
def test_every_gateway_gives_a_record_the_same_time(heard_late_ms: int | None) -> None:
    assert record_offset_ms(end(heard_late_ms), stamped(T_MS), UP_MS, 7) == T_MS - UP_MS


@pytest.mark.parametrize("shift_ms", [-86_400_000, 86_400_000])
def test_a_record_stamped_while_a_clock_was_wrong_has_the_time_that_is_heard(shift_ms: int) -> None:
    assert record_offset_ms(end(3), stamped(T_MS + shift_ms), UP_MS, 7) == T_MS + 3 - UP_MS


def test_a_node_without_a_clock_is_timed_as_heard_and_else_as_it_arrives() -> None:
    assert record_offset_ms(end(3), stamped(0), UP_MS, 7) == T_MS + 3 - UP_MS
    assert record_offset_ms(end(None), stamped(0), UP_MS + 40, T_MS) == T_MS - UP_MS - 40


def test_a_boot_that_never_had_a_time_ended_before_the_next_began() -> None:
    found = end(None)
    found.offset(5).add(UP_MS, T_MS)
    found.offset(6).add(UP_MS, T_MS + 60_000)
    assert record_offset_ms(found, stamped(0), UP_MS + 40, T_MS + 90_000) == T_MS - UP_MS - UP_MS - 40
    assert record_offset_ms(found, stamped(0), UP_MS + 40, T_MS - 90_000) == T_MS - 90_000 - UP_MS - 40
