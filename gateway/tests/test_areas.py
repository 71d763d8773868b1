"""Area events by hand: how many are one, who joins, who leaves, in which order, how often it is told."""

import json
from unittest import mock

import pytest

from gateway import area_causes
from gateway.area_causes import CAUSES, FIRST_GAP_MS, GATHER_MS, HOLD_MS, JOIN_MS, LISTED
from gateway.tests.area_rig import NOBODY, SEEN, UNIX_MS, Rig, classes, listed
from gateway.triage import Whereabouts

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("sites", "struck", "areas"),
    [
        ({"a": 1}, ["a-0"], 0),  # a single lift is no area
        ({"a": 2}, ["a-0", "a-1"], 0),  # nor is the pair at which a technician works
        ({"a": 3}, ["a-0", "a-1"], 0),
        ({"a": 3}, ["a-0", "a-1", "a-2"], 1),
        ({"a": 6}, ["a-0", "a-1", "a-2"], 1),  # half of the site
        ({"a": 7}, ["a-0", "a-1", "a-2"], 0),  # less: a staircase
        ({"a": 7}, ["a-0", "a-1", "a-2", "a-3"], 1),
        ({"a": 3, "b": 3}, ["a-0", "a-1", "a-2", "b-0", "b-1", "b-2"], 2),  # two sites are two areas
        ({"a": 2, "b": 2, "c": 1}, ["a-0", "a-1", "b-0", "b-1", "c-0"], 1),  # five of three sites are one
        ({"a": 2, "b": 2, "c": 1}, ["a-0", "a-1", "b-0", "b-1"], 0),
        ({"a": 4, "b": 4}, ["a-0", "b-0", "a-1", "b-1"], 0),
    ],
)
def test_how_many_lifts_of_how_many_are_an_area(sites: dict[str, int], struck: list[str], areas: int) -> None:
    rig = Rig(sites)
    for lift in struck:
        rig.opens(lift)
    rig.passes(10_000)
    found = rig.newest_areas()
    assert len(found) == areas
    assert sorted(lift for area in found for lift in classes(area)) == (sorted(struck) if areas else [])


@pytest.mark.parametrize(("kind", "area"), [("mains_lost", "area_power_cut"), ("emergency_power", "area_power_cut"),
                                            ("earthquake", "area_earthquake"), ("node_offline", "area_silence")])  # fmt: skip
def test_each_cause_has_an_area_of_its_own(kind: str, area: str) -> None:
    rig = Rig({"a": 4})
    for lift in rig.lifts:
        rig.opens(lift, kind)
    (told,) = rig.passes(5000)
    assert (told["kind"], told["phase"], told["rev"], told["lift"]) == (area, "open", 1, "gw")
    assert told["snapshot"] == {
        "scope": "site", "site": "a", "sites": 1, "lifts": 4, "lifts_known": 4,
        "alarm": 0, "occupied": 0, "unknown": 0, "moving": 0, "empty": 4, "ended": 0,
    }  # fmt: skip
    assert set(rig.stored_marks.values()) == {told["id"]} and len(rig.stored_marks) == 4


