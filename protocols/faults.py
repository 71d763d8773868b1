"""The fault table: evidence, confirmation, clearing, suppression and severity of each fault. Data only; texts are in fault_texts.

All times are ours unless a source is named. `alternatives` are ((predicates that must all hold), for how long): any of them
confirms. `clear` are groups of predicates: any group that holds for `clear_ms` clears. Predicates are defined in detector.
"""

# Modes in which the lift is moved in ways that would look like faults: inspection, fire return, firefighter, earthquake.
# The button is never suppressed.
WORK_MODES = (2, 3, 4, 6)
# A lift out of service may stand with its door open; whoever is shut in it is trapped all the same.
DOOR_MODES = (0, 2, 3, 4, 6)
# On emergency power a car creeps to the next floor at a tenth of its speed.
RUN_MODES = (2, 3, 4, 5, 6)
# A fault that returns so soon after its end flaps: each time it must be gone twice as long before it ends (ours).
FLAP_MS = 60000


class Fault:
    """One row. `code` is the national number of the 2017 list, None where it has none; severity 4 = people in danger."""

    def __init__(
        self,
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
    ) -> None:
        self.name = name
        self.code = code
        self.event_class = event_class
        self.severity = severity
        self.fast = fast
        self.alternatives = alternatives
        self.clear = clear
        self.clear_ms = clear_ms
        self.suppressed = suppressed  # service modes in which it is counted instead of told
        self.flap_ms = flap_ms  # back within this time after its end: clears ever more slowly; 0 = never
        self.yields_to = yields_to  # faults that, while open, say it better


# In place of a time: taken from the settings of the lift (its travel and speed).
RUN_TIME_LIMIT = -1

# fmt: off
FAULTS = (
    # Special: opened by the press itself. It closes once the car stands in the zone with a door fully open: the way out
    # is free. (End of alarm by a competent person on site is a matter of the rescue desk.)
    Fault("button_pressed", 90, "alarm", 4, True,
          (), (("button_released", "in_zone", "door_open"),), 1000, ()),
    # 45-90 s in public systems (domain notes 8): a minute is longer than anybody looks for a button to press. A sensor that
    # sees nobody any more ends nothing: behind closed doors nobody has left, and who lies on the floor does not move.
    Fault("trapped_at_level", None, "alarm", 4, False,
          ((("stopped", "in_zone", "doors_closed", "passenger"), 60000),),
          (("door_open",), ("running",)), 2000, WORK_MODES),
    # 15-30 s in public systems; a relevelling or restarting drive is through in less.
    Fault("trapped_between_floors", None, "alarm", 4, False,
          ((("stopped", "out_of_zone", "passenger"), 20000),),
          (("in_zone",),), 1000, WORK_MODES),
    # Confirmed by the first sample: position, door and motion come from one block read in one piece.
    Fault("running_with_door_open", None, "fault", 4, True,
          ((("running", "out_of_zone", "door_not_closed"), 0), (("running", "out_of_zone", "lock_open"), 0)),
          (("stopped",), ("doors_closed", "lock_closed")), 3000, WORK_MODES, flap_ms=FLAP_MS),
    Fault("safety_circuit_open_running", 1, "fault", 3, True,
          ((("running_lately", "safety_open"), 0),),
          (("safety_closed",),), 3000, WORK_MODES, flap_ms=FLAP_MS),
    # National code 4. With a person aboard it is the alarm above; unknown occupancy is told as such, never passed over, and
    # so is a sensor that sees somebody now and then: it confirms neither "someone" nor "nobody" for long enough.
    Fault("stopped_outside_door_zone", 4, "fault", 3, False,
          ((("stopped", "out_of_zone", "not_seen_occupied"), 30000),
           (("stopped", "out_of_zone", "occupancy_unsteady"), 60000)),
          (("in_zone",),), 1000, WORK_MODES, yields_to=("trapped_between_floors",)),
    # Goods moves hold a door for two minutes. The controller forces it shut after 120 s (NICE Fb-17): a door still not shut
    # half a minute later cannot close. Five reversals at one stop are no goods move.
    Fault("door_blocked", 2, "fault", 2, False,
          ((("stopped", "in_zone", "door_not_closed"), 150000), (("stopped", "in_zone", "door_reversing"), 0)),
          (("doors_closed",), ("running",)), 3000, DOOR_MODES),
    # The controller's own opening protection is 10 s (NICE Fb-06); 12 s is just behind it.
    Fault("door_wont_open", 3, "fault", 3, False,
          ((("stopped", "in_zone", "arrived_unopened", "passenger"), 12000),
           (("stopped", "in_zone", "arrived_unopened", "opening_tried"), 12000)),
          (("door_open",), ("running",)), 2000, DOOR_MODES),
    # The smaller of 45 s and full travel + 10 s, as the motor run-time limiter (EN 81-20, from memory).
    Fault("run_time_exceeded", 6, "fault", 3, False,
          ((("running",), RUN_TIME_LIMIT),),
          (("stopped",),), 2000, RUN_MODES),
    # Shorter dips are the supply's business; the controller rides through them or goes mute.
    Fault("mains_lost", 41, "event", 2, False,
          ((("mains_off",), 2000),),
          (("mains_on",),), 5000, (), flap_ms=FLAP_MS),
    # Silence with the mains present: a cable, a port, a controller; never taken for a power cut, nor for the controller's
    # start after one. Where no sense tells of the mains (unknown), the silence is told all the same.
    Fault("controller_mute", None, "fault", 2, False,
          ((("link_silent", "mains_settled"), 5000),),
          (("link_answers",), ("mains_off",)), 2000, (), flap_ms=FLAP_MS),
)
# fmt: on

BY_NAME = {fault.name: fault for fault in FAULTS}
