"""The fault table: evidence, confirmation, clearing, suppression and severity of each fault. Data only; texts are in fault_texts.

All times are ours unless a source is named. `alternatives` are ((predicates that must all hold), for how long): any of them
confirms. `clear` are groups of predicates: any group that holds for `clear_ms` clears. Predicates are defined in detector.
"""

from collections import namedtuple

# Modes in which the lift is moved in ways that would look like faults: inspection, fire return, firefighter, earthquake.
# The button is never suppressed.
WORK_MODES = (2, 3, 4, 6)
# A lift out of service may stand with its door open; whoever is shut in it is trapped all the same.
DOOR_MODES = (0, 2, 3, 4, 6)
# On emergency power a car creeps to the next floor at a tenth of its speed.
RUN_MODES = (2, 3, 4, 5, 6)
# A fault that returns so soon after its end flaps: each time it must be gone twice as long before it ends (ours).
FLAP_MS = 60000


# One row; a tuple, since on the chip thirty objects with names would cost 4 KB more. `code` is the national number of the 2017
# list, None where it has none; severity 4 = people in danger; `suppressed` are the service modes in which it is counted instead
# of told; back within `flap_ms` of its end it clears ever more slowly (0 = never); `yields_to` are faults that, while open, say
# it better. The last name of an alternative is the rarest: while it does not hold, nothing else is looked at.
Fault = namedtuple(  # noqa: PYI024  the chip has no typing
    "Fault",
    (
        "name", "code", "event_class", "severity", "fast", "alternatives", "clear", "clear_ms", "suppressed", "flap_ms",
        "yields_to",
    ),
)  # fmt: skip


def _row(
    name: str,
    code: int | None,
    event_class: str,
    severity: int,
    fast: bool,
    alternatives: tuple[tuple[tuple[str, ...], int], ...],
    clear: tuple[tuple[str, ...], ...],
    clear_ms: int,
    suppressed: tuple[int, ...],
    flap_ms: int = 0,
    yields_to: tuple[str, ...] = (),
) -> Fault:
    return Fault(name, code, event_class, severity, fast, alternatives, clear, clear_ms, suppressed, flap_ms, yields_to)


# In place of a time: taken from the settings of the lift (its travel and speed).
RUN_TIME_LIMIT = -1

