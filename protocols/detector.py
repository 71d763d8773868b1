"""Table-driven fault detector: samples and now_ms in, transitions out. It knows no clock and no bus, and two faults by name.

What holds is found by conditions; here it is judged by the table: confirmed, opened, cleared, suppressed.
"""

from protocols import codes, faults
from protocols.conditions import Conditions, all_hold, found
from protocols.errors import SettingsError
from protocols.faults import RUN_TIME_LIMIT
from protocols.state import LiftState

# Evidence survives so long a hole in the samples: a few lost polls are no change of the world (ours).
HOLE_MS = 3000
# A flapping fault clears at most so many times more slowly.
SLOWEST = 8
LONGEST_CONFIRM_MS = 3600000
# Travel time of the slowest factory curve beyond distance / speed (domain notes 7), and the limiter's margin.
CURVE_MS = 5200
LIMITER_MARGIN_MS = 10000
LIMITER_MAX_MS = 45000
LIMITER_MIN_MS = 20000


def _places(names: "list[str] | tuple[str, ...]") -> tuple[int, ...]:
    return tuple([found(name) for name in names])


# For each of faults.NAMES what makes its alternatives special, as places that `found` gave and 1 more, a byte each: while none
# of these holds, and none did, there is nothing to do. Filled by the first detector: on the chip the rows are read from texts, and what
# lives long must not be strewn among what is left of these.
_pivots: list[int] = []
BUTTON = "button_pressed"
PRESENCE_STUCK = "presence_stuck"
AT_WORK = found("at_work") >> 1


class Settings:
    """What the detector must know of the lift. SettingsError names what is wrong."""

    def __init__(
        self,
        rated_speed_mm_s: int = 1000,
        travel_mm: int = 15000,
        doors: int = 1,
        confirm_ms: dict[str, int] | None = None,
        profile: str = "nice3000",
        button_filter: bool = False,
    ) -> None:
        """`confirm_ms` {fault name: ms} overrides the table for one lift; `profile` says whose fault words they are.

        With `button_filter` an alarm from a car whose way out is free (in the zone, a door fully open) is withheld.
        What the table confirms at once beside a way that takes time (reversals of a blocked door) stays at once.
        """
        _check("rated_speed_mm_s", rated_speed_mm_s, 100, 20000)
        _check("travel_mm", travel_mm, 1000, 500000)
        _check("doors", doors, 1, 2)
        self.rated_speed_mm_s = rated_speed_mm_s
        self.travel_mm = travel_mm
        self.doors = doors
        self.profile = profile
        self.button_filter = button_filter
        self.confirm_ms = {} if confirm_ms is None else confirm_ms
        if not isinstance(self.confirm_ms, dict):
            raise SettingsError("confirm_ms is %r; a table of fault names and ms" % (confirm_ms,))
        for name in self.confirm_ms:
            if name not in faults.NAMES or name == BUTTON:
                raise SettingsError("confirm_ms: %r has no confirmation that could be set" % (name,))
            _check("confirm_ms: %s" % name, self.confirm_ms[name], 0, LONGEST_CONFIRM_MS)
        full_ms = travel_mm * 1000 // rated_speed_mm_s + CURVE_MS
        limit = min(LIMITER_MAX_MS, full_ms + LIMITER_MARGIN_MS)
        self.run_time_limit_ms = max(LIMITER_MIN_MS, limit)


class Transition:
    """One step in the life of an event. Times in ms since boot; `evidence` is [(condition, since)]; `withheld` as on the wire."""

    def __init__(
        self,
        kind: str,
        phase: str,
        onset_ms: int,
        detected_ms: int,
        cause: str,
        evidence: list[tuple[str, int]],
        presses: int,
        withheld: str = "",
    ) -> None:
        self.kind = kind
        self.phase = phase
        self.onset_ms = onset_ms
        self.detected_ms = detected_ms
        self.cause = cause
        self.evidence = evidence
        self.presses = presses
        self.withheld = withheld


