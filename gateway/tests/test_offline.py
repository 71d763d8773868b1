"""A node's silence as an incident: opened at once, ended when it stays heard, one incident where it comes and goes."""

import pytest

from gateway.config import Lift
from gateway.live import OFFLINE_UNHEARD_MS, LiveLift
from gateway.offline import AWAY_MS, HOLD_MS, LONGEST_HOLD_MS, WAKE_MS, Offline, opened
from gateway.own_events import closed
from gateway.tests.test_live import link, state

UNIX_MS = 1_795_000_000_000


class Watched:
    """One node, and what is told of it."""

    def __init__(self) -> None:
        self.core = Offline()
        self.now_ms = 0
        self.told: list[tuple[int, str]] = []

    def passes(self, ms: int, silent: bool, stores: bool = True) -> None:
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms += 1000
            if silent or "lift-1" in self.core:
                self.core.look("lift-1", silent, self.now_ms, UNIX_MS + self.now_ms)
            for lift in self.core.to_open():
                live = LiveLift(Lift(lift, "s"), heard_ms=self.now_ms - 30_000)
                self.core.opening(opened(f"g-1-{self.now_ms}", live, self.now_ms, UNIX_MS + self.now_ms))
            if not stores:
                continue
            for event in self.core.pending():
                self.told.append((self.now_ms, event["phase"]))
                self.core.opened(event)
            for event, ended_ms in self.core.to_close(self.now_ms):
                end = closed(event, UNIX_MS + self.now_ms, ended_ms)
                self.told.append((end["closed_at_ms"] - UNIX_MS, end["phase"]))
                self.core.closed("lift-1", self.now_ms)


def test_a_silence_is_told_at_once_and_ends_when_its_node_was_heard_for_a_while() -> None:
    node = Watched()
    node.passes(60_000, silent=True)
    node.passes(HOLD_MS, silent=False)
    assert node.told == [(1000, "open")]
    node.passes(5000, silent=False)
    assert node.told == [(1000, "open"), (61_000, "closed")], "it ended when it was heard, not when that was sure"
    node.passes(LONGEST_HOLD_MS + 5000, silent=False)
    assert "lift-1" not in node.core, "nothing is kept of a node that is well"


def test_a_bad_radio_is_one_incident() -> None:
    node = Watched()
    for _ in range(20):
        node.passes(40_000, silent=True)
        node.passes(30_000, silent=False)
    assert [phase for _, phase in node.told] == ["open", "closed", "open"], "the second hold is twice as long"
    node.passes(2 * LONGEST_HOLD_MS, silent=False)
    assert [phase for _, phase in node.told][3:] == ["closed"]


def test_an_opening_that_may_be_stored_is_told_though_the_node_is_back() -> None:
    node = Watched()
    node.passes(5000, silent=True, stores=False)
    first = node.core.pending()
    node.passes(60_000, silent=False, stores=False)
    assert node.core.pending() == first
    node.passes(60_000, silent=False)
    assert [phase for _, phase in node.told] == ["open", "closed"]


def test_a_process_that_was_frozen_does_not_take_its_own_silence_for_the_nodes() -> None:
    core = Offline()
    assert all(core.is_awake(now_ms) for now_ms in range(0, 60_000, 1000))
    thawed_ms = 59_000 + AWAY_MS + 1
    asked = [core.is_awake(thawed_ms + after_ms) for after_ms in range(0, 2 * WAKE_MS, 1000)]
    assert asked == [after_ms >= WAKE_MS for after_ms in range(0, 2 * WAKE_MS, 1000)]


def test_an_open_incident_goes_on_over_a_restart_and_is_not_told_twice() -> None:
    node = Watched()
    node.passes(5000, silent=True)
    (event,) = node.core.open_events()
    again = Watched()
    again.core.restore(event)
    again.passes(300_000, silent=True)
    assert again.told == []
    again.passes(60_000, silent=False)
    assert [phase for _, phase in again.told] == ["closed"]


@pytest.mark.parametrize(("mains", "cause"), [(True, "mains_present"), (False, "on_battery"), (None, "mains_unknown")])
def test_the_incident_says_since_when_how_it_was_seen_and_what_was_told_last(mains: bool | None, cause: str) -> None:
    live = LiveLift(Lift("lift-1", "s"))
    first = state(seq=1)
    first["state"].car_status, first["state"].door_zone = 1, False
    live.on_state(first, 1000, UNIX_MS + 1000)
    last = state(seq=2)
    last["state"].forget_bus()  # the controller has died with the mains
    last["state"].mains, last["state"].passenger = mains, True
    live.on_state(last, 2000, UNIX_MS + 2000)
    live.on_link(link(False), 9000, retained=False)
    event = opened("g-1-1", live, 20_000, UNIX_MS + 20_000)
    assert event["stages"]["onset"] == UNIX_MS + 2000
    assert event["evidence"] == [["last_heard", UNIX_MS + 2000], ["will", UNIX_MS + 9000]]
    assert event["cause"] == cause and event["last_known_at_ms"] == UNIX_MS + 2000
    known = event["last_known"]
    assert (known["passenger"], known["car_status"], known["door_zone"], known["floor"]) == (True, 1, False, 3)
    assert (event["kind"], event["lift"], event["class"], event["snapshot"]) == ("node_offline", "lift-1", "fault", {})


def test_a_node_known_from_before_our_start_that_is_not_heard_is_offline_in_the_end() -> None:
    live = LiveLift(Lift("lift-1", "s"), watched_ms=0)
    assert live.quality(OFFLINE_UNHEARD_MS - 1) == "unknown"
    assert live.quality(OFFLINE_UNHEARD_MS) == "offline"
    assert opened("g-1-1", live, OFFLINE_UNHEARD_MS, UNIX_MS)["evidence"] == [["watched", UNIX_MS - OFFLINE_UNHEARD_MS]]
    live.on_link(link(False), 0, retained=True)  # the broker kept its will
    assert [live.quality(at_ms) for at_ms in (9999, 10_000)] == ["unknown", "offline"]
    stranger = LiveLift(Lift("lift-2", "s"))
    assert stranger.quality(10 * OFFLINE_UNHEARD_MS) == "unknown", "never installed"


def test_what_was_told_of_the_car_last_outlives_the_controller_s_silence_and_the_passenger_does_not() -> None:
    live = LiveLift(Lift("lift-1", "s"))
    first = state(seq=1)
    first["state"].car_status, first["state"].door_zone, first["state"].passenger = 1, False, True
    live.on_state(first, 1000, UNIX_MS)
    last = state(seq=2)
    last["state"].forget_bus()
    last["state"].passenger = None
    live.on_state(last, 2000, UNIX_MS + 1000)
    where = live.whereabouts(2000)
    assert (where.running, where.in_zone, where.floor, where.car_at_ms) == (True, False, 3, UNIX_MS)
    assert (where.passenger, where.passenger_at_ms, where.live) == (None, UNIX_MS + 1000, True)
    assert live.whereabouts(60_000).live is False
