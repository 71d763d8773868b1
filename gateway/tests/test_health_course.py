"""What a lift's log is made into, day by day: what is counted, what is not known, and what comes late, twice or never."""

import logging
import time
from typing import Any

import msgspec
import pytest

from gateway.config import Lift
from gateway.health import day as days_of
from gateway.health.course import Course, encoded
from gateway.health.day import LEVELLING, TRIP, date_of
from gateway.health.parts import usage
from gateway.tests.health_rig import BEGIN_MS, DAY_MS, LIFT, PITCH_MM, ZONE_MS, Walk, follow, today
from protocols.delivery.black_box import BlackBox
from protocols.delivery.log import ChangeLog, RamStore
from protocols.records import Batch, BatchWriter
from protocols.state import LiftState

_log = logging.getLogger(__name__)


def test_a_door_is_as_slow_as_it_shows_and_each_door_has_its_own_times() -> None:
    walk = Walk(door_2=2)
    for _ in range(5):
        walk.open(2600)
        walk.close(3100)
        walk.open(4000, "door_2")
        walk.close(4500, "door_2")
    day = today(walk, Lift("lift-1", "s", doors=2))
    assert [day.spread(quantity).median for quantity in range(4)] == [2600, 3100, 4000, 4500]
    assert [day.spread(quantity).count for quantity in range(4)] == [5, 5, 5, 5]
    assert (day.cycles, day.reversals) == (10, 0)


def test_a_reversal_is_counted_and_its_half_ways_are_no_door_times() -> None:
    walk = Walk()
    walk.open()
    walk.set(3000, door_1=1)
    walk.set(900, door_1=3)
    walk.set(800, door_1=4)
    walk.close()
    day = today(walk)
    assert (day.cycles, day.reversals) == (2, 1)
    assert (day.spread(0).count, day.spread(1).count) == (1, 1)


def test_a_door_that_is_held_open_or_pushed_for_long_is_no_slow_door() -> None:
    walk = Walk()
    walk.open()
    walk.close(25_000)
    assert today(walk).spread(1).count == 0


def test_behind_a_hole_nobody_knows_how_long_the_door_took() -> None:
    walk = Walk()
    walk.open()
    walk.set(3000, door_1=1)
    walk.end()
    walk.set(2600, door_1=2)
    walk.rest(700_000)
    batches = walk.end()
    _, course = follow(batches)
    assert course.so_far().spread(1).count == 1
    # The same with one batch in the middle that never came: the closing began before it.
    missing = [entry for entry in batches if entry[1].number != 2]
    assert len(missing) == len(batches) - 1
    _, course = follow(missing)
    day = course.so_far()
    assert day.spread(1).count == 0 and day.holes == 1


def test_another_boot_of_the_node_is_a_hole_too() -> None:
    walk = Walk()
    walk.set(3000, door_1=4)
    walk.set(3000, door_1=1)
    first = walk.end()
    writer = BatchWriter(1, first[-1][1].number + 1, 2, 0, 0)
    writer.add(0, {"door_1": 2})
    offset_ms = walk.now_ms + 2000
    _, course = follow([*first, (offset_ms, Batch(writer.close(), 1))])
    assert course.so_far().spread(1).count == 0 and course.so_far().holes == 1


def test_silence_longer_than_the_logs_snapshots_is_no_observed_time() -> None:
    walk = Walk()
    walk.rest(3_600_000)
    batches = walk.end()
    later = Walk(walk.now_ms + 7_200_000)
    # The same boot and numbers go on: only the records are missing.
    later.log.skip_to(batches[-1][1].number)
    later._taken = batches[-1][1].number
    later.rest(3_600_000)
    _, course = follow([*batches, *later.end()])
    day = course.so_far()
    assert 7_000_000 < day.observed <= 7_200_000 and day.holes == 1


