"""The promise under a fixed seed, in short; `liftwatch bench chaos --hours N` is the long form."""

import pytest

from hil_tests.measure.chaos import run_seed

pytestmark = pytest.mark.chain


def test_half_a_minute_of_chaos_loses_and_doubles_nothing() -> None:
    outcome = run_seed(1, 30.0, 3, node_kills=False)
    assert outcome.failures == [], "\n".join(outcome.steps)
    # A run in which nothing happened would prove nothing. Without a link a batch waits for a minute, so there are few of them.
    assert outcome.figures["revisions"] > 20 and outcome.figures["batches"] >= 3 and len(outcome.steps) > 10
