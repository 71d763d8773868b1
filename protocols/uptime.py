"""Unwraps a counter of milliseconds that starts again at a power of two. It reads no clock itself."""


class Uptime:
    """Milliseconds since boot from readings of `ticks_ms`, which wraps at `period` (2**30 on an ESP32).

    Give it a reading at least once per half period (6 days on an ESP32).
    """

    def __init__(self, period: int, first_ticks: int) -> None:
        self._mask = period - 1
        self._last = first_ticks
        self._up_ms = 0

    def up_ms(self, ticks: int) -> int:
        """Milliseconds since the first reading, never going back."""
        step = (ticks - self._last) & self._mask
        if step <= self._mask >> 1:
            self._up_ms += step
            self._last = ticks
        return self._up_ms
