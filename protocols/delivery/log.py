"""The node's history: change records of the lift's state, in numbered batches that a store keeps and the gateway receipts. No I/O, no clock.

A store has life, base, newest, kept (numbers), dropped, lost, errors, put(body), body(number), after(number), skip_to(number),
begin_anew(life), capacity_bytes: RamStore here, FlashRing in ring.
"""

from protocols.delivery.black_box import SPAN_MS, BlackBox
from protocols.fields import FIELDS, Field
from protocols.records import BatchWriter
from protocols.state import LiftState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.delivery.ring import FlashRing

# Ours: history reaches the gateway soon enough to be looked at, and a parked lift writes and sends next to nothing.
FLUSH_MS = 5000
# Ours: without a link nobody looks, and a day's backlog in batches of five records would take a quarter of an hour to send
# however fast the gateway is. A power cut meanwhile costs at most this much history.
FLUSH_ALONE_MS = 60000
# A reader who starts in the middle knows everything after at most this long.
SNAPSHOT_MS = 600000
# A batch is closed before it is full, so that the records until the next `flush` still fit.
CLOSE_BYTES = 700

# Below this the car counts as standing, as for the detector: encoder noise is no end of a standstill (ours).
STANDSTILL_MM_S = 30

# Ours, measured on the twin: an hour of ordinary traffic of a busy small lift.
BYTES_PER_HOUR = 1500

# Batches on the way without a receipt, and how long without progress before they are sent again.
LOG_WINDOW = 8
LOG_STALL_MS = 4000
# 20 batches/s of up to 300 records: 24 h of a busy lift in minutes, while an alarm never waits behind more than one.
LOG_INTERVAL_MS = 50
FAR_MS = 1 << 30


class RamStore:
    """Closed batches in at most `capacity_bytes` of RAM; the oldest go first, and `base` says so. A reset ends its life."""

    def __init__(self, life: int, capacity_bytes: int) -> None:
        """`life` names this store among those of the node: the boot, since it lives as long."""
        self.life = life
        self.base = 1
        self.newest = 0
        self.dropped = 0  # batches overwritten, receipted or not
        self.lost = self.errors = 0
        self.capacity_bytes = capacity_bytes
        self._bodies: dict[int, bytes] = {}
        self._bytes = 0

    @property
    def kept(self) -> int:
        """The newest batch that may be sent: all of this life are."""
        return self.newest

    def put(self, body: bytes) -> None:
        """Keep `body` as the batch `newest` + 1."""
        self.newest += 1
        self._bodies[self.newest] = body
        self._bytes += len(body)
        while self._bytes > self.capacity_bytes and self.base < self.newest:
            self._bytes -= len(self._bodies.pop(self.base))
            self.base += 1
            self.dropped += 1

    def body(self, number: int) -> bytes | None:
        """The closed batch `number`, base <= number <= newest; None if it was lost."""
        return self._bodies.get(number)

    def after(self, number: int) -> int:
        """The first number behind `number` that is still there, else newest + 1."""
        number += 1
        while number <= self.newest and number not in self._bodies:
            number += 1
        return number

    def skip_to(self, number: int) -> None:
        """The gateway has batches of this life up to `number`, which is beyond ours: go on behind it."""
        self.newest = number

    def begin_anew(self, life: int) -> None:
        """Forget everything and begin `life`, which is later than this one."""
        self.dropped += self.newest - self.base + 1
        self._bodies = {}
        self._bytes = 0
        self.life = life
        self.newest = 0
        self.base = 1

    def held_bytes(self) -> int:
        """Bytes of the closed batches."""
        return self._bytes


