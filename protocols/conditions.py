"""The conditions of the fault table, found in samples: what holds now, and what only the course of events tells. It judges nothing.

Every condition has three values. None (unknown) confirms nothing and clears nothing, and so does its opposite's.
"""

from protocols import codes
from protocols.controller_faults import national_code
from protocols.faults import WORK_MODES
from protocols.state import LiftState

# Below this the car counts as standing: encoder noise (ours).
STANDSTILL_MM_S = 30
# A chain that opens stops the drive at once; the sample that shows it may be the one after (ours).
LATELY_MS = 1000
# The word of a fault is in a slow block, read each two seconds; one such read may be lost (ours).
WORD_LATE_MS = 5000
# Reversals at one stop that make a blocked door; public systems take 3 to 5 (domain notes 8).
REVERSALS = 5
# A door that stayed shut so long did close: what follows is another opening (ours).
SHUT_MS = 2000
# A controller starts in less after a power cut (ours); until then its silence is no fault.
BOOT_MS = 20000
# What the door did in so long a silence is not known: it may have been open (its shortest stay is longer; ours).
BLIND_MS = 1000
# The governor trips from 115 % of the rated speed (domain notes 8); three samples are no noise (ours).
OVERSPEED_PERMILLE = 1150
OVERSPEED_SAMPLES = 3
# Controllers tell the position in steps of 100 mm: two of them beyond the landing (ours).
OVER_TRAVEL_MM = 200
DRIFT_MM = 200
# A step of the position that no creeping car makes between two samples: the controller found itself anew (ours).
JUMP_MM = 1000
# Relevelling is 40 mm/s (domain notes 7); several times at one stop is no loading of goods (ours).
RELEVEL_MM_S = 100
RELEVELS = 3
RELEVEL_SPAN_MS = 600000
# A run that did not leave its place, by speed and by position (ours).
UNMOVED_MM = 100
FAILED_STARTS = 3
FAILED_START_SPAN_MS = 180000
# A switch that changes so often while the car stands does so by itself (ours).
FLICKERS = 6
FLICKER_SPAN_MS = 60000
# Nobody leaves and nobody enters for so long while the door opens so often: the sensor sees what is not there (ours).
PRESENT_MS = 600000
PRESENT_OPENINGS = 10
# Return to automatic is told as something that has just happened.
RESTORED_MS = 2000
# Modes with an event of their own.
MODES = (
    codes.OUT_OF_SERVICE, codes.INSPECTION, codes.FIRE_RETURN, codes.FIREFIGHTER, codes.EMERGENCY_POWER, codes.EARTHQUAKE,
)  # fmt: skip
# The national code of a lost position: words of the controller that stand for it.
POSITION_LOST = 7
# Conditions that are another's opposite; a sample need not tell both.
OPPOSITES = {
    "stopped": "running", "out_of_zone": "in_zone", "door_not_closed": "doors_closed", "lock_open": "lock_closed",
    "safety_open": "safety_closed", "nobody": "somebody", "mains_off": "mains_on", "link_silent": "link_answers",
    "button_released": "button_held", "zone_quiet": "zone_flickers", "levelling_calm": "relevelling_often",
    "battery_good": "battery_low", "not_above_top": "above_top", "not_below_bottom": "below_bottom",
    "restored_before": "just_restored", "not_at_work": "at_work", "other_word": "word_of_position",
    "not_mode_0": "mode_0", "not_mode_2": "mode_2", "not_mode_3": "mode_3",
    "not_mode_4": "mode_4", "not_mode_5": "mode_5", "not_mode_6": "mode_6",
}  # fmt: skip


class Often:
    """The last `count` moments at which something happened, within `span_ms`."""

    def __init__(self, count: int, span_ms: int) -> None:
        self._count = count
        self._span_ms = span_ms
        self.at: list[int] = []

    def add(self, now: int) -> None:
        """It happened at `now`."""
        self.at.append(now)
        if len(self.at) > self._count:
            self.at.pop(0)

    def holds(self, now: int) -> bool:
        """Did it happen so often within the span that ends now?"""
        return len(self.at) == self._count and now - self.at[0] <= self._span_ms


