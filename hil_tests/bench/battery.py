"""The battery of the node's own supply: it runs down while the mains is off, and says when little is left. Times come in."""

from hil_tests.bench.door import NEVER

HOUR_MS = 3_600_000
# A node draws about 1.5 W; 6 Wh carry it for four hours, and a charger fills them in ten (ours).
NOMINAL_MS = 4 * HOUR_MS
CHARGE_RATE = 0.4
# The supply's contact closes when a fifth of what a good battery holds is left (ours).
LOW_SHARE = 0.2


class Battery:
    """Charge in ms of the node's life. `capacity` is the share of the nominal one that age has left."""

    def __init__(self, now_ms: int, capacity: float = 1.0) -> None:
        self._capacity_ms = capacity * NOMINAL_MS
        self._charge_ms = self._capacity_ms
        self._mains = True
        self._foresee(now_ms)

    def charge_ms(self, now_ms: int) -> float:
        """For how long it carries the node from now on."""
        passed = now_ms - self._since_ms
        charge = self._charge_ms + (CHARGE_RATE * passed if self._mains else -passed)
        return max(0.0, min(self._capacity_ms, charge))

    def low(self, now_ms: int) -> bool:
        """Its contact: a cell worn beyond that share is low even when it is full."""
        return now_ms >= self._low_from_ms or now_ms < self._low_until_ms

    def supply(self, mains: bool, now_ms: int) -> None:
        """The mains goes or comes back."""
        self._charge_ms = self.charge_ms(now_ms)
        self._mains = mains
        self._foresee(now_ms)

    def wear(self, capacity: float, now_ms: int) -> None:
        """The cell holds only `capacity` of the nominal charge from now on; 1 is a new one, and full."""
        held = self.charge_ms(now_ms)
        self._capacity_ms = capacity * NOMINAL_MS
        self._charge_ms = self._capacity_ms if capacity >= 1.0 else min(held, self._capacity_ms)
        self._foresee(now_ms)

    def _foresee(self, now_ms: int) -> None:
        """From when, or until when, the charge is low, if nothing changes: it is looked at far more often than it changes."""
        self._since_ms = now_ms
        above_ms = self._charge_ms - LOW_SHARE * NOMINAL_MS
        self._low_from_ms, self._low_until_ms = NEVER, now_ms
        if not self._mains:
            self._low_from_ms = now_ms + max(0, int(above_ms))
        elif self._capacity_ms < LOW_SHARE * NOMINAL_MS:
            self._low_until_ms = NEVER
        elif above_ms < 0:
            self._low_until_ms = now_ms + int(-above_ms / CHARGE_RATE)