class ChangeLog:
    """Records what changes, closes a batch after `flush_ms` or CLOSE_BYTES, and gives it to `store`.

    With a `box`, what is serious is recorded at the full sample rate, from a minute before to a minute after.
    """

    def __init__(
        self, store: "RamStore | FlashRing", boot: int, flush_ms: int = FLUSH_MS, box: BlackBox | None = None
    ) -> None:
        self.store = store
        self._box = box
        self._boxed: list[BatchWriter] = []  # taken out of the box and not yet in the store
        self._exact_until: int | None = None
        self.records = 0
        self.bytes = 0  # of all batches closed in this boot
        self._boot = boot
        self._flush_ms = flush_ms
        self._writer: BatchWriter | None = None
        self._last = LiftState()  # as recorded
        self._seen = LiftState()  # as sampled
        self._snapshot_ms: int | None = None

    @property
    def life(self) -> int:
        """The life of the store."""
        return self.store.life

    @property
    def base(self) -> int:
        """The oldest number still held."""
        return self.store.base

    @property
    def newest(self) -> int:
        """The newest batch that may be sent."""
        return self.store.kept

    def record(self, state: LiftState, now: int, t_ms: int = 0) -> bool:
        """Append what changed since the last record beyond each field's deadband; True if something did."""
        changes: dict[str, int | None] = {}
        full = self._is_full_due(now)
        # Where a car comes to rest is recorded to the millimetre: a snapshot minutes later would show it as having crept there.
        rests = state.speed_mm_s == 0 and self._last.speed_mm_s != 0
        exact: dict[str, int | None] = {}
        for field in FIELDS:
            name = field.name
            value = getattr(state, name)
            if value != getattr(self._seen, name):
                exact[name] = value
                setattr(self._seen, name, value)
            elif not full and not rests:
                continue  # what it was before has been judged before
            last = getattr(self._last, name)
            if (value != last and (rests or not self._within_deadband(field, value, last))) or (
                full and value is not None
            ):
                changes[name] = value
        if self._exact_until is not None:
            changes.update(exact)
        elif self._box is not None and exact:
            self._box.record(state, exact, now, t_ms)
        if not changes:
            return False
        if full:
            self._snapshot_ms = now
        if self._writer is None:
            self._writer = BatchWriter(self.store.life, self.store.newest + 1, self._boot, now, t_ms)
        if not self._writer.add(now, changes):
            self._close()
            self._writer = BatchWriter(self.store.life, self.store.newest + 1, self._boot, now, t_ms)
            self._writer.add(now, changes)
        for name in changes:
            setattr(self._last, name, changes[name])
        self.records += 1
        return True

    def _is_full_due(self, now: int) -> bool:
        """Shall this record tell all fields?"""
        if self._exact_until is not None and now > self._exact_until:
            # Its end is recorded, so that whoever waits for the minute knows that it is whole though the lift rests.
            self._exact_until = self._snapshot_ms = None
        return self._snapshot_ms is None or now - self._snapshot_ms >= SNAPSHOT_MS

    def keep_minute(self, now: int) -> None:
        """Something serious happened: the last minute, as far as the box has it, goes into the log, and so does the next."""
        if self._box is None:
            return
        self._boxed += self._box.take(now)
        self._exact_until = now + SPAN_MS
        self._snapshot_ms = None  # what the deadbands hid until now is recorded next

    @staticmethod
    def _within_deadband(field: Field, value: int | None, last: int | None) -> bool:
        if not field.log_deadband or value is None or last is None:
            return False
        # Standstill is always recorded: a speed that ends inside the band would look like creeping for hours. So is its end: a
        # car that slips away from it does so within the band.
        if value == 0:
            return False
        return abs(value - last) < (STANDSTILL_MM_S if field.name == "speed_mm_s" and last == 0 else field.log_deadband)

    def flush(self, now: int, soon: bool = True) -> bool:
        """Close the open batch if it is old enough or nearly full; True if it was. `soon`: it can be sent, or the power may be cut.

        `record` does so only where nothing more fits: a batch that goes to flash holds up everything, and the caller knows when.
        """
        if self._boxed:
            boxed = self._boxed.pop(0)
            boxed.renumber(self.store.life, self.store.newest + 1, self._boot)
            self._put(boxed)
            self._renumber()
            return True
        if self._writer is None:
            return False
        wait_ms = self._flush_ms if soon else max(self._flush_ms, FLUSH_ALONE_MS)
        if now - self._writer.up_ms < wait_ms and self._writer.size() < CLOSE_BYTES:
            return False
        self._close()
        return True

    def body(self, number: int) -> bytes | None:
        """The closed batch `number`, base <= number <= newest; None if the store lost it."""
        return self.store.body(number)

    def after(self, number: int) -> int:
        """The first number behind `number` that is still there, else newest + 1."""
        return self.store.after(number)

    def skip_to(self, number: int) -> None:
        """The gateway has more of this life than we do: go on behind it, so that no number is given twice."""
        self.store.skip_to(number)
        self._renumber()

    def begin_anew(self, boot: int) -> None:
        """The gateway knows a later life than the store's, or one of another node: `boot`, which is ours, begins another."""
        self._boot = boot
        self.store.begin_anew(boot)
        self._renumber()

    def _renumber(self) -> None:
        if self._writer is not None:
            self._writer.renumber(self.store.life, self.store.newest + 1, self._boot)

    def capacity_h(self, now: int) -> int:
        """Hours that the store holds of traffic like that of this boot, or of a busy small lift's where that is more."""
        seen_per_hour = self.bytes * 3600000 // now if now > 3600000 else 0
        return self.store.capacity_bytes // max(BYTES_PER_HOUR, seen_per_hour)

    def _close(self) -> None:
        if self._writer is None:
            return
        writer = self._writer
        self._writer = None
        self._put(writer)

    def _put(self, writer: BatchWriter) -> None:
        body = writer.close()
        self.bytes += len(body)
        self.store.put(body)


