"""The battery of the node's supply: it runs down in a power cut, is charged again, and says when little is left."""

import pytest

from hil_tests.bench.battery import HOUR_MS, NOMINAL_MS, Battery
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.twin import LiftSpec, Twin


def test_a_good_battery_is_low_after_four_fifths_of_its_time_and_empty_after_all_of_it() -> None:
    battery = Battery(0)
    battery.supply(False, 0)
    assert not battery.low(NOMINAL_MS * 4 // 5 - 1000)
    assert battery.low(NOMINAL_MS * 4 // 5 + 1000)
    assert battery.charge_ms(NOMINAL_MS) == battery.charge_ms(NOMINAL_MS + HOUR_MS) == 0


def test_the_mains_charges_it_more_slowly_than_the_node_empties_it_and_never_beyond_full() -> None:
    battery = Battery(0)
    battery.supply(False, 0)
    battery.supply(True, 2 * HOUR_MS)
    assert battery.charge_ms(3 * HOUR_MS) == pytest.approx(NOMINAL_MS - 2 * HOUR_MS + 0.4 * HOUR_MS)
    assert battery.charge_ms(99 * HOUR_MS) == NOMINAL_MS


def test_a_worn_cell_is_low_even_when_full_and_a_new_one_is_not() -> None:
    battery = Battery(0)
    battery.wear(0.15, 0)
    assert battery.low(0) and battery.low(99 * HOUR_MS)
    battery.wear(1.0, 99 * HOUR_MS)
    assert not battery.low(99 * HOUR_MS)


def test_in_a_long_power_cut_the_twin_says_that_its_node_s_battery_is_low() -> None:
    twin = Twin(LiftSpec())
    SCRIPTS["mains_lost"].inject(twin)
    twin.advance(3 * HOUR_MS)
    assert not twin.battery_low
    twin.advance(NOMINAL_MS)
    assert twin.battery_low
    SCRIPTS["mains_lost"].clear(twin)
    twin.advance(twin.now_ms + 10 * HOUR_MS)
    assert not twin.battery_low