def test_what_is_not_within_the_window_is_not_one() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift)
        rig.passes(MINUTE_MS + 1000)
    assert rig.areas == {}
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift)
        rig.passes(MINUTE_MS // 2 - 1000)
    assert len(rig.areas) == 1


def test_the_first_revision_waits_a_second_for_the_others_of_the_same_moment() -> None:
    rig = Rig({"a": 10})
    for number in range(10):
        rig.opens(f"a-{number}")
        rig.passes(50, 50)
    (told,) = rig.passes(5000, 50)
    assert len(told["members"]) == 10
    # The fifth made it an area; what it waited is the second.
    assert told["stages"]["detected"] == UNIX_MS + 4 * 50 + GATHER_MS


def test_a_thousand_members_in_two_seconds_are_three_revisions_and_none_is_lost() -> None:
    rig = Rig({f"s{n}": 10 for n in range(100)})
    told = []
    for lift in rig.lifts:
        rig.opens(lift)
        told += rig.passes(2, 2)
    told += rig.passes(2 * MINUTE_MS)
    assert [event["rev"] for event in told if event["phase"] != "closed"] == [1, 2]
    (area,) = [revisions for revisions in rig.areas.values() if revisions[-1]["phase"] != "closed"]
    assert area[-1]["snapshot"]["lifts"] == 1000 and len(area[-1]["members"]) == LISTED
    assert set(rig.stored_marks.values()) == {area[0]["id"]} and len(rig.stored_marks) == 1000
    assert len(json.dumps(area[-1])) < 150_000


def test_a_site_s_area_becomes_the_gateway_s_and_takes_in_the_others() -> None:
    rig = Rig(dict.fromkeys("abcd", 6))
    for site in "ab":
        for number in range(3):
            rig.opens(f"{site}-{number}")
    rig.passes(3000)
    assert len(rig.areas) == 2
    first, second = rig.areas
    rig.opens("c-0")
    rig.passes(3000)
    assert [(area["id"], area["phase"], area["snapshot"]["scope"]) for area in rig.newest_areas()] == [
        (first, "updated", "gateway"), (second, "closed", "site"),
    ]  # fmt: skip
    assert rig.areas[second][-1]["snapshot"]["into"] == first and rig.areas[second][-1]["members"] == []
    assert len(rig.areas[first][-1]["members"]) == 7 and set(rig.stored_marks.values()) == {first}
    rig.opens("d-5")
    rig.passes(10_000)
    assert "d-5" in classes(rig.areas[first][-1]) and len(rig.areas) == 2


def test_a_member_joins_late_and_a_lift_of_another_day_does_not() -> None:
    rig = Rig({"a": 8})
    for number in range(4):
        rig.opens(f"a-{number}")
    rig.passes(JOIN_MS - MINUTE_MS)
    rig.opens("a-4")
    rig.passes(10 * MINUTE_MS)
    (area,) = rig.newest_areas()
    assert "a-4" in classes(area)
    rig.passes(JOIN_MS)
    rig.opens("a-5")
    rig.passes(10 * MINUTE_MS)
    (area,) = rig.newest_areas()
    assert "a-5" not in classes(area), "a technician, an hour later"
    assert rig.stored_marks.keys() == {f"a-{n}-1-1" for n in range(5)}


def test_news_of_the_same_moment_that_arrives_late_joins_by_when_it_began() -> None:
    rig = Rig({"a": 4})
    for number in range(3):
        rig.opens(f"a-{number}")
    rig.passes(30 * MINUTE_MS)
    rig.opens("a-3", ago_ms=30 * MINUTE_MS)  # its router had no power either
    rig.passes(10 * MINUTE_MS)
    (area,) = rig.newest_areas()
    assert classes(area)["a-3"] == "empty"


def test_an_end_that_is_told_with_its_beginning_is_listed_as_over() -> None:
    rig = Rig({"a": 4})
    for number in range(3):
        rig.opens(f"a-{number}")
    rig.passes(10 * MINUTE_MS)
    late = {**rig.newest["a-0-1-1"], "id": "a-3-1-1", "lift": "a-3", "received": rig.unix_ms}
    rig.tell({**late, "rev": 2, "phase": "closed", "closed_at_ms": rig.unix_ms - 5 * MINUTE_MS})
    rig.passes(10 * MINUTE_MS)
    (area,) = rig.newest_areas()
    assert listed(area)[-1] == ("a-3", "ended") and area["phase"] == "updated"


def test_a_member_has_left_when_it_is_well_for_a_minute_and_the_area_ends_with_the_last() -> None:
    rig = Rig({"a": 3})
    events = [rig.opens(lift) for lift in rig.lifts]
    rig.passes(MINUTE_MS)
    rig.closes(events[0])
    rig.closes(events[1])
    rig.passes(HOLD_MS - 1000)
    (area,) = rig.newest_areas()
    assert list(classes(area).values()) == ["empty"] * 3
    rig.passes(20_000)
    (area,) = rig.newest_areas()
    assert listed(area) == [("a-2", "empty"), ("a-0", "ended"), ("a-1", "ended")]
    rig.closes(events[2])
    closed_ms = rig.unix_ms
    (last,) = rig.passes(HOLD_MS + 1000)
    assert (last["phase"], last["closed_at_ms"]) == ("closed", closed_ms), (
        "it ended when the last was well, not when that was sure"
    )
    assert set(classes(last).values()) == {"ended"} and rig.core.lifts() == []


def test_a_flapping_member_is_no_stream_of_revisions() -> None:
    rig = Rig({"a": 4})
    for number in range(3):
        rig.opens(f"a-{number}")
    told = rig.passes(MINUTE_MS)
    for _ in range(100):
        event = rig.opens("a-3")
        told += rig.passes(40_000, 1000)
        rig.closes(event)
        told += rig.passes(50_000, 1000)
    assert len(told) <= 4, [event["snapshot"] for event in told]
    told = rig.passes(30 * MINUTE_MS, 1000)
    assert [classes(event)["a-3"] for event in told] == ["ended"]


def test_what_a_lift_went_through_for_days_is_not_all_kept() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift)
    for _ in range(50):
        for kind in ("button_pressed", "emergency_power"):
            event = rig.opens("a-1", kind)
            rig.passes(3000)
            rig.closes(event)
        rig.passes(10 * MINUTE_MS, 5000)
    (area,) = rig.newest_areas()
    (member,) = [member for member in area["members"] if member["lift"] == "a-1"]
    assert len(member["incidents"]) <= 8 and member["class"] == "empty"
    (strand,) = rig.core._register.strands_of("a-1")
    assert len(strand.incidents) <= 8 and len(strand.also) <= 8 and len(strand.revs) <= 8


