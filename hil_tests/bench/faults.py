"""Faults by script: each name brings the twin into its situation by itself, and back. They act on the twin's public switches only."""

from collections.abc import Callable
from dataclasses import dataclass

from hil_tests.bench.twin import Twin


@dataclass(frozen=True)
class Script:
    """`inject` and `clear` act on the twin; `button` and `line` tell the bench to press or to disturb."""

    text: str
    inject: Callable[[Twin], None]
    clear: Callable[[Twin], None]
    button: bool = False
    noise: bool = False


def _other_end(twin: Twin) -> int:
    """The stop farthest from the car: the longest trip there is."""
    return twin.spec.stops if twin.floor <= twin.spec.stops // 2 else 1


def _send(twin: Twin, *, person: bool) -> None:
    """A long trip at once, with somebody aboard who stays or empty."""
    if twin.aboard:
        for passenger in twin.aboard:
            passenger.stays = person
    elif person:
        twin.travel(twin.floor, _other_end(twin), stays=True)
    twin.calls.add(_other_end(twin))


def _empty(twin: Twin) -> None:
    """Nobody in the car nor waiting, and nobody comes: for faults of an empty car."""
    twin.passengers.clear()
    twin.calls.clear()
    twin.traffic = False


def _back_to_service(twin: Twin) -> None:
    twin.stop_between = twin.chain_opens = twin.drive_blocked = False
    twin.door_obstacle = twin.door_jammed = twin.jam_on_run = twin.door_shows_open_running = False
    twin.slip = 1.0
    twin.traffic = True
    twin.controller_silent = False
    if not twin.mains:
        twin.restore_power()
    twin.release_passengers()
    twin.calls.add(twin.floor)


def _trapped_at_level(twin: Twin) -> None:
    """Someone gets in, the door closes, and neither drive nor door moves again."""
    twin.drive_blocked = True
    twin.travel(twin.floor, _other_end(twin), stays=True)


def _trapped_between(twin: Twin) -> None:
    twin.stop_between = True
    _send(twin, person=True)


def _stopped_outside(twin: Twin) -> None:
    _empty(twin)
    twin.stop_between = True
    _send(twin, person=False)


def _door_open_running(twin: Twin) -> None:
    twin.door_shows_open_running = True
    _send(twin, person=False)


def _chain_open(twin: Twin) -> None:
    twin.chain_opens = True
    _send(twin, person=False)


def _door_blocked(twin: Twin) -> None:
    twin.door_obstacle = True
    twin.calls.add(twin.floor)


def _door_wont_open(twin: Twin) -> None:
    """A trip whose door does not move on arrival; the door jams only once the car is under way."""
    _empty(twin)
    target = _other_end(twin)
    twin.calls.add(target)
    twin.jam_on_run = True


def _run_time(twin: Twin) -> None:
    """The ropes slip: the car crawls, the drive runs on."""
    _empty(twin)
    twin.slip = 0.12
    _send(twin, person=False)


def _set(**switches: bool) -> Callable[[Twin], None]:
    def act(twin: Twin) -> None:
        for name, value in switches.items():
            setattr(twin, name, value)

    return act


def _nothing(twin: Twin) -> None:
    return None


SCRIPTS = {
    "button_pressed": Script("someone presses the alarm button", _nothing, _back_to_service, button=True),
    "trapped_at_level": Script("a passenger aboard, nothing moves, doors shut", _trapped_at_level, _back_to_service),
    "trapped_between_floors": Script("the drive trips between floors, a passenger aboard", _trapped_between, _back_to_service),
    "running_with_door_open": Script("the door shows open while the car runs", _door_open_running, _back_to_service),
    "safety_circuit_open_running": Script("the safety chain opens for 2 s in a run", _chain_open, _back_to_service),
    "stopped_outside_door_zone": Script("the drive trips between floors, nobody aboard", _stopped_outside, _back_to_service),
    "door_blocked": Script("something lies on the sill: the door reverses", _door_blocked, _back_to_service),
    "door_wont_open": Script("the door does not open on arrival", _door_wont_open, _back_to_service),
    "run_time_exceeded": Script("the ropes slip, the drive runs on", _run_time, _back_to_service),
    "mains_lost": Script("the mains fails; the node lives on its battery", _set(mains=False), _back_to_service),
    "controller_mute": Script("the controller goes silent, mains on", _set(controller_silent=True), _back_to_service),
    "line_noise": Script("noise on the RS-485 line: no event may come of it", _nothing, _nothing, noise=True),
}
