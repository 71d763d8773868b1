"""Faults by script: each name brings a twin into its situation by itself, and back to service. They act on public switches only.

Times of confirmation are the detector's business; here stands what happens in the shaft.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hil_tests.bench.twin import Twin


@dataclass(frozen=True)
class Script:
    """`inject` and `clear` act on the twin; `button` and `noise` are the bench's part."""

    text: str
    inject: Callable[[Twin], None]
    clear: Callable[[Twin], None]
    button: bool = False
    noise: bool = False


def _ride(twin: Twin) -> None:
    """A passenger who gets in as soon as can be, for the longest trip there is, and does not leave the car again."""
    twin.hurry()
    aboard = twin.aboard
    if aboard:
        for passenger in aboard:
            passenger.stays = True
            passenger.target = twin.far_end if passenger.target == twin.floor else passenger.target
            twin.call(passenger.target)
    else:
        twin.dismiss_waiting()
        origin = twin.floor
        twin.travel(origin, twin.spec.stops if origin <= twin.spec.stops / 2 else 1, stays=True)


def _run_empty(twin: Twin, name: str) -> None:
    """An empty car for the longest trip, at once or after whoever is aboard has left; nobody comes until it is cleared."""
    twin.quiet.add(name)
    twin.dismiss_waiting()
    twin.hurry()
    twin.errand = True
    twin.wake()


def _resume(twin: Twin, name: str) -> None:
    """Nobody is kept away or aboard any more, and the door opens where the car stands or comes to stand."""
    twin.quiet.discard(name)
    twin.errand = twin.hurried = False
    twin.let_out()
    twin.wake()
    twin.call(twin.floor)


# -- the scripts ------------------------------------------------------------------------------------------------------


def _press(twin: Twin) -> None:
    twin.press(True)


def _release(twin: Twin) -> None:
    twin.press(False)
    twin.call(twin.floor)


def _trap_at_level(twin: Twin) -> None:
    twin.drive_dead_with_passenger = True
    _ride(twin)


def _end_trap_at_level(twin: Twin) -> None:
    twin.drive_dead_with_passenger = False
    _resume(twin, "trapped_at_level")


def _trap_between(twin: Twin) -> None:
    twin.drive_trips_between = "occupied"
    _ride(twin)
    twin.wake()


def _strand_empty(twin: Twin) -> None:
    twin.drive_trips_between = "empty"
    _run_empty(twin, "stopped_outside_door_zone")


def _end_trip(name: str) -> Callable[[Twin], None]:
    def clear(twin: Twin) -> None:
        twin.drive_trips_between = ""
        _resume(twin, name)

    return clear


def _fail_contact(twin: Twin) -> None:
    twin.door_contact_fails = True
    _run_empty(twin, "running_with_door_open")


def _mend_contact(twin: Twin) -> None:
    twin.door_contact_fails = False
    _resume(twin, "running_with_door_open")


def _open_chain(twin: Twin) -> None:
    twin.chain_opens_on_start = True
    _run_empty(twin, "safety_circuit_open_running")


def _close_chain(twin: Twin) -> None:
    twin.close_chain()
    _resume(twin, "safety_circuit_open_running")


def _block_door(twin: Twin) -> None:
    twin.quiet.add("door_blocked")
    twin.dismiss_waiting()
    twin.door_obstacle = True
    twin.call(twin.floor)


def _clear_door(twin: Twin) -> None:
    twin.door_obstacle = False
    _resume(twin, "door_blocked")


def _jam_door(twin: Twin) -> None:
    twin.door_jams_on_run = True
    _run_empty(twin, "door_wont_open")


def _free_door(twin: Twin) -> None:
    twin.free_doors()
    _resume(twin, "door_wont_open")


def _slip(twin: Twin) -> None:
    # The car creeps on for minutes while the sheave turns at full speed; this site has the drive's own limiter (F9-02) off.
    twin.slip = 0.98
    _run_empty(twin, "run_time_exceeded")


def _grip(twin: Twin) -> None:
    twin.slip = 0.0
    _resume(twin, "run_time_exceeded")


def _mute(twin: Twin) -> None:
    twin.controller_silent = True


def _unmute(twin: Twin) -> None:
    twin.controller_silent = False


def _nothing(twin: Twin) -> None:
    return None


SCRIPTS = {
    "button_pressed": Script(
        "someone presses the alarm button; clearing opens the door", _press, _release, button=True
    ),
    "trapped_at_level": Script(
        "someone gets in, the door shuts, and neither drive nor door moves", _trap_at_level, _end_trap_at_level
    ),
    "trapped_between_floors": Script(
        "the drive trips between floors, someone aboard", _trap_between, _end_trip("trapped_between_floors")
    ),
    "running_with_door_open": Script("the door shows open while the car runs", _fail_contact, _mend_contact),
    "safety_circuit_open_running": Script("the safety chain opens as the car leaves", _open_chain, _close_chain),
    "stopped_outside_door_zone": Script(
        "the drive trips between floors, nobody aboard", _strand_empty, _end_trip("stopped_outside_door_zone")
    ),
    "door_blocked": Script("something lies on the sill: the door reverses again and again", _block_door, _clear_door),
    "door_wont_open": Script("the door does not open on arrival", _jam_door, _free_door),
    "run_time_exceeded": Script("the ropes slip: the drive runs on, the car hardly moves", _slip, _grip),
    "mains_lost": Script("the mains fails; the node lives on its battery", Twin.lose_mains, Twin.restore_mains),
    "controller_mute": Script("the controller goes silent, the mains is there", _mute, _unmute),
    "line_noise": Script("noise on the RS-485 line: no event may come of it", _nothing, _nothing, noise=True),
}
