"""The health of a lift from a recording of its log, by the same course and the same marks. Values in, values out."""

from gateway.config import Lift, LiftHealth
from gateway.health.course import Course
from gateway.health.day import Day
from gateway.health.report import Baseline, Report, report, settle
from protocols.errors import DecodeError
from protocols.recording import Recording

# A recording's times are past.
NEVER_MS = 1 << 62
MOST_STOPS = 128


def lift_of(recording: Recording, health: LiftHealth) -> Lift:
    """The lift's record as far as a recording tells of it; its stops are those that were seen. DecodeError if it tells nothing of use."""
    settings = recording.header.settings
    speed, travel, doors = (settings.get(name) for name in ("rated_speed_mm_s", "travel_mm", "doors"))
    if not (isinstance(speed, int) and isinstance(travel, int) and speed > 0 and travel > 0 and doors in (1, 2)):
        raise DecodeError(
            f"a recording with the settings {settings!r}: rated_speed_mm_s, travel_mm and doors are needed"
        )
    top = 2
    for _, batch in recording.batches:
        for _, changes in batch.records():
            top = max(top, changes.get("floor") or 0)
    stops = min(top, MOST_STOPS)
    header = recording.header
    return Lift(
        header.lift, header.site, stops=stops, doors=doors, rated_speed_mm_s=speed, floor_pitch_mm=travel // (stops - 1) or 1,
        health=health,
    )  # fmt: skip


def days_of(recording: Recording, lift: Lift, zone_ms: int) -> tuple[list[Day], Course]:
    """(the days that are over, the course with the last one)."""
    course, days = Course(), []
    for offset_ms, batch in recording.batches:
        days += course.take(lift, zone_ms, offset_ms, batch, batch.records(), NEVER_MS)
    return days, course


def report_of(recording: Recording, zone_ms: int, health: LiftHealth) -> tuple[Lift, list[Day], Report]:
    """(record, days that are over, health at the end of the recording); DecodeError if nothing is recorded."""
    lift = lift_of(recording, health)
    days, course = days_of(recording, lift, zone_ms)
    if course.day is None or course.t_ms is None:
        raise DecodeError("a recording without a record")
    baseline: Baseline = settle(None, lift, days, None)
    return lift, days, report(lift, days, baseline, None, course.so_far(), course.day.date, course.t_ms)
