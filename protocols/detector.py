"""Table-driven fault detector: samples and now_ms in, transitions out. It knows no clock, no bus and no fault by name but one.

Every condition has three values. True and False speak; None (unknown) confirms nothing and clears nothing.
"""

from protocols import codes
from protocols.errors import SettingsError
from protocols.faults import BY_NAME, FAULTS, RUN_TIME_LIMIT, Fault
from protocols.state import LiftState

# Below this the car counts as standing: encoder noise (ours).
STANDSTILL_MM_S = 30
# A chain that opens stops the drive at once; the sample that shows it may be the one after (ours).
LATELY_MS = 1000
# Reversals at one stop that make a blocked door; public systems take 3 to 5 (domain notes 8).
REVERSALS = 5
# A door that stayed shut so long did close: what follows is another opening (ours).
SHUT_MS = 2000
# Evidence survives so long a hole in the samples: a few lost polls are no change of the world (ours).
HOLE_MS = 3000
# A controller starts in less after a power cut (ours); until then its silence is no fault.
BOOT_MS = 20000
# A flapping fault clears at most so many times more slowly.
SLOWEST = 8
LONGEST_CONFIRM_MS = 3600000
# What the door did in so long a silence is not known: it may have been open (its shortest stay is longer; ours).
BLIND_MS = 1000
# Travel time of the slowest factory curve beyond distance / speed (domain notes 7), and the limiter's margin.
CURVE_MS = 5200
LIMITER_MARGIN_MS = 10000
LIMITER_MAX_MS = 45000
LIMITER_MIN_MS = 20000

BUTTON = "button_pressed"


class Settings:
    """What the detector must know of the lift. SettingsError names what is wrong."""

    def __init__(
        self,
        rated_speed_mm_s: int = 1000,
        travel_mm: int = 15000,
        doors: int = 1,
        confirm_ms: dict[str, int] | None = None,
    ) -> None:
        """`confirm_ms` {fault name: ms} overrides the table for one lift.

        What the table confirms at once beside a way that takes time (reversals of a blocked door) stays at once.
        """
        _check("rated_speed_mm_s", rated_speed_mm_s, 100, 20000)
        _check("travel_mm", travel_mm, 1000, 500000)
        _check("doors", doors, 1, 2)
        self.doors = doors
        self.confirm_ms = {} if confirm_ms is None else confirm_ms
        if not isinstance(self.confirm_ms, dict):
            raise SettingsError("confirm_ms is %r; a table of fault names and ms" % (confirm_ms,))
        for name in self.confirm_ms:
            if name not in BY_NAME or name == BUTTON:
                raise SettingsError("confirm_ms: %r has no confirmation that could be set" % (name,))
            _check("confirm_ms: %s" % name, self.confirm_ms[name], 0, LONGEST_CONFIRM_MS)
        full_ms = travel_mm * 1000 // rated_speed_mm_s + CURVE_MS
        limit = min(LIMITER_MAX_MS, full_ms + LIMITER_MARGIN_MS)
        self.run_time_limit_ms = max(LIMITER_MIN_MS, limit)


class Transition:
    """One step in the life of an event. Times in ms since boot; `evidence` is [(condition, since)]."""

    def __init__(
        self,
        kind: str,
        phase: str,
        onset_ms: int,
        detected_ms: int,
        cause: str,
        evidence: list[tuple[str, int]],
        presses: int,
    ) -> None:
        self.kind = kind
        self.phase = phase
        self.onset_ms = onset_ms
        self.detected_ms = detected_ms
        self.cause = cause
        self.evidence = evidence
        self.presses = presses


class _Watch:
    """How far one fault has come."""

    def __init__(self, fault: Fault, confirm: list[int]) -> None:
        self.fault = fault
        self.confirm = confirm  # confirmation times of the alternatives
        self.since: list[int | None] = [None] * len(fault.alternatives)
        self.held = [0] * len(fault.alternatives)  # when the evidence was last seen to hold
        self.clear_since: int | None = None
        self.closed_ms: int | None = None
        self.slow = 1  # how many times more slowly it clears, since it flaps
        self.onset_ms = 0
        self.is_open = False