class LogSender:
    """The batches of one ChangeLog on their way, in order, until the gateway has receipted them. All `now` are ms since boot."""

    def __init__(self, log: ChangeLog) -> None:
        self._log = log
        self.acked = self.sent = log.base - 1
        self._progress_ms = 0
        self._due_ms = 0

    def link_up(self, now: int) -> None:
        """A new connection: all that has no receipt is sent again."""
        self.sent = self.acked
        self._progress_ms = self._due_ms = now

    def begin_anew(self, boot: int) -> None:
        """The log begins a new life, that of `boot`: what the old one held is lost, and the gateway books it."""
        self._log.begin_anew(boot)
        self.acked = self.sent = 0

    def due(self, now: int) -> tuple[int, bytes] | None:
        """The (base, body) to send now, if any."""
        log = self._log
        self.acked = max(self.acked, log.base - 1)
        self.sent = max(self.sent, self.acked)
        if self.sent > self.acked and now - self._progress_ms >= LOG_STALL_MS:
            self.sent = self.acked
            self._progress_ms = now
        if now < self._due_ms or not self._may_send():
            return None
        self._due_ms = now + LOG_INTERVAL_MS
        base = log.base
        number = self.sent + 1
        body = log.body(number)
        if body is None:
            # A hole: `base` of the batch behind it books it, once all before it is receipted.
            number = base = log.after(number)
            if self.sent > self.acked or number > log.newest:
                return None
            body = log.body(number)
            if body is None:
                return None
        if self.sent == self.acked:
            self._progress_ms = now
        self.sent = number
        return (base, body)

    def _may_send(self) -> bool:
        return self.sent < self._log.newest and self.sent - self.acked < LOG_WINDOW

    def next_due_ms(self, now: int) -> int:
        """When `due()` will have something; far away if nothing waits."""
        when = now + FAR_MS
        if self.sent > self.acked:
            when = self._progress_ms + LOG_STALL_MS
        if self._may_send():
            when = min(when, self._due_ms)
        return when

    def on_receipt(self, life: int, number: int, boot: int, now: int) -> None:
        """The gateway has `life` up to `number`; `boot` is ours."""
        log = self._log
        if life > log.life and boot > life:
            self.begin_anew(boot)
        if life != log.life:
            number = 0
        elif number > log.newest:
            # Our ring lost its newest: their numbers are taken.
            log.skip_to(number)
        number = max(log.base - 1, min(number, log.newest))
        if number < self.acked:
            # The gateway has less than it had: a new store. What the ring still holds is sent again.
            self.sent = number
            self._progress_ms = now
        elif number > self.acked:
            self._progress_ms = now
        self.acked = number
        self.sent = max(self.sent, number)

    def backlog(self) -> int:
        """Batches without a receipt."""
        return max(0, self._log.newest - max(self.acked, self._log.base - 1))
