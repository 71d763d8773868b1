"""The node's history: change records of the lift's state in numbered batches, in a bounded ring held in RAM. No I/O.

A ring on flash has the same face: life, base, newest, body(), record(), flush().
"""

from protocols.fields import FIELDS, Field
from protocols.records import BatchWriter
from protocols.state import LiftState

# Ours: history reaches the gateway soon enough to be looked at, and a parked lift sends next to nothing.
FLUSH_MS = 5000
# Ours: without a link nobody looks, and a day's backlog in batches of five records would take a quarter of an hour to send
# however fast the gateway is. A power cut meanwhile costs at most this much history.
FLUSH_ALONE_MS = 60000
# A reader who starts in the middle knows everything after at most this long.
SNAPSHOT_MS = 600000
# A batch is closed before it is full, so that one record of all fields always fits.
CLOSE_BYTES = 700


class RamLog:
    """A ring of closed batches of at most `capacity_bytes`; the oldest go first, and `base` says so."""

    def __init__(self, life: int, boot: int, capacity_bytes: int, flush_ms: int = FLUSH_MS) -> None:
        """`life` names this log among those of the node: for a log in RAM it is the boot."""
        self.life = life
        self.base = 1
        self.newest = 0
        self.dropped = 0  # batches overwritten, receipted or not
        self.records = 0
        self._boot = boot
        self._capacity = capacity_bytes
        self._flush_ms = flush_ms
        self._bodies: dict[int, bytes] = {}
        self._bytes = 0
        self._writer: BatchWriter | None = None
        self._last = LiftState()
        self._snapshot_ms: int | None = None

    def record(self, state: LiftState, now: int, t_ms: int = 0) -> bool:
        """Append what changed since the last record beyond each field's deadband; True if something did."""
        changes: dict[str, int | None] = {}
        full = self._snapshot_ms is None or now - self._snapshot_ms >= SNAPSHOT_MS
        for field in FIELDS:
            value = getattr(state, field.name)
            last = getattr(self._last, field.name)
            if (value != last and not self._within_deadband(field, value, last)) or (full and value is not None):
                changes[field.name] = value
        if not changes:
            return False
        if full:
            self._snapshot_ms = now
        if self._writer is None:
            self._writer = BatchWriter(self.life, self.newest + 1, self._boot, now, t_ms)
        if not self._writer.add(now, changes):
            self._close()
            self._writer = BatchWriter(self.life, self.newest + 1, self._boot, now, t_ms)
            self._writer.add(now, changes)
        for name in changes:
            setattr(self._last, name, changes[name])
        self.records += 1
        if self._writer.size() >= CLOSE_BYTES:
            self._close()
        return True

    @staticmethod
    def _within_deadband(field: Field, value: int | None, last: int | None) -> bool:
        if not field.log_deadband or value is None or last is None:
            return False
        # Standstill is always recorded: a speed that ends inside the band would look like creeping for hours.
        return value != 0 and abs(value - last) < field.log_deadband

    def flush(self, now: int, linked: bool = True) -> bool:
        """Close the open batch once it is old enough; True if it was. `linked`: somebody is there to send it to."""
        wait_ms = self._flush_ms if linked else max(self._flush_ms, FLUSH_ALONE_MS)
        if self._writer is not None and now - self._writer.up_ms >= wait_ms:
            self._close()
            return True
        return False

    def body(self, number: int) -> bytes:
        """The closed batch `number`, base <= number <= newest."""
        return self._bodies[number]

    def _close(self) -> None:
        if self._writer is None:
            return
        body = self._writer.close()
        self._writer = None
        self.newest += 1
        self._bodies[self.newest] = body
        self._bytes += len(body)
        while self._bytes > self._capacity and self.base < self.newest:
            self._bytes -= len(self._bodies.pop(self.base))
            self.base += 1
            self.dropped += 1

    def held_bytes(self) -> int:
        """Bytes of the closed batches."""
        return self._bytes
