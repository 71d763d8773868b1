"""Who of an area's lifts is looked after first: what is known of each car, its class, and the order. No I/O, no clock.

What is known last is called last known: each member says when its node told it, and whether the node is still heard.
"""

from dataclasses import dataclass
from typing import Any

# The classes in the order in which they are looked after; `ended` is over.
ALARM = "alarm"
OCCUPIED = "occupied"
UNKNOWN = "unknown"
MOVING = "moving"
EMPTY = "empty"
ENDED = "ended"
CLASSES = (ALARM, OCCUPIED, UNKNOWN, MOVING, EMPTY, ENDED)
RANK = {name: number for number, name in enumerate(CLASSES)}
# Whoever may be in danger: a change to these is told sooner.
URGENT = (ALARM, OCCUPIED)

Event = dict[str, Any]


@dataclass(frozen=True)
class Whereabouts:
    """What a node told of its car. Times are unix ms of the gateway; None = never told, or unknown by then.

    `passenger` is the node's own input, and unknown as soon as its newest state does not tell it; car and floor are what the
    controller told last, which is mute in a power cut.
    """

    passenger: bool | None = None
    passenger_at_ms: int | None = None
    running: bool | None = None
    in_zone: bool | None = None
    floor: int | None = None
    car_at_ms: int | None = None
    live: bool = False

    def or_else(self, older: "Whereabouts") -> "Whereabouts":
        """What is told here, and what is not, from `older`."""
        mine = self.passenger_at_ms is not None
        car = self if self.car_at_ms is not None else older
        return Whereabouts(
            self.passenger if mine else older.passenger, self.passenger_at_ms if mine else older.passenger_at_ms,
            car.running, car.in_zone, car.floor, car.car_at_ms, self.live,
        )  # fmt: skip


def told_by(event: Event) -> Whereabouts:
    """What an event itself tells of the car, in its snapshot or as last known."""
    snapshot, last = event["snapshot"], event["last_known"]
    seen_ms = event["stages"]["published"]
    passenger = snapshot.get("passenger")
    passenger_ms = seen_ms if passenger is not None else None
    if passenger is None and last.get("passenger") is not None:
        passenger, passenger_ms = last["passenger"], event["last_known_at_ms"]
    car, car_ms = (snapshot, seen_ms) if "car_status" in snapshot else (last, event["last_known_at_ms"])
    status = car.get("car_status")
    return Whereabouts(
        passenger, passenger_ms, None if status is None else status == 1, car.get("door_zone"), car.get("floor"), car_ms
    )


def judge(where: Whereabouts, alarm: str | None, doubted: bool, ended: bool) -> tuple[str, str]:
    """(class, reason) of a member. `alarm`: the kind of its open alarm; `doubted`: its presence sensor cannot be believed."""
    if ended:
        return ENDED, "ended"
    if alarm is not None:
        return ALARM, alarm
    if doubted:
        return UNKNOWN, "presence_stuck"
    if where.passenger is None:
        return UNKNOWN, "presence_unknown"
    if where.passenger:
        return OCCUPIED, "passenger_seen"
    if where.in_zone is False:
        return MOVING, "between_floors"
    if where.running:
        return MOVING, "running"
    return EMPTY, "nobody_seen"
