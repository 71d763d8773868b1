"""Enumerations of the wire, modelled on the GB/T 24476-2017 list as seen in public implementations.

They are plain integers, since MicroPython has no enum. No code of any city occurs here.
"""

# Service mode
OUT_OF_SERVICE = 0
NORMAL = 1
INSPECTION = 2
FIRE_RETURN = 3
FIREFIGHTER = 4
EMERGENCY_POWER = 5
EARTHQUAKE = 6
MODE_UNKNOWN = 7

# Car status
STOPPED = 0
RUNNING = 1

# Direction
NO_DIRECTION = 0
UP = 1
DOWN = 2

# Door, of the kind of the 2023 items; unknown (0) is None in our code
DOOR_UNKNOWN = 0
DOOR_CLOSING = 1
DOOR_CLOSED = 2
DOOR_OPENING = 3
DOOR_OPEN = 4
DOOR_LOCKED = 5
DOOR_HELD = 6

# Receipt levels of an event
COMMITTED = 1
DONE = 2

# Work mode of a technician; codes of our own
NO_WORK = 0
WORK_BY_KEY = 1
WORK_BY_COMMAND = 2

# Why an event is kept and told to no city
AT_WORK = "work"
FILTERED = "filter"
WITHHELD = ("", AT_WORK, FILTERED)

# Phases of an event
OPEN = "open"
UPDATED = "updated"
CLOSED = "closed"
PHASES = (OPEN, UPDATED, CLOSED)

CLASSES = ("alarm", "fault", "event")

COMMANDS = ("identify", "self_test", "watch", "work", "log_level", "reload", "update", "restart", "car")
# What the car is told of its alarm: an argument of the command `car`, and by its place what the field `alarm_shown` tells.
ALARM_STEPS = ("ended", "sent", "heard", "coming", "arrived")
