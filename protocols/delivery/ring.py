"""The log's ring on flash: batches in segment files of a power-safe file system, oldest segment dropped first. No clock.

`files` is the port: names() -> [(name, bytes)], read(name, at, length) -> bytes, append(name, data), replace(name, data),
remove(name). What `append` and `replace` have returned from survives a power cut; before, the old contents do. All may
raise OSError. An entry is its length in two bytes and the body, which carries life, number and checksum.
"""

from protocols.errors import DecodeError
from protocols.records import MAX_BODY_BYTES, MIN_BODY_BYTES, Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "log-"
# Four blocks of 4 KiB: dropping one loses little, and a ring of 512 KiB has 32 names to keep in RAM (ours).
SEGMENT_BYTES = 16384
# What flash refuses waits in RAM, so that one bad write loses nothing; beyond this the oldest is lost and booked (ours).
TAIL_BYTES = 3000
# As many numbers as this allows may stand in what cannot be read.
MIN_ENTRY_BYTES = 2 + MIN_BODY_BYTES
ENOSPC = 28
# An ack that claims more batches of ours beyond the newest than a day can make is no receipt (ours).
MOST_SKIPPED = 20000


def _name(first: int) -> str:
    return "%s%08x" % (PREFIX, first)


class FlashRing:
    """Batches of one life over any number of boots, in at most `capacity_bytes` (at least two segments)."""

    def __init__(self, files: "Any", boot: int, capacity_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Finds what is there; where nothing is, a new life begins, named by `boot`: higher than all before."""
        self.life = 0
        self.base = 1
        self.newest = 0
        self.dropped = 0  # batches overwritten, receipted or not
        self.errors = 0  # reads and writes that flash refused
        self.lost = 0  # batches that could not be kept, or not be read again
        self._files = files
        self.capacity_bytes = max(capacity_bytes, 2 * segment_bytes)
        self._segment = segment_bytes
        self._segments: list[list[int]] = []  # [first number, bytes], oldest first
        self._open_end = False  # the last segment may be appended to
        self._written = 0  # the newest batch on flash
        self._tail: list[bytes] = []  # the newest batches, where flash has refused them
        self._unwanted: list[int] = []  # segments dropped, whose removal flash refused
        self._place = (0, 0, 0)  # (segment's first number, number, where it begins): of the last read
        self._find()
        if not self.life:
            self.life = boot

    # -- start ----------------------------------------------------------------------------------------------------

    def _find(self) -> None:
        try:
            found = self._files.names()
        except OSError:
            self.errors += 1
            return
        for name, size in found:
            try:
                if name[: len(PREFIX)] == PREFIX:
                    self._segments.append([int(name[len(PREFIX) :], 16), size])
            except ValueError:
                continue  # none of ours
        self._segments.sort()
        newest = 0
        for first, size in reversed(self._segments):
            number, rest = self._scan(first, size)
            if not newest:
                # What cannot be read had numbers too. They are never given again: the gateway may have them.
                newest = number + (rest + MIN_ENTRY_BYTES - 1) // MIN_ENTRY_BYTES
                self.lost += newest - number
                # Nor is anything appended behind it: it would not be found again.
                self._open_end = rest == 0
            if self.life:
                break
        if not self.life:
            while self._segments:
                self._remove(self._segments.pop()[0])
            self._open_end = False
            return
        self.newest = self._written = newest
        self.base = self._segments[0][0]

    def _scan(self, first: int, size: int) -> tuple[int, int]:
        """(the newest batch of a segment that can be read, bytes behind it); sets `life` by them."""
        number = first - 1
        at = 0
        while at < size:
            body = self._entry(first, at)
            batch = None if body is None else self._batch(body, number + 1)
            if body is None or batch is None:
                break
            self.life = batch.life
            number += 1
            at += 2 + len(body)
        return number, size - at

    @property
    def kept(self) -> int:
        """The newest batch that a power cut leaves."""
        return self.newest - len(self._tail)

    # -- writing --------------------------------------------------------------------------------------------------

    def put(self, body: bytes) -> None:
        """Keep `body` as the batch `newest` + 1. Where flash refuses it, it waits in RAM and is tried again with the next.

        Only what is kept may be sent: a number that was sent and then lost by a reset would be given a second time.
        """
        self.newest += 1
        self._tail.append(body)
        for first in self._unwanted[:]:
            self._unwanted.remove(first)
            self._remove(first)
        while self._tail:
            try:
                self._write(self.kept + 1, self._tail[0])
            except OSError:
                self.errors += 1
                self._open_end = False  # nobody knows how far it came
                break
            self._tail.pop(0)
        while sum(len(waiting) for waiting in self._tail) > TAIL_BYTES:
            self._tail.pop(0)
            self.lost += 1
        self._tell_base()

    def _write(self, number: int, body: bytes) -> None:
        entry = bytes((len(body) & 0xFF, len(body) >> 8)) + body
        if self._open_end and self._segments[-1][1] + len(entry) <= self._segment and number == self._written + 1:
            segment = self._segments[-1]
            self._files.append(_name(segment[0]), entry)
            segment[1] += len(entry)
            self._written = number
            return
        while self._segments and self.held_bytes() + self._segment > self.capacity_bytes:
            self._drop_oldest()
        # Not appended: what flash would not remove may still be there under this name.
        try:
            self._files.replace(_name(number), entry)
        except OSError as error:
            # The file system may be fuller than our share of it: history gives way to history once.
            if error.args[0] != ENOSPC or not self._segments:
                raise
            self._drop_oldest()
            self._files.replace(_name(number), entry)
        if number in self._unwanted:
            self._unwanted.remove(number)
        self._segments.append([number, len(entry)])
        self._open_end = True
        self._written = number

    def _drop_oldest(self) -> None:
        segment = self._segments.pop(0)
        self._remove(segment[0])
        behind = self._segments[0][0] if self._segments else self.kept + 1
        self.dropped += behind - segment[0]
        if not self._segments:
            self._open_end = False

    def _remove(self, first: int) -> None:
        try:
            self._files.remove(_name(first))
        except OSError:
            self.errors += 1
            self._unwanted.append(first)

    def _tell_base(self) -> None:
        self.base = self._segments[0][0] if self._segments else self.kept + 1

    def skip_to(self, number: int) -> None:
        """The gateway has batches of this life up to `number`, beyond ours: what we wrote then is lost. Go on behind it."""
        if 0 < number - self.newest <= MOST_SKIPPED:
            self.lost += number - self.newest
            self._tail = []
            self.newest = number
            self._open_end = False
            self._tell_base()

    def begin_anew(self, life: int) -> None:
        """Forget everything and begin `life`, which is later than this one."""
        self.dropped += self.newest - self.base + 1
        while self._segments:
            self._remove(self._segments.pop()[0])
        self._tail = []
        self._open_end = False
        self.life = life
        self.newest = self._written = 0
        self.base = 1

    # -- reading --------------------------------------------------------------------------------------------------

    def body(self, number: int) -> bytes | None:
        """The batch `number`, base <= number <= kept; None if it was lost or cannot be read."""
        first = size = 0
        for segment in self._segments:
            if segment[0] <= number:
                first, size = segment
        if not first:
            return None
        place = self._place
        at, reached = (place[2], place[1]) if place[0] == first and place[1] <= number else (0, first)
        while at < size:
            length = self._length(first, at)
            if length is None:
                return None
            if reached == number:
                self._place = (first, number, at)
                body = self._entry(first, at)
                return body if body is not None and self._batch(body, number) is not None else None
            at += 2 + length
            reached += 1
        return None

    def after(self, number: int) -> int:
        """The first number behind `number` that can be read, else kept + 1."""
        number += 1
        while number <= self.kept and self.body(number) is None:
            number += 1
        return number

    def held_bytes(self) -> int:
        """Bytes on flash."""
        return sum(segment[1] for segment in self._segments)

    def _read(self, first: int, at: int, length: int) -> bytes | None:
        try:
            found: bytes = self._files.read(_name(first), at, length)
        except OSError:
            self.errors += 1
            return None
        return found if len(found) == length else None

    def _length(self, first: int, at: int) -> int | None:
        head = self._read(first, at, 2)
        if head is None:
            return None
        length = head[0] | head[1] << 8
        return length if 0 < length <= MAX_BODY_BYTES else None

    def _entry(self, first: int, at: int) -> bytes | None:
        length = self._length(first, at)
        return None if length is None else self._read(first, at + 2, length)

    def _batch(self, body: bytes, number: int) -> Batch | None:
        """The batch in `body` if it is whole and the one that belongs there."""
        try:
            batch = Batch(body, 0)
        except DecodeError:
            return None
        if batch.number != number or (self.life and batch.life != self.life):
            return None
        return batch
