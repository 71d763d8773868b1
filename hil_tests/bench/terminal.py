"""A simple terminal of a lift, such as others build: it tells states at the contract's pace and detects nothing. No I/O, no clock.

Samples and edges in, `state` payloads out.
"""

from collections import deque
from typing import Any

from protocols import messages
from protocols.fields import DISCRETE_NAMES
from protocols.state import LiftState

PERIOD_MS = 1000
# Five states a second at most.
SOONEST_MS = 200
# Edges that wait to be told; more in a second are no finger's.
MAX_EDGES = 8


class Terminal:
    """One boot of it. Show it each sample with `look`; `press` and `release` are the button's edges, told one in a state."""

    def __init__(self, boot: int, period_ms: int = PERIOD_MS) -> None:
        self.boot = boot
        self.conn = 0
        self._period_ms = period_ms
        self._seq = 0
        self._sent_ms: int | None = None
        self._due_ms = 0
        self._sampled_ms: int | None = None
        self._told: list[int | None] | None = None  # the discrete values, as sent last
        self._edges: deque[bool] = deque()
        self._down: bool | None = None

    def birth(self, conn: int, **more: Any) -> bytes:
        """The payload of its birth on connection `conn`; `more` are items of `link`. What was told last is told anew."""
        self.conn = conn
        self._due_ms = 0
        values = {"online": True, "boot": self.boot, "conn": conn, "detects": False, "period_ms": self._period_ms}
        return messages.encode("link", {**values, **more})

    def will(self, conn: int) -> bytes:
        """The payload of the last will of connection `conn`."""
        return messages.encode("link", {"online": False, "boot": self.boot, "conn": conn})

    def press(self) -> None:
        """The button went down: it is shown so until a state has told it."""
        self._edge(True)

    def release(self) -> None:
        """The button came up: as `press`."""
        self._edge(False)

    def _edge(self, down: bool) -> None:
        newest = self._edges[-1] if self._edges else self._down
        if newest is not down and len(self._edges) < MAX_EDGES:
            self._edges.append(down)

    @property
    def has_edges(self) -> bool:
        """Edges of the button wait to be told."""
        return bool(self._edges)

    def look(self, state: LiftState, now: int) -> list[bytes]:
        """Take the sample `state` of `now`, ms since boot; the states to send now, at most one."""
        if state.controller_link:
            self._sampled_ms = now
        if self._down is None and not self._edges and state.button is not None:
            self._down = False
        soonest = now if self._sent_ms is None else self._sent_ms + SOONEST_MS
        discrete = [getattr(state, name) for name in DISCRETE_NAMES if name != "button"]
        if self._told is None or self._edges or discrete != self._told:
            self._due_ms = min(self._due_ms, soonest)
        if now < max(soonest, self._due_ms):
            return []
        return [self._state(state, now, discrete)]

    def _state(self, state: LiftState, now: int, discrete: list[int | None]) -> bytes:
        if self._edges:
            self._down = self._edges.popleft()
        self._seq += 1
        self._sent_ms, self._due_ms, self._told = now, now + self._period_ms, discrete
        shown = state.copy()
        shown.button = self._down
        values = {
            "boot": self.boot, "conn": self.conn, "seq": self._seq, "up_ms": now, "sample_up_ms": self._sampled_ms,
            "period_ms": self._period_ms,
        }  # fmt: skip
        return messages.state_payload(values, shown)
