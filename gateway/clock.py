"""The gateway's two clocks: the wall's for stages and records, the monotonic one for durations."""

import time


def unix_ms() -> int:
    """The gateway's clock, unix ms."""
    return time.time_ns() // 1_000_000


def mono_ms() -> int:
    """Monotonic ms."""
    return time.monotonic_ns() // 1_000_000
