"""What the node's log of ordinary days takes: bytes a record, a day, hours a megabyte. The real log, a twin's life, no node."""

from dataclasses import dataclass

from hil_tests.bench.ordinary import DAY_MS, Life, house
from protocols.delivery.log import FLUSH_MS, ChangeLog, RamStore
from protocols.state import LiftState

# An entry of the ring is a batch and its length.
ENTRY_BYTES = 2
BEGIN_MS = 1_700_000_000_000


@dataclass
class Cost:
    """Of one lift's ordinary days. `bytes` as they lie in the ring."""

    starts_per_day: float
    days: float
    records: int
    batches: int
    bytes: int

    @property
    def bytes_per_record(self) -> float:
        """Headers and checksums of the batches included."""
        return self.bytes / self.records

    @property
    def bytes_per_day(self) -> float:
        """On flash."""
        return self.bytes / self.days

    def hours_per_mb(self) -> float:
        """How long a million bytes of ring reach back."""
        return 1e6 / self.bytes_per_day * 24


def cost(number: int, seed: int, days: float, *, linked: bool = True) -> Cost:
    """Live through `days` of the `number`-th lift of an estate with the node's own log; `linked`: batches are sent soon."""
    spec = house(number, seed)
    log = ChangeLog(RamStore(1, 1_000_000_000), 1)

    def look(state: LiftState, now_ms: int) -> None:
        log.record(state, now_ms - BEGIN_MS, now_ms)
        log.flush(now_ms - BEGIN_MS, linked)

    life = Life(spec, BEGIN_MS, look, FLUSH_MS)
    life.watch(BEGIN_MS + int(days * DAY_MS))
    log.flush(int(days * DAY_MS) + DAY_MS)
    held = log.store.held_bytes() + ENTRY_BYTES * log.store.newest
    return Cost(spec.starts_per_day, days, log.records, log.store.newest, held)
