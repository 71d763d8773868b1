"""Replays a recording through the detector: the one table, at the poll's pace between the changes. No I/O, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from protocols import codes
from protocols.detector import Detector, Settings, Transition
from protocols.errors import DecodeError, SettingsError
from protocols.recording import Recording
from protocols.state import LiftState

# A node on a 9600 baud bus looks so often (domain notes 6.4).
POLL_MS = 130
# Behind the last change the poll's pace decides nothing any more: a second is precise enough for confirmations of many.
FINE_MS = 10_000
COARSE_MS = 1000
# Longer than any confirmation; and the detector takes 3 s without a sample for a hole in the evidence.
LONG_MS = 900_000
LONGEST_STEP_MS = 2500
# The node writes all fields every 10 minutes: where nothing stands for longer, it was off or its records are lost.
SILENT_MS = 660_000


@dataclass
class Told:
    """One event that came of it; times are unix ms, `closed_ms` None if it was open at the end."""

    kind: str
    onset_ms: int
    detected_ms: int
    cause: str
    closed_ms: int | None = None
    is_false: bool = False  # said by whoever knows the labels


@dataclass
class Replay:
    """What came of one recording. `observed_ms` leaves out `holes`, times of which nothing is recorded."""

    told: list[Told] = field(default_factory=list)
    observed_ms: int = 0
    holes: int = 0
    samples: int = 0
    near_misses: dict[str, int] = field(default_factory=dict)
    suppressed: dict[str, int] = field(default_factory=dict)


def settings_of(recording: Recording, confirm_ms: dict[str, int]) -> Settings:
    """The detector's settings of the recording with `confirm_ms` {fault: ms} over them; DecodeError if they do not fit it."""
    found = dict(recording.header.settings)
    own = found.pop("confirm_ms", None) or {}
    if not isinstance(own, dict):
        raise DecodeError(f"the recording's confirm_ms is {own!r}")
    try:
        # Without a profile nobody knows what a fault word means.
        return Settings(confirm_ms={**own, **confirm_ms}, profile=recording.header.profile or "", **found)
    except (SettingsError, TypeError) as error:
        raise DecodeError(f"the detector cannot be set as the recording says: {error}") from error


def changes(recording: Recording) -> Iterator[tuple[int, dict[str, int | None], bool]]:
    """(unix ms, changes, is it behind a hole) in order; times that run backwards, as a clock was set, stand still.

    What a black box held comes in batches behind those of the same minute: within a boot the uptime is the order.
    """
    last_ms = -1
    for run in _runs(recording):
        after_hole = True
        for _, stamp_ms, found in sorted(run, key=lambda entry: entry[0]):
            at_ms = max(last_ms, stamp_ms)
            yield at_ms, found, after_hole or at_ms - last_ms > SILENT_MS
            last_ms, after_hole = at_ms, False


def _runs(recording: Recording) -> Iterator[list[tuple[int, int, dict[str, int | None]]]]:
    """[(uptime, unix ms, changes)] of each run of batches of one boot in which none is missing."""
    run: list[tuple[int, int, dict[str, int | None]]] = []
    life = number = boot = -1
    for offset_ms, batch in recording.batches:
        if (batch.life, batch.number, batch.boot) == (life, number, boot):
            continue
        if run and (batch.life != life or batch.number != number + 1 or batch.boot != boot):
            yield run
            run = []
        life, number, boot = batch.life, batch.number, batch.boot
        run += [(up_ms, up_ms + offset_ms, found) for up_ms, found in batch.records()]
    if run:
        yield run


class _Player:
    """The detector at work on one recording."""

    def __init__(self, settings: Settings) -> None:
        self.out = Replay()
        self._detector = Detector(settings)
        self._state = LiftState()
        self._open: dict[str, Told] = {}
        self._changed_ms = 0

    def pass_time(self, from_ms: int, to_ms: int) -> None:
        """Nothing changes between these times: the detector is shown so, first as often as a node would."""
        at_ms = from_ms
        while True:
            steady_ms = at_ms - self._changed_ms
            at_ms += POLL_MS if steady_ms < FINE_MS else COARSE_MS if steady_ms < LONG_MS else LONGEST_STEP_MS
            if at_ms >= to_ms:
                break
            self._show(at_ms)
        self.out.observed_ms += to_ms - from_ms

    def hole(self) -> None:
        """What follows is behind a time of which nothing is recorded: nothing is known any more."""
        self._state = LiftState()
        self._detector.release()
        self.out.holes += 1

    def change(self, at_ms: int, found: dict[str, int | None]) -> None:
        """Take a record in, the button's edge first, as the node does."""
        state = self._state
        pressed = state.button
        for name, value in found.items():
            if getattr(state, name) != value:
                setattr(state, name, value)
                self._changed_ms = at_ms
        if state.button and not pressed:
            self._take(self._detector.press(at_ms, state))
        elif pressed and not state.button:
            self._detector.release()
        self._show(at_ms)

    def _show(self, at_ms: int) -> None:
        self.out.samples += 1
        self._take(self._detector.step(self._state, at_ms))

    def _take(self, transitions: list[Transition]) -> None:
        for step in transitions:
            if step.phase == codes.OPEN:
                told = Told(step.kind, step.onset_ms, step.detected_ms, step.cause)
                self._open[step.kind] = told
                self.out.told.append(told)
            elif step.phase == codes.CLOSED and step.kind in self._open:
                self._open.pop(step.kind).closed_ms = step.detected_ms

    def end(self) -> Replay:
        """What came of it."""
        self.out.near_misses = dict(self._detector.near_misses)
        self.out.suppressed = dict(self._detector.suppressed)
        return self.out


def replay(recording: Recording, confirm_ms: dict[str, int] | None = None) -> Replay:
    """Run the detector over `recording`, `confirm_ms` {fault: ms} in place of the table's; DecodeError if it cannot be set so."""
    player = _Player(settings_of(recording, confirm_ms or {}))
    last_ms: int | None = None
    for at_ms, found, after_hole in changes(recording):
        if last_ms is not None and not after_hole:
            player.pass_time(last_ms, at_ms)
        elif last_ms is not None:
            player.hole()
        player.change(at_ms, found)
        last_ms = at_ms
    return player.end()
