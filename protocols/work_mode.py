"""Work mode of a technician: begun by key or command, over by itself. It moves nothing and judges nothing; it knows no clock and no pin."""

from protocols import codes

# Ours: a visit takes an hour or two; a forgotten work mode must not outlast the day.
USUAL_MS = 7200000
LONGEST_MS = 28800000


class WorkMode:
    """`mode` is one of the codes NO_WORK, WORK_BY_KEY, WORK_BY_COMMAND."""

    def __init__(self) -> None:
        self.mode = codes.NO_WORK
        self._until_ms = 0
        self._key = False

    def command(self, ms: int, now: int) -> None:
        """Work for `ms` from now, LONGEST_MS at most; 0 ends it, by whatever it was begun."""
        self.mode = codes.WORK_BY_COMMAND if ms else codes.NO_WORK
        self._until_ms = now + min(ms, LONGEST_MS)

    def look(self, key: bool | None, now: int) -> int:
        """The mode now. Turning the `key` begins and ends it; one that is left in the switch works no longer than usual."""
        turned = bool(key) != self._key
        self._key = bool(key)
        if turned and key:
            self.mode = codes.WORK_BY_KEY
            self._until_ms = now + USUAL_MS
        elif self.mode and (now >= self._until_ms or (turned and self.mode == codes.WORK_BY_KEY)):
            self.mode = codes.NO_WORK
        return self.mode
