"""What the change log records of a car that runs, stops, slips and trembles, on both interpreters."""

from protocols.delivery.black_box import CAPACITY_BYTES, BlackBox
from protocols.delivery.log import ChangeLog, RamStore
from protocols.records import Batch
from protocols.state import LiftState


def _recorded(course: list) -> list:
    """[(ms, changes)] that the log keeps of `course` [(ms, speed, position)]."""
    log = ChangeLog(RamStore(1, 100000), 1)
    for now, speed, position in course:
        log.record(LiftState(speed_mm_s=speed, position_mm=position), now)
    log.flush(10000000)
    found = []
    for number in range(1, log.newest + 1):
        body = log.body(number)
        assert body is not None
        found += Batch(body, 1).records()
    return found


def test_small_changes_of_a_running_car_are_not_recorded() -> None:
    course = [(0, 1000, 5000), (100, 1100, 5100), (200, 1149, 5399), (300, 1150, 5399), (400, 1150, 5400)]
    assert _recorded(course) == [
        (0, {"speed_mm_s": 1000, "position_mm": 5000}),
        (300, {"speed_mm_s": 1150}),
        (400, {"position_mm": 5400}),
    ]


def test_where_a_car_comes_to_rest_is_recorded_exactly() -> None:
    course = [(0, 1000, 5000), (100, 140, 5200), (200, 0, 5210), (300, 0, 5240)]
    assert _recorded(course)[1:] == [(100, {"speed_mm_s": 140}), (200, {"speed_mm_s": 0, "position_mm": 5210})]


def test_a_snapshot_of_a_parked_car_shows_no_other_place_than_the_one_it_came_to_rest_at() -> None:
    course = [(0, 1000, 5000), (100, 0, 5210), (700000, 0, 5210)]
    assert _recorded(course)[-1] == (700000, {"speed_mm_s": 0, "position_mm": 5210})
    assert _recorded(course)[-2] == (100, {"speed_mm_s": 0, "position_mm": 5210})


def test_a_car_that_slips_away_from_its_rest_is_recorded_and_one_that_trembles_is_not() -> None:
    assert _recorded([(0, 0, 5000), (100, 29, 5000), (200, 0, 5003), (300, 30, 5010)])[1:] == [
        (300, {"speed_mm_s": 30})
    ]


def _log_with_box() -> ChangeLog:
    return ChangeLog(RamStore(1, 100000), 1, box=BlackBox())


def _drive(log: ChangeLog, first: int, last: int, step: int = 130) -> dict:
    """A car that never rests, sampled each `step` ms; {ms: position} of the samples."""
    shown = {}
    for now in range(first, last, step):
        position = now // 2 % 20000
        log.record(LiftState(car_status=1, speed_mm_s=1000 + now // 100 % 50, position_mm=position, floor=2), now)
        log.flush(now)
        shown[now] = position
    return shown


def _positions(log: ChangeLog) -> dict:
    """{ms: position} of all that the log has, in whichever batch."""
    found = {}
    while log.flush(10**9):
        pass
    for number in range(1, log.newest + 1):
        body = log.body(number)
        assert body is not None
        batch = Batch(body, 1)
        assert (batch.life, batch.number, batch.boot) == (1, number, 1)
        for up_ms, changes in batch.records():
            if "position_mm" in changes:
                found[up_ms] = changes["position_mm"]
    return found


def test_around_a_serious_event_every_sample_of_two_minutes_is_recorded() -> None:
    log = _log_with_box()
    shown = _drive(log, 0, 300000)
    log.keep_minute(300000)
    shown.update(_drive(log, 300000, 500000))
    found = _positions(log)
    kept = [now for now in shown if 240000 <= now <= 360000]
    assert all(found.get(now) == shown[now] for now in kept)
    ordinary = [now for now in shown if now < 230000 or now > 361000]
    assert len([now for now in ordinary if now in found]) < len(ordinary) // 2


def test_what_the_box_hands_over_can_be_read_alone() -> None:
    log = _log_with_box()
    _drive(log, 0, 300000)
    before = log.newest
    log.keep_minute(300000)
    assert log.flush(300001)
    body = log.body(log.newest)
    assert body is not None and log.newest == before + 1
    first = Batch(body, 1).records()[0]
    assert set(first[1]) == {"car_status", "speed_mm_s", "position_mm", "floor"}
    assert 235000 < first[0] <= 241000


def test_the_box_never_holds_more_than_its_bytes_however_quick_the_bus() -> None:
    log = _log_with_box()
    shown = _drive(log, 0, 300000, 20)
    log.keep_minute(300000)
    before = log.newest
    handed = 0
    while log.flush(300001):
        body = log.body(log.newest)
        assert body is not None
        handed += len(body)
    assert before < log.newest <= before + 12 and 3000 < handed < CAPACITY_BYTES + 1500
    assert len([now for now in _positions(log) if now > 285000]) > len([now for now in shown if now > 285000]) * 9 // 10


def test_a_second_event_in_the_same_minute_repeats_nothing_and_goes_on() -> None:
    log = _log_with_box()
    _drive(log, 0, 100000)
    log.keep_minute(100000)
    shown = _drive(log, 100000, 140000)
    log.keep_minute(140000)
    shown.update(_drive(log, 140000, 199000))
    found = _positions(log)
    assert all(found.get(now) == shown[now] for now in shown)
    records = sum(Batch(log.body(number) or b"", 1).count for number in range(1, log.newest + 1))
    # Twice are what the log had of the first minute before the event, and nothing else.
    assert records <= len(_positions(log)) + 80


def test_a_log_without_a_box_is_no_busier_for_a_serious_event() -> None:
    log = ChangeLog(RamStore(1, 100000), 1)
    _drive(log, 0, 10000)
    before = log.records
    log.keep_minute(10000)
    _drive(log, 10000, 20000)
    assert log.records - before < 40


def test_the_minute_behind_a_serious_event_ends_with_a_record_though_the_lift_rests() -> None:
    log = _log_with_box()
    resting = LiftState(car_status=0, speed_mm_s=0, position_mm=3000, floor=2)
    for now in range(0, 20000, 100):
        log.record(resting, now)
    log.keep_minute(20000)
    before = log.records
    for now in range(20000, 90000, 100):
        log.record(resting, now)
        log.flush(now)
    assert log.records == before + 2  # what stood at its beginning, and at its end
    body = log.body(log.newest)
    assert body is not None and Batch(body, 1).up_ms > 80000
