"""Runs on the VM: the node's files on real littlefs over NOR flash, with the power cut after every operation of every kind of write.

Prints one line for each kind of write: "write: N operations, N cuts", then the wear: "wear: N batches, …".
"""

import sys

from nor import BLOCK_BYTES, Nor

from node.flash import FlashFiles
from protocols.delivery.ring import FlashRing
from protocols.delivery.table import EventTable
from protocols.records import BatchWriter

LIFE = 3
SEGMENT_BYTES = 2048
RING_BYTES = 4 * SEGMENT_BYTES
BLOCKS = 48
# What the operation that the power cut into has done: nothing, the first half of it, all of it.
NOTHING, HALF, ALL = 0, 1, 2


class PowerCut(Exception):
    """The power went."""


class CutNor(Nor):
    """NOR flash whose power goes in its `cut_at`th operation; whatever tries more finds none."""

    def __init__(self, memory):
        super().__init__(memory)
        self.operations = self.cut_at = self.does = 0
        self.is_dead = False
        self.erases = [0] * (len(memory) // BLOCK_BYTES)
        self.illegal = 0

    def _is_cut(self):
        self.operations += 1
        self.is_dead = self.is_dead or self.operations == self.cut_at
        return self.operations == self.cut_at

    def program(self, at, data):
        if self.is_dead:
            raise PowerCut
        for index in range(len(data)):
            self.illegal += data[index] & ~self.memory[at + index] != 0
        cut = self._is_cut()
        super().program(at, data if not cut or self.does == ALL else data[: len(data) // 2 * self.does])
        if cut:
            raise PowerCut

    def erase(self, block):
        if self.is_dead:
            raise PowerCut
        self.erases[block] += 1
        if not self._is_cut() or self.does == ALL:
            super().erase(block)
        elif self.does == HALF:
            self.memory[block * BLOCK_BYTES : block * BLOCK_BYTES + BLOCK_BYTES // 2] = b"\xff" * (BLOCK_BYTES // 2)
        if self.is_dead:
            raise PowerCut


def body(number):
    """The batch `number`: about 300 bytes, none like another."""
    writer = BatchWriter(LIFE, number, LIFE, 1000 * number, 0)
    for turn in range(45):
        writer.add(
            1000 * number + 20 * turn, {"position_mm": number * 37 + turn * 53, "floor": 1 + turn % 7, "starts": number}
        )
    return writer.close()


def event(rev, presses=1):
    """The newest revision of the one event of this test."""
    evidence = [["button", 1]] * 12
    return {"id": "lift-1-3-1", "rev": rev, "kind": "button", "phase": "open", "presses": presses, "evidence": evidence}


class Store:
    """Files, ring and table on one image of flash, as at a boot."""

    def __init__(self, memory, cut_at=0, does=NOTHING):
        self.nor = CutNor(memory)
        self.nor.cut_at, self.nor.does = cut_at, does
        self.files = FlashFiles(self.nor)
        self.ring = FlashRing(self.files, LIFE, RING_BYTES, SEGMENT_BYTES)
        self.table = EventTable(self.files)

    def put(self):
        """The next batch."""
        self.ring.put(body(self.ring.newest + 1))

    def revs(self):
        """Revisions of the events held."""
        return [entry["values"]["rev"] for entry in self.table.load()]


def prepared(batches, rev):
    """An image that holds `batches` and, unless it is 0, one event at `rev`."""
    memory = bytearray(b"\xff" * (BLOCKS * BLOCK_BYTES))
    store = Store(memory)
    for _ in range(batches):
        store.put()
    if rev:
        store.table.save(event(rev), 0, 1, 1)
    return memory


def mounted_again(memory, newest, revs):
    """After the cut: old or new, nothing else; and it goes on, over another boot."""
    store = Store(memory)
    ring = store.ring
    assert ring.newest in newest, (ring.newest, newest)
    assert ring.life == LIFE
    for number in range(ring.base, ring.newest + 1):
        assert ring.body(number) == body(number), number
    assert ring.errors == store.table.errors == 0
    assert store.revs() in revs, (store.revs(), revs)
    store.put()
    assert store.table.save(event(99), 0, 1, 1)
    again = Store(memory)
    assert (again.ring.newest, again.revs()) == (ring.newest, [99])
    assert again.ring.body(ring.newest) == body(ring.newest)
    assert store.nor.illegal == again.nor.illegal == 0


def cut_everywhere(name, image, work, newest, revs):
    """Cut the power in each operation of `work`, three ways, always from the same image."""
    memory = bytearray(image)
    store = Store(memory)
    before = store.nor.operations
    work(store)
    total = store.nor.operations
    mounted_again(memory, newest[-1:], revs[-1:])
    cuts = 0
    for cut_at in range(before + 1, total + 1):
        for does in (NOTHING, HALF, ALL):
            memory[:] = image
            store = Store(memory, cut_at, does)
            try:
                work(store)
                raise AssertionError("%s: no cut at %d" % (name, cut_at))
            except PowerCut:
                cuts += 1
            mounted_again(memory, newest, revs)
    print("%s: %d operations, %d cuts" % (name, total - before, cuts))


def cut_the_format(name, image):
    """Cut the power in each operation of making a file system: the next boot has one, empty and whole."""
    memory = bytearray(image)
    files = CutNor(memory)
    assert FlashFiles(files).is_new
    cuts = 0
    for cut_at in range(1, files.operations + 1):
        for does in (NOTHING, HALF, ALL):
            memory[:] = image
            try:
                Store(memory, cut_at, does)
                raise AssertionError("format: no cut at %d" % cut_at)
            except PowerCut:
                cuts += 1
            mounted_again(memory, [0], [[]])
    print("%s: %d operations, %d cuts" % (name, files.operations, cuts))


def wear(batches):
    """How evenly the blocks are erased by `batches` and an event's revision for every fourth."""
    store = Store(bytearray(b"\xff" * (BLOCKS * BLOCK_BYTES)))
    begun = sum(store.nor.erases)
    for number in range(batches):
        store.put()
        if number % 4 == 0:
            store.table.save(event(number + 1), 0, 1, 1)
    assert store.nor.illegal == 0
    erases = store.nor.erases
    print(
        "wear: %d batches, %d erases in %d blocks, most %d, least %d"
        % (batches, sum(erases) - begun, len(erases), max(erases), min(erases))
    )


def main():
    newest = [20, 21]
    image = prepared(20, 7)
    full = 1  # batches after which the next begins a segment and drops the oldest
    while Store(prepared(full + 1, 0)).ring.base == 1:
        full += 1
    cut_everywhere("append", prepared(19, 7), Store.put, [19, 20], [[7]])
    cut_everywhere("rotation", prepared(full, 7), Store.put, [full, full + 1], [[7]])
    cut_everywhere("first event", prepared(20, 0), lambda store: store.table.save(event(1), 0, 1, 1), [20], [[], [1]])
    cut_everywhere("event", image, lambda store: store.table.save(event(8, 3), 0, 1, 1), [20], [[7], [8]])
    cut_everywhere("forget", image, lambda store: store.table.forget("lift-1-3-1"), [20], [[7], []])
    cut_everywhere("all", image, lambda store: (store.put(), store.table.save(event(8), 0, 1, 1)), newest, [[7], [8]])
    cut_the_format("format", bytes(b"\xff" * (BLOCKS * BLOCK_BYTES)))
    cut_the_format(
        "format over rubbish", bytes((5 * index + index // 256) & 0xFF for index in range(BLOCKS * BLOCK_BYTES))
    )
    wear(int(sys.argv[1]))


main()
