"""The switches by which the bench breaks a lift and mends it: plain values, no behaviour. Who moves the car looks at them."""

import random
from collections.abc import Callable


class Switches:
    """As built: nothing is broken, ordinary traffic comes. After setting one, call the twin's `wake()`."""

    def __init__(self, fate: random.Random) -> None:
        """`fate` draws how hard a fault strikes."""
        self.quiet: set[str] = set()  # who asked that nobody comes; empty = ordinary traffic
        self.hurried = False  # somebody presses the closing button at the next stop
        self.errand = ""  # one empty trip as soon as the car is free: to the "far" end, the "top" or the "bottom"
        self.rush = False  # whenever the car is free, somebody calls
        self.drive_dead_with_passenger = False  # with somebody aboard, neither drive nor door moves again
        self.drive_trips_between = ""  # "occupied" or "empty": the drive trips between floors in such a run
        self.chain_opens_on_start = False  # the safety chain opens as the car leaves, and stays open
        self.door_obstacle = False
        self.door_held = False  # something stands in the doorway and stays: no closing, then pushing in vain
        self.door_jams_on_run = False
        self.door_contact_fails = False  # the door shows open while the car is under way
        self.slip = 0.0
        self.stop_error_mm = 0.0  # so far off level the drive stops
        self.brake_slips = False  # the lining lets the parked car creep, again and again
        self.brake_lets_go = False  # with the door open at a stop, the brake does not hold the empty car at all
        self.brake_stays_shut = False  # the brake does not lift: runs begin and do not move
        self.drive_overspeeds = 1.0  # the drive was set so many times too fast
        self.overruns = ""  # "top" or "bottom": the slow-down before this end of the shaft fails for an empty car
        self.trips_at_stop = 0  # with this word the controller ends the next run of an empty car, and stays so
        self.latched = 0  # the word that stands until somebody resets the controller
        self.on_departure: Callable[[], None] | None = None  # called once, when somebody who stays aboard departs
        self.flaws: set[str] = set()  # zone_flickers, presence_stuck, presence_noisy
        self.fate = fate  # how hard a fault strikes; ordinary life does not draw from it
        self.mains = True
        self.mains_sense_dips = False  # too short for the controller to notice
        self.controller_silent = False
        self.mode = "automatic"  # one of SERVICE_MODES
        self.button = False
        self.work_key = False  # a technician has turned the node's key switch