def test_all_that_flaps_together_is_one_area_until_it_stays_well() -> None:
    rig = Rig({"a": 4})
    told = []
    for _ in range(10):
        events = [rig.opens(lift) for lift in rig.lifts]
        told += rig.passes(20_000)
        for event in events:
            rig.closes(event)
        told += rig.passes(30_000)
    told += rig.passes(20 * MINUTE_MS)
    assert [event["phase"] for event in told] == ["open", "closed"]


def test_after_its_end_the_next_cut_is_another_area() -> None:
    rig = Rig({"a": 3})
    for _ in range(2):
        events = [rig.opens(lift) for lift in rig.lifts]
        rig.passes(MINUTE_MS)
        for event in events:
            rig.closes(event)
        rig.passes(5 * MINUTE_MS)
    assert [area["phase"] for area in rig.newest_areas()] == ["closed", "closed"]


def test_a_cut_of_the_same_site_while_the_last_one_goes_on_at_one_lift_is_told_in_it() -> None:
    rig = Rig({"a": 6})
    events = [rig.opens(lift) for lift in rig.lifts]
    rig.passes(MINUTE_MS)
    for event in events[1:]:
        rig.closes(event)
    rig.passes(120 * MINUTE_MS, 5000)
    rig.opens("a-1")
    rig.passes(10 * MINUTE_MS, 5000)
    (area,) = rig.newest_areas()
    assert list(classes(area).values()).count("ended") == 4, "it is a member that comes back"
    for lift in ("a-2", "a-3", "a-4"):
        rig.opens(lift)
    rig.passes(10 * MINUTE_MS, 5000)
    (area,) = rig.newest_areas()
    assert list(classes(area).values()).count("ended") == 1


# -- silence ------------------------------------------------------------------------------------------------------


def test_a_node_that_had_told_of_no_mains_is_of_the_power_cut_and_another_of_the_silence() -> None:
    rig = Rig({"a": 3, "b": 3})
    for number in range(3):
        rig.opens(f"a-{number}", "node_offline", 30_000, last_known={"mains": False, "passenger": False})
        rig.opens(f"b-{number}", "node_offline", 30_000, last_known={"mains": True, "passenger": False})
    rig.passes(5000)
    kinds = {area["snapshot"]["site"]: area["kind"] for area in rig.newest_areas()}
    assert kinds == {"a": "area_power_cut", "b": "area_silence"}


def test_a_member_of_a_power_cut_that_falls_silent_stays_one_with_both_incidents() -> None:
    rig = Rig({"a": 3})
    lost = [rig.opens(lift) for lift in rig.lifts]
    rig.passes(20 * MINUTE_MS)
    silent = rig.opens(
        "a-1", "node_offline", 30_000, last_known={"mains": True}
    )  # its last state was older than its event
    rig.passes(10 * MINUTE_MS)
    (area,) = rig.newest_areas()
    assert area["kind"] == "area_power_cut" and rig.stored_marks[silent["id"]] == area["id"]
    for event in lost:
        rig.closes(event)
    rig.passes(10 * MINUTE_MS)
    (area,) = rig.newest_areas()
    assert classes(area) == {"a-0": "ended", "a-1": "empty", "a-2": "ended"}
    rig.closes(silent)
    rig.passes(2 * MINUTE_MS)
    assert rig.newest_areas()[0]["phase"] == "closed"


