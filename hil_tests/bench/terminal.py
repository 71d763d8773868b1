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
        self.sent_ms = -SOONEST_MS
        self._due_ms = 0
        self._sampled_ms: int | None = None
        self._state: LiftState | None = None  # the last sample
        self._seen: list[int | None] | None = None  # its discrete values
        self._edges: deque[bool] = deque()
        self._down: bool | None = None

    def birth(self, conn: int, **more: Any) -> bytes:
        """The payload of its birth on connection `conn`; `more` are items of `link`. What was told last is told anew."""
        self.conn = conn
        self._due_ms, self._state, self._seen = 0, None, None
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
        """Take the sample `state` of `now`, ms since boot; the states told until now, each as the lift was known when it was due."""
        out: list[bytes] = []
        while self._state is not None and self._due_ms < now:
            out.append(self._tell(self._state, self._due_ms))
        discrete = [getattr(state, name) for name in DISCRETE_NAMES if name != "button"]
        if discrete != self._seen or self._edges:
            self._due_ms = min(self._due_ms, max(now, self.sent_ms + SOONEST_MS))
        self._state, self._seen = state, discrete
        if self._down is None and not self._edges and state.button is not None:
            self._down = False
        if self._due_ms <= now:
            out.append(self._tell(state, now))
        return out

    def _tell(self, state: LiftState, at_ms: int) -> bytes:
        if self._edges:
            self._down = self._edges.popleft()
        if state.controller_link:
            self._sampled_ms = at_ms
        self._seq += 1
        self.sent_ms, self._due_ms = at_ms, at_ms + (SOONEST_MS if self._edges else self._period_ms)
        shown = state.copy()
        shown.button = self._down
        values = {
            "boot": self.boot, "conn": self.conn, "seq": self._seq, "up_ms": at_ms, "sample_up_ms": self._sampled_ms,
            "period_ms": self._period_ms,
        }  # fmt: skip
        return messages.state_payload(values, shown)
