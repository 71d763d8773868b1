"""The conditions of the fault table: what holds now, and since when, from each sample and the course of events. It judges nothing.

Every condition has three values. None (unknown) confirms nothing and clears nothing, and so does its opposite's.
"""

from protocols import codes
from protocols.controller_faults import national_code
from protocols.course import Course
from protocols.state import LiftState

# Controllers tell the position in steps of 100 mm: two of them beyond the landing (ours).
OVER_TRAVEL_MM = 200
# The national code of a lost position: words of the controller that stand for it.
POSITION_LOST = 7
# Below this the car counts as standing: encoder noise (ours).
STANDSTILL_MM_S = 30
# What is looked at in each sample, in the order in which `Conditions.follow` tells it. A fact is known by its place here: as
# tables of names three times as many bytes would lie on the chip's heap.
FACTS = (
    "running", "in_zone", "lock_closed", "safety_closed", "stands_and_creeps", "above_top", "below_bottom",
    "doors_closed", "door_open", "passenger", "somebody", "not_seen_occupied", "mains_on", "link_answers", "button_held",
    "battery_low", "at_work", "word_of_position", "no_word",
    # What Course.tell tells.
    "running_lately", "left_zone_open", "relevelling_often", "starts_failed", "drifted", "too_fast", "not_too_fast", "moved",
    "door_reversing", "arrived_unopened", "opening_tried", "occupancy_unsteady", "presence_constant", "mains_settled",
    "unopened_since_cut", "zone_flickers", "stopped_by_word", "just_restored",
    "mode_0", "mode_2", "mode_3", "mode_4", "mode_5", "mode_6",
)  # fmt: skip
# Conditions that are another's opposite; a sample need not tell both. So is "not_x" of "x" where x is a fact.
OPPOSITES = {
    "stopped": "running", "out_of_zone": "in_zone", "door_not_closed": "doors_closed", "lock_open": "lock_closed",
    "safety_open": "safety_closed", "nobody": "somebody", "mains_off": "mains_on", "link_silent": "link_answers",
    "button_released": "button_held", "zone_quiet": "zone_flickers", "levelling_calm": "relevelling_often",
    "battery_good": "battery_low", "restored_before": "just_restored", "other_word": "word_of_position",
}  # fmt: skip


def found(name: str) -> int:
    """Where the condition `name` is found: twice the place of its fact, and 1 more where it holds when the fact is true.

    ValueError if there is no such condition.
    """
    if name in FACTS:
        return 2 * FACTS.index(name) + 1
    if name in OPPOSITES:
        return 2 * FACTS.index(OPPOSITES[name])
    return 2 * FACTS.index(name[4:] if name[:4] == "not_" else name)


def all_hold(facts: list[bool | None], wanted: tuple[int, ...]) -> bool | None:
    """Kleene's and over places that `found` gave: False beats unknown beats True."""
    result: bool | None = True
    for place in wanted:
        value = facts[place >> 1]
        if value is None:
            result = None
        elif value is not (place & 1 == 1):
            return False
    return result


class Conditions:
    """Of one lift. `facts` are the values of FACTS after each `follow`, `since` the ms since which each is so."""

    def __init__(self, rated_speed_mm_s: int, travel_mm: int, doors: int, profile: str) -> None:
        self._travel_mm = travel_mm
        self._profile = profile
        self._course = Course(rated_speed_mm_s, doors)
        self.pressed = False
        self.doubts_presence = False  # the sensor is stuck: nobody knows whether somebody is in the car
        self.facts: list[bool | None] = []
        self.since = [0] * len(FACTS)

    def holds(self, name: str) -> bool | None:
        """Does the condition `name` hold, after the last sample?"""
        return all_hold(self.facts, (found(name),))

    def since_ms(self, name: str) -> int:
        """Since when the condition `name` is as it is."""
        return self.since[found(name) >> 1]

    def began_ms(self, name: str) -> int | None:
        """When the first of what the counting condition `name` counts was; None for all other conditions."""
        course = self._course
        if name == "door_reversing":
            return course.reversed_ms
        if name == "too_fast":
            return course.fast_ms
        moments: list[int] = []
        if name == "starts_failed":
            moments = course.failed
        elif name == "relevelling_often":
            moments = course.relevels
        elif name == "zone_flickers":
            moments = course.flickers
        return moments[0] if moments else None

    def is_way_out_free(self, state: LiftState) -> bool | None:
        """Does the car stand in the door zone with a door fully open? None = not known."""
        course = self._course
        course.look_at_doors(state)
        if state.door_zone is False or course.open is False:
            return False
        return None if state.door_zone is None or course.open is None else True

    def follow(self, state: LiftState, now: int) -> bool:
        """Take the sample `state` of `now`; True if anything came to be otherwise than it was before."""
        moves = _running(state)
        self._course.follow(state, moves, not self.doubts_presence, now)
        before, facts = self.facts, self._told(state, moves, now)
        # Most samples bring nothing new, and the comparison of two lists is cheap on both interpreters.
        if facts == before:
            return False
        self.facts = facts
        for place in range(len(facts)):
            if not before or facts[place] is not before[place]:
                self.since[place] = now
        return True

    def _told(self, state: LiftState, moves: bool | None, now: int) -> list[bool | None]:
        """The facts, in the order of FACTS."""
        course, position, word = self._course, state.position_mm, state.controller_fault
        passenger = None if self.doubts_presence else state.passenger
        return [
            moves, state.door_zone, state.door_lock, state.safety_circuit, _creeps(state),
            None if position is None else position > self._travel_mm + OVER_TRAVEL_MM,
            None if position is None else position < -OVER_TRAVEL_MM,
            course.closed, course.open,
            passenger, state.passenger,  # as the sensor says, stuck or not
            passenger is not True, state.mains, state.controller_link, self.pressed, state.battery_low,
            state.work_mode is not None and state.work_mode != codes.NO_WORK,
            None if word is None else national_code(word, self._profile) == POSITION_LOST,
            None if word is None else word == 0,
        ] + course.tell(state, moves, now)  # fmt: skip


def _running(state: LiftState) -> bool | None:
    """Does the car move? The speed decides where the two disagree: a state word may lag."""
    if state.speed_mm_s is None:
        return None if state.car_status is None else state.car_status == codes.RUNNING
    if state.speed_mm_s >= STANDSTILL_MM_S:
        return True
    return state.car_status == codes.RUNNING if state.car_status is not None else False


def _creeps(state: LiftState) -> bool | None:
    """The drive says that the car stands, and yet it moves."""
    if state.car_status is None or state.speed_mm_s is None:
        return None
    return state.car_status == codes.STOPPED and state.speed_mm_s >= STANDSTILL_MM_S
