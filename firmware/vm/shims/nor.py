"""NOR flash as a block device: erasing sets all bits of a block, programming only clears some. Over memory that the caller gives."""

BLOCK_BYTES = 4096
# In pieces: a block's worth would lie in the node's heap, where a chip has none of it.
ERASED = b"\xff" * 64


class Nor:
    """What littlefs asks of esp32.Partition: readblocks, writeblocks and ioctl over a bytearray of whole blocks."""

    def __init__(self, memory):
        self.memory = memory

    def readblocks(self, block, into, offset=0):
        at = block * BLOCK_BYTES + offset
        into[:] = self.memory[at : at + len(into)]

    def writeblocks(self, block, data, offset=0):
        self.program(block * BLOCK_BYTES + offset, data)

    def program(self, at, data):
        """Clear the bits that are 0 in `data`."""
        memory = self.memory
        for index in range(len(data)):
            memory[at + index] &= data[index]

    def erase(self, block):
        """Set all bits of `block`."""
        for at in range(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES, len(ERASED)):
            self.memory[at : at + len(ERASED)] = ERASED

    def ioctl(self, request, argument):
        if request == 4:
            return len(self.memory) // BLOCK_BYTES
        if request == 5:
            return BLOCK_BYTES
        if request == 6:
            self.erase(argument)
        return 0
