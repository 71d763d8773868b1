"""One car door with its landing door: a leaf between shut (0) and open (1), moved by commands. Times come in; it owns no clock."""

import math

# 2023-style door states (domain notes 1.5).
CLOSING, CLOSED, OPENING, OPEN, AJAR = 1, 2, 3, 4, 6
NEVER = 1 << 62


class Door:
    """`travel_ms` is the time of the whole way. `jammed` freezes the leaf, whatever is commanded."""

    def __init__(self, travel_ms: int) -> None:
        self._travel_ms = travel_ms
        self._from = 0.0
        self._since_ms = 0
        self._stop_at = 0.0
        self._jammed = False
        self.command = ""  # "open", "close" or "" (motor off)

    def position(self, now_ms: int) -> float:
        """0 shut to 1 open."""
        if self._jammed or not self.command:
            return self._from
        way = (now_ms - self._since_ms) / self._travel_ms
        if self.command == "open":
            return min(1.0, self._from + way)
        return max(min(self._from, self._stop_at), self._from - way)

    def _set(self, command: str, now_ms: int, stop_at: float) -> None:
        self._from = self.position(now_ms)
        self._since_ms = now_ms
        self._stop_at = stop_at
        self.command = command

    def open(self, now_ms: int) -> None:
        """Drive it open."""
        self._set("open", now_ms, 1.0)

    def close(self, now_ms: int, blocked_at: float = 0.0) -> None:
        """Drive it shut; something on the sill stops it at `blocked_at`."""
        self._set("close", now_ms, blocked_at)

    def halt(self, now_ms: int) -> None:
        """Motor off; the leaf stays where it is."""
        self._set("", now_ms, 0.0)

    def jam(self, now_ms: int, jammed: bool) -> None:
        """The leaf sticks, or comes free and obeys the last command from where it is."""
        self._from = self.position(now_ms)
        self._since_ms = now_ms
        self._jammed = jammed

    def wear(self, travel_ms: int) -> None:
        """From now on it takes so long for the whole way. Only while it rests: whoever waits for it knows when it will be there."""
        self._travel_ms = travel_ms

    def done_ms(self) -> int:
        """When the commanded motion will be over; NEVER if it cannot be."""
        if self._jammed:
            return NEVER
        if self.command == "open":
            return self._since_ms + math.ceil((1.0 - self._from) * self._travel_ms)
        return self._since_ms + math.ceil(max(0.0, self._from - self._stop_at) * self._travel_ms)

    def is_shut(self, now_ms: int) -> bool:
        """The closing switch and the lock have made."""
        return self.position(now_ms) <= 0.0

    def state(self, now_ms: int) -> int:
        """Door state as its switches and the commands to its motor tell it."""
        position = self.position(now_ms)
        if position >= 1.0 and self.command != "close":
            return OPEN
        if self.command == "open":
            return OPENING
        if position <= 0.0:
            return CLOSED
        return CLOSING if self.command == "close" else AJAR
