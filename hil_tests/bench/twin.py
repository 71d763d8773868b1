"""The lift twin: one retrofitted lift with its controller and its people. No I/O, no clock: `advance(now_ms)`.

It goes from event to event, so what happens does not depend on who looks how often; between events positions are formulas.
Faults by name are in faults.py.
"""

import functools
import heapq
import itertools

from hil_tests.bench.door import NEVER
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.passengers import MOST_WAITING, Passenger
from hil_tests.bench.service import Service

__all__ = ["LiftSpec", "Twin"]

# After this long at rest nothing that is measured changes by itself any more.
SETTLED_MS = 10_000


class Twin(Service):
    """One lift. Call `advance(now_ms)` with rising times; read `sample()`; break it through its switches, then `wake()`."""

    # -- time -----------------------------------------------------------------------------------------------------

    def advance(self, now_ms: int) -> None:
        """Let the world go on until `now_ms`; a time that has passed already changes nothing."""
        while True:
            at = self._next_event_ms()
            if at > now_ms:
                break
            self.now_ms = max(self.now_ms, at)
            self._happen()
        self.now_ms = max(self.now_ms, now_ms)

    def idle_until_ms(self) -> int:
        """Until when nothing at all changes by itself: `now_ms` while the car is in use, NEVER if nobody will come."""
        at_work = self.mode != "automatic" and not (self.mode == "locked" and self._opened)
        busy = self.phase != "parked" or self.passengers or self.calls or at_work
        wrong = self.fault_number or self.flaws or self.button or self.battery_low or not self.safety_closed
        if busy or wrong or not self.controller_answers or self.now_ms - self._parked_ms < SETTLED_MS:
            return self.now_ms
        return max(self.now_ms, self._next_event_ms() - 1)

    def _next_event_ms(self) -> int:
        at = self._deadline
        if self._later and self._later[0][0] < at:
            at = self._later[0][0]
        if self._next_traffic_ms < at and not self.quiet:
            at = self._next_traffic_ms
        for passenger in self.passengers:
            if passenger.calls_ms is not None and passenger.calls_ms < at:
                at = passenger.calls_ms
        return at

    def _happen(self) -> None:
        now = self.now_ms
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        if self._next_traffic_ms <= now and not self.quiet:
            self._next_traffic_ms = self._stream.next_ms(now)
            if self.mode == "automatic" and self.waiting < MOST_WAITING:
                self._come(self._stream.draw())
        for passenger in self.passengers:
            if passenger.calls_ms is not None and passenger.calls_ms <= now:
                passenger.calls_ms = None
                self.call(passenger.target)
        if self._deadline <= now:
            self._deadline = NEVER
            getattr(self, "_after_" + self.phase)()

    # -- people ---------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many wait on landings."""
        return sum(not passenger.aboard for passenger in self.passengers)

    def travel(self, origin: int, target: int, *, stays: bool = False, goods_ms: int = 0) -> Passenger:
        """A passenger calls at `origin` to go to `target`."""
        passenger = Passenger(origin, target, stays=stays, goods_ms=goods_ms)
        self._come(passenger)
        return passenger

    def hurry(self) -> None:
        """Somebody presses the closing button, now or at the next stop."""
        self.hurried = True
        if self.phase == "open" and self.mode == "automatic":
            self._exchange()

    def dismiss_waiting(self) -> None:
        """Whoever waits takes the stairs."""
        self.passengers = [passenger for passenger in self.passengers if passenger.aboard]
        self.calls &= {passenger.target for passenger in self.passengers}

    def let_out(self) -> None:
        """Whoever is in the car wants out at the next opening, and whoever was to stay and still waits goes home."""
        self.passengers = [passenger for passenger in self.passengers if passenger.aboard or not passenger.stays]
        for passenger in self.aboard:
            passenger.stays = False
            passenger.target = self.floor
            passenger.calls_ms = None
        if self.aboard:
            self.call(self.floor)

    def press(self, down: bool) -> None:
        """The alarm button goes down or up; each edge of its contact is kept in `button_edges`."""
        if down != self.button:
            self._contact(down)
            for at_ms, state in zip(self._wear.bounces_ms(), itertools.cycle((not down, down)), strict=False):
                self.later(at_ms, functools.partial(self._contact, state))

    def _contact(self, closed: bool) -> None:
        if closed != self.button:
            self.button = closed
            self.button_edges.append((self.now_ms, closed))
