"""What a node says that its link costs, beside what a proxy saw of it: real broker, real TLS."""

import pytest

from hil_tests.measure import datacost

pytestmark = pytest.mark.chain


def test_a_node_counts_its_link_as_the_wire_does_and_never_less() -> None:
    found = datacost.run(0.2, False, lambda text: None, judged=False)
    for cost in (found.parked, found.busy):
        assert cost.minutes >= 0.2 and cost.captured > 5_000
        # Its model is at its dearest, and nothing is on its way at either end of the time.
        assert 1.0 <= cost.told / cost.captured <= 1.3, cost
    # The handshake is a constant of the model.
    assert 0.9 <= found.opening.told / found.opening.captured <= 1.2, found.opening
