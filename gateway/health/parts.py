"""What each part of a lift's health was on one day, and what its controller has to tell for it. Values in, values out."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.config import Lift
from gateway.health import day as bits
from gateway.health.day import LEVELLING, TRIP, Day
from protocols.health import BY_NAME, SHEAVES

MINUTE_MS = 60_000
# The median of fewer is nobody's figure (ours).
LEAST_OF_DAY = 5


class Typical(NamedTuple):
    """A part that is the day's own figure of one quantity: its median, or what nine of ten stay below."""

    quantity: int
    needs: int
    nine_tenths: bool = False


class Share(NamedTuple):
    """A part that is what happened over all occasions: `counted(day)` gives both. `per_hour`: the occasions are ms, counted in hours."""

    counted: Callable[[Day], tuple[float, float]]
    needs: int
    per_hour: bool = False


def _without_data(day: Day) -> tuple[float, float]:
    return max(0, day.span - day.observed) + day.silent, day.span


MOVES = bits.DOOR_1 | bits.MOTION | bits.ZONE
TYPICALS: Mapping[str, Typical] = {
    "door_1_opening": Typical(0, bits.DOOR_1),
    "door_1_closing": Typical(1, bits.DOOR_1),
    "door_2_opening": Typical(2, bits.DOOR_2),
    "door_2_closing": Typical(3, bits.DOOR_2),
    "trip_time": Typical(TRIP, bits.MOTION | bits.FLOOR),
    "levelling": Typical(LEVELLING, bits.MOTION | bits.ZONE | bits.FLOOR | bits.POSITION, nine_tenths=True),
}
SHARES: Mapping[str, Share] = {
    "door_reversals": Share(lambda day: (day.reversals, day.cycles), bits.DOOR_1),
    "relevellings": Share(lambda day: (day.relevels, day.stops), MOVES),
    "zone_flickers": Share(lambda day: (day.flickers, day.stops), MOVES),
    "failed_starts": Share(lambda day: (day.failed, day.all_starts), bits.MOTION | bits.SPEED),
    "out_of_order": Share(lambda day: (day.stopped, day.judged), bits.FAULT_WORD, per_hour=True),
    "no_data": Share(_without_data, 0, per_hour=True),
}


def missing(needs: int, days: list[Day]) -> list[str]:
    """Names of the fields of `needs` that the controller told on none of `days`."""
    heard = 0
    for day in days:
        heard |= day.known
    return [name for name, bit in bits.KNOWN_BITS.items() if needs & bit & ~heard]


def sheaves(lift: Lift) -> int:
    """How many sheaves its ropes run over."""
    return lift.health.sheaves or SHEAVES[lift.health.roping]


def usage(lift: Lift, day: Day) -> dict[str, float]:
    """How much the lift was used on `day`, by the names of the table."""
    return {
        "starts": day.all_starts,
        "door_cycles": day.cycles,
        "running_minutes": round(day.running / MINUTE_MS, 1),
        "travel_m": round(day.travel_mm / 1000),
        "rope_bends": day.crossed * sheaves(lift),
        "other_mode_minutes": round(day.other_mode / MINUTE_MS, 1),
        "no_mains_minutes": round(day.dark / MINUTE_MS, 1),
    }


def figures(day: Day, faults: int | None) -> dict[str, float | None]:
    """{part: what it was on this day alone, None where nobody knows}. Ropes are of no day."""
    out: dict[str, float | None] = {name: typical_of(name, day) for name in TYPICALS}
    for name, share in SHARES.items():
        heard = day.known & share.needs == share.needs
        out[name] = ratio(*share.counted(day), BY_NAME[name].per) if heard else None
    out["faults"] = None if faults is None else ratio(faults, day.all_starts, BY_NAME["faults"].per)
    return out


def typical_of(name: str, day: Day) -> int | None:
    """The figure of a TYPICAL part on this day; None where it has too few."""
    typical = TYPICALS[name]
    spread = day.spread(typical.quantity)
    if spread.count < LEAST_OF_DAY:
        return None
    return spread.nine_tenths if typical.nine_tenths else spread.median


def ratio(count: float, of: float, per: float) -> float | None:
    """`count` of `of`, in `per`; None of nothing."""
    return round(count * per / of, 2) if of else None
