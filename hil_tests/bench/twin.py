"""The lift twin: one retrofitted lift with its controller and its people. No I/O, no clock: `advance(now_ms)`.

It goes from event to event, so what happens does not depend on who looks how often; between events positions are formulas.
Faults by name are in faults.py.
"""

from hil_tests.bench.automatic import Automatic
from hil_tests.bench.door import NEVER
from hil_tests.bench.lift import LiftSpec, Run
from hil_tests.bench.motion import INSPECTION, Trip
from hil_tests.bench.passengers import MOST_WAITING, Passenger

__all__ = ["LiftSpec", "Twin"]

BOOT_MS = 4000  # a controller's start after a power cut, ours
# After this long at rest nothing that is measured changes by itself any more.
SETTLED_MS = 10_000


class Twin(Automatic):
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
        busy = self.phase != "parked" or self.passengers or self.calls or self.mode != "automatic"
        if busy or not self.controller_answers or self.now_ms - self._parked_ms < SETTLED_MS:
            return self.now_ms
        return max(self.now_ms, self._next_event_ms() - 1)

    def wake(self) -> None:
        """Let the controller look again at what a switch may have changed."""
        if self.phase in ("parked", "stopped", "unopened"):
            self._decide()
        elif self.phase == "running":
            self._plan_end()
        elif self.phase == "closing" and not self.door_obstacle:
            self._close()

    def _next_event_ms(self) -> int:
        at = self._deadline
        if self._next_traffic_ms < at and not self.quiet:
            at = self._next_traffic_ms
        for passenger in self.passengers:
            if passenger.calls_ms is not None and passenger.calls_ms < at:
                at = passenger.calls_ms
        return at

    def _happen(self) -> None:
        now = self.now_ms
        if self._next_traffic_ms <= now and not self.quiet:
            self._next_traffic_ms = self._stream.next_ms(now)
            if self.mode == "automatic" and self.waiting < MOST_WAITING:
                self._join(self._stream.draw())
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

    def _join(self, passenger: Passenger) -> None:
        self.passengers.append(passenger)
        self.call(passenger.origin)

    def travel(self, origin: int, target: int, *, stays: bool = False) -> Passenger:
        """A passenger calls at `origin` to go to `target`."""
        passenger = Passenger(origin, target, stays=stays)
        self._join(passenger)
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
        """The alarm button goes down or up; the edge is kept in `button_edges`."""
        if down != self.button:
            self.button = down
            self.button_edges.append((self.now_ms, down))

    # -- what befalls it ------------------------------------------------------------------------------------------

    def free_doors(self) -> None:
        """Stuck doors obey again."""
        self.door_jams_on_run = False
        for door in self.doors:
            door.jam(self.now_ms, False)
        self.wake()

    def close_chain(self) -> None:
        """The safety chain is whole again."""
        self.chain_opens_on_start = False
        self.safety_closed = True
        if self.fault_number == 41:
            self.fault_number = 0
        self.wake()

    def lose_mains(self) -> None:
        """No mains: the brake drops, the doors stop, the controller dies with its calls."""
        self.mains = False
        self.calls.clear()
        for door in self.doors:
            door.halt(self.now_ms)
        if self.phase == "running":
            self._brake()
        elif self.phase != "braking":
            if self._run is not None:
                self._stand(self._run.at(self.now_ms)[0])
            self._enter("dead")

    def restore_mains(self) -> None:
        """The supply is back; the controller boots, then goes on from where the car stands."""
        self.mains = True
        self.fault_number = 0
        self._boots_until = self.now_ms + BOOT_MS
        if self.phase != "braking":
            self._enter("dead", self._boots_until)

    def _after_dead(self) -> None:
        self._enter("stopped")
        self._call_again()
        if self.door_zone and not self._door.is_shut(self.now_ms):
            self._close()
        elif self.door_zone:
            self._park()
        else:
            self._decide()

    def _call_again(self) -> None:
        """Everybody presses once more: the calls were lost."""
        for passenger in self.passengers:
            if passenger.calls_ms is None:
                self.call(passenger.target if passenger.aboard else passenger.origin)

    def set_mode(self, mode: str) -> None:
        """automatic, inspection (a technician on the car), fire (return, doors open) or locked (out of service)."""
        self.mode = mode
        self._opened = False
        if mode == "automatic":
            self._call_again()
            if self.phase == "visit":
                if self._run is not None:
                    self._stand(self.position_mm)
                self._park()
            elif self.phase == "open":
                self._deadline = self.now_ms
            return
        self.calls.clear()
        if mode == "inspection" and self.phase == "running":
            self._brake()
        self.wake()

    def inspect_to(self, height_mm: float) -> None:
        """The technician drives to `height_mm`, at inspection speed, from where the car stands."""
        distance = height_mm - self.position_mm
        if self.phase == "visit" and self._run is None and abs(distance) > 1.0:
            self._run = Run(self.now_ms, self._rest_mm, 1 if distance > 0 else -1, Trip(abs(distance), INSPECTION))
            self._deadline = self._run.end_ms

    def _after_visit(self) -> None:
        if self._run is not None:
            self._stand(self._run.at(self.now_ms)[0])
