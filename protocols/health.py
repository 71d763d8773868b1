"""The parts of a lift's health: what of the log is judged, by which limits, with which weight. Data only; words are in health_texts.

Every weight and limit is ours unless a source stands beside it: none is a standard's. The node never imports this.
"""

from collections import namedtuple

# How a value is made of the days of the window: TYPICAL is the median of the days' own figures, so that one odd day counts for
# little; SHARE puts what happened in all of them over all the occasions, since one day of a small lift has too few.
TYPICAL = "typical"
SHARE = "share"
# The share of a rope's life that is used up: of the counters, not of a window.
LIFE = "life"

# One part. `per` is what SHARE is told in (1000 = per thousand). The mark is 100 up to `good` and 0 from `bad` on, in the part's
# unit, and in between on the line; where there is a `ratio` also 100 up to so many times the lift's own baseline and 0 from
# `ratio_bad` on, the baseline being taken for `floor` at least; the lower of the two counts. Below `quick` it falls again, to 0 at
# half of that. `of` is what it is counted over, and `least` how many of that the window must have.
Part = namedtuple(  # noqa: PYI024  there is no typing in protocols
    "Part",
    (
        "name", "kind", "unit", "per", "weight", "good", "bad", "quick", "ratio", "ratio_bad", "floor", "of", "least", "door",
    ),
)  # fmt: skip

# Doors of small lifts take 3.2 s up to 0.8 m and 4.0 s up to 1.0 m (domain notes 7); 2 to 4 s is ours to call usual.
DOOR_GOOD_MS, DOOR_BAD_MS, DOOR_QUICK_MS = 4000, 7000, 2000

# fmt: off
PARTS = (
    #    name              kind     unit  per   wgt  good   bad    quick  ratio  bad   floor  of          least door
    Part("door_1_opening", TYPICAL, "ms", 1,     6,  DOOR_GOOD_MS, DOOR_BAD_MS, DOOR_QUICK_MS, 1.15, 1.8, 0, "openings", 20, 1),
    Part("door_1_closing", TYPICAL, "ms", 1,     6,  DOOR_GOOD_MS, DOOR_BAD_MS, DOOR_QUICK_MS, 1.15, 1.8, 0, "closings", 20, 1),
    Part("door_2_opening", TYPICAL, "ms", 1,     6,  DOOR_GOOD_MS, DOOR_BAD_MS, DOOR_QUICK_MS, 1.15, 1.8, 0, "openings", 20, 2),
    Part("door_2_closing", TYPICAL, "ms", 1,     6,  DOOR_GOOD_MS, DOOR_BAD_MS, DOOR_QUICK_MS, 1.15, 1.8, 0, "closings", 20, 2),
    # People reverse a door too, about one time in sixteen on the twin: what is more than usual for this house is the door's.
    Part("door_reversals", SHARE,   "‰",  1000,  8,  150,   500,   None,  2.0,   6.0,  50,    "cycles",   100, 0),
    # Nine of ten stops are nearer to their landing than this.
    Part("levelling",      TYPICAL, "mm", 1,    10,  3,     15,    None,  None,  None, 0,     "stops",    40,  0),
    Part("relevellings",   SHARE,   "‰",  1000,  8,  5,     60,    None,  None,  None, 0,     "stops",    100, 0),
    Part("zone_flickers",  SHARE,   "‰",  1000,  8,  5,     200,   None,  None,  None, 0,     "stops",    100, 0),
    Part("failed_starts",  SHARE,   "‰",  1000, 10,  1,     20,    None,  None,  None, 0,     "starts",   100, 0),
    # Both drive curves of the domain notes (7) need 3.8 to 5.2 s beyond distance / rated speed, their delays included.
    Part("trip_time",      TYPICAL, "ms", 1,     8,  6000,  10000, None,  1.2,   2.0,  0,     "trips",    20,  0),
    Part("out_of_order",   SHARE,   "%",  100,  12,  0.2,   5,     None,  None,  None, 0,     "hours",    24,  0),
    Part("faults",         SHARE,   "‰",  1000, 14,  0.5,   10,    None,  None,  None, 0,     "starts",   300, 0),
    Part("no_data",        SHARE,   "%",  100,   4,  1,     20,    None,  None,  None, 0,     "hours",    24,  0),
    Part("ropes",          LIFE,    "%",  100,   6,  60,    100,   None,  None,  None, 0,     "starts",   100, 0),
)
# fmt: on
BY_NAME = {part.name: part for part in PARTS}
NAMES = tuple(part.name for part in PARTS)

