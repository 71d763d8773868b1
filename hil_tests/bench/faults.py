"""Faults by script: each name brings a twin into its situation by itself, and back to service. They act on public switches only.

Times of confirmation are the detector's business; here stands what happens in the shaft.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hil_tests.bench.twin import Twin

# A technician or firefighter takes so long from the switch to his first ride (ours).
MODE_ACT_MS = 15_000


@dataclass(frozen=True)
class Script:
    """`inject` and `clear` act on the twin; `button` and `noise` are the bench's part.

    `within_s`: by when it is told at the latest. `also`: what is just as true in this situation, sooner or later, and may be told beside it.
    """

    text: str
    inject: Callable[[Twin], None]
    clear: Callable[[Twin], None]
    button: bool = False
    noise: bool = False
    also: frozenset[str] = frozenset()
    within_s: int = 150


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


def _keep_away(twin: Twin, name: str) -> None:
    """Nobody comes until it is cleared, and whoever waits takes the stairs."""
    twin.quiet.add(name)
    twin.dismiss_waiting()
    twin.hurry()


def _run_empty(twin: Twin, name: str, errand: str = "far") -> None:
    """An empty car to an end of the shaft, at once or after whoever is aboard has left."""
    _keep_away(twin, name)
    twin.errand = errand
    twin.wake()


def _resume(twin: Twin, name: str) -> None:
    """Nobody is kept away or aboard any more, and the door opens where the car stands or comes to stand."""
    twin.quiet.discard(name)
    twin.hurried = twin.rush = False
    twin.errand = ""
    twin.let_out()
    twin.wake()
    twin.call(twin.floor)


def _in_empty_run(
    name: str, text: str, broken: dict[str, Any], errand: str = "far", also: tuple[str, ...] = ()
) -> Script:
    """A script whose switches `broken` {name: value} show on a run of the empty car."""

    def inject(twin: Twin) -> None:
        for switch, value in broken.items():
            setattr(twin, switch, value)
        _run_empty(twin, name, errand)

    def clear(twin: Twin) -> None:
        for switch, value in broken.items():
            setattr(twin, switch, type(value)())
        _resume(twin, name)

    return Script(text, inject, clear, also=frozenset(also))


def _in_mode(name: str, text: str, mode: str, then: Callable[[Twin], None] | None = None) -> Script:
    """A script that switches the lift over to `mode`; `then` is what happens a little later."""

    def inject(twin: Twin) -> None:
        _keep_away(twin, name)
        twin.set_mode(mode)
        if then is not None:
            twin.later(MODE_ACT_MS, lambda: then(twin))

    def clear(twin: Twin) -> None:
        twin.set_mode("automatic")
        _resume(twin, name)

    return Script(text, inject, clear, also=frozenset({"automatic_restored"}))


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


def _end_trap_between(twin: Twin) -> None:
    twin.drive_trips_between = ""
    _resume(twin, "trapped_between_floors")


def _cut_power_on_a_ride(twin: Twin) -> None:
    twin.on_departure = lambda: twin.later(twin.fate.randint(800, 4000), twin.lose_mains)
    _ride(twin)
    if twin.aboard:
        for end in (1, twin.spec.stops):  # under way already: there is one more departure
            twin.call(end)


def _restore_power(twin: Twin) -> None:
    twin.on_departure = None
    twin.restore_mains()
    _resume(twin, "trapped_in_power_cut")


def _close_chain(twin: Twin) -> None:
    twin.close_chain()
    _resume(twin, "safety_circuit_open_running")


def _let_go(twin: Twin) -> None:
    _keep_away(twin, "unintended_car_movement")
    twin.brake_lets_go = True
    # Anywhere but at the top: an empty car is drawn up. The car is called until it comes without anybody aboard.
    floor = twin.fate.randint(1, twin.spec.stops - 1)

    def call() -> None:
        if twin.brake_lets_go:
            twin.call(floor)
            twin.later(15_000, call)

    call()


def _hold_again(twin: Twin) -> None:
    twin.brake_lets_go = False
    twin.reset_controller()
    _resume(twin, "unintended_car_movement")


def _reset(name: str) -> Callable[[Twin], None]:
    def clear(twin: Twin) -> None:
        twin.reset_controller()
        _resume(twin, name)

    return clear


def _trip_at_stop(name: str, *words: int) -> Callable[[Twin], None]:
    def inject(twin: Twin) -> None:
        twin.trips_at_stop = twin.fate.choice(words)
        _run_empty(twin, name)

    return inject


def _slip_brake(twin: Twin) -> None:
    _keep_away(twin, "brake_slipping")
    twin.brake_slips = True
    twin.wake()


def _grip_brake(twin: Twin) -> None:
    twin.brake_slips = False
    _resume(twin, "brake_slipping")


def _level_badly(twin: Twin) -> None:
    _keep_away(twin, "levelling_inaccurate")
    twin.stop_error_mm = twin.fate.choice((-1, 1)) * twin.fate.uniform(22.0, 35.0)
    twin.rush = True
    twin.wake()


def _level_well(twin: Twin) -> None:
    twin.stop_error_mm = 0.0
    _resume(twin, "levelling_inaccurate")


def _speed_up(twin: Twin) -> None:
    # Set too fast after a repair; the governor, which trips at 1.4 m/s here, does not notice.
    twin.drive_overspeeds = twin.fate.uniform(1.17, 1.28)
    _run_empty(twin, "overspeed")


def _slow_down(twin: Twin) -> None:
    twin.drive_overspeeds = 1.0
    _resume(twin, "overspeed")


def _reverse_door(twin: Twin) -> None:
    _keep_away(twin, "door_reversal_loop")
    twin.door_obstacle = True
    twin.call(twin.floor)


def _end_reversals(twin: Twin) -> None:
    twin.door_obstacle = False
    _resume(twin, "door_reversal_loop")


def _hold_door(twin: Twin) -> None:
    _keep_away(twin, "door_blocked")
    twin.door_held = True
    twin.call(twin.floor)


def _let_door_go(twin: Twin) -> None:
    twin.door_held = False
    _resume(twin, "door_blocked")


def _free_door(twin: Twin) -> None:
    twin.free_doors()
    _resume(twin, "door_wont_open")


def _flaw(name: str, flaw: str, *, rush: bool = False) -> tuple[Callable[[Twin], None], Callable[[Twin], None]]:
    def inject(twin: Twin) -> None:
        _keep_away(twin, name)
        twin.flaws.add(flaw)
        twin.rush = rush
        twin.wake()

    def clear(twin: Twin) -> None:
        twin.flaws.discard(flaw)
        _resume(twin, name)

    return inject, clear


def _restore_automatic(twin: Twin) -> None:
    twin.set_mode("locked")
    twin.later(20_000, lambda: twin.set_mode("automatic"))


def _mute(twin: Twin) -> None:
    twin.controller_silent = True


def _unmute(twin: Twin) -> None:
    twin.controller_silent = False


def _nothing(twin: Twin) -> None:
    return None


# fmt: off
SCRIPTS = {
    "button_pressed": Script(
        "someone presses the alarm button; clearing opens the door", _press, _release, button=True
    ),
    "trapped_at_level": Script(
        "someone gets in, the door shuts, and neither drive nor door moves", _trap_at_level, _end_trap_at_level
    ),
    "trapped_between_floors": Script(
        "the drive trips between floors, someone aboard", _trap_between, _end_trap_between,
        also=frozenset({"restart_prevented"}),
    ),
    "trapped_in_power_cut": Script(
        "the mains fails on a ride", _cut_power_on_a_ride, _restore_power, also=frozenset({"mains_lost"})
    ),
    "unintended_car_movement": Script(
        "the brake lets the car go with its door open; the last protection stops it", _let_go, _hold_again,
        also=frozenset({"stopped_outside_door_zone", "restart_prevented"}),
    ),
    "running_with_door_open": _in_empty_run(
        "running_with_door_open", "the door shows open while the car runs", {"door_contact_fails": True}
    ),
    "overspeed": Script("the drive was set too fast", _speed_up, _slow_down),
    "over_travel_up": _in_empty_run(
        "over_travel_up", "the car does not slow down before the top", {"overruns": "top"}, "top"
    ),
    "over_travel_down": _in_empty_run(
        "over_travel_down", "the car does not slow down before the bottom", {"overruns": "bottom"}, "bottom"
    ),
    "safety_circuit_open_running": replace(
        _in_empty_run("safety_circuit_open_running", "the safety chain opens as the car leaves",
                      {"chain_opens_on_start": True}, also=("restart_prevented",)),
        clear=_close_chain,
    ),
    "stopped_outside_door_zone": _in_empty_run(
        "stopped_outside_door_zone", "the drive trips between floors, nobody aboard",
        {"drive_trips_between": "empty"}, also=("restart_prevented",),
    ),
    "door_reversal_loop": Script(
        "something lies on the sill: the door reverses again and again", _reverse_door, _end_reversals
    ),
    "door_blocked": Script("something stands in the doorway and stays there", _hold_door, _let_door_go, within_s=240),
    "start_failing": _in_empty_run(
        "start_failing", "the brake does not lift: the car does not leave", {"brake_stays_shut": True}
    ),
    "brake_slipping": Script("the parked car creeps away through its shut brake", _slip_brake, _grip_brake),
    "levelling_inaccurate": Script("the car stops beside its level and levels again, stop after stop",
                                   _level_badly, _level_well, within_s=600),
    "floor_position_lost": Script(
        "the controller loses its position and stands", _trip_at_stop("floor_position_lost", 30, 58),
        _reset("floor_position_lost"), also=frozenset({"restart_prevented"}),
    ),
    "restart_prevented": Script(
        "the controller ends a run by a fault and stands until it is reset", _trip_at_stop("restart_prevented", 33, 36, 39),
        _reset("restart_prevented"), within_s=240
    ),
    "door_wont_open": replace(
        _in_empty_run("door_wont_open", "the door does not open on arrival", {"door_jams_on_run": True}), clear=_free_door
    ),
    # The car creeps on for minutes while the sheave turns at full speed; this site has the drive's own limiter (F9-02) off.
    "run_time_exceeded": _in_empty_run(
        "run_time_exceeded", "the ropes slip: the drive runs on, the car hardly moves", {"slip": 0.98}
    ),
    "mains_lost": Script("the mains fails; the node lives on its battery", Twin.lose_mains, Twin.restore_mains,
                         also=frozenset({"trapped_in_power_cut", "battery_low"})),
    "controller_mute": Script("the controller goes silent, the mains is there", _mute, _unmute),
    "battery_low": Script(
        "the cell of the node's supply is worn out", lambda twin: twin.battery.wear(0.15, twin.now_ms),
        lambda twin: twin.battery.wear(1.0, twin.now_ms),
    ),
    "button_stuck": Script(
        "the alarm button is pressed and does not come back", _press, _release, also=frozenset({"button_pressed"}), within_s=240
    ),
    "presence_stuck": Script("the presence sensor always sees somebody, in a lift much used",
                             *_flaw("presence_stuck", "presence_stuck", rush=True), within_s=900),
    "input_flickering": Script("the zone switch of a parked car makes and breaks",
                               *_flaw("input_flickering", "zone_flickers")),
    "work_mode": Script(
        "a technician turns the key", lambda twin: setattr(twin, "work_key", True), lambda twin: setattr(twin, "work_key", False)
    ),
    "out_of_service": _in_mode("out_of_service", "the lift is locked", "locked"),
    "inspection": _in_mode("inspection", "a technician rides on the car", "inspection",
                           lambda twin: twin.inspect_to(twin.fate.uniform(0.0, twin.floor_mm(twin.spec.stops)))),
    "fire_return": _in_mode("fire_return", "the fire switch calls the car to its base", "fire"),
    "firefighter": _in_mode("firefighter", "a firefighter takes the car over", "firefighter",
                            lambda twin: twin.firefighter_to(twin.far_end)),
    "emergency_power": _in_mode("emergency_power", "the house runs on its generator", "emergency_power"),
    "earthquake": _in_mode("earthquake", "the earthquake sensor stops the lift", "earthquake"),
    "automatic_restored": Script(
        "a locked lift is switched on again", _restore_automatic, lambda twin: _resume(twin, "automatic_restored"),
        also=frozenset({"out_of_service"}),
    ),
    "line_noise": Script("noise on the RS-485 line: no event may come of it", _nothing, _nothing, noise=True),
}
# fmt: on