@pytest.mark.parametrize(("is_up", "cause"), [(True, ""), (False, "broker")])
def test_a_silence_while_our_own_way_to_the_broker_is_down_says_so(is_up: bool, cause: str) -> None:
    rig = Rig({"a": 4})
    rig.core.broker(is_up)
    for lift in rig.lifts:
        rig.opens(lift, "node_offline", 30_000)
    rig.passes(5000)
    assert rig.newest_areas()[0]["cause"] == cause


def test_nodes_that_were_silent_before_cannot_tell_and_do_not_count_for_the_share() -> None:
    rig = Rig({"a": 9})
    for number in range(3):  # one each day
        rig.opens(f"a-{number}", "node_offline", 30_000)
        rig.passes(30 * MINUTE_MS, 5000)
    for number in range(3, 6):
        rig.opens(f"a-{number}")
    rig.passes(5000)
    (area,) = rig.newest_areas()
    assert area["kind"] == "area_power_cut" and area["snapshot"]["lifts_known"] == 6


# -- triage -------------------------------------------------------------------------------------------------------

UNKNOWN = Whereabouts(None, UNIX_MS, False, True, 3, UNIX_MS, True)
BETWEEN = Whereabouts(False, UNIX_MS, False, False, None, UNIX_MS, True)
MOVING = Whereabouts(False, UNIX_MS, True, True, 3, UNIX_MS, True)


def test_members_stand_in_the_order_in_which_they_are_looked_after() -> None:
    rig = Rig({"a": 8})
    for number, where in enumerate((NOBODY, MOVING, BETWEEN, UNKNOWN, SEEN, NOBODY, SEEN, SEEN)):
        rig.opens(f"a-{number}", where=where, ago_ms=3000 - number)
    rig.opens("a-5", "button_pressed", 10)
    rig.opens("a-6", "trapped_in_power_cut", 30_000, where=SEEN)  # waits longest
    (told,) = rig.passes(5000)
    assert listed(told) == [
        ("a-6", "alarm"), ("a-5", "alarm"), ("a-4", "occupied"), ("a-7", "occupied"), ("a-3", "unknown"),
        ("a-1", "moving"), ("a-2", "moving"), ("a-0", "empty"),
    ]  # fmt: skip
    reasons = {member["lift"]: member["reason"] for member in told["members"]}
    assert reasons == {
        "a-6": "trapped_in_power_cut", "a-5": "button_pressed", "a-4": "passenger_seen", "a-7": "passenger_seen",
        "a-3": "presence_unknown", "a-1": "running", "a-2": "between_floors", "a-0": "nobody_seen",
    }  # fmt: skip
    assert told["severity"] == 4


def test_a_presence_sensor_that_is_stuck_makes_occupancy_unknown() -> None:
    rig = Rig({"a": 3})
    stuck = rig.opens("a-0", "presence_stuck", where=SEEN)
    for lift in rig.lifts:
        rig.opens(lift, where=SEEN)
    (told,) = rig.passes(5000)
    assert classes(told)["a-0"] == "unknown" and told["severity"] == 3
    rig.closes(stuck)
    rig.passes(5000)
    assert classes(rig.newest_areas()[0])["a-0"] == "occupied"


def test_a_member_s_alarm_moves_it_to_the_top_within_seconds_and_its_end_down_again() -> None:
    rig = Rig({"a": 10})
    for lift in rig.lifts:
        rig.opens(lift)
    rig.passes(60 * MINUTE_MS, 5000)
    alarm = rig.opens("a-7", "trapped_in_power_cut", 30_000)
    (told,) = rig.passes(FIRST_GAP_MS)
    assert listed(told)[0] == ("a-7", "alarm") and told["severity"] == 4
    assert rig.stored_marks[alarm["id"]] == told["id"] and alarm["id"] in told["members"][0]["incidents"]
    rig.closes(alarm)
    told = rig.passes(10 * MINUTE_MS)[0]
    assert classes(told)["a-7"] == "empty" and told["severity"] == 2


def test_somebody_who_is_still_shut_in_when_the_mains_is_back_keeps_the_area_open() -> None:
    rig = Rig({"a": 3})
    lost = [rig.opens(lift) for lift in rig.lifts]
    alarm = rig.opens("a-0", "trapped_in_power_cut", 30_000)
    rig.passes(MINUTE_MS)
    for event in lost:
        rig.closes(event)
    rig.passes(30 * MINUTE_MS)
    (area,) = rig.newest_areas()
    assert (area["phase"], listed(area)[0]) == ("updated", ("a-0", "alarm"))
    rig.closes(alarm)
    rig.passes(2 * MINUTE_MS)
    assert rig.newest_areas()[0]["phase"] == "closed"