class _Watch:
    """How far one fault has come. It lives while there is evidence: on the chip thirty of them would cost 15 KB."""

    def __init__(self, fault: "faults.Fault", confirm_ms: dict[str, int], run_time_limit_ms: int) -> None:
        self.fault = fault
        at_once = all(table_ms == 0 for _, table_ms in fault.alternatives)
        self.confirm = []  # confirmation times of the alternatives
        for _, table_ms in fault.alternatives:
            ms = run_time_limit_ms if table_ms == RUN_TIME_LIMIT else table_ms
            self.confirm.append(confirm_ms.get(fault.name, ms) if ms or at_once else ms)
        self.needs = [_places(names) for names, _ in fault.alternatives]
        self.clears: tuple[tuple[int, ...], ...] = ()
        self.since: list[int | None] = [None] * len(fault.alternatives)
        self.held = [0] * len(fault.alternatives)  # when the evidence was last seen to hold
        self.is_quiet = True  # not open, and no evidence holds
        self.clear_since: int | None = None
        self.closed_ms: int | None = None
        self.slow = 1  # how many times more slowly it clears, since it flaps
        self.onset_ms = 0
        self.is_open = False
        self.withheld = ""
        self.free_ms = 0  # when the way out was last known to be free

    def open(self, onset_ms: int, withheld: str = "") -> None:
        """Its event begins."""
        self.clears = tuple([_places(names) for names in self.fault.clear])
        self.withheld = withheld
        self.is_open = True
        self.is_quiet = False
        self.clear_since = None
        self.onset_ms = onset_ms
        self.since = [None] * len(self.since)

    def is_over(self, now: int) -> bool:
        """Is there nothing that it must be remembered for?"""
        return self.closed_ms is None or now - self.closed_ms >= self.fault.flap_ms

    def close(self, now: int) -> None:
        """Its event ends."""
        self.is_open = False
        self.is_quiet = True
        self.closed_ms = now