def test_a_batch_that_comes_twice_changes_nothing() -> None:
    walk = Walk()
    for floor in (4, 1, 5, 1):
        walk.trip(floor)
    batches = walk.end()
    days, course = follow(batches)
    again, other = follow([*batches, *batches, batches[0]])
    assert (days, encoded(course)) == (again, encoded(other))


def test_a_black_box_told_behind_the_log_counts_nothing_twice() -> None:
    box = ChangeLog(RamStore(1, 1_000_000), 1, box=BlackBox())
    state = LiftState(service_mode=1, car_status=0, door_zone=True, floor=1, door_1=2, speed_mm_s=0, position_mm=0)
    now = 0
    box.record(state, now, BEGIN_MS)
    for _ in range(10):
        for door, ms in ((3, 500), (4, 2600), (1, 3000), (2, 2600)):
            now += ms
            state.door_1 = door
            box.record(state, now, BEGIN_MS + now)
            box.flush(now)
    box.keep_minute(now)
    for _ in range(200):
        now += 130
        box.record(state, now, BEGIN_MS + now)
        box.flush(now)
    box.flush(now + 3_600_000)
    bodies = [box.body(number) for number in range(1, box.newest + 1)]
    batches = [(BEGIN_MS, Batch(body, 1)) for body in bodies if body is not None]
    starts = [batch.up_ms for _, batch in batches]
    assert starts != sorted(starts)
    _, course = follow(batches)
    day = course.so_far()
    assert (day.cycles, day.spread(0).count, day.spread(1).count) == (10, 10, 10)
    assert day.late > 10 and day.spread(0).median == 2600


def test_a_day_ends_at_the_lifts_own_midnight_and_time_is_parted_there() -> None:
    walk = Walk()
    walk.set(16 * 3_600_000 - 300_000)
    walk.set(60_000, controller_fault=41)
    walk.set(600_000, controller_fault=0)
    walk.rest(60_000)
    (day,), course = follow(walk.end())
    assert str(date_of(day.date)) == "2026-11-02"
    assert day.stopped == 240_000 and course.so_far().stopped == 360_000
    assert day.span == 16 * 3_600_000 and day.observed == day.span


def test_days_of_which_nothing_is_recorded_are_not_there() -> None:
    walk = Walk()
    walk.rest(60_000)
    walk.end()
    later = Walk(BEGIN_MS + 3 * DAY_MS)
    later.log.skip_to(walk.batches[-1][1].number)
    later._taken = walk.batches[-1][1].number
    later.set(60_000, floor=2)
    (day,), course = follow([*walk.batches, *later.end()])
    assert course.so_far().date == day.date + 3 and course.so_far().observed == 60_000


def test_a_clock_that_was_set_back_costs_what_was_under_way_and_a_record_of_the_future_is_left_out() -> None:
    walk = Walk()
    walk.set(3_600_000, door_1=3)
    batches = walk.end()
    number = batches[-1][1].number
    writer = BatchWriter(1, number + 1, 1, walk.now_ms - BEGIN_MS + 1000, 0)
    writer.add(walk.now_ms - BEGIN_MS + 1000, {"door_1": 4})
    _, course = follow([*batches, (BEGIN_MS - 1_800_000, Batch(writer.close(), 1))])
    day = course.so_far()
    assert day.spread(0).count == 0 and day.cycles == 0 and day.holes == 1
    ahead = Course()
    ahead.take(LIFT, ZONE_MS, *batches[0], batches[0][1].records(), BEGIN_MS - DAY_MS)
    assert ahead.day is None


def test_a_start_that_does_not_move_the_car_has_failed_and_without_a_speed_nobody_knows() -> None:
    walk = Walk()
    for _ in range(3):
        walk.set(2000, car_status=1, starts=walk.state["starts"] + 1)
        walk.set(1500, car_status=0)
    walk.trip(3)
    day = today(walk)
    assert (day.failed, day.runs, day.starts) == (3, 1, 4)
    silent = Walk(speed_mm_s=None, position_mm=None)
    silent.set(2000, car_status=1)
    silent.set(1500, car_status=0)
    assert today(silent).failed == 0 and not today(silent).known & days_of.SPEED