def test_an_alarm_from_long_before_is_nothing_of_the_area_but_its_lift_comes_first() -> None:
    rig = Rig({"a": 3})
    alarm = rig.opens("a-2", "button_pressed")
    rig.passes(60 * MINUTE_MS, 5000)
    for lift in rig.lifts:
        rig.opens(lift)
    rig.passes(5000)
    (area,) = rig.newest_areas()
    assert listed(area)[0] == ("a-2", "alarm") and alarm["id"] not in rig.stored_marks


def test_what_a_member_s_node_still_tells_changes_its_class_and_what_it_told_last_stays() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift, where=SEEN)
    rig.passes(5000)
    rig.core.knows("a-0", Whereabouts(False, rig.unix_ms, None, None, None, None, True))  # the controller is mute
    rig.passes(MINUTE_MS)
    (area,) = rig.newest_areas()
    by_lift = {member["lift"]: member for member in area["members"]}
    assert (by_lift["a-0"]["class"], by_lift["a-0"]["floor"], by_lift["a-0"]["car_at_ms"]) == ("empty", 3, UNIX_MS)
    assert by_lift["a-0"]["passenger_at_ms"] > UNIX_MS == by_lift["a-1"]["passenger_at_ms"]
    rig.core.knows("a-1", Whereabouts(live=False))  # the node is gone: nothing new
    rig.passes(MINUTE_MS)
    assert classes(rig.newest_areas()[0])["a-1"] == "occupied"


def test_a_sensor_that_sees_somebody_now_and_then_is_no_stream_of_revisions() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift)
    told = rig.passes(5000)
    for number in range(24 * 360):  # a day of it
        rig.core.knows("a-1", SEEN if number % 2 else NOBODY)
        told += rig.passes(10_000, 5000)
    assert len(told) < 360


def test_what_one_lift_is_a_member_of_twice_has_its_alarm_in_the_first() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift, "earthquake")
        rig.opens(lift, "mains_lost")
    alarm = rig.opens("a-1", "button_pressed", 10)
    rig.passes(10_000)
    by_kind = {area["kind"]: area for area in rig.newest_areas()}
    assert by_kind.keys() == {"area_earthquake", "area_power_cut"}
    assert rig.stored_marks[alarm["id"]] == by_kind["area_earthquake"]["id"]
    assert listed(by_kind["area_power_cut"])[0] == ("a-1", "alarm")


def test_what_a_technician_switches_off_is_no_power_cut_until_it_outlasts_his_work() -> None:
    rig = Rig({"a": 3})
    withheld = [rig.opens(lift, withheld="work") for lift in rig.lifts]
    rig.opens("a-0", "button_pressed", 10, withheld="filter")
    rig.passes(MINUTE_MS)
    assert rig.areas == {} and rig.core.lifts() == []
    rig.restart()
    assert rig.core.lifts() == []
    for event in withheld:
        rig.tell({**event, "rev": 2, "phase": "updated", "withheld": "", "received": rig.unix_ms})
    (area,) = rig.passes(5000)
    assert listed(area) == [("a-0", "empty"), ("a-1", "empty"), ("a-2", "empty")]


# -- clocks, stores, cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_set_in_the_middle_of_a_cut_parts_nothing(days: int) -> None:
    rig = Rig({"a": 4})
    events = [rig.opens("a-0"), rig.opens("a-1")]
    rig.passes(500)
    rig.unix_shift_ms = days * 24 * 60 * MINUTE_MS
    events += [rig.opens("a-2"), rig.opens("a-3")]
    rig.passes(5000)
    (area,) = rig.newest_areas()
    assert len(area["members"]) == 4
    for event in events:
        rig.closes(event)
    rig.passes(2 * MINUTE_MS)
    last = rig.newest_areas()[0]
    assert last["phase"] == "closed"
    stages = last["stages"]
    assert stages["onset"] <= stages["detected"] <= stages["published"] <= last["received"]