class Detector:
    """One lift. Give `step` each sample in order; `press`/`release` are the button's edges."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._watches = []
        for fault in FAULTS:
            confirm = []
            at_once = all(table_ms == 0 for _, table_ms in fault.alternatives)
            for _, table_ms in fault.alternatives:
                ms = self._settings.run_time_limit_ms if table_ms == RUN_TIME_LIMIT else table_ms
                confirm.append(self._settings.confirm_ms.get(fault.name, ms) if ms or at_once else ms)
            self._watches.append(_Watch(fault, confirm))
        self._by_name = {watch.fault.name: watch for watch in self._watches}
        self._button = self._by_name[BUTTON]
        self._pressed = False
        self._presses = 0
        self._since: dict[str, int] = {}  # condition -> since when it holds
        self._ran_ms: int | None = None
        self._mains_off_ms: int | None = None
        self._was_occupied = False  # somebody was seen since the car stopped
        self._seen_ms: int | None = None
        self._door_before: int | None = None
        self._reversals = 0
        self._arrived = False
        self._opening_tried = False
        self.near_misses: dict[str, int] = {}
        self.suppressed: dict[str, int] = {}

    def resume(self, kind: str, presses: int, now: int) -> None:
        """The event of `kind` was open before a reset: it is open still, until what clears it is seen."""
        watch = self._by_name.get(kind)
        if watch is not None:
            watch.is_open = True
            watch.onset_ms = now
            if watch is self._button:
                self._presses = presses

    # -- the button -----------------------------------------------------------------------------------------------

    def press(self, now: int, state: LiftState) -> list[Transition]:
        """The alarm button went down at `now`: opens the alarm, or is its next revision. Never suppressed."""
        self._pressed = True
        watch = self._button
        watch.clear_since = None
        if watch.is_open:
            self._presses += 1
            return [self._transition(watch, codes.UPDATED, now, "pressed_again", [("button", now)])]
        self._presses = 1
        watch.is_open = True
        watch.onset_ms = now
        return [self._transition(watch, codes.OPEN, now, "pressed", [("button", now)])]

    def release(self) -> None:
        """The button came up."""
        self._pressed = False

    # -- samples --------------------------------------------------------------------------------------------------

    def step(self, state: LiftState, now: int) -> list[Transition]:
        """Take the sample `state` of `now`; return the transitions that it causes, in the table's order."""
        facts = self._facts(state, now)
        since = self._since
        for name in facts:
            if facts[name] is not True:
                since.pop(name, None)
            elif name not in since:
                since[name] = now
        out: list[Transition] = []
        for watch in self._watches:
            if watch.is_open:
                self._try_clear(watch, facts, now, out)
            elif watch.fault.alternatives:
                self._try_open(watch, facts, now, state.service_mode in watch.fault.suppressed, out)
        return out

    def open_kinds(self) -> list[str]:
        """Names of the events open now, in the table's order."""
        return [watch.fault.name for watch in self._watches if watch.is_open]

    def _try_open(
        self, watch: _Watch, facts: dict[str, bool | None], now: int, at_work: bool, out: list[Transition]
    ) -> None:
        fault = watch.fault
        for other in fault.yields_to:
            if self._by_name[other].is_open:
                watch.since = [None] * len(watch.since)
                return
        for index in range(len(watch.since)):
            names = fault.alternatives[index][0]
            holds = _all(facts, names)
            since = watch.since[index]
            if holds is True:
                if since is None or now - watch.held[index] > HOLE_MS:
                    since = watch.since[index] = now
                    if at_work:
                        self.suppressed[fault.name] = self.suppressed.get(fault.name, 0) + 1
                watch.held[index] = now
                if at_work:
                    # What the technician does is no evidence, and must not ripen while he works.
                    watch.since[index] = now
                elif now - since >= watch.confirm[index]:
                    self._open(watch, index, since, facts, now, out)
                    return
            elif holds is False and since is not None:
                if now - since >= watch.confirm[index] // 2 and not at_work:
                    self.near_misses[fault.name] = self.near_misses.get(fault.name, 0) + 1
                watch.since[index] = None

    def _open(
        self, watch: _Watch, index: int, onset_ms: int, facts: dict[str, bool | None], now: int, out: list[Transition]
    ) -> None:
        watch.is_open = True
        watch.clear_since = None
        watch.onset_ms = onset_ms
        flaps = watch.closed_ms is not None and now - watch.closed_ms < watch.fault.flap_ms
        watch.slow = min(SLOWEST, watch.slow * 2) if flaps else 1
        names = watch.fault.alternatives[index][0]
        evidence = [(name, self._since.get(name, now)) for name in names]
        watch.since = [None] * len(watch.since)
        cause = names[-1]
        if cause == "not_seen_occupied":
            cause = "empty" if facts["nobody"] else "occupancy_unknown"
        elif cause == "mains_settled":
            cause = "mains_on" if facts["mains_on"] else "mains_unknown"
        out.append(self._transition(watch, codes.OPEN, now, cause, evidence))

    def _try_clear(self, watch: _Watch, facts: dict[str, bool | None], now: int, out: list[Transition]) -> None:
        for names in watch.fault.clear:
            if _all(facts, names) is True:
                if watch.clear_since is None:
                    watch.clear_since = now
                if now - watch.clear_since >= watch.fault.clear_ms * watch.slow:
                    watch.is_open = False
                    watch.closed_ms = now
                    evidence = [(name, self._since.get(name, now)) for name in names]
                    out.append(self._transition(watch, codes.CLOSED, now, names[-1], evidence))
                return
        watch.clear_since = None

    def _transition(
        self, watch: _Watch, phase: str, now: int, cause: str, evidence: list[tuple[str, int]]
    ) -> Transition:
        presses = self._presses if watch is self._button else 0
        return Transition(watch.fault.name, phase, watch.onset_ms, now, cause, evidence, presses)

    # -- conditions -----------------------------------------------------------------------------------------------

    def _facts(self, state: LiftState, now: int) -> dict[str, bool | None]:
        """All conditions of the table: {name: True, False or None}."""
        running = _running(state)
        zone = state.door_zone
        closed, is_open, door = self._doors(state)
        self._follow(running, zone, is_open, door, now)
        if running:
            self._was_occupied = False
        elif running is False and state.passenger:
            self._was_occupied = True
        lately = (
            None if running is None else bool(running or (self._ran_ms is not None and now - self._ran_ms <= LATELY_MS))
        )
        link = state.controller_link
        mains = state.mains
        if mains is False:
            self._mains_off_ms = now
        settled = self._mains_off_ms is None or now - self._mains_off_ms > BOOT_MS
        return {
            "running": running,
            "stopped": _not(running),
            "running_lately": lately,
            "in_zone": zone,
            "out_of_zone": _not(zone),
            "doors_closed": closed,
            "door_not_closed": _not(closed),
            "door_open": is_open,
            "door_reversing": self._reversals >= REVERSALS,
            "arrived_unopened": self._arrived,
            "opening_tried": self._opening_tried,
            "lock_open": _not(state.door_lock),
            "lock_closed": state.door_lock,
            "safety_open": _not(state.safety_circuit),
            "safety_closed": state.safety_circuit,
            "passenger": state.passenger,
            "nobody": _not(state.passenger),
            "not_seen_occupied": state.passenger is not True,
            "occupancy_unsteady": self._was_occupied,
            "mains_off": _not(mains),
            "mains_on": mains,
            "mains_settled": settled,
            "link_silent": _not(link),
            "link_answers": link,
            "button_released": not self._pressed,
        }

    def _doors(self, state: LiftState) -> tuple[bool | None, bool | None, int | None]:
        """(all closed, any fully open, the one that moves or else the first) over the car's doors; None = unknown."""
        doors = (state.door_1,) if self._settings.doors == 1 else (state.door_1, state.door_2)
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

    def _follow(
        self, running: bool | None, zone: bool | None, is_open: bool | None, door: int | None, now: int
    ) -> None:
        """What only the course of events tells: the last run, an arrival without opening, reversals at this stop."""
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
        closed_since = self._since.get("doors_closed")
        if closed_since is not None and now - closed_since >= SHUT_MS:
            self._reversals = 0
        if door is None:
            return
        if door == codes.DOOR_OPENING:
            self._opening_tried = self._opening_tried or self._arrived
            if self._door_before == codes.DOOR_CLOSING:
                self._reversals += 1
        self._door_before = door


def _check(name: str, value: object, low: int, high: int) -> None:
    if value is True or value is False or not isinstance(value, int) or not low <= value <= high:
        raise SettingsError("%s is %r; a whole number from %d to %d" % (name, value, low, high))


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _all(facts: dict[str, bool | None], names: tuple[str, ...]) -> bool | None:
    """Kleene's and: False beats unknown beats True."""
    result: bool | None = True
    for name in names:
        value = facts[name]
        if value is False:
            return False
        if value is None:
            result = None
    return result


def _running(state: LiftState) -> bool | None:
    """Does the car move? The speed decides where the two disagree: a state word may lag."""
    if state.speed_mm_s is None:
        return None if state.car_status is None else state.car_status == codes.RUNNING
    if state.speed_mm_s >= STANDSTILL_MM_S:
        return True
    return state.car_status == codes.RUNNING if state.car_status is not None else False
