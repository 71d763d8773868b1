"""Area events under any order of events, times, alarms, restarts and failing stores: what must hold always."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.area_causes import LONGEST_HOLD_MS, OF_KIND
from gateway.tests.area_rig import NOBODY, SEEN, Event, Rig, classes
from gateway.triage import CLASSES, Whereabouts

SITES = {"a": 4, "b": 3, "c": 1}
LIFTS = [f"{site}-{n}" for site, count in SITES.items() for n in range(count)]
KINDS = ("mains_lost", "mains_lost", "node_offline", "earthquake")
ALARMS = ("button_pressed", "trapped_in_power_cut")

PASS = st.tuples(st.just("passes"), st.sampled_from([200, 3000, 30_000, 90_000, 700_000]))
TELLS = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(LIFTS), st.sampled_from(KINDS), st.sampled_from([0, 2000, 40_000])),
    st.tuples(st.just("strike"), st.sampled_from(["a", "b", "abc"]), st.sampled_from(KINDS), st.just(2000)),
    st.tuples(st.just("heal"), st.sampled_from(["a", "b", "abc"])),
    st.tuples(st.just("close"), st.sampled_from(LIFTS)),
    st.tuples(st.just("alarm"), st.sampled_from(LIFTS), st.sampled_from(ALARMS)),
    st.tuples(st.just("calm"), st.sampled_from(LIFTS)),
    st.tuples(st.just("sees"), st.sampled_from(LIFTS), st.booleans()),
)
STEPS = st.lists(st.one_of(TELLS, PASS), max_size=40)


class Driven:
    """A rig that takes steps as drawn. A lift has one incident of a kind open at a time, as the node tells it."""

    def __init__(self) -> None:
        self.rig = Rig(SITES)
        self.open: dict[tuple[str, str], Event] = {}
        self.seen: dict[str, Whereabouts] = {}

    def take(self, step: tuple[Any, ...]) -> None:
        what, *more = step
        getattr(self, what)(*more)

    def passes(self, ms: int) -> None:
        self.rig.passes(ms, max(250, ms // 60))

    def strike(self, sites: str, kind: str, ago_ms: int) -> None:
        for lift in LIFTS:
            if lift[0] in sites:
                self.begin(lift, kind, ago_ms)

    def heal(self, sites: str) -> None:
        for lift in LIFTS:
            if lift[0] in sites:
                self.end(lift, KINDS)

    def close(self, lift: str) -> None:
        self.end(lift, KINDS)

    def alarm(self, lift: str, kind: str) -> None:
        self.begin(lift, kind, 0)

    def calm(self, lift: str) -> None:
        self.end(lift, ALARMS)

    def sees(self, lift: str, somebody: bool) -> None:
        self.seen[lift] = SEEN if somebody else NOBODY
        self.rig.core.knows(lift, self.seen[lift])

    def begin(self, lift: str, kind: str, ago_ms: int) -> None:
        if (lift, kind) not in self.open:
            where = self.seen.get(lift, NOBODY)
            more = {"last_known": {"mains": (lift, "mains_lost") not in self.open}} if kind == "node_offline" else {}
            self.open[lift, kind] = self.rig.opens(lift, kind, ago_ms, where, **more)

    def end(self, lift: str, kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            if (event := self.open.pop((lift, kind), None)) is not None:
                self.rig.closes(event)

    def restart(self) -> None:
        """The gateway is another process; those nodes that are heard tell of their cars again."""
        self.rig.restart()
        for lift in LIFTS:
            self.rig.core.knows(lift, self.seen.get(lift, NOBODY))
        self.rig.round()

    def picture(self) -> set[tuple[Any, ...]]:
        """All open areas, whatever they are called."""
        return {
            (area["kind"], area["snapshot"].get("site"), area["severity"], frozenset(classes(area).items()))
            for area in self.rig.newest_areas() if area["phase"] != "closed"
        }  # fmt: skip


ORDER = ("alarm", "occupied", "unknown", "moving", "empty", "ended")


def order(member: dict[str, Any]) -> tuple[int, int, str]:
    return ORDER.index(member["class"]), member["since_ms"], member["lift"]


def check(driven: Driven) -> None:
    """What holds at any moment behind a round."""
    rig = driven.rig
    areas = {area["id"]: area for area in rig.newest_areas()}
    keys = [(a["kind"], a["snapshot"].get("site")) for a in areas.values() if a["phase"] != "closed"]
    assert len(keys) == len(set(keys)), "two open areas of one cause and group"
    for name, revisions in rig.areas.items():
        assert [event["rev"] for event in revisions] == list(range(1, len(revisions) + 1)), name
        assert revisions[0]["phase"] == "open" and "open" not in {event["phase"] for event in revisions[1:]}
        for event in revisions:
            assert event["members"] == sorted(event["members"], key=order), (
                "in the order in which they are looked after"
            )
            shuffled = random.Random(len(revisions)).sample(event["members"], len(event["members"]))
            assert sorted(shuffled, key=order) == event["members"], "which is total"
            counted = {name: event["snapshot"][name] for name in CLASSES}
            assert counted == {name: list(classes(event).values()).count(name) for name in CLASSES}
    for name, area_name in rig.stored_marks.items():
        event, area = rig.newest[name], areas[area_name]
        if event["phase"] != "closed" and event["kind"] in OF_KIND and "into" not in area["snapshot"]:
            assert area["phase"] != "closed", f"{area_name} ended over {name}"


def settled(driven: Driven) -> None:
    """Everything due is told: behind a round with nothing more to wait for."""
    driven.rig.passes(2 * LONGEST_HOLD_MS, 10_000)
    check(driven)
    rig = driven.rig
    areas = {area["id"]: area for area in rig.newest_areas()}
    for (lift, kind), event in driven.open.items():
        mark = rig.stored_marks.get(event["id"])
        if mark is not None and kind in OF_KIND:
            assert classes(areas[mark])[lift] != "ended", "no member is lost"
    for area in areas.values():
        for lift, name in classes(area).items():
            in_danger = any((lift, kind) in driven.open for kind in ALARMS)
            if area["phase"] != "closed" and name != "ended":
                assert (name == "alarm") == in_danger


@settings(max_examples=150)
@given(STEPS)
def test_no_member_is_lost_and_one_area_is_open_for_each_cause_and_group(steps: list[tuple[Any, ...]]) -> None:
    driven = Driven()
    for step in steps:
        driven.take(step)
        driven.rig.round()
        check(driven)
    settled(driven)
    for lift in LIFTS:
        driven.end(lift, (*KINDS, *ALARMS))
    driven.rig.passes(3 * LONGEST_HOLD_MS, 10_000)
    assert all(area["phase"] == "closed" for area in driven.rig.newest_areas())
    assert driven.rig.core.lifts() == [] and driven.rig.core.marks(1) == [], "nothing is kept of what is over"


@settings(max_examples=150)
@given(STEPS, st.sets(st.integers(0, 40), min_size=1, max_size=4))
def test_a_restart_anywhere_leaves_the_same_areas(steps: list[tuple[Any, ...]], restarts: set[int]) -> None:
    one, other = Driven(), Driven()
    for number, step in enumerate(steps):
        for driven in (one, other):
            driven.take(step)
            if driven is other and number in restarts:  # in the middle of a moment's gathering, too
                driven.restart()
            driven.rig.passes(3000)
        check(other)
    settled(one)
    settled(other)
    assert one.picture() == other.picture()


@settings(max_examples=100)
@given(STEPS, st.randoms(use_true_random=False))
def test_a_store_that_fails_now_and_then_changes_nothing_in_the_end(
    steps: list[tuple[Any, ...]], chance: random.Random
) -> None:
    one, other = Driven(), Driven()
    for step in steps:
        for driven in (one, other):
            driven.take(step)
            if driven is other and chance.random() < 0.5:
                driven.rig.core.due(driven.rig.mono_ms, driven.rig.unix_ms)  # nobody stores it
            driven.rig.passes(2500)
    settled(one)
    settled(other)
    assert one.picture() == other.picture()


@settings(max_examples=150)
@given(STEPS)
def test_whatever_comes_while_a_revision_is_being_stored_changes_nothing_in_the_end(
    steps: list[tuple[Any, ...]],
) -> None:
    one, other = Driven(), Driven()
    for step in steps:
        for driven in (one, other):
            if step[0] == "passes":
                driven.take(step)
                continue
            storing = driven.rig.core.due(driven.rig.mono_ms, driven.rig.unix_ms) if driven is other else []
            driven.take(step)
            driven.rig.store(storing)
            driven.rig.passes(1100)
        check(other)
    settled(one)
    settled(other)
    assert one.picture() == other.picture()