def test_what_the_journal_did_not_take_is_due_again_unchanged() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift)
    rig.now_ms += 2000
    (first,) = rig.core.due(rig.mono_ms, rig.unix_ms)
    rig.opens("a-2", "button_pressed", 10)
    rig.now_ms += 2000
    assert rig.core.due(rig.mono_ms, rig.unix_ms) == [first]
    assert rig.core.marks(10) == [], "nobody may be sent to an area that is not stored"
    (told, second) = (*rig.round(), *rig.passes(FIRST_GAP_MS))
    assert told == first and (second["rev"], listed(second)[0]) == (2, ("a-2", "alarm"))


def test_an_area_to_which_somebody_comes_while_its_end_is_stored_goes_on() -> None:
    rig = Rig({"a": 3})
    events = [rig.opens(lift) for lift in rig.lifts]
    rig.passes(5000)
    for event in events:
        rig.closes(event)
    rig.now_ms += HOLD_MS + 1000
    (end,) = rig.core.due(rig.mono_ms, rig.unix_ms)
    assert end["phase"] == "closed"
    rig.opens("a-0")
    rig.core.told(end, rig.mono_ms)
    rig.areas[end["id"]].append(end)
    rig.passes(10_000)
    (area,) = rig.newest_areas()
    assert (area["phase"], area["closed_at_ms"], classes(area)["a-0"]) == ("updated", None, "empty")


def test_an_area_that_goes_into_another_while_its_opening_is_stored_ends_all_the_same() -> None:
    rig = Rig(dict.fromkeys("abc", 6))
    for site in "ab":
        for number in range(3):
            rig.opens(f"{site}-{number}")
    rig.now_ms += 2000
    first, second = rig.core.due(rig.mono_ms, rig.unix_ms)
    rig.opens("c-0")  # now it is many over sites
    for event in (first, second):
        rig.areas[event["id"]] = [event]
        rig.core.told(event, rig.mono_ms)
    rig.passes(10_000)
    assert [(area["phase"], area["snapshot"].get("into")) for area in rig.newest_areas()] == [
        ("updated", None), ("closed", first["id"]),
    ]  # fmt: skip
    assert len(classes(rig.areas[first["id"]][-1])) == 7 and set(rig.stored_marks.values()) == {first["id"]}


def test_a_journal_made_anew_is_told_all_that_is_open_once_more() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift)
    rig.passes(5000)
    rig.stored_marks.clear()
    rig.core.tell_anew()
    (told,) = rig.passes(10_000)
    assert told["rev"] == 2 and len(rig.stored_marks) == 3


def test_a_mark_whose_incident_is_not_stored_yet_waits_and_holds_up_no_other() -> None:
    rig = Rig({"a": 3})
    for lift in rig.lifts:
        rig.opens(lift)
    rig.now_ms += 2000
    for event in rig.core.due(rig.mono_ms, rig.unix_ms):
        rig.core.told(event, rig.mono_ms)
    first = rig.core.marks(1)
    rig.core.marked(first, {first[0][0]})
    assert rig.core.marks(3)[-1] == first[0] and len(rig.core.marks(3)) == 3


def test_a_lift_that_is_no_more_watched_holds_nothing_open() -> None:
    rig = Rig({"a": 3})
    events = [rig.opens(lift) for lift in rig.lifts]
    rig.opens("a-0", "button_pressed", 10)
    rig.passes(5000)
    for event in events[1:]:
        rig.closes(event)
    rig.core.release("a-0", rig.mono_ms, rig.unix_ms)
    rig.passes(2 * MINUTE_MS)
    assert rig.newest_areas()[0]["phase"] == "closed" and rig.core.lifts() == []


def test_an_event_costs_the_same_with_ten_thousand_lifts() -> None:
    # Counted, not timed: how often the index of onsets is asked for each event stays the same.
    asked = []
    for count in (1000, 10_000):
        rig = Rig({f"s{n}": 5 for n in range(count // 5)})
        register = rig.core._register
        with mock.patch.object(register, "onsets", side_effect=register.onsets) as onsets:
            for lift in rig.lifts:
                rig.opens(lift)
        asked.append(onsets.call_count / count)
        rig.passes(2000)
        assert sum(area["snapshot"]["lifts"] for area in rig.newest_areas() if area["phase"] != "closed") == count
    assert asked[1] <= asked[0] * 1.1


def test_every_figure_stands_in_the_one_table() -> None:
    assert {cause.area for cause in CAUSES} == set(area_causes.OF_AREA)
    for cause in CAUSES:
        assert cause.site.lifts >= 2 and cause.gateway.sites >= 2 and cause.window_ms <= JOIN_MS