# How much the lift is used: figures of a day with their trend, and no mark, for use is neither good nor bad. (name, unit)
USAGE = (
    ("starts", ""), ("door_cycles", ""), ("running_minutes", "min"), ("travel_m", "m"), ("rope_bends", ""),
    ("other_mode_minutes", "min"), ("no_mains_minutes", "min"),
)  # fmt: skip
USAGE_NAMES = tuple(name for name, _ in USAGE)

# -- time -----------------------------------------------------------------------------------------------------------

# A value is of the last days that have data, no older than so many.
WINDOW_DAYS = 7
WINDOW_SPAN_DAYS = 14
LEAST_DAYS = 3
# Faults are rare: their share is of four weeks.
FAULT_DAYS = 28
# The lift's own first days with data are what it is compared with.
BASELINE_DAYS = 14
# A trend looks back twelve weeks, and rests on two weeks at least. What has a SHARE is put together by weeks first, four at least.
TREND_DAYS = 84
TREND_LEAST_DAYS = 14
TREND_LEAST_WEEKS = 4
# What comes to less in the twelve weeks than so many percent of the way from good to bad (of the value, for use) is no trend, however sure.
TREND_MATTERS = 10
# How far ahead it is told when a value would be bad.
AHEAD_WEEKS = 104

# -- the whole ------------------------------------------------------------------------------------------------------

# The score is the weighted mean of the marks with so many percent of the lowest mark in it: a single bad part is no small matter.
LOWEST_SHARE = 25
# With less than so many percent of the weight known there is no score.
KNOWN_SHARE = 60
# From so many points on a mark needs nothing done; below the second it needs work soon.
MARK_GOOD = 80
MARK_ACT = 50

# -- what the log lets be seen --------------------------------------------------------------------------------------

# The node writes all fields every 10 minutes: where nothing stands for longer, nobody knows what happened.
HOLE_MS = 660000
# A door that takes longer was held: the controller's own protections are 10 and 15 s (domain notes 7).
DOOR_LONGEST_MS = 20000
RUN_LONGEST_MS = 600000
# Below this nothing has moved, by speed and by position; as the detector's.
MOVING_MM_S = 100
MOVED_MM = 100
# Only trips so long reach the rated speed by either curve, whatever the traffic: distance in mm per mm/s of rated speed.
LONG_TRIP = 4.5
# A position that is told more coarsely says nothing of levelling: the step that may hide must be below what is judged.
STEP_MM = 5
# A rest farther off than this is at no landing: the door zone ends there.
LANDING_MM = 150
# Where a landing is: the mean of the first stops there, then a millimetre towards each further one up to the second number.
LANDING_MEAN = 8
LANDING_LEARNT = 200

# -- ropes ----------------------------------------------------------------------------------------------------------

# Sheaves that a rope runs over: traction and diverting sheave; with 2:1 the traction sheave, two under the car and the
# counterweight's. Each start that passes a place bends the rope there once on each: no less, and for most of it more than is so.
SHEAVES = {"1:1": 2, "2:1": 4}
ROPE_LIFE_BENDS = 1500000

# -- faults ---------------------------------------------------------------------------------------------------------

# Alarms and faults that are no failure of the lift: people, the node's own inputs, and what another part judges.
NOT_COUNTED = (
    "button_pressed", "button_stuck", "presence_stuck", "input_flickering", "controller_mute", "trapped_in_power_cut",
)  # fmt: skip
COUNTED_CLASSES = ("alarm", "fault")
