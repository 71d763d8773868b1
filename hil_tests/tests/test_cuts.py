"""Real cuts of real links with TLS: what is receipted is kept, what is missing is sent, and nobody helps."""

import pytest

from hil_tests.measure import cuts

pytestmark = pytest.mark.chain


def test_a_cut_of_each_kind_with_sockets_and_tls_loses_nothing_and_doubles_nothing() -> None:
    said: list[str] = []
    result = cuts.run(len(cuts.MOODS), 3, said.append, longest_s=1.5)
    assert result.failures == [], said
    assert sorted(result.recovered_s) == sorted(cuts.MOODS)
    assert result.figures["revisions"] > 20 and result.figures["batches"] > 2 and result.figures["door_cycles"] > 2
