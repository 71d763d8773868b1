"""Uptime that does not wrap, and the two clock mappings, on both interpreters."""

from protocols.clock import NodeClock, OffsetEstimate
from protocols.uptime import Uptime


def test_uptime_goes_on_over_the_wrap_of_the_ticks() -> None:
    period = 1 << 30
    uptime = Uptime(period, period - 100)
    assert uptime.up_ms(period - 50) == 50
    assert uptime.up_ms(25) == 125
    assert uptime.up_ms(20) == 125  # a reading from before is no time travel


def test_the_least_delayed_message_gives_the_offset() -> None:
    estimate = OffsetEstimate()
    assert not estimate.known() and estimate.gateway_ms(5) is None and estimate.error_ms() is None
    for up_ms, delay in ((1000, 40), (2000, 7), (3000, 900), (4000, 12)):
        estimate.add(up_ms, 1763600000000 + up_ms + delay, 15)
    assert estimate.gateway_ms(2500) == 1763600000000 + 2500 + 7
    assert 15 <= (estimate.error_ms() or 0) <= 20


def test_a_drifting_crystal_is_followed() -> None:
    estimate = OffsetEstimate()
    for minute in range(600):
        up_ms = minute * 60000
        drift = up_ms * 40 // 1000000
        estimate.add(up_ms, 1763600000000 + up_ms + drift + 5, 10)
    truth = 1763600000000 + up_ms + drift
    assert abs((estimate.gateway_ms(up_ms) or 0) - truth) <= (estimate.error_ms() or 0)


def test_a_gateway_clock_set_back_starts_the_estimate_again() -> None:
    estimate = OffsetEstimate()
    estimate.add(1000, 1763600000000)
    estimate.add(2000, 1763600000000 - 86400000)
    assert estimate.gateway_ms(2000) == 1763600000000 - 86400000


def test_a_gateway_clock_set_forward_is_followed_at_once() -> None:
    estimate = OffsetEstimate()
    for second in range(300):
        estimate.add(second * 1000, 1763600000000 + second * 1000)
    estimate.add(300000, 1763600000000 + 300000 + 86400000)
    assert estimate.gateway_ms(300000) == 1763600000000 + 300000 + 86400000
    assert estimate.gateway_ms(0) == 1763600000000 + 86400000  # the past is told on the scale of now


def test_the_node_takes_its_time_from_quick_acks() -> None:
    clock = NodeClock()
    assert clock.unix_ms(5) == 0 and not clock.known()
    clock.on_ack(1763600000000, 1000, 1010)
    assert clock.unix_ms(1010) == 1763600000000 and clock.rtt_ms == 10
    clock.on_ack(1763600001000, 1500, 2300)  # held up for 290 ms on the way: ignored
    assert clock.unix_ms(1010) == 1763600000000
    clock.on_ack(1763600100000 + 86400000, 100000, 101010)  # the gateway's clock was set: followed
    assert clock.unix_ms(101010) == 1763600100000 + 86400000
