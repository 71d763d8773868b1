"""Ordinary days raise no event: twin and detector joined in process. The long run is `liftwatch bench ordinary --lift-days 300`."""

import pytest
from click.testing import CliRunner

from hil_tests.bench.cli import ordinary
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.ordinary import CONTROL_FAULT, Life, Report, house, live, run_many

BEGIN_MS = 1_700_000_000_000


@pytest.mark.parametrize("number", range(6))
def test_ten_ordinary_days_raise_nothing_and_a_real_fault_is_found(number: int) -> None:
    report = live(number, 11, 10.0)
    assert report.events == []
    assert report.controls_found == report.controls == 1
    assert 300 < report.starts < 1700
    # The days were not so easy that nothing came near.
    assert report.near_misses


def test_work_on_the_lift_is_lived_through_and_suppressed() -> None:
    report = live(1, 5, 40.0)
    assert report.visits >= 3 and report.suppressed and report.events == []


def test_it_lives_far_faster_than_real_time() -> None:
    report = live(2, 3, 5.0)
    assert report.lift_days * 86_400 / report.cpu_s > 50_000


def test_a_false_alarm_would_be_told() -> None:
    life = Life(house(0, 1), BEGIN_MS)
    SCRIPTS[CONTROL_FAULT].inject(life.twin)
    life.watch(BEGIN_MS + 120_000)
    report = life.report
    assert [event.split()[0] for event in report.events] == [CONTROL_FAULT]
    assert "seed" in report.text() and "events raised: 1" in report.text()


def test_the_same_seed_is_the_same_life() -> None:
    first, second = live(3, 9, 2.0), live(3, 9, 2.0)
    assert (first.starts, first.samples, first.near_misses) == (second.starts, second.samples, second.near_misses)


def test_lives_are_spread_over_processes_and_added_up() -> None:
    told: list[int] = []
    report = run_many(12, 1, 2, told.append)
    assert report.lift_days == 12 and report.controls == report.controls_found == 2 and told[-1] == 12


def test_the_command_fails_when_there_is_a_false_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "hil_tests.bench.cli.run_many", lambda *_: Report(lift_days=1, events=["door_blocked open on day 0.1"])
    )
    result = CliRunner().invoke(ordinary, ["--lift-days", "1"])
    assert result.exit_code == 1 and "door_blocked open on day 0.1" in result.output
