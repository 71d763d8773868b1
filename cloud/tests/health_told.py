"""A lift's health as a gateway tells it, for the tests of API and page. It asserts nothing."""

from typing import Any


def part(name: str, value: float | None = None, mark: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "value": value, "mark": mark, "reason": None, "baseline": None, "baseline_days": 9, "trend": None,
        "spread": None, "count": 400, "days": 7, **more,
    }  # fmt: skip


def trend(per_week: float, direction: str, **more: Any) -> dict[str, Any]:
    return {
        "per_week": per_week, "low": per_week * 0.8, "high": per_week * 1.2, "days": 42, "direction": direction, "weeks_to_bad": None,
        **more,
    }  # fmt: skip


def health(lift: str = "lift-1", **more: Any) -> dict[str, Any]:
    """A lift whose doors became slow, of whose levelling nothing can be said."""
    parts = [
        part("door_1_opening", 3900, 46, baseline=2600, baseline_days=14, spread=80,
             trend=trend(140, "worse", weeks_to_bad=22)),
        part("door_1_closing", 2700, 100, baseline=2600, baseline_days=14, spread=90, trend=trend(1, "steady")),
        part("door_reversals", 81.8, 100, baseline=57.8, baseline_days=14, trend=trend(-2, "steady")),
        part("levelling", reason={"key": "coarse", "step": 100, "need": 5}),
        part("relevellings", 62, 0, trend=trend(3, "worse")),
        part("zone_flickers", 0, 100),
        part("failed_starts", 0, 100),
        part("trip_time", 3430, 100, baseline=3428, baseline_days=14),
        part("out_of_order", 0.4, 96),
        part("faults", reason={"key": "few", "have": 210, "need": 300, "fields": ["starts"]}),
        part("no_data", 0.0, 100),
        part("ropes", 31.5, 100, trend=trend(0.09, "steady")),
    ]  # fmt: skip
    usage = [
        {"name": "starts", "per_day": 61.0, "baseline": 55.0, "trend": trend(0.4, "steady"), "total": 104_233.0},
        {"name": "door_cycles", "per_day": 66.0, "baseline": 60.0, "trend": None, "total": None},
        {"name": "running_minutes", "per_day": 9.1, "baseline": 8.4, "trend": None, "total": 84_120.0},
        {"name": "travel_m", "per_day": 402.0, "baseline": None, "trend": None, "total": None},
        {"name": "rope_bends", "per_day": 228.0, "baseline": None, "trend": None, "total": None},
    ]
    return {
        "lift": lift, "at_ms": 1_795_000_000_000, "date": "2026-11-26", "days": 44, "first": "2026-10-13", "score": 64, "known": 76,
        "lowest": "relevellings", "reason": None, "parts": parts, "usage": usage, "today": {"starts": 12.0, "door_cycles": 13.0}, **more,
    }  # fmt: skip


def young(lift: str = "lift-1") -> dict[str, Any]:
    """One that was first seen today: nothing is known."""
    names = [found["name"] for found in health()["parts"]]
    return health(
        lift, days=0, first=None, score=None, known=0, lowest=None, reason={"key": "days", "have": 0, "need": 3},
        parts=[part(name, reason={"key": "days", "have": 0, "need": 3}) for name in names],
        usage=[{**used, "per_day": None, "baseline": None, "trend": None} for used in health()["usage"]],
    )  # fmt: skip


def days(count: int = 44) -> list[dict[str, Any]]:
    """Days as a gateway answers for them: the door grows slow, on one of them nothing was known."""
    return [
        {
            "date": f"2026-{10 + (12 + at) // 31:02d}-{(12 + at) % 31 + 1:02d}", "over": at < count - 1, "observed_hours": 24.0,
            "parts": {
                "door_1_opening": None if at == 20 else 2600 + 30 * at, "door_1_closing": 2650 + 7 * (at % 9), "door_reversals": 40 + at % 40,
                "levelling": None, "relevellings": at % 11, "zone_flickers": 0, "failed_starts": 0, "trip_time": 3420 + at % 5 * 9,
                "out_of_order": 0.0, "faults": 0.0, "no_data": 0.0,
            },
            "usage": {"starts": 50.0 + at % 13, "door_cycles": 55.0, "running_minutes": 9.0, "travel_m": 400.0, "rope_bends": 220.0},
        }
        for at in range(count)
    ]  # fmt: skip
