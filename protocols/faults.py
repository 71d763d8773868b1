"""The fault table: evidence, confirmation, clearing, suppression and severity of each fault. Data only; texts are in fault_texts.

All times are ours unless a source is named. `alternatives` are ((predicates that must all hold), for how long): any of them
confirms. `clear` are groups of predicates: any group that holds for `clear_ms` clears. Predicates are defined in detector.
"""

# Modes in which people at work move the lift in ways that would look like faults. The button is never suppressed.
WORK_MODES = (0, 2, 3, 4, 6)


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
        suppressed: bool,
    ) -> None:
        self.name = name
        self.code = code
        self.event_class = event_class
        self.severity = severity
        self.fast = fast
        self.alternatives = alternatives
        self.clear = clear
        self.clear_ms = clear_ms
        self.suppressed = suppressed  # not detected in WORK_MODES


# In place of a time: taken from the settings of the lift (its travel and speed).
RUN_TIME_LIMIT = -1

# fmt: off
FAULTS = (
    # Special: opened by the press itself. It closes once the car stands in the zone with a door fully open: the way out
    # is free. (End of alarm by a competent person on site is a matter of the rescue desk.)
    Fault("button_pressed", 90, "alarm", 4, True,
          (), (("button_released", "in_zone", "door_open"),), 1000, False),
    # 45-90 s in public systems (domain notes 8): a minute is longer than anybody looks for a button to press.
    Fault("trapped_at_level", None, "alarm", 4, False,
          ((("stopped", "in_zone", "doors_closed", "passenger"), 60000),),
          (("door_open",), ("running",), ("nobody",)), 2000, True),
    # 15-30 s in public systems; a relevelling or restarting drive is through in less.
    Fault("trapped_between_floors", None, "alarm", 4, False,
          ((("stopped", "out_of_zone", "passenger"), 20000),),
          (("in_zone",),), 1000, True),
    # Confirmed by the first sample: position, door and motion come from one block read in one piece.
    Fault("running_with_door_open", None, "fault", 4, True,
          ((("running", "out_of_zone", "door_not_closed"), 0), (("running", "out_of_zone", "lock_open"), 0)),
          (("stopped",), ("doors_closed", "lock_closed")), 3000, True),
    Fault("safety_circuit_open_running", 1, "fault", 3, True,
          ((("running_lately", "safety_open"), 0),),
          (("safety_closed",),), 3000, True),
    # National code 4. With a person aboard it is the alarm above; unknown occupancy is told as such, never passed over.
    Fault("stopped_outside_door_zone", 4, "fault", 3, False,
          ((("stopped", "out_of_zone", "not_seen_occupied"), 30000),),
          (("in_zone",),), 1000, True),
    # Goods moves hold a door for a minute; five reversals at one stop are no goods move.
    Fault("door_blocked", 2, "fault", 2, False,
          ((("stopped", "in_zone", "door_not_closed"), 90000), (("stopped", "in_zone", "door_reversing"), 0)),
          (("doors_closed",), ("running",)), 3000, True),
    # The controller's own opening protection is 10 s (NICE Fb-06); 12 s is just behind it.
    Fault("door_wont_open", 3, "fault", 3, False,
          ((("stopped", "in_zone", "arrived_unopened", "passenger"), 12000),
           (("stopped", "in_zone", "arrived_unopened", "opening_tried"), 12000)),
          (("door_open",), ("running",)), 2000, True),
    # The smaller of 45 s and full travel + 10 s, as the motor run-time limiter (EN 81-20, from memory).
    Fault("run_time_exceeded", 6, "fault", 3, False,
          ((("running",), RUN_TIME_LIMIT),),
          (("stopped",),), 2000, True),
    # Shorter dips are the supply's business; the controller rides through them or goes mute.
    Fault("mains_lost", 41, "event", 2, False,
          ((("mains_off",), 2000),),
          (("mains_on",),), 5000, False),
    # Silence with the mains present: a cable, a port, a controller; never taken for a power cut.
    Fault("controller_mute", None, "fault", 2, False,
          ((("link_silent", "mains_not_off"), 5000),),
          (("link_answers",), ("mains_off",)), 2000, False),
)
# fmt: on

BY_NAME = {fault.name: fault for fault in FAULTS}
