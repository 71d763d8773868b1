"""Runs on the VM: what a gateway tells of the time becomes the floor after a day, not at once, and never moves back. $NVS, $CLOCK."""

import os

from node.calendar import EPOCH_2000_S, KEY, SLACK_S, Calendar

DAY_MS = 86400000
T_MS = 1900000000000
YEAR_MS = 365 * DAY_MS


def offset_s():
    """By how much the chip's clock was moved."""
    with open(os.getenv("CLOCK")) as file:
        return int(file.read())


def saved_s():
    """The floor that the next boot would start with."""
    try:
        return Calendar(0)._nvs.get_i32(KEY) + EPOCH_2000_S
    except OSError:
        return 0


calendar = Calendar(0)
assert not calendar.told and offset_s() == 0
calendar.follow(0, 5000)
assert not calendar.told
calendar.follow(T_MS + 10 * YEAR_MS, 10000)  # a gateway whose clock is wrong, for an hour
assert calendar.told and saved_s() == 0
calendar.follow(T_MS + 10 * YEAR_MS + 3600000, 3610000)
for hour in range(2, 26):
    calendar.follow(T_MS + hour * 3600000, hour * 3600000)
    assert saved_s() == 0
calendar.follow(T_MS + 26 * 3600000, 26 * 3600000)
floor_s = saved_s()
assert floor_s == T_MS // 1000 + 26 * 3600 - SLACK_S, floor_s
for day in range(2, 30):  # a week apart at least: flash wears out
    calendar.follow(T_MS + day * DAY_MS, day * DAY_MS)
    assert saved_s() == floor_s or saved_s() - floor_s >= 7 * 86400
    floor_s = saved_s()
assert floor_s > T_MS // 1000 + 20 * 86400
for hour in range(30 * 24, 33 * 24):  # set back by a year for three days: the floor stays
    calendar.follow(T_MS - YEAR_MS + hour * 3600000, hour * 3600000)
assert saved_s() == floor_s
print("calendar ok")
