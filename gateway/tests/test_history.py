"""History made few enough to be drawn: what may not be lost by it, and what held before its window."""

import pathlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.history import reduced, step_ms
from gateway.locallog import Stored
from gateway.tests.test_log_export import held
from protocols.records import Batch, BatchWriter

T_MS = 1_795_000_000_000
values = st.one_of(st.none(), st.integers(-5, 5), st.booleans())


@given(st.lists(values, max_size=60), st.integers(1, 12), st.integers(1, 50))
def test_no_peak_no_hole_and_no_end_is_lost_and_no_span_has_more_than_five(
    told: list[int | None], points: int, every: int
) -> None:
    series: list[list[Any]] = [[1000 + at * every, value] for at, value in enumerate(told)]
    to_ms = 1000 + len(told) * every
    step = step_ms(1000, to_ms, points)
    found = reduced(series, 1000, step)
    assert [point for point in series if point in found] == found
    spans: dict[int, list[list[Any]]] = {}
    for point in series:
        spans.setdefault((point[0] - 1000) // step, []).append(point)
    assert len(spans) <= points + 1
    for number, span in spans.items():
        kept = [point for point in found if (point[0] - 1000) // step == number]
        assert kept[0] == span[0] and kept[-1] == span[-1] and (step == 1 or len(kept) <= 5)
        known = [value for _, value in span if value is not None]
        if known:
            assert {min(known), max(known)} <= {value for _, value in kept}
        assert (None in [value for _, value in kept]) == (None in [value for _, value in span])


def test_what_held_when_the_window_began_is_told_beside_it(tmp_path: pathlib.Path) -> None:
    batches = []
    for number, (up_ms, changes) in enumerate(
        [(1000, {"floor": 1, "mains": True}), (700_000, {"floor": 2}), (800_000, {"floor": 3})], 1
    ):
        writer = BatchWriter(1, number, 1, up_ms, 0)
        writer.add(up_ms, changes)
        batches.append(Stored("lift-1", Batch(writer.close(), 1), T_MS, T_MS + up_ms, [], 1, True))
    log = held(tmp_path / "log.db", batches)
    found = log.reader().history("lift-1", T_MS + 750_000, T_MS + 900_000, ["floor", "mains"], 100)
    assert found["fields"] == {"floor": [[T_MS + 800_000, 3]], "mains": []}
    # What was told 12 minutes before says nothing any more: the node would have told it again.
    assert found["before"] == {"floor": [T_MS + 700_000, 2]}
    log.close()