# fmt: off
FAULTS = (
    # Special: opened by the press itself. It closes once the car stands in the zone with a door fully open: the way out
    # is free, or when a competent person ends the alarm (Detector.end_alarm).
    _row("button_pressed", 90, "alarm", 4, True,
          (), (("button_released", "in_zone", "door_open"),), 1000, ()),
    # Off its landing with a door open, from standing: whoever is in the doorway is in danger now. Relevelling stays in the zone.
    _row("unintended_car_movement", 5, "fault", 4, True,
          ((("left_zone_open",), 0),),
          (("in_zone",), ("doors_closed",)), 3000, WORK_MODES),
    # 45-90 s in public systems (domain notes 8): a minute is longer than anybody looks for a button to press. A sensor that
    # sees nobody any more ends nothing: behind closed doors nobody has left, and who lies on the floor does not move.
    _row("trapped_at_level", None, "alarm", 4, False,
          ((("stopped", "in_zone", "doors_closed", "passenger"), 60000),),
          (("door_open",), ("running",)), 2000, WORK_MODES),
    # 15-30 s in public systems; a relevelling or restarting drive is through in less.
    _row("trapped_between_floors", None, "alarm", 4, False,
          ((("stopped", "out_of_zone", "passenger"), 20000),),
          (("in_zone",),), 1000, WORK_MODES),
    # The controller is mute, so where the car stands is what it told last. Released by hand, nobody can see it: the alarm ends
    # when the lift is seen open or running again.
    _row("trapped_in_power_cut", None, "alarm", 4, False,
          ((("passenger", "unopened_since_cut", "mains_off"), 30000),),
          (("door_open",), ("running",)), 2000, WORK_MODES, yields_to=("trapped_at_level", "trapped_between_floors")),
    # Confirmed by the first sample: position, door and motion come from one block read in one piece.
    _row("running_with_door_open", None, "fault", 4, True,
          ((("running", "out_of_zone", "door_not_closed"), 0), (("running", "out_of_zone", "lock_open"), 0)),
          (("stopped",), ("doors_closed", "lock_closed")), 3000, WORK_MODES, flap_ms=FLAP_MS,
          yields_to=("unintended_car_movement",)),
    # Three samples of at least 115 %: in no mode may a car be so fast.
    _row("overspeed", None, "fault", 4, False,
          ((("too_fast",), 0),),
          (("not_too_fast",),), 3000, (), flap_ms=FLAP_MS),
    _row("over_travel_up", None, "fault", 3, False,
          ((("above_top",), 1000),),
          (("not_above_top",),), 3000, WORK_MODES),
    _row("over_travel_down", None, "fault", 3, False,
          ((("below_bottom",), 1000),),
          (("not_below_bottom",),), 3000, WORK_MODES),
    _row("safety_circuit_open_running", 1, "fault", 3, True,
          ((("running_lately", "safety_open"), 0),),
          (("safety_closed",),), 3000, WORK_MODES, flap_ms=FLAP_MS),
    # National code 4. With a person aboard it is the alarm above; unknown occupancy is told as such, never passed over, and
    # so is a sensor that sees somebody now and then: it confirms neither "someone" nor "nobody" for long enough.
    _row("stopped_outside_door_zone", 4, "fault", 3, False,
          ((("stopped", "not_seen_occupied", "out_of_zone"), 30000),
           (("stopped", "occupancy_unsteady", "out_of_zone"), 60000)),
          (("in_zone",),), 1000, WORK_MODES, yields_to=("trapped_between_floors",)),
    # Five reversals at one stop are no goods move.
    _row("door_reversal_loop", 2, "fault", 2, False,
          ((("stopped", "in_zone", "door_reversing"), 0),),
          (("doors_closed",), ("running",)), 3000, DOOR_MODES),
    # Goods moves hold a door for two minutes. The controller forces it shut after 120 s (NICE Fb-17): a door still not shut
    # half a minute later cannot close.
    _row("door_blocked", 2, "fault", 2, False,
          ((("stopped", "in_zone", "door_not_closed"), 150000),),
          (("doors_closed",), ("running",)), 3000, DOOR_MODES, yields_to=("door_reversal_loop",)),
    # Three runs in three minutes that did not move: brake, contactor, lock.
    _row("start_failing", None, "fault", 2, False,
          ((("starts_failed",), 0),),
          (("moved",),), 1000, WORK_MODES),
    # The drive says that it stands.
    _row("brake_slipping", None, "fault", 3, False,
          ((("doors_closed", "stands_and_creeps"), 2000), (("drifted",), 2000)),
          (("moved",), ("door_open",)), 2000, RUN_MODES),
    _row("levelling_inaccurate", None, "fault", 2, False,
          ((("relevelling_often",), 0),),
          (("levelling_calm",),), 1000, WORK_MODES),
    _row("floor_position_lost", 7, "fault", 2, False,
          ((("word_of_position",), 1000),),
          (("no_word",), ("other_word",)), 3000, WORK_MODES),
    # Its word came as the car ran, and it has not run since.
    _row("restart_prevented", 8, "fault", 3, False,
          ((("stopped", "mains_settled", "stopped_by_word"), 120000),),
          (("no_word",), ("moved",)), 3000, WORK_MODES),
    # The controller's own opening protection is 10 s (NICE Fb-06); 12 s is just behind it.
    _row("door_wont_open", 3, "fault", 3, False,
          ((("stopped", "in_zone", "arrived_unopened", "passenger"), 12000),
           (("stopped", "in_zone", "arrived_unopened", "opening_tried"), 12000)),
          (("door_open",), ("running",)), 2000, DOOR_MODES),
    # The smaller of 45 s and full travel + 10 s, as the motor run-time limiter (EN 81-20, from memory).
    _row("run_time_exceeded", 6, "fault", 3, False,
          ((("running",), RUN_TIME_LIMIT),),
          (("stopped",),), 2000, RUN_MODES),
    # Shorter dips are the supply's business; the controller rides through them or goes mute.
    _row("mains_lost", 41, "event", 2, False,
          ((("mains_off",), 2000),),
          (("mains_on",),), 5000, (), flap_ms=FLAP_MS),
    # Silence with the mains present: a cable, a port, a controller; never taken for a power cut, nor for the controller's
    # start after one. Where no sense tells of the mains (unknown), the silence is told all the same.
    _row("controller_mute", None, "fault", 2, False,
          ((("mains_settled", "link_silent"), 5000),),
          (("link_answers",), ("mains_off",)), 2000, (), flap_ms=FLAP_MS),
    # The node's own supply: it will be silent soon, and must not be taken for a broken line.
    _row("battery_low", None, "event", 2, False,
          ((("battery_low",), 10000),),
          (("battery_good",),), 10000, ()),
    # Inputs that cannot be believed. A button held for three minutes is jammed; its alarm stays open.
    _row("button_stuck", None, "fault", 1, False,
          ((("button_held",), 180000),),
          (("button_released",),), 2000, ()),
    # While it is open nobody knows whether somebody is in the car.
    _row("presence_stuck", None, "fault", 1, False,
          ((("presence_constant",), 0),),
          (("nobody",),), 1000, ()),
    _row("input_flickering", None, "fault", 1, False,
          ((("zone_flickers",), 0),),
          (("zone_quiet",),), 1000, WORK_MODES),
    # Opens and ends with the technician's key or command, or by itself after its time.
    _row("work_mode", None, "event", 1, False, ((("at_work",), 0),), (("not_at_work",),), 1000, ()),
    # The national list's modes, open while they are shown.
    _row("out_of_service", 42, "event", 1, False, ((("mode_0",), 1000),), (("not_mode_0",),), 1000, ()),
    _row("inspection", 43, "event", 1, False, ((("mode_2",), 1000),), (("not_mode_2",),), 1000, ()),
    _row("fire_return", 44, "event", 1, False, ((("mode_3",), 1000),), (("not_mode_3",),), 1000, ()),
    _row("firefighter", 45, "event", 1, False, ((("mode_4",), 1000),), (("not_mode_4",),), 1000, ()),
    _row("emergency_power", 46, "event", 1, False, ((("mode_5",), 1000),), (("not_mode_5",),), 1000, ()),
    _row("earthquake", 47, "event", 1, False, ((("mode_6",), 1000),), (("not_mode_6",),), 1000, ()),
    _row("automatic_restored", 40, "event", 1, False, ((("just_restored",), 0),), (("restored_before",),), 1000, ()),
)
# fmt: on

BY_NAME = {row.name: row for row in FAULTS}
NAMES = tuple(row.name for row in FAULTS)
# What is no fault but a state of the lift that somebody meant: codes 40 and 42 to 47.
MODE_EVENTS = tuple(row.name for row in FAULTS if row.code is not None and 40 <= row.code <= 47 and row.code != 41)


def fault(name: str) -> Fault:
    """The row `name`; KeyError if there is none. The node asks for one row at a time: firmware/build.py packs them for it."""
    return BY_NAME[name]
