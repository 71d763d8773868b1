"""The bench of health in short: twins through the gateway's own command; `liftwatch bench health` is the long form."""

import pathlib

import pytest

from hil_tests.measure.health import KINDS, Outcome, judged, measure, rows, separation, text


def test_how_well_two_groups_are_told_apart_is_a_share_of_pairs() -> None:
    assert separation([1, 2, 3], [4, 5]) == 1
    assert separation([1, 2], [1, 2]) == 0.5
    assert separation([5], [1, 2]) == 0
    assert separation([], [1]) is None


def test_a_worn_lift_is_told_from_a_new_one_by_what_is_worn(tmp_path: pathlib.Path) -> None:
    shares: list[float] = []
    outcome = measure(tmp_path, 1, 20, 1, 1, shares.append)
    assert {kind: len(told) for kind, told in outcome.told.items()} == dict.fromkeys(KINDS, 1)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1]) and not list(tmp_path.iterdir())
    found = {row[0]: row for row in rows(outcome)}
    assert found["door_1_opening"][7:9] == found["levelling"][7:9] == ("1.00", "1.00")
    assert found["failed_starts"][7:9] == ("0.50", "0.50") and found["faults"][7] == "–"
    assert "new   scores 100 to 100" in text(outcome)


def test_what_the_gateway_cannot_judge_ends_the_bench_with_its_words(tmp_path: pathlib.Path) -> None:
    (tmp_path / "odd.lwrec").write_text("odd")
    with pytest.raises(RuntimeError, match="no recording"):
        judged(tmp_path / "odd.lwrec")
    assert rows(Outcome())[0][0] == "door_1_opening"