class Detector:
    """One lift. Give `step` each sample in order; `press`/`release` are the button's edges."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._conditions = Conditions(
            self._settings.rated_speed_mm_s, self._settings.travel_mm, self._settings.doors, self._settings.profile
        )
        self._watches: dict[str, _Watch] = {}
        if not _pivots:
            _pivots.extend([0] * len(faults.NAMES))
            for index in range(len(_pivots)):
                for names, _ in faults.fault(faults.NAMES[index]).alternatives:
                    _pivots[index] = _pivots[index] << 8 | found(names[-1]) + 1
        self._busy: list[int] = []  # places in faults.NAMES of those that have evidence or are open
        self._stirred = True  # something was opened or closed since all rows were looked at
        self._presses = 0
        self._at_work = False
        self.near_misses: dict[str, int] = {}
        self.suppressed: dict[str, int] = {}

    def resume(self, kind: str, presses: int, now: int, withheld: str = "") -> None:
        """The event of `kind` was open before a reset: it is open still, until what clears it is seen."""
        if kind in faults.NAMES:
            watch = self._watch(kind)
            watch.open(now, withheld)
            watch.free_ms = now
            self._stirred = True
            if kind == BUTTON:
                self._presses = presses
            self._conditions.doubts_presence = self._is_open(PRESENCE_STUCK)

    def _watch(self, kind: str) -> _Watch:
        watch = self._watches.get(kind)
        if watch is None:
            watch = _Watch(faults.fault(kind), self._settings.confirm_ms, self._settings.run_time_limit_ms)
            self._watches[kind] = watch
        return watch

    def _is_open(self, kind: str) -> bool:
        return kind in self._watches and self._watches[kind].is_open

    # -- the button -----------------------------------------------------------------------------------------------

    def press(self, now: int, state: LiftState) -> list[Transition]:
        """The alarm button went down at `now`: opens the alarm, or is its next revision. Never suppressed; the filter withholds."""
        self._conditions.pressed = True
        watch = self._watch(BUTTON)
        watch.clear_since = None
        filtered = self._settings.button_filter and self._conditions.is_way_out_free(state) is True
        if filtered:
            watch.free_ms = now
            self._count(self.suppressed, BUTTON)
        if watch.is_open:
            self._presses += 1
            if not filtered:
                watch.withheld = ""
            return [self._transition(watch, codes.UPDATED, now, "pressed_again", [("button", now)])]
        self._presses = 1
        watch.open(now, codes.FILTERED if filtered else "")
        self._stirred = True
        return [self._transition(watch, codes.OPEN, now, "pressed", [("button", now)])]

    def release(self) -> None:
        """The button came up."""
        self._conditions.pressed = False

    def end_alarm(self, now: int) -> list[Transition]:
        """A competent person ended the alarm: its events end, whatever still holds. Where somebody is still trapped, it opens anew."""
        out = []
        for kind in self.open_kinds():
            watch = self._watches[kind]
            if watch.fault.event_class == "alarm":
                watch.close(now)
                out.append(self._transition(watch, codes.CLOSED, now, "ended", [("ended", now)]))
        self._stirred = True
        return out

    # -- samples --------------------------------------------------------------------------------------------------

    def step(self, state: LiftState, now: int) -> list[Transition]:
        """Take the sample `state` of `now`; return the transitions that it causes, in the table's order."""
        conditions = self._conditions
        # What is neither open nor ripening can only begin with a change of what holds.
        look_at_all = conditions.follow(state, now) or self._stirred
        facts = conditions.facts
        self._at_work = facts[AT_WORK] is True
        out: list[Transition] = []
        watches = self._watches
        for index in range(len(_pivots)) if look_at_all else self._busy:
            kind = faults.NAMES[index]
            watch = watches.get(kind)
            if watch is None or watch.is_quiet:
                pivots = _pivots[index]
                while pivots:
                    place = (pivots & 0xFF) - 1
                    if facts[place >> 1] is (place & 1 == 1):
                        break
                    pivots >>= 8
                else:
                    if watch is not None and watch.is_over(now):
                        del watches[kind]
                    continue
            elif watch.is_open:
                self._try_clear(watch, now, out)
                if watch.withheld and watch.is_open:
                    self._try_release(watch, state, now, out)
                continue
            watch = watch or self._watch(kind)
            self._try_open(watch, state, now, out)
        if look_at_all:
            busy = [kind for kind in watches if not watches[kind].is_quiet]
            self._busy = sorted([faults.NAMES.index(kind) for kind in busy])
        self._stirred = bool(out)
        conditions.doubts_presence = self._is_open(PRESENCE_STUCK)
        return out

    def open_kinds(self) -> list[str]:
        """Names of the events open now, in the table's order."""
        found = [kind for kind in self._watches if self._watches[kind].is_open]
        return found if len(found) < 2 else [kind for kind in faults.NAMES if kind in found]

    def withheld_kinds(self) -> list[str]:
        """Those of the events open now that are withheld."""
        return [kind for kind in self.open_kinds() if self._watches[kind].withheld]

    def _try_open(self, watch: _Watch, state: LiftState, now: int, out: list[Transition]) -> None:
        facts = self._conditions.facts
        fault = watch.fault
        suppressed = state.service_mode in fault.suppressed
        for other in fault.yields_to:
            if self._is_open(other):
                watch.since = [None] * len(watch.since)
                watch.is_quiet = True
                return
        for index in range(len(watch.since)):
            holds = all_hold(facts, watch.needs[index])
            since = watch.since[index]
            if holds is True:
                if since is None or now - watch.held[index] > HOLE_MS:
                    since = watch.since[index] = now
                    if suppressed:
                        self._count(self.suppressed, fault.name)
                watch.held[index] = now
                if suppressed:
                    # What the technician does is no evidence, and must not ripen while he works.
                    watch.since[index] = now
                elif now - since >= watch.confirm[index]:
                    self._open(watch, index, since, state, now, out)
                    return
            elif holds is False and since is not None:
                # Three quarters of its time (ours): a full trip takes two thirds of the run-time limit.
                near = 4 * (now - since) >= 3 * watch.confirm[index]
                if near and not suppressed and not self._at_work:
                    self._count(self.near_misses, fault.name)
                watch.since[index] = None
        watch.is_quiet = not any(since is not None for since in watch.since)

    def _open(
        self, watch: _Watch, index: int, onset_ms: int, state: LiftState, now: int, out: list[Transition]
    ) -> None:
        holds = self._conditions.holds
        watch.open(onset_ms, codes.AT_WORK if self._at_work and is_withheld_at_work(watch.fault) else "")
        flaps = watch.closed_ms is not None and now - watch.closed_ms < watch.fault.flap_ms
        watch.slow = min(SLOWEST, watch.slow * 2) if flaps else 1
        names = watch.fault.alternatives[index][0]
        evidence = self._evidence(names)
        cause = names[-1]
        began_ms = self._conditions.began_ms(cause)
        if began_ms is not None:
            watch.onset_ms = min(onset_ms, began_ms)
        if "not_seen_occupied" in names:
            cause = "empty" if holds("nobody") else "occupancy_unknown"
        elif "occupancy_unsteady" in names:
            cause = "occupancy_unsteady"
        elif cause == "link_silent":
            cause = "mains_on" if holds("mains_on") else "mains_unknown"
        elif cause == "at_work":
            cause = "work_by_key" if state.work_mode == codes.WORK_BY_KEY else "work_by_command"
        out.append(self._transition(watch, codes.OPEN, now, cause, evidence))

    def _try_clear(self, watch: _Watch, now: int, out: list[Transition]) -> None:
        for index in range(len(watch.clears)):
            if all_hold(self._conditions.facts, watch.clears[index]) is True:
                if watch.clear_since is None:
                    watch.clear_since = now
                if now - watch.clear_since >= watch.fault.clear_ms * watch.slow:
                    watch.close(now)
                    names = watch.fault.clear[index]
                    evidence = self._evidence(names)
                    out.append(self._transition(watch, codes.CLOSED, now, names[-1], evidence))
                return
        watch.clear_since = None

    def _try_release(self, watch: _Watch, state: LiftState, now: int, out: list[Transition]) -> None:
        """An event that is still open when the reason for withholding it is gone becomes known to all with its next revision."""
        at_work = watch.withheld == codes.AT_WORK
        free = self._conditions.is_way_out_free(state)
        if free:
            watch.free_ms = now
        # A few lost polls shut no door.
        if self._at_work if at_work else free or (free is None and now - watch.free_ms < HOLE_MS):
            return
        watch.withheld = ""
        evidence = self._evidence(("not_at_work",) if at_work else ())
        cause = "work_ended" if at_work else "way_out_shut"
        out.append(self._transition(watch, codes.UPDATED, now, cause, evidence))

    def _evidence(self, names: tuple[str, ...]) -> list[tuple[str, int]]:
        return [(name, self._conditions.since_ms(name)) for name in names]

    def _transition(
        self, watch: _Watch, phase: str, now: int, cause: str, evidence: list[tuple[str, int]]
    ) -> Transition:
        presses = self._presses if watch.fault.name == BUTTON else 0
        return Transition(watch.fault.name, phase, watch.onset_ms, now, cause, evidence, presses, watch.withheld)

    @staticmethod
    def _count(counters: dict[str, int], name: str) -> None:
        counters[name] = counters.get(name, 0) + 1


def is_withheld_at_work(fault: "faults.Fault") -> bool:
    """Is an event of this fault kept from the cities while a technician is at work? Notes alarm nobody; the button is never withheld."""
    return fault.name != BUTTON and bool(fault.severity > 1)


def _check(name: str, value: object, low: int, high: int) -> None:
    if value is True or value is False or not isinstance(value, int) or not low <= value <= high:
        raise SettingsError("%s is %r; a whole number from %d to %d" % (name, value, low, high))
