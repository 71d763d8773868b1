"""One event: what its revisions tell, and how far the delivery of the newest has come. It decides nothing."""

from protocols import codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.detector import Transition
    from protocols.faults import Fault
    from protocols.state import LiftState

# Ours: an alarm lost on the way is repeated before a person would notice, and a dead gateway is not flooded.
RESEND_FIRST_MS = 200
# Two thirds of an event's heap (measured: 1.2 KB), and only of use in a message: what is on flash is read from there for each.
HEAVY = ("snapshot", "evidence", "frames")


def begun(name: str, boot: int, transition: "Transition", fault: "Fault") -> dict:
    """The values of the event `name` that `transition` opens, before its first revision; `fault` is its row of the table."""
    return {
        "id": name, "rev": 0, "boot": boot, "kind": transition.kind, "closed_up_ms": None, "code": fault.code,
        "class": fault.event_class, "severity": fault.severity, "onset_up_ms": transition.onset_ms,
        "detected_up_ms": transition.detected_ms,
    }  # fmt: skip


def tell(
    values: dict,
    transition: "Transition",
    presses_before: int,
    state: "LiftState",
    frames: list | tuple,
    last_known: tuple[dict, int | None],
) -> None:
    """Put into `values` what the revision tells that `transition` makes, seen in `state`; see NodeDelivery.raise_transition."""
    if transition.phase == codes.CLOSED:
        values["closed_up_ms"] = transition.detected_ms
    values["cause"] = transition.cause
    values["presses"] = presses_before + transition.presses
    values["withheld"] = transition.withheld
    values["frames"] = frames
    values["evidence"] = [[pair[0], pair[1]] for pair in transition.evidence]
    if transition.phase != codes.CLOSED:
        values["snapshot"] = state.known()
        if state.controller_link is False:
            values["last_known"], values["last_known_up_ms"] = last_known


class HeldEvent:
    """The newest revision of one event, and how far its delivery has come."""

    def __init__(self, values: dict) -> None:
        self.values = values
        self.level = 0
        self.due_ms = 0
        self.backoff_ms = RESEND_FIRST_MS
        self.presses_before = 0  # of the alarms that this one goes on from
        self.on_flash = False
        self.is_thin = False  # its HEAVY parts are on flash only
        # (up_ms, unix ms) of its keeping in an earlier boot, on which the times in its values rest; None = in this one.
        self.kept: tuple[int, int] | None = None

    def revise(self, phase: str, now: int) -> None:
        """Begin the next revision: it is sent at once."""
        self.values["rev"] += 1
        self.values["phase"] = phase
        self.values["attempt"] = 0
        self.values["published_up_ms"] = None
        self.level = 0
        self.due_ms = now
        self.backoff_ms = RESEND_FIRST_MS

    def thin(self) -> None:
        """It is on flash as it stands: let go of what is heavy."""
        for part in HEAVY:
            self.values.pop(part, None)
        self.is_thin = True

    def fill(self, kept: dict) -> None:
        """Take the heavy parts again from `kept`, the values on flash ({} where they cannot be read)."""
        for part in HEAVY:
            if part in kept:
                self.values[part] = kept[part]
        self.is_thin = False