def test_levelling_again_with_the_door_open_is_no_start_and_no_run() -> None:
    walk = Walk()
    walk.run(3, off_mm=22)
    walk.open()
    walk.set(500, car_status=1, speed_mm_s=40)
    walk.set(600, car_status=0, speed_mm_s=0, position_mm=2 * PITCH_MM)
    walk.close()
    day = today(walk)
    assert (day.relevels, day.runs, day.stops, day.failed) == (1, 1, 1, 0)


def test_a_zone_switch_that_flickers_is_counted_while_the_car_stands_shut_and_not_as_it_runs() -> None:
    walk = Walk()
    walk.trip(4)
    assert today(walk).flickers == 0
    for zone in (False, True, False, True):
        walk.set(700, door_zone=zone)
    walk.open()
    walk.set(700, door_zone=False)
    walk.set(700, door_zone=True)
    assert today(walk).flickers == 4


def test_levelling_is_told_against_where_the_lifts_own_first_stops_were() -> None:
    walk = Walk()
    # Its floors are not where a ruler would put them.
    for number in range(40):
        walk.trip(2 + number % 4, off_mm=30)
    for number in range(40):
        walk.trip(2 + number % 4, off_mm=30 + 12 * (-1) ** (number // 4))
    walk.end()
    day = today(walk)
    assert day.spread(LEVELLING).nine_tenths == pytest.approx(12, abs=3)
    assert day.step_mm == 1


def test_a_position_in_steps_of_a_tenth_of_a_metre_is_found_out() -> None:
    walk = Walk()
    for number in range(8):
        walk.set(1000, car_status=1)
        walk.set(2000, speed_mm_s=1000, position_mm=100 * (7 + number), door_zone=False)
        walk.set(
            3000, speed_mm_s=0, position_mm=PITCH_MM * (number % 2), car_status=0, door_zone=True, floor=1 + number % 2
        )
    assert today(walk).step_mm == 100


def test_a_trip_takes_what_it_takes_beyond_distance_and_speed_and_short_ones_do_not_count() -> None:
    walk = Walk()
    walk.trip(5, extra_ms=3600)
    walk.trip(1, extra_ms=4400)
    walk.trip(2, extra_ms=9000)
    day = today(walk)
    assert day.spread(TRIP).count == 2 and day.spread(TRIP).median == 4000
    assert day.travel_mm == 9 * PITCH_MM


def test_the_most_used_place_of_the_ropes_is_where_most_runs_passed() -> None:
    walk = Walk()
    for floor in (3, 1, 6, 1, 2, 1):
        walk.trip(floor)
    assert today(walk).crossed == 6


def test_a_counter_that_is_another_controllers_is_no_thousand_starts() -> None:
    walk = Walk()
    walk.trip(3)
    walk.set(1000, starts=7)
    walk.trip(1)
    day = today(walk)
    assert (day.starts, day.starts_total, day.hours_total) == (2, 8, 50)


def test_time_is_told_apart_by_what_the_lift_was_in() -> None:
    walk = Walk()
    walk.rest(100_000)
    walk.set(100_000, controller_fault=41)  # until now it was well
    walk.set(300_000, service_mode=2)  # until now it stood with a word
    walk.set(500_000, service_mode=1, controller_fault=0)
    walk.set(50_000, controller_link=False, service_mode=None, car_status=None, controller_fault=None)
    walk.set(600_000, mains=False)
    walk.set(400_000, mains=True, controller_link=True, service_mode=1, car_status=0, controller_fault=0)
    day = today(walk)
    assert (day.stopped, day.other_mode, day.silent, day.dark) == (300_000, 500_000, 600_000, 400_000)
    used = usage(LIFT, day)
    assert (used["other_mode_minutes"], used["no_mains_minutes"]) == (8.3, 6.7)
    assert day.judged == 200_000 + 300_000 + 50_000
    assert day.observed == day.judged + day.other_mode + day.silent + day.dark


def test_a_word_that_stands_while_the_car_runs_has_not_stopped_it() -> None:
    walk = Walk(controller_fault=24)
    walk.set(60_000, car_status=1, speed_mm_s=200)
    walk.set(60_000, car_status=0, speed_mm_s=0)
    assert today(walk).stopped == 60_000


@pytest.mark.parametrize("work", [{"service_mode": 2}, {"work_mode": 1}])
def test_who_works_on_the_lift_makes_it_no_worse(work: dict[str, Any]) -> None:
    walk = Walk(**work)
    walk.open(9000)
    walk.set(1000, door_1=1)
    walk.set(1000, door_1=3)
    walk.set(1000, door_1=4)
    walk.set(1000, car_status=1)
    walk.set(1000, car_status=0)
    for zone in (False, True):
        walk.set(1000, door_zone=zone, door_1=2)
    day = today(walk)
    assert (day.spread(0).count, day.reversals, day.failed, day.relevels, day.flickers) == (0, 0, 0, 0, 0)


def test_a_controller_that_tells_little_is_said_to() -> None:
    walk = Walk(door_1=None, position_mm=None, controller_fault=None, door_zone=None, floor=None)
    walk.rest(3_600_000)
    day = today(walk)
    assert day.known == days_of.MOTION | days_of.SPEED and day.judged == 0


def test_after_works_the_landings_are_learnt_anew() -> None:
    walk = Walk()
    for number in range(20):
        walk.trip(2 + number % 2)
    _, course = follow(walk.end())
    assert sum(course.landed) == 20
    worked = msgspec.structs.replace(LIFT, health=msgspec.structs.replace(LIFT.health, baseline_from=date_of(20_000)))
    more = Walk(walk.now_ms)
    more.log.skip_to(course.number)
    more._taken = course.number
    more.trip(2)
    _, course = follow(more.end(), worked, course)
    assert sum(course.landed) == 1


def test_a_course_is_less_than_a_kilobyte_and_a_record_costs_microseconds() -> None:
    lift = Lift("lift-1", "s", stops=7, doors=2, floor_pitch_mm=PITCH_MM)
    walk = Walk(BEGIN_MS, door_2=2, starts=1_999_999_000, run_hours=1_999_999)
    for number in range(120):
        walk.run(2 + number % 6, off_mm=number % 7)
        walk.open(2600 + number)
        walk.close(2700 + number)
        walk.open(2600 + number, "door_2")
        walk.close(2700 + number, "door_2")
    batches = walk.end()
    records = sum(batch.count for _, batch in batches)
    begun = time.process_time()
    _, course = follow(batches, lift)
    took_us = (time.process_time() - begun) / records * 1e6
    assert min(len(samples.kept) for samples in course.samples[:4]) == 32
    _log.info(
        "a course of %d bytes; %.1f µs a record, its decoding and the course's included", len(encoded(course)), took_us
    )
    assert len(encoded(course)) <= 1024
    # 5 µs on an idle core; the rest is for one that is not.
    assert took_us < 100


def test_fields_of_a_day_are_only_ever_added_behind() -> None:
    # Days of years are read by their place: whoever inserts one changes all of them.
    first = (
        "date", "span", "observed", "silent", "dark", "other_mode", "judged", "stopped", "running", "runs", "stops", "failed",
        "relevels", "flickers", "cycles", "reversals", "crossed", "travel_mm", "starts", "starts_total", "hours_total",
        "step_mm", "late", "holes", "known", "spreads",
    )  # fmt: skip
    assert days_of.Day.__struct_fields__[: len(first)] == first
