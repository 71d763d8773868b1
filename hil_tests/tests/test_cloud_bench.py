"""`liftwatch bench cloud` measures what it says: small, and without a look at the figures, which a busy machine spoils."""

import pytest

from hil_tests.measure.cloud import command
from hil_tests.measure.cloud.command import Report, Size

TINY = Size(lifts=60, contractors=2, viewers=4, seconds=1.0, alarms=2, incidents=300, requests=2)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ROUNDS", 1)
    monkeypatch.setattr(command, "SETTLE_S", 1.0)


def measured(rows: list[tuple[str, str, str, str]]) -> dict[str, str]:
    return {name: value for name, value, _, _ in rows}


def test_viewers_are_told_of_their_lifts_four_to_five_times_a_second_and_it_costs_something() -> None:
    report = Report()
    command.fanout(TINY, report)
    found = measured(report.rows)
    hertz, _, kilobytes, _ = found["told to each viewer"].split()
    assert 2 < float(hertz) < 5.5 and float(kilobytes) > 1
    assert any("30 lifts" in name for name in found)


@pytest.mark.browser
def test_alarms_of_a_real_gateway_come_to_the_screen() -> None:
    report = Report()
    command.alarm_times(TINY, report)
    found = measured(report.rows)
    assert found["alarms that were not seen"].split()[0] == "0.0"
    assert "n 2" in found["alarm: commit to screen"]


def test_every_list_is_measured_and_a_missed_goal_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report()
    command.list_times(TINY, report, postgres=False)
    assert len([name for name in measured(report.rows) if name.startswith("SQLite: /api/v1/")]) == 5
    report.add("too slow", 60, 50, "ms")
    assert report.failed and report.rows[-1][3] == "MISSED"
