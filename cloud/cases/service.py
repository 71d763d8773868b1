"""Cases at work."""

from cloud.cases.people import People
from cloud.cases.world import World


class Cases(People, World):
    """All that changes cases."""