class Conditions:
    """Of one lift. `facts` are {condition: True, False or None} after each `follow`, `since` {condition: ms since it is so}.

    Opposites are left out: see `found`.
    """

    def __init__(self, rated_speed_mm_s: int, travel_mm: int, doors: int, profile: str) -> None:
        self._overspeed_mm_s = rated_speed_mm_s * OVERSPEED_PERMILLE // 1000
        self._travel_mm = travel_mm
        self._doors = doors
        self._profile = profile
        self.pressed = False
        self.doubts_presence = False  # the sensor is stuck: nobody knows whether somebody is in the car
        self.facts: dict[str, bool | None] = {}
        self.since: dict[str, int] = {}
        self._before: dict[str, bool | None] = {}
        self._ran_ms: int | None = None
        self._mains_off_ms: int | None = None
        self._was_occupied = False  # somebody was seen since the car stopped
        self._seen_ms: int | None = None
        self._door_before: int | None = None
        self._reversals = 0
        self._reversed_ms = 0
        self._arrived = False
        self._opening_tried = False
        self._fast = 0
        self._fast_ms = 0
        self._stood_open = False  # in the zone, with a door not closed
        self._left_open = False  # and went out of it so
        self._unopened_cut: bool | None = None
        self._mode: int | None = None
        self._mode_left: int | None = None  # when a mode with an event of its own gave way to automatic
        self._relevels = Often(RELEVELS, RELEVEL_SPAN_MS)
        self._was_relevelling = False
        self._failed = Often(FAILED_STARTS, FAILED_START_SPAN_MS)
        self._status_before: int | None = None
        self._start: tuple[int, int | None] | None = None  # (when the run began that has not moved yet, position then)
        self._flickers = Often(FLICKERS, FLICKER_SPAN_MS)
        self._zone_before: bool | None = None
        self._anchor_mm: int | None = None  # where the car came to stand
        self._position_before: int | None = None
        self._drifted: bool | None = None
        self._present_ms: int | None = None
        self._openings = 0
        self._was_open = False
        self._was_closed = True  # as far as is known: whoever is in a car of which nothing is known may be shut in
        self._word_in_run = False
        self._word_stopped = False
        self._show_mode(None)

    def began_ms(self, name: str) -> int | None:
        """When the first of what the counting condition `name` counts was; None for all other conditions."""
        if name == "door_reversing":
            return self._reversed_ms
        if name == "too_fast":
            return self._fast_ms
        often = {
            "starts_failed": self._failed, "relevelling_often": self._relevels, "zone_flickers": self._flickers,
        }.get(name)  # fmt: skip
        return often.at[0] if often is not None and often.at else None

    def follow(self, state: LiftState, now: int) -> bool:
        """Take the sample `state` of `now`; True if anything came to be otherwise than it was before."""
        running = _running(state)
        closed, is_open, door = self._look_at_doors(state)
        self._follow_stop(running, state.door_zone, is_open, door, now)
        self._follow_presence(running, state.passenger, is_open, now)
        self._follow_supply(state, closed, is_open, now)
        self._follow_car(state, running, closed, now)
        self._follow_starts(state, now)
        self._follow_mode(state.service_mode, now)
        self._tell(state, running, now)
        self._tell_doors(closed, is_open)
        self._tell_inputs(state, now)
        facts, before = self.facts, self._before
        # Most samples bring nothing new, and the comparison of two tables is cheap on both interpreters.
        if facts == before:
            return False
        for name in facts:
            if name not in before or facts[name] is not before[name]:
                before[name] = facts[name]
                self.since[name] = now
        return True

    def _tell(self, state: LiftState, running: bool | None, now: int) -> None:
        """Motion, zone and circuits."""
        facts = self.facts
        zone = state.door_zone
        facts["running"] = running
        facts["running_lately"] = (
            None if running is None else running or (self._ran_ms is not None and now - self._ran_ms <= LATELY_MS)
        )
        facts["in_zone"] = zone
        facts["lock_closed"] = state.door_lock
        facts["safety_closed"] = state.safety_circuit
        facts["left_zone_open"] = self._left_open
        facts["relevelling_often"] = self._relevels.holds(now)
        facts["starts_failed"] = self._failed.holds(now)
        facts["stands_and_creeps"] = _creeps(state)
        facts["drifted"] = self._drifted
        position = state.position_mm
        facts["above_top"] = None if position is None else position > self._travel_mm + OVER_TRAVEL_MM
        facts["below_bottom"] = None if position is None else position < -OVER_TRAVEL_MM
        speed = state.speed_mm_s
        facts["too_fast"] = None if speed is None else self._fast >= OVERSPEED_SAMPLES
        facts["not_too_fast"] = None if speed is None else self._fast == 0
        facts["moved"] = None if speed is None else speed >= RELEVEL_MM_S

    def _tell_doors(self, closed: bool | None, is_open: bool | None) -> None:
        facts = self.facts
        facts["doors_closed"] = closed
        facts["door_open"] = is_open
        facts["door_reversing"] = self._reversals >= REVERSALS
        facts["arrived_unopened"] = self._arrived
        facts["opening_tried"] = self._opening_tried

    def _tell_inputs(self, state: LiftState, now: int) -> None:
        """The node's own terminals, the link, and what the controller says of itself."""
        facts = self.facts
        passenger = None if self.doubts_presence else state.passenger
        facts["passenger"] = passenger
        facts["somebody"] = state.passenger  # as the sensor says, stuck or not
        facts["not_seen_occupied"] = passenger is not True
        facts["occupancy_unsteady"] = self._was_occupied
        facts["presence_constant"] = (
            self._present_ms is not None and now - self._present_ms >= PRESENT_MS and self._openings >= PRESENT_OPENINGS
        )
        facts["mains_on"] = state.mains
        facts["mains_settled"] = self._mains_off_ms is None or now - self._mains_off_ms > BOOT_MS
        facts["unopened_since_cut"] = self._unopened_cut
        facts["link_answers"] = state.controller_link
        facts["button_held"] = self.pressed
        facts["zone_flickers"] = self._flickers.holds(now)
        facts["battery_low"] = state.battery_low
        facts["at_work"] = bool(state.work_mode)
        word = state.controller_fault
        facts["word_of_position"] = None if word is None else national_code(word, self._profile) == POSITION_LOST
        facts["stopped_by_word"] = self._word_stopped
        facts["no_word"] = None if word is None else word == 0

    def is_way_out_free(self, state: LiftState) -> bool | None:
        """Does the car stand in the door zone with a door fully open? None = not known."""
        is_open = self._look_at_doors(state)[1]
        if state.door_zone is False or is_open is False:
            return False
        return None if state.door_zone is None or is_open is None else True

    def _look_at_doors(self, state: LiftState) -> tuple[bool | None, bool | None, int | None]:
        """(all closed, any fully open, the one that moves or else the first) over the car's doors; None = unknown."""
        doors = (state.door_1,) if self._doors == 1 else (state.door_1, state.door_2)
        is_open = codes.DOOR_OPEN in doors
        if None in doors:
            known_open = any(door is not None and door not in (codes.DOOR_CLOSED, codes.DOOR_LOCKED) for door in doors)
            return (False if known_open else None), (True if is_open else None), None
        closed = all(door == codes.DOOR_CLOSED or door == codes.DOOR_LOCKED for door in doors)
        moving = doors[0]
        for door in doors:
            if door == codes.DOOR_OPENING or door == codes.DOOR_CLOSING:
                moving = door
        return closed, is_open, moving

    def _follow_stop(
        self, running: bool | None, zone: bool | None, is_open: bool | None, door: int | None, now: int
    ) -> None:
        """The last run, an arrival without opening, reversals at this stop."""
        if running is not None and zone is not None and door is not None:
            self._seen_ms = now
        elif self._seen_ms is None or now - self._seen_ms > BLIND_MS:
            self._arrived = False
            self._opening_tried = False
            self._ran_ms = None
            self._door_before = None
        if running:
            self._ran_ms = now
            self._arrived = False
            self._opening_tried = False
            self._reversals = 0
        elif running is False and zone and self._ran_ms is not None and now - self._ran_ms <= LATELY_MS:
            self._arrived = True
        if is_open or door == codes.DOOR_CLOSING:
            self._arrived = False
        if self.facts.get("doors_closed") and now - self.since["doors_closed"] >= SHUT_MS:
            self._reversals = 0
        if door is None:
            return
        if door == codes.DOOR_OPENING:
            self._opening_tried = self._opening_tried or self._arrived
            if self._door_before == codes.DOOR_CLOSING:
                self._reversals += 1
                if self._reversals == 1:
                    self._reversed_ms = now
        self._door_before = door

    def _follow_presence(self, running: bool | None, passenger: bool | None, is_open: bool | None, now: int) -> None:
        if running:
            self._was_occupied = False
        elif running is False and passenger and not self.doubts_presence:
            self._was_occupied = True
        if passenger is not True:
            self._present_ms = None
            self._openings = 0
        elif self._present_ms is None:
            self._present_ms = now
        if is_open and not self._was_open:
            self._openings += 1
        if is_open is not None:
            self._was_open = is_open

    def _follow_supply(self, state: LiftState, closed: bool | None, is_open: bool | None, now: int) -> None:
        """Whether a door has been open since the mains went, as far as the controller could tell."""
        if state.mains is False:
            if self.facts.get("mains_on") is not False:
                # Whoever is at work in the car knows of the cut.
                self._unopened_cut = self._was_closed and self._mode not in WORK_MODES
            self._mains_off_ms = now
            if is_open or closed is False:
                self._unopened_cut = False
        else:
            self._unopened_cut = None if state.mains is None else False
        if closed is not None:
            self._was_closed = closed

    def _follow_car(self, state: LiftState, running: bool | None, closed: bool | None, now: int) -> None:
        """Overspeed, a car that leaves its landing with open doors, relevelling, drifting, flickering."""
        speed, zone = state.speed_mm_s, state.door_zone
        if speed is None or speed < self._overspeed_mm_s:
            self._fast = 0
        else:
            self._fast += 1
            if self._fast == 1:
                self._fast_ms = now
        if closed is not False or zone:
            self._left_open = False
        elif self._stood_open and zone is False and running:
            # A zone switch that flickers moves no car.
            self._left_open = True
        if closed:
            self._stood_open = False
        elif closed is False and zone and (running is False or self._stood_open):
            self._stood_open = True
        relevels = bool(running and zone and closed is False and speed is not None and speed <= RELEVEL_MM_S)
        if relevels and not self._was_relevelling:
            self._relevels.add(now)
        self._was_relevelling = relevels
        if running is False and closed and self._zone_before is not None and zone is not None:
            if zone != self._zone_before:
                self._flickers.add(now)
            self._zone_before = zone
        else:
            self._zone_before = zone if running is False and closed else None
        self._follow_drift(state, closed)

    def _follow_drift(self, state: LiftState, closed: bool | None) -> None:
        position, before = state.position_mm, self._position_before
        self._position_before = position
        if position is None or closed is not True or state.car_status != codes.STOPPED:
            self._anchor_mm = None
            self._drifted = None if position is None else False
            return
        if self._anchor_mm is None or before is None or abs(position - before) >= JUMP_MM:
            # The state word may be ahead of the car by a sample: the anchor is where it really stood.
            self._anchor_mm = position if (state.speed_mm_s or 0) < STANDSTILL_MM_S else None
            self._drifted = False
            return
        self._drifted = abs(position - self._anchor_mm) >= DRIFT_MM

    def _follow_starts(self, state: LiftState, now: int) -> None:
        """Runs that did not move, and words of the controller that ended one."""
        status, position = state.car_status, state.position_mm
        moves = state.speed_mm_s is not None and state.speed_mm_s >= RELEVEL_MM_S
        if moves:
            self._start = None
            self._failed.at = []
        elif status == codes.RUNNING:
            if self._status_before == codes.STOPPED:
                self._start = (now, position)
        elif status == codes.STOPPED and self._start is not None:
            origin = self._start[1]
            if origin is None or position is None or abs(position - origin) < UNMOVED_MM:
                self._failed.add(now)
            self._start = None
        self._status_before = status
        word = state.controller_fault
        if not word:
            self._word_in_run = False
        elif self.facts.get("no_word"):
            self._word_in_run = self._ran_ms is not None and now - self._ran_ms <= WORD_LATE_MS
        if moves and self._word_stopped:
            self._word_in_run = False  # it has run since
        self._word_stopped = self._word_in_run and not moves

    def _follow_mode(self, mode: int | None, now: int) -> None:
        if mode is not None and mode != self._mode:
            if mode == codes.NORMAL and self._mode in MODES:
                self._mode_left = now
            self._mode = mode
        if mode != self._shown_mode:
            self._show_mode(mode)
        if self._mode_left is not None and (mode != codes.NORMAL or now - self._mode_left > RESTORED_MS):
            self._mode_left = None
        self.facts["just_restored"] = self._mode_left is not None

    def _show_mode(self, mode: int | None) -> None:
        """The modes' own conditions, told anew only when the mode changes: a sample has many and the chip is slow."""
        self._shown_mode = mode
        for number in MODES:
            self.facts["mode_%d" % number] = None if mode is None else mode == number


def found(name: str) -> tuple[str, bool]:
    """(the fact that tells of the condition `name`, the value that it has where the condition holds)."""
    return (OPPOSITES[name], False) if name in OPPOSITES else (name, True)


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
