"""What came of an attempt to send, and how long to wait before the next one. Pure; all figures are ours."""

from dataclasses import dataclass, field

# Attempts at one notice before it is dead, and the waits behind each, beside the channel's own: 12 in about 50 min, four in 22 s.
MOST_ATTEMPTS = 12
WAITS_S = (2, 4, 8, 30, 60, 120, 240, 300, 600, 600, 600)
# A failing channel is asked once in so long at most, by whatever is gravest.
MOST_PAUSE_S = 60
# So often the notice at the head is tried before another one has its turn, lest one that the receiver chokes on stop all.
FIRST_TURNS = 3
# More failures in a row than one such notice makes: the channel was away.
OUTAGE = FIRST_TURNS + 1
JITTER = 0.25
# A receiver that said "too many" and not how long: both robots count by the minute.
TOO_MANY_MS = 60_000


@dataclass(frozen=True)
class Sent:
    """The receiver took it: its own code and, where it gives one, its id of the message."""

    code: str
    message_id: str = ""
    detail: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Again:
    """It may go well later; `after_ms`: not before."""

    code: str
    detail: str = ""
    after_ms: int = 0


@dataclass(frozen=True)
class Never:
    """It will not go well however often."""

    code: str
    detail: str = ""


Outcome = Sent | Again | Never


@dataclass(frozen=True)
class Waits:
    """Not before these times: the channel at all, and this notice."""

    channel_ms: int
    notice_ms: int


@dataclass(frozen=True)
class Failed:
    """An attempt that failed: the notice's `attempts` with it, the channel's `failures` in a row with it, `spread` in 0…1."""

    attempts: int
    failures: int
    after_ms: int = 0
    spread: float = field(default=0.5)

    def waits(self, now_ms: int) -> Waits:
        """When to go on."""
        pause_s = min(WAITS_S[min(self.failures, len(WAITS_S)) - 1], MOST_PAUSE_S)
        wait_s = 0 if self.attempts < FIRST_TURNS else WAITS_S[min(self.attempts, len(WAITS_S)) - 1]
        factor = 1 + JITTER * (2 * self.spread - 1)
        # Never sooner than asked for, so that jitter only adds there.
        pause_ms = max(int(pause_s * 1000 * factor), int(self.after_ms * (1 + JITTER * self.spread)))
        return Waits(now_ms + pause_ms, now_ms + pause_ms + int(wait_s * 1000 * factor))
