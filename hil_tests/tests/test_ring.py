"""What the log of ordinary days costs on flash is a promise to whoever chooses the partition."""

from hil_tests.measure.ring import cost


def test_a_record_of_ordinary_traffic_takes_twelve_bytes_at_most_on_average() -> None:
    found = [cost(number, 1, 1.0) for number in (0, 2, 4, 6)]
    records = sum(each.records for each in found)
    assert records > 3000
    assert sum(each.bytes for each in found) / records <= 12
    # Half a million bytes of ring: a week of the busiest.
    assert min(each.hours_per_mb() for each in found) / 2 > 168
