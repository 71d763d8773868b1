"""What befalls a lift from outside: its service modes, the supply, and the hands that put it right. It moves nothing by itself."""

from hil_tests.bench.door import NEVER
from hil_tests.bench.failing import Failing
from hil_tests.bench.lift import SERVICE_MODES, Run
from hil_tests.bench.motion import INSPECTION, Trip

BOOT_MS = 4000  # a controller's start after a power cut, ours
RESET_AFTER_MS = 5000
# What stops a run at once; a drill or a locked lift ends it in order.
ABRUPT = ("inspection", "earthquake", "emergency_power")


class Service(Failing):
    """Modes, mains and repairs."""

    # -- modes ----------------------------------------------------------------------------------------------------

    def set_mode(self, mode: str) -> None:
        """One of SERVICE_MODES, KeyError if it is none.

        inspection: a technician on the car; fire: return to the lowest stop, doors open; firefighter: by his commands only;
        emergency_power and earthquake: to the next stop, doors open, then no service; locked: out of service at the lowest stop.
        """
        SERVICE_MODES[mode]
        was, self.mode = self.mode, mode
        if "earthquake" in (was, mode):
            self._clear_word()
        self._opened = mode == "firefighter" and self.phase == "open"
        if mode == "automatic":
            self._return_to_service()
            return
        self.calls.clear()
        if mode in ABRUPT and self.phase == "running":
            self._brake()
        if mode == "firefighter" and self.phase == "open":
            self._deadline = NEVER
        self.wake()

    def _return_to_service(self) -> None:
        self._call_again()
        if self.phase == "visit":
            if self._run is not None:
                self._stand(self.position_mm)
            self._park()
        elif self.phase == "open":
            self._deadline = self.now_ms

    def wake(self) -> None:
        """Let the controller look again at what a switch may have changed."""
        if self.phase in ("parked", "stopped", "unopened"):
            self._decide()
        elif self.phase == "running":
            self._plan_end()
        elif self.phase == "closing" and not self.door_obstacle:
            self._close()

    def inspect_to(self, height_mm: float) -> None:
        """The technician drives to `height_mm`, at inspection speed, from where the car stands."""
        distance = height_mm - self.position_mm
        if self.phase == "visit" and self._run is None and abs(distance) > 1.0:
            self._run = Run(self.now_ms, self._rest_mm, 1 if distance > 0 else -1, Trip(abs(distance), INSPECTION))
            self._deadline = self._run.end_ms

    def _after_visit(self) -> None:
        if self._run is not None:
            self._stand(self._run.at(self.now_ms)[0])

    def firefighter_to(self, floor: int) -> None:
        """The firefighter in the car holds a call for `floor`: the door shuts, the car goes there, the door stays open."""
        if self.mode == "firefighter" and self.phase in ("open", "parked"):
            self.calls.add(floor)
            if self.phase == "open":
                self._after_open()
            else:
                self._decide()

    # -- repairs --------------------------------------------------------------------------------------------------

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

    def reset_controller(self) -> None:
        """Somebody on site clears the word that held the controller; nobody does while the car still moves by itself."""
        self.trips_at_stop = 0
        if self.phase == "falling":
            self.later(RESET_AFTER_MS, self.reset_controller)
        elif self.latched:
            self.latched = self.fault_number = 0
            self.wake()

    # -- supply ---------------------------------------------------------------------------------------------------

    def lose_mains(self) -> None:
        """No mains: the brake drops, the doors stop, the controller dies with its calls; the node lives on its battery."""
        self.mains = False
        self.battery.supply(False, self.now_ms)
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
        self.battery.supply(True, self.now_ms)
        self.fault_number = self.latched
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
