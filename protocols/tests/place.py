"""Where the tests of the detector find it: in the node, or behind a wire, as whoever runs them says. One set serves both places."""

from protocols.detector import Detector, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hil_tests.bench.watched import AnyDetector, Make


class Place:
    """`make(settings)` gives a detector; it sees numbers each `sample_ms` and may tell by `late_ms` later than the node's."""

    def __init__(self, make: "Make", sample_ms: int, late_ms: int) -> None:
        self.make = make
        self.sample_ms = sample_ms
        self.late_ms = late_ms


NODE = Place(Detector, 100, 0)
here = NODE


def detector(settings: "Settings | None" = None) -> "AnyDetector":
    """A detector of the place."""
    return here.make(settings or Settings())


def is_at(found_ms: int, wanted_ms: int) -> bool:
    """Was it told when it was, or as late as the place may tell it?"""
    return 0 <= found_ms - wanted_ms <= here.late_ms


def are(seen: list[tuple[str, str, int]], wanted: list[tuple[str, str, int]]) -> bool:
    """Are these the transitions (kind, phase, detected_ms) that were wanted?"""
    if [one[:2] for one in seen] != [one[:2] for one in wanted]:
        return False
    return all(is_at(seen[index][2], wanted[index][2]) for index in range(len(seen)))
