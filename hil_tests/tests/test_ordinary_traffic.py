"""Ordinary days raise no event: twin and detector joined in process. The long run is `liftwatch bench detection`."""

import concurrent.futures
from dataclasses import replace

import pytest

from hil_tests.bench.ageing import Ageing
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.ordinary import CONTROL_FAULT, Life, Report, house, live, run_many

BEGIN_MS = 1_700_000_000_000


# 150 lift-days of each kind.
@pytest.mark.parametrize("aged", [False, True])
@pytest.mark.parametrize("number", range(15))
def test_ten_days_raise_nothing_but_what_is_true_and_a_real_fault_is_found(number: int, aged: bool) -> None:
    report = live(number, 11, 10.0, aged)
    assert report.false == [] and report.true_events == report.true_expected
    assert report.controls_found == report.controls == 1
    assert 300 < report.starts < 2000
    # The days were not so easy that nothing came near.
    assert report.near_misses


def test_work_on_the_lift_and_power_cuts_are_told_as_what_they_are_and_as_nothing_else() -> None:
    report = live(0, 5, 40.0)
    assert report.acts >= 5 and report.true_events == report.true_expected >= 8
    assert report.suppressed and report.false == []


def test_it_lives_far_faster_than_real_time() -> None:
    assert live(1, 3, 5.0).times_real_time() > 50_000


def test_a_false_alarm_would_be_told() -> None:
    life = Life(house(0, 1), BEGIN_MS)
    SCRIPTS[CONTROL_FAULT].inject(life.twin)
    life.watch(BEGIN_MS + 120_000)
    report = life.report
    assert report.kinds() == {CONTROL_FAULT: 1}
    assert "seed=" in report.false[0] and "day 0.00" in report.false[0]


def test_an_aged_lift_tells_of_its_worn_parts_and_that_is_no_false_alarm() -> None:
    spec = house(5, 1, aged=True)
    assert spec.ageing.zone_flickers > 0 and spec.ageing.door_slower > 0
    report = Life(spec, BEGIN_MS).live(3.0)
    assert report.false == [] and report.of_flaws > 0


def test_the_same_seed_is_the_same_life() -> None:
    first, second = live(3, 9, 2.0, True), live(3, 9, 2.0, True)
    assert (first.starts, first.samples, first.near_misses) == (second.starts, second.samples, second.near_misses)


def test_lives_are_spread_over_processes_and_added_up() -> None:
    total = Report()
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        for life in run_many(12, 1, False, pool):
            total.add(life.result())
    assert total.lift_days == 12 and total.controls == total.controls_found == 2


def test_somebody_shut_in_under_a_sensor_that_misses_people_is_told_in_one_way_or_the_other() -> None:
    for seed in range(4):
        spec = replace(house(seed, 3), ageing=Ageing(presence_noisy=5000.0))
        report = Life(spec, BEGIN_MS).live(0.05)
        assert report.controls_found == report.controls == 1 and report.false == []
