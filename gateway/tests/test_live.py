"""Quality of a lift by its ages, boots and wills: what is old never looks live."""

from typing import Any

import pytest

from gateway.config import Lift
from gateway.live import LiveLift
from protocols.messages import decode


def state(boot: int = 1, seq: int = 1, sample: bool = True, period_ms: int = 1000) -> dict[str, Any]:
    sample_text = f'"sample_up_ms":{seq * 1000 - 50},' if sample else ""
    text = (
        f'{{"boot":{boot},"seq":{seq},"up_ms":{seq * 1000},{sample_text}"period_ms":{period_ms},"floor":3,"doors":[2]}}'
    )
    return decode("state", text.encode())


def link(online: bool, boot: int = 1, conn: int = 1) -> dict[str, Any]:
    return decode("link", f'{{"online":{str(online).lower()},"boot":{boot},"conn":{conn}}}'.encode())


@pytest.mark.parametrize(
    ("after_ms", "quality"), [(0, "good"), (2999, "good"), (3000, "stale"), (29_000, "stale"), (30_000, "offline")]
)
def test_silence_becomes_stale_and_then_offline(after_ms: int, quality: str) -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    assert lift.quality(0) == "unknown"
    lift.on_state(state(), 1000, 5)
    assert lift.quality(1000 + after_ms) == quality


def test_a_metered_period_stretches_the_limits() -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    lift.on_state(state(period_ms=20_000), 0, 5)
    assert lift.quality(59_000) in ("good", "bus_silent")
    assert lift.quality(60_000) == "offline"


def test_what_a_link_costs_is_told_for_a_month_once_the_boot_is_old_enough_to_tell() -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    for up_ms, link_bytes, month in ((599_000, 5000, None), (600_000, 5000, 21_600_000), (700_000, None, 21_600_000)):
        lift.on_state({**state(seq=up_ms // 1000), "up_ms": up_ms, "link_bytes": link_bytes}, up_ms, 5)
        assert lift.view(up_ms, 5)["link_bytes_month"] == month


def test_signal_and_round_trip_are_those_told_last_and_no_others_after_a_reset() -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    told = {"link_bytes": 5000, "rssi_dbm": -71, "rtt_ms": 9}
    for seq, more, shown in ((1, told, (-71, 9)), (2, {"rtt_ms": 8}, (-71, 8)), (1, {"boot": 2}, (None, None))):
        lift.on_state({**state(seq=seq), **more}, seq, 5)
        assert (lift.view(seq, 5)["rssi_dbm"], lift.view(seq, 5)["rtt_ms"]) == shown


def test_a_will_counts_after_ten_seconds_unless_the_node_came_back() -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    lift.on_link(link(True), 0, retained=False)
    lift.on_state(state(), 0, 5)
    lift.on_link(link(False), 100, retained=False)
    assert lift.quality(9000) == "stale"
    assert lift.quality(10_100) == "offline"
    assert lift.on_link(link(True, conn=2), 10_200, retained=False)
    assert not lift.on_link(link(False, conn=1), 10_300, retained=False)  # the late will of the old connection
    lift.on_state(state(seq=2), 10_300, 6)
    assert lift.quality(10_400) == "good"


def test_older_states_and_boots_are_ignored() -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    assert lift.on_state(state(boot=2, seq=5), 0, 1)
    assert not lift.on_state(state(boot=2, seq=5), 1, 1)
    assert not lift.on_state(state(boot=2, seq=4), 1, 1)
    assert not lift.on_state(state(boot=1, seq=9), 1, 1)
    assert lift.on_state(state(boot=3, seq=1), 1, 1)


def test_without_a_bus_sample_the_bus_is_silent_and_the_link_is_not() -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    lift.on_state(state(sample=False), 0, 1)
    assert lift.quality(0) == "bus_silent"


def test_what_is_not_good_shows_no_value_as_current() -> None:
    lift = LiveLift(Lift("lift-1", "site"))
    lift.on_state(state(), 0, 1_763_600_000_000)
    assert lift.view(0, 1_763_600_000_000)["state"]["floor"] == 3
    view = lift.view(5000, 1_763_600_005_000)
    assert view["quality"] == "stale"
    assert view["state"]["floor"] is None
    assert view["last_known"] == {"state": lift.state, "at_ms": 1_763_600_000_000}
    assert view["link_age_ms"] == 5000
