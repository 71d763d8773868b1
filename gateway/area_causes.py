"""What makes one incident of many: the causes, and every figure by which lifts are grouped, gathered and held. Data only.

All figures are ours: no standard that we have read names one.
"""

from dataclasses import dataclass

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS


@dataclass(frozen=True)
class Many:
    """How many lifts are one incident: at least `lifts`, of at least `sites`, and so many per mille of those that could tell."""

    lifts: int
    permille: int
    sites: int = 1

    def needed(self, could: int) -> int:
        """How many it takes where `could` lifts could have told."""
        return max(self.lifts, -(-could * self.permille // 1000))


@dataclass(frozen=True)
class Cause:
    """One cause: what its members tell, and within how much time of the one that makes them many the others began.

    `area` is the kind of the area's incident; `occupied` its severity while somebody was last seen in a car.
    """

    area: str
    kinds: frozenset[str]
    event_class: str
    window_ms: int
    site: Many
    gateway: Many
    occupied: int


EARTHQUAKE = Cause(
    "area_earthquake", frozenset({"earthquake"}), "event",
    # The waves cross a city within a minute. A drill at one house shows at its lifts only.
    MINUTE_MS, Many(3, 500), Many(5, 2, 3), 3,
)  # fmt: skip
POWER_CUT = Cause(
    "area_power_cut", frozenset({"mains_lost", "emergency_power"}), "event",
    # A cut shows at all its lifts within seconds; feeders that trip one after the other within the minute are one. Three of a
    # site: a technician who switches off the pair that he works at is no power cut. Half: a staircase is not the estate. Over
    # sites 0.5 %: independent cuts are so rare (some a year for each lift) that few at once are one.
    MINUTE_MS, Many(3, 500), Many(5, 5, 3), 3,
)  # fmt: skip
SILENCE = Cause(
    "area_silence", frozenset({"node_offline"}), "fault",
    # Counted from what was heard last; a parked node on a metered link speaks each 90 s. Mobile nodes come and go by
    # themselves, in a city of 10,000 by the dozen within two minutes: so 5 % over sites.
    2 * MINUTE_MS, Many(3, 500), Many(5, 50, 3), 2,
)  # fmt: skip
# Where a lift is a member of two, its alarms belong to the first.
CAUSES = (EARTHQUAKE, POWER_CUT, SILENCE)
OF_KIND = {kind: cause for cause in CAUSES for kind in cause.kinds}
OF_AREA = {cause.area: cause for cause in CAUSES}

# While this is open nobody knows whether somebody is in the car.
DOUBT = "presence_stuck"


def concerns(kind: str, event_class: str) -> bool:
    """Is an incident of that kind and class anything to an area?"""
    return event_class == "alarm" or kind == DOUBT or kind in OF_KIND


# Joins an open area without being many itself: so long behind its newest member, as feeders trip and batteries end one by one.
JOIN_MS = 10 * MINUTE_MS
# The first revision waits so long for the others of the same moment. Members' own alarms do not wait for it; a second is what
# the events of one cut are apart, by their nodes' polls and the broker.
GATHER_MS = SECOND_MS
# Between two revisions: at least this, then a tenth of the area's age, and no more than that; news of people in danger takes
# the least. A day of steady change is 300 revisions, not 40,000.
FIRST_GAP_MS = 2 * SECOND_MS
LONGEST_GAP_MS = 5 * MINUTE_MS
# A member has left when it was well for so long, twice as long each time that it comes back, and no more than that. The area
# ends with its last member.
HOLD_MS = MINUTE_MS
LONGEST_HOLD_MS = 10 * MINUTE_MS
# Members that a revision lists, those looked after first; all are counted, and each one's own incidents name the area.
LISTED = 250
# Own incidents that a member lists, the newest.
LISTED_INCIDENTS = 8
