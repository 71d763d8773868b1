"""What only the course of events tells of a lift: reversals, failed starts, drifting, flickering. Samples and times in; it judges nothing.

Of what is unknown it concludes nothing, and forgets what a longer silence may have changed.
"""

from protocols import codes
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
# Controllers tell the position in steps of 100 mm: two of them from where the car came to stand.
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


class Course:
    """Of one lift with so many `doors`. Give `follow` each sample in order; `tell` tells what holds after it.

    Of the doors in the newest sample: all `closed`, any fully `open` (None = unknown).
    """

    def __init__(self, rated_speed_mm_s: int, doors: int) -> None:
        self._doors = doors
        self.closed: bool | None = None
        self.open: bool | None = None
        self._overspeed_mm_s = rated_speed_mm_s * OVERSPEED_PERMILLE // 1000
        # The run and the stop.
        self.ran_ms: int | None = None
        self._seen_ms: int | None = None
        self.arrived = False
        self.opening_tried = False
        self.reversals = 0
        self.reversed_ms = 0
        self._door_before: int | None = None
        self._shut_ms: int | None = None
        # Who is in the car.
        self.was_occupied = False  # somebody was seen since the car stopped
        self.present_ms: int | None = None
        self.openings = 0
        self._was_open = False
        # The supply.
        self.mains_off_ms: int | None = None
        self._mains_before: bool | None = None
        self.unopened_cut: bool | None = None
        self._was_closed = True  # as far as is known: whoever is in a car of which nothing is known may be shut in
        # The car.
        self.fast = 0
        self.fast_ms = 0
        self._stood_open = False  # in the zone, with a door not closed
        self.left_open = False  # and went out of it so
        self.relevels: list[int] = []
        self._was_relevelling = False
        self.flickers: list[int] = []
        self._zone_before: bool | None = None
        self._anchor_mm: int | None = None  # where the car came to stand
        self._position_before: int | None = None
        self.drifted: bool | None = None
        # Starts, words, modes.
        self.failed: list[int] = []
        self._status_before: int | None = None
        self._start: tuple[int, int | None] | None = None  # (when the run began that has not moved yet, position then)
        self._word_before: int | None = None
        self._word_in_run = False
        self.word_stopped = False
        self._mode: int | None = None
        self.mode_left: int | None = None  # when a mode with an event of its own gave way to automatic

    def look_at_doors(self, state: LiftState) -> int | None:
        """Take the doors of a sample: the state of the one that moves or else of the first, None = unknown."""
        door_1, door_2 = state.door_1, state.door_2 if self._doors == 2 else state.door_1
        is_open = door_1 == codes.DOOR_OPEN or door_2 == codes.DOOR_OPEN
        shut_1 = door_1 == codes.DOOR_CLOSED or door_1 == codes.DOOR_LOCKED
        shut_2 = door_2 == codes.DOOR_CLOSED or door_2 == codes.DOOR_LOCKED
        if door_1 is None or door_2 is None:
            known_open = (door_1 is not None and not shut_1) or (door_2 is not None and not shut_2)
            self.closed, self.open = False if known_open else None, True if is_open else None
            return None
        self.closed, self.open = shut_1 and shut_2, is_open
        return door_2 if door_2 == codes.DOOR_OPENING or door_2 == codes.DOOR_CLOSING else door_1

    def follow(self, state: LiftState, running: bool | None, believed: bool, now: int) -> None:
        """Take the sample `state` of `now`; `running` is what it tells, a stuck presence sensor is not `believed`."""
        self._follow_stop(running, state.door_zone, self.look_at_doors(state), now)
        self._follow_presence(running, state.passenger, believed, now)
        self._follow_supply(state.mains, now)
        self._follow_car(state, running, now)
        self._follow_drift(state)
        self._follow_starts(state, now)
        self._follow_mode(state.service_mode, now)

    def tell(self, state: LiftState, moves: bool | None, now: int) -> list[bool | None]:
        """The facts that the course of events tells, in the order of the end of conditions.FACTS."""
        speed, mode = state.speed_mm_s, state.service_mode
        lately = self.ran_ms is not None and now - self.ran_ms <= LATELY_MS
        constant = self.present_ms is not None and now - self.present_ms >= PRESENT_MS
        facts = [
            None if moves is None else moves or lately, self.left_open,
            _often(self.relevels, RELEVELS, RELEVEL_SPAN_MS, now),
            _often(self.failed, FAILED_STARTS, FAILED_START_SPAN_MS, now),
            self.drifted, None if speed is None else self.fast >= OVERSPEED_SAMPLES,
            None if speed is None else self.fast == 0, None if speed is None else speed >= RELEVEL_MM_S,
            self.reversals >= REVERSALS, self.arrived, self.opening_tried, self.was_occupied,
            constant and self.openings >= PRESENT_OPENINGS,
            self.mains_off_ms is None or now - self.mains_off_ms > BOOT_MS, self.unopened_cut,
            _often(self.flickers, FLICKERS, FLICKER_SPAN_MS, now), self.word_stopped, self.mode_left is not None,
        ]  # fmt: skip
        for number in MODES:
            facts.append(None if mode is None else mode == number)
        return facts

    def _follow_stop(self, running: bool | None, zone: bool | None, door: int | None, now: int) -> None:
        """The last run, and an arrival without opening."""
        if running is not None and zone is not None and door is not None:
            self._seen_ms = now
        elif self._seen_ms is None or now - self._seen_ms > BLIND_MS:
            self.arrived = False
            self.opening_tried = False
            self.ran_ms = None
            self._door_before = None
        if running:
            self.ran_ms = now
            self.arrived = False
            self.opening_tried = False
            self.reversals = 0
        elif running is False and zone and self.ran_ms is not None and now - self.ran_ms <= LATELY_MS:
            self.arrived = True
        if self.open or door == codes.DOOR_CLOSING:
            self.arrived = False
        self._follow_door(door, now)

    def _follow_door(self, door: int | None, now: int) -> None:
        """Reversals since the car stopped, or since the door last shut."""
        if self._shut_ms is not None and now - self._shut_ms >= SHUT_MS:
            self.reversals = 0
        if not self.closed:
            self._shut_ms = None
        elif self._shut_ms is None:
            self._shut_ms = now
        if door is None:
            return
        if door == codes.DOOR_OPENING:
            self.opening_tried = self.opening_tried or self.arrived
            if self._door_before == codes.DOOR_CLOSING:
                self.reversals += 1
                if self.reversals == 1:
                    self.reversed_ms = now
        self._door_before = door

    def _follow_presence(self, running: bool | None, passenger: bool | None, believed: bool, now: int) -> None:
        if running:
            self.was_occupied = False
        elif running is False and passenger and believed:
            self.was_occupied = True
        if passenger is not True:
            self.present_ms = None
            self.openings = 0
        elif self.present_ms is None:
            self.present_ms = now
        if self.open and not self._was_open:
            self.openings += 1
        if self.open is not None:
            self._was_open = self.open

    def _follow_supply(self, mains: bool | None, now: int) -> None:
        """Whether a door has been open since the mains went, as far as the controller could tell."""
        if mains is False:
            if self._mains_before is not False:
                # Whoever is at work in the car knows of the cut.
                self.unopened_cut = self._was_closed and self._mode not in WORK_MODES
            self.mains_off_ms = now
            if self.open or self.closed is False:
                self.unopened_cut = False
        else:
            self.unopened_cut = None if mains is None else False
        self._mains_before = mains
        if self.closed is not None:
            self._was_closed = self.closed

    def _follow_car(self, state: LiftState, running: bool | None, now: int) -> None:
        """Overspeed, a car that leaves its landing with open doors, relevelling, flickering."""
        speed, zone, closed = state.speed_mm_s, state.door_zone, self.closed
        if speed is None or speed < self._overspeed_mm_s:
            self.fast = 0
        else:
            self.fast += 1
            if self.fast == 1:
                self.fast_ms = now
        if closed is not False or zone:
            self.left_open = False
        elif self._stood_open and zone is False and running:
            # A zone switch that flickers moves no car.
            self.left_open = True
        if closed:
            self._stood_open = False
        elif closed is False and zone and (running is False or self._stood_open):
            self._stood_open = True
        relevels = bool(running and zone and closed is False and speed is not None and speed <= RELEVEL_MM_S)
        if relevels and not self._was_relevelling:
            _note(self.relevels, RELEVELS, now)
        self._was_relevelling = relevels
        if running is False and closed and self._zone_before is not None and zone is not None:
            if zone != self._zone_before:
                _note(self.flickers, FLICKERS, now)
            self._zone_before = zone
        else:
            self._zone_before = zone if running is False and closed else None

    def _follow_drift(self, state: LiftState) -> None:
        position, before = state.position_mm, self._position_before
        self._position_before = position
        if position is None or self.closed is not True or state.car_status != codes.STOPPED:
            self._anchor_mm = None
            self.drifted = None if position is None else False
            return
        if self._anchor_mm is None or before is None or abs(position - before) >= JUMP_MM:
            # The state word may be ahead of the car by a sample: the anchor is where it really stood.
            self._anchor_mm = position if (state.speed_mm_s or 0) < STANDSTILL_MM_S else None
            self.drifted = False
            return
        self.drifted = abs(position - self._anchor_mm) >= DRIFT_MM

    def _follow_starts(self, state: LiftState, now: int) -> None:
        """Runs that did not move, and words of the controller that ended one."""
        status, position = state.car_status, state.position_mm
        moves = state.speed_mm_s is not None and state.speed_mm_s >= RELEVEL_MM_S
        if moves:
            self._start = None
            if self.failed:
                self.failed = []
        elif status == codes.RUNNING:
            if self._status_before == codes.STOPPED:
                self._start = (now, position)
        elif status == codes.STOPPED and self._start is not None:
            origin = self._start[1]
            if origin is None or position is None or abs(position - origin) < UNMOVED_MM:
                _note(self.failed, FAILED_STARTS, now)
            self._start = None
        self._status_before = status
        word = state.controller_fault
        if not word:
            self._word_in_run = False
        elif self._word_before == 0:
            self._word_in_run = self.ran_ms is not None and now - self.ran_ms <= WORD_LATE_MS
        self._word_before = word
        if moves and self.word_stopped:
            self._word_in_run = False  # it has run since
        self.word_stopped = self._word_in_run and not moves

    def _follow_mode(self, mode: int | None, now: int) -> None:
        if mode is not None and mode != self._mode:
            if mode == codes.NORMAL and self._mode in MODES:
                self.mode_left = now
            self._mode = mode
        if self.mode_left is not None and (mode != codes.NORMAL or now - self.mode_left > RESTORED_MS):
            self.mode_left = None


def _note(moments: list[int], most: int, now: int) -> None:
    """Keep `now` among the last `most` moments at which something happened."""
    moments.append(now)
    if len(moments) > most:
        moments.pop(0)


def _often(moments: list[int], count: int, span_ms: int, now: int) -> bool:
    """Did it happen `count` times within the span that ends now?"""
    return len(moments) >= count and now - moments[0] <= span_ms
