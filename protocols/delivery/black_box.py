"""The last minute of a lift at the full sample rate, in RAM, for the log to take in when something serious happens. No I/O, no clock.

It holds blocks of records without deadbands; each begins with all that is known, so that any of them can be read alone.
"""

from protocols.records import BatchWriter
from protocols.state import LiftState

# Before and after a serious event (the figure).
SPAN_MS = 60000
# Ours, out of a heap of 110 KB: a minute of a lift that never rests at seven samples a second takes 4.5 KB, a resting one nothing.
# On a quicker bus the oldest of a long run is missing.
CAPACITY_BYTES = 5000
# A block is closed at so many bytes: what is thrown away at once, and a piece that a heap in use still has.
BLOCK_BYTES = 500


class BlackBox:
    """`record` what changed in each sample; `take` what the last minute was."""

    def __init__(self) -> None:
        self._blocks: list[BatchWriter] = []

    def record(self, state: LiftState, changes: dict, now: int, t_ms: int) -> None:
        """Add `changes`, all that differs from the sample before; `state` is the whole of it."""
        blocks = self._blocks
        if blocks and blocks[-1].size() < BLOCK_BYTES and blocks[-1].add(now, changes):
            return
        # Its life, number and boot are those of the log, once it is taken in.
        block = BatchWriter(0, 0, 0, now, t_ms)
        block.add(now, state.known_fields())
        blocks.append(block)
        while len(blocks) > 1 and (
            blocks[1].up_ms <= now - SPAN_MS or sum(held.size() for held in blocks) > CAPACITY_BYTES
        ):
            blocks.pop(0)

    def take(self, now: int) -> list[BatchWriter]:
        """The blocks that reach into the last minute, oldest first; the box is empty then."""
        blocks = self._blocks
        self._blocks = []
        while len(blocks) > 1 and blocks[1].up_ms <= now - SPAN_MS:
            blocks.pop(0)
        return blocks
