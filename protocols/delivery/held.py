"""One event that a node holds: its newest revision, and how far the delivery of that has come. It decides nothing."""

# Ours: an alarm lost on the way is repeated before a person would notice, and a dead gateway is not flooded.
RESEND_FIRST_MS = 200
# Two thirds of an event's heap (measured: 1.2 KB), and only of use in a message: what is on flash is read from there for each.
HEAVY = ("snapshot", "evidence", "frames")


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
