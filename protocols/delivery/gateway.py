"""The gateway's end of delivery for one lift: what is new, what is a duplicate, what to receipt. No I/O, no clock.

Stores commit elsewhere: the shell submits what `on_event`/`on_batch` call new, reports the commit, and sends `ack()`.
"""

from protocols import codes
from protocols.identity import parse_event_id
from protocols.records import Batch

# Verdicts
STORE = "store"  # new: commit it, then call committed()/batch_stored()
PENDING = "pending"  # handed to the store already, its commit has not come yet
DUPLICATE = "duplicate"  # receipted already: the receipt was lost and goes out again
AHEAD = "ahead"  # a batch before it is missing: it will be sent again in order
OLD = "old"  # of a life that ended

# Finished events remembered to answer duplicates without asking the store; beyond them the store answers.
REMEMBERED = 64
# An ack is one packet: at most so many receipts in it, the rest in the next.
MAX_RECEIPTS = 32


class Gap:
    """Batches `first`..`last` of `life` will never come. `last` None: the life ended, how many were lost is unknown."""

    def __init__(self, life: int, first: int, last: int | None, reason: str) -> None:
        self.life = life
        self.first = first
        self.last = last
        self.reason = reason  # "overwritten", "before_store" or "life_ended"


class LiftIntake:
    """One lift as the gateway's stores know it. `life`, `stored` and `boot` come from the log store when it starts (0 = none)."""

    def __init__(self, gateway_id: str, life: int = 0, stored: int = 0, boot: int = 0) -> None:
        self._gw = gateway_id
        self._life = life
        self._accepted = stored
        self._stored = stored
        self._known: dict[str, list[int]] = {}  # id -> [rev, level]; level 0 = submitted, not committed
        self._finished: list[str] = []  # ids at DONE and closed, oldest first
        self._receipts: dict[str, tuple[int, int]] = {}  # id -> (rev, level) waiting for an ack
        self._boot = max(boot, life)
        self._echo_up_ms: int | None = None
        self.receipt_due = False

    def heard(self, boot: int, up_ms: int) -> None:
        """A message of `boot` sent at `up_ms` arrived; its time is echoed by the next ack."""
        if boot > self._boot:
            self._boot = boot
            self._echo_up_ms = up_ms
        elif boot == self._boot and (self._echo_up_ms is None or up_ms > self._echo_up_ms):
            self._echo_up_ms = up_ms

    @property
    def boot(self) -> int:
        """The newest boot heard of, or known from what is stored."""
        return self._boot

    # -- events ---------------------------------------------------------------------------------------------------

    def on_event(self, values: dict) -> str:
        """Verdict on one decoded event: STORE, PENDING or DUPLICATE."""
        name, rev = values["id"], values["rev"]
        known = self._known.get(name)
        if known is None or rev > known[0]:
            self._known[name] = [rev, 0]
            return STORE
        if known[1] == 0:
            return PENDING
        self._receipt(name, known[0], known[1])
        return DUPLICATE

    def event_failed(self, name: str, rev: int) -> None:
        """The store could not commit it: the next sending of it is new again."""
        known = self._known.get(name)
        if known is not None and known[0] == rev and known[1] == 0:
            del self._known[name]

    def committed(self, name: str, rev: int, level: int = codes.COMMITTED) -> None:
        """The store holds (name, rev) for good; `level` is DONE where it knew it already with all destinations served."""
        boot = parse_event_id(name)[1]
        if boot > self._boot:
            self._boot = boot
            self._echo_up_ms = None
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = [rev, level]
        elif rev == known[0]:
            known[1] = max(known[1], level)
        self._receipt(name, rev, level if rev != known[0] else known[1])

    def done(self, name: str, rev: int, phase: str) -> None:
        """Every required destination has answered for (name, rev)."""
        self.committed(name, rev, codes.DONE)
        if phase == codes.CLOSED and name not in self._finished:
            self._finished.append(name)
            while len(self._finished) > REMEMBERED:
                self._known.pop(self._finished.pop(0), None)

    def _receipt(self, name: str, rev: int, level: int) -> None:
        waiting = self._receipts.get(name)
        if waiting is None or (rev, level) > waiting:
            self._receipts[name] = (rev, level)
        self.receipt_due = True

    # -- log ------------------------------------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> tuple[str, list[Gap]]:
        """(verdict, [Gap]) on one decoded records.Batch. Gaps are to be booked whatever the verdict.

        After a failed store the same gap may be told again: it is one by (life, first).
        """
        if batch.life < self._life:
            # A node that could not read its flash for one boot tells an older life until it hears of the later one.
            self.receipt_due = True
            return OLD, []
        gaps = []
        reason = "overwritten"
        if batch.life > self._life:
            if self._life:
                gaps.append(Gap(self._life, self._accepted + 1, None, "life_ended"))
            else:
                reason = "before_store"
            self._life = batch.life
            self._accepted = self._stored = 0
        if batch.base > self._accepted + 1:
            gaps.append(Gap(self._life, self._accepted + 1, batch.base - 1, reason))
            self._accepted = batch.base - 1
        if batch.number <= self._accepted:
            self.receipt_due = True
            return (DUPLICATE if batch.number <= self._stored else PENDING), gaps
        if batch.number > self._accepted + 1:
            # The node thinks we have more than we do (a lost batch, or an empty store in an old one's place): tell it.
            self.receipt_due = True
            return AHEAD, gaps
        self._accepted = batch.number
        return STORE, gaps

    def batch_stored(self, life: int, number: int) -> None:
        """The log store has synced all batches of `life` up to `number` (gaps booked among them)."""
        if life == self._life and number > self._stored:
            self._stored = number
            self.receipt_due = True

    def batch_failed(self) -> None:
        """The log store could not take a batch: ask again from the last one it has."""
        self._accepted = self._stored

    # -- stores ---------------------------------------------------------------------------------------------------

    def store_replaced(self, gateway_id: str, events: bool, log: bool) -> None:
        """A store was made anew (`events`, `log`: which) and is empty: nothing it was said to hold is receipted any more."""
        self._gw = gateway_id
        if events:
            self._known.clear()
            self._finished = []
            self._receipts.clear()
        if log:
            self._life = self._accepted = self._stored = 0
        # The node learns at once what it must send again.
        self.receipt_due = True

    # -- receipts -------------------------------------------------------------------------------------------------

    def ack(self, t_ms: int) -> dict:
        """The values of the next `ack` message at unix ms `t_ms`, for messages.encode."""
        events = []
        for name in sorted(self._receipts)[:MAX_RECEIPTS]:
            rev, level = self._receipts.pop(name)
            events.append([name, rev, level])
        self.receipt_due = bool(self._receipts)
        return {
            "gw": self._gw,
            "t_ms": t_ms,
            "echo_up_ms": self._echo_up_ms,
            "boot": self._boot,
            "log": [self._life, self._stored],
            "events": events,
        }
