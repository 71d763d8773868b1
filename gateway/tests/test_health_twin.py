"""New and aged twins, recorded by the node's own log over weeks: what aged comes out worse, and nothing else does. Fixed seeds.

`liftwatch bench health` is the long form, over many lifts.
"""

import functools

import pytest

from gateway.config import LiftHealth
from gateway.health.recorded import report_of
from gateway.health.report import PartReport, Report
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.ordinary import house
from hil_tests.bench.recorder import BEGIN_MS, record, record_ageing
from protocols.recording import read

ZONE_MS = 480 * 60_000
DAYS, NEW_DAYS = 28, 14
# Two doors, both slow; stops beside its level; a zone switch that flickers three times a day.
NUMBER, SEED = 2, 1
AGED = (
    "door_1_opening", "door_1_closing", "door_2_opening", "door_2_closing", "levelling", "relevellings", "zone_flickers",
)  # fmt: skip


@functools.cache
def made(kind: str) -> Report:
    out = bytearray()
    spec: LiftSpec = house(NUMBER, SEED, aged=kind != "new")
    if kind == "ages":
        record_ageing(out.extend, spec, BEGIN_MS, DAYS, NEW_DAYS)
    else:
        record(out.extend, spec, BEGIN_MS, DAYS if kind == "new" else 14, [])
    recording = read(bytes(out))
    assert recording.complete
    return report_of(recording, ZONE_MS, LiftHealth())[2]


def part(kind: str, name: str) -> PartReport:
    return next(found for found in made(kind).parts if found.name == name)


def mark(kind: str, name: str) -> int:
    found = part(kind, name).mark
    assert found is not None, name
    return found


def test_a_new_lift_is_well_in_all_that_is_known() -> None:
    report = made("new")
    assert report.score is not None and report.score >= 97 and report.known >= 85
    assert {found.name for found in report.parts if found.mark is None} == {"faults"}
    assert all(mark("new", name) == 100 for name in AGED)
    assert 2400 < (part("new", "door_1_opening").value or 0) < 2800
    assert (part("new", "levelling").value or 0) <= 2


@pytest.mark.parametrize("name", AGED)
def test_a_lift_that_ages_comes_out_worse_in_what_aged(name: str) -> None:
    aged, new = part("ages", name), part("new", name)
    assert aged.value is not None and new.value is not None and aged.baseline is not None
    assert aged.value > new.value and aged.value > 1.3 * aged.baseline
    assert mark("ages", name) <= mark("new", name) - 10


@pytest.mark.parametrize("name", [name for name in AGED if name not in ("relevellings", "zone_flickers")])
def test_its_trend_says_so(name: str) -> None:
    trend = part("ages", name).trend
    assert trend is not None and trend.direction == "worse" and trend.days > 24
    steady = part("new", name).trend
    assert steady is not None and steady.direction == "steady"


@pytest.mark.parametrize("name", ["failed_starts", "trip_time", "out_of_order", "no_data", "door_reversals"])
def test_what_did_not_age_stays_well(name: str) -> None:
    assert mark("ages", name) >= 90


def test_the_score_says_so_and_names_the_worst() -> None:
    aged, new = made("ages"), made("new")
    assert aged.score is not None and new.score is not None
    assert aged.score <= new.score - 25
    assert aged.lowest in AGED


def test_a_lift_that_was_old_from_the_first_day_is_worse_by_what_can_be_told_without_a_past() -> None:
    for name in ("levelling", "relevellings", "zone_flickers"):
        assert mark("aged", name) <= mark("new", name) - 10
    # Its doors are slow and were always so: within what is usual, that is no reproach.
    aged, new = part("aged", "door_1_closing"), part("new", "door_1_closing")
    assert aged.value is not None and new.value is not None and aged.value > 1.3 * new.value
    assert (made("aged").score or 0) < (made("new").score or 0) - 15
