"""Writes a twin's life as a recording: the node's own log of it, and as labels what was done to the lift. It detects nothing."""

import random
from collections.abc import Callable, Iterable

from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.twin import Twin
from protocols.delivery.log import FLUSH_MS, ChangeLog, RamStore
from protocols.recording import Header, Label, Writer
from protocols.state import LiftState

BEGIN_MS = 1_700_000_000_000
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
SAMPLE_MS = (100, 200)  # between two looks at the bus, as a 9600 baud line allows
LOST_POLL_SHARE = 0.002
# How long a fault lasts at least, and how long the lift is left alone behind it: longer than most need to clear.
FAULT_MS = (4 * MINUTE_MS, 8 * MINUTE_MS)
QUIET_MS = (4 * MINUTE_MS, 30 * MINUTE_MS)
# Nothing is held back: what is closed is written at once.
STORE_BYTES = 1_000_000_000


class Recorder:
    """One twin and the log of its node. `follow` lets it live, `fault` breaks it for a while, `close` ends the recording."""

    def __init__(self, write: Callable[[bytes], object], spec: LiftSpec, begin_ms: int, origin: str) -> None:
        """`begin_ms`: unix ms at which its node boots."""
        self.twin = Twin(spec, begin_ms)
        self._begin_ms = begin_ms
        self._rng = random.Random(spec.seed * 7919)
        self._log = ChangeLog(RamStore(1, STORE_BYTES), 1)
        self._written = 0
        self._edges = 0
        self._broken = False
        settings = {
            "rated_speed_mm_s": spec.rated_speed_mm_s,
            "travel_mm": (spec.stops - 1) * spec.floor_pitch_mm,
            "doors": spec.doors,
        }
        self.writer = Writer(write, Header(spec.id, settings, "nice3000", "twin", origin))

    def follow(self, until_ms: int) -> None:
        """Live until then at the bus's pace; while nobody uses the lift in larger steps."""
        twin, rng = self.twin, self._rng
        while twin.now_ms < until_ms:
            pace = twin.now_ms + rng.randint(*SAMPLE_MS)
            if not self._broken:
                pace = max(pace, min(twin.idle_until_ms(), twin.now_ms + FLUSH_MS))
            twin.advance(min(pace, until_ms))
            sample = twin.sample()
            # The button is an interrupt: its edges are there however short they were.
            for at_ms, down in twin.button_edges[self._edges :]:
                self._record({**sample, "button": down}, at_ms)
            self._edges = len(twin.button_edges)
            if rng.random() >= LOST_POLL_SHARE:
                self._record(sample, twin.now_ms)
            self._flush(twin.now_ms)

    def age(self, share: float) -> None:
        """From the next moment on in which the lift is parked it has so much of its wear."""
        while self.twin.phase != "parked":
            self.follow(self.twin.now_ms + 1000)
        self.twin.age(self.twin.spec.ageing.part(share))

    def fault(self, name: str, lasts_ms: int) -> None:
        """Break the lift by the script `name`, mend it after `lasts_ms`, and label that time."""
        script = SCRIPTS[name]
        onset_ms = self.twin.now_ms
        self._broken = True
        script.inject(self.twin)
        self.follow(onset_ms + lasts_ms)
        script.clear(self.twin)
        told = "" if script.noise else name
        self.writer.label(Label(told, onset_ms, self.twin.now_ms, script.text, sorted(script.also)))
        self._broken = False

    def close(self) -> None:
        """Write what is open, and the end."""
        self._flush(self.twin.now_ms + 2 * 3_600_000)
        self.writer.close()

    def _record(self, sample: dict[str, int | bool | None], now_ms: int) -> None:
        self._log.record(LiftState(**sample), now_ms - self._begin_ms, now_ms)

    def _flush(self, now_ms: int) -> None:
        self._log.flush(now_ms - self._begin_ms)
        for number in range(self._written + 1, self._log.newest + 1):
            body = self._log.body(number)
            assert body is not None
            self.writer.batch(self._begin_ms, body)
            self._written = number


def record(
    write: Callable[[bytes], object], spec: LiftSpec, begin_ms: int, days: float, faults: Iterable[str]
) -> Recorder:
    """A recording of `days` of ordinary life, with each of `faults` in turn, spread over it at random times."""
    names = list(faults)
    rng = random.Random(spec.seed)
    recorder = Recorder(write, spec, begin_ms, f"twin, seed {spec.seed}, {spec.starts_per_day:g} starts a day")
    end_ms = begin_ms + int(days * DAY_MS)
    for at, name in enumerate(names):
        # What is left is shared out among the faults that are left.
        share_ms = (end_ms - recorder.twin.now_ms) // (len(names) - at)
        recorder.follow(recorder.twin.now_ms + rng.randint(0, max(0, share_ms - FAULT_MS[1] - QUIET_MS[1])))
        recorder.follow(recorder.twin.now_ms + rng.randint(*QUIET_MS))
        longest_ms = SCRIPTS[name].within_s * 1000 + MINUTE_MS
        recorder.fault(name, max(longest_ms, rng.randint(*FAULT_MS)))
    recorder.follow(max(end_ms, recorder.twin.now_ms + QUIET_MS[0]))
    recorder.close()
    return recorder


def record_ageing(
    write: Callable[[bytes], object], spec: LiftSpec, begin_ms: int, days: int, new_days: int
) -> Recorder:
    """A recording of `days` of ordinary life: as new for `new_days`, then every day a little more of the wear of `spec`, all of it at the end."""
    origin = f"twin, seed {spec.seed}, {spec.starts_per_day:g} starts a day, ages from day {new_days} on"
    recorder = Recorder(write, spec, begin_ms, origin)
    for day in range(days):
        recorder.age(max(0, day + 1 - new_days) / max(1, days - new_days))
        recorder.follow(max(begin_ms + (day + 1) * DAY_MS, recorder.twin.now_ms))
    recorder.close()
    return recorder
