"""Brings log and events onto flash while nothing more urgent waits; without flash they live in RAM. It sends nothing."""

import asyncio

from node.flash import EVENT_ROOM_BYTES
from protocols.delivery.black_box import BlackBox
from protocols.delivery.log import ChangeLog, RamStore
from protocols.delivery.ring import FlashRing
from protocols.delivery.table import EventTable

# Ours: what a power cut may take of an event that was sent, and how long an alarm that waits to be sent may keep flash waiting.
POLL_MS = 50
MOST_YIELDS = 20
# Where flash refuses, it is asked again after a while: it holds up everything each time.
PAUSE_MS = 5000
# Four minutes of a moving lift, out of a heap of 110 KB (ours).
RAM_LOG_BYTES = 6000


class Keeper:
    """`log` and `table` (None without flash) of one boot, on `files`: a FlashFiles or None."""

    def __init__(self, files, boot, log_bytes, flush_ms):
        self.table = None
        if files is None:
            store = RamStore(boot, RAM_LOG_BYTES)
        else:
            store = FlashRing(files, boot, min(log_bytes, files.capacity_bytes - EVENT_ROOM_BYTES))
            self.table = EventTable(files)
        self._store = store
        # Without flash the log is no larger than the box.
        self.log = ChangeLog(store, boot, flush_ms, box=None if files is None else BlackBox())
        self._formatted = 0 if files is None else int(files.is_new)

    def counters(self, delivery):
        """What the birth message tells of log and flash."""
        store = self._store
        return {
            "log_dropped": store.dropped, "log_lost": store.lost, "events_unkept": delivery.unkept(),
            "flash_errors": store.errors + (self.table.errors if self.table else 0), "flash_formatted": self._formatted,
        }  # fmt: skip

    async def run(self, delivery, now, link, mains, beat):
        """For ever: keep events, then close batches. `now()` in ms, `mains()` None where unknown; wakes `link` for a new batch."""
        yields = 0
        while True:
            beat()
            await asyncio.sleep_ms(POLL_MS)
            if delivery.is_urgent() and yields < MOST_YIELDS:
                yields += 1
                continue
            yields = 0
            errors = self.table.errors if self.table else 0
            if delivery.keep_next(now()) and self.table and self.table.errors > errors:
                await asyncio.sleep_ms(PAUSE_MS)
            # On the battery what is not on flash will soon be gone.
            elif self.log.flush(now(), link.up or mains() is False):
                link.wake()
