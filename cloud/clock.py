"""The cloud's clocks. Cores and services take `now_ms`; only shells call these."""

import time


def unix_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000


def mono_ms() -> int:
    """Monotonic ms."""
    return time.monotonic_ns() // 1_000_000
