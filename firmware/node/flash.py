"""Files on the partition that the log and the events have for themselves: the `files` port of protocols.delivery.ring on littlefs."""

import vfs

# As flash is erased: 4 KiB. Each held event takes a block, four of each kind may be held, and littlefs wants some free to work.
BLOCK_BYTES = 4096
EVENT_ROOM_BYTES = 64 * BLOCK_BYTES
PARTITION = "liftlog"
# What replaces a file is written beside it under this name first.
BESIDE = "beside"


class FlashFiles:
    """Whole files by name on `partition`, an esp32.Partition; OSError from the flash comes through."""

    def __init__(self, partition):
        """Mounts it; what holds no file system, or a broken one, gets a new one and `is_new` says so. Raises OSError."""
        self.is_new = False
        try:
            self._vfs = vfs.VfsLfs2(partition)
        except OSError:
            self.is_new = True
            vfs.VfsLfs2.mkfs(partition)
            self._vfs = vfs.VfsLfs2(partition)
        self.capacity_bytes = partition.ioctl(4, 0) * partition.ioctl(5, 0)
        try:
            self._vfs.remove(BESIDE)
        except OSError:
            pass  # the usual case: no replacing was cut short

    def names(self):
        """[(name, bytes)] of all files."""
        return [(entry[0], entry[3]) for entry in self._vfs.ilistdir("/")]

    def read(self, name, at, length):
        """Up to `length` bytes from `at`."""
        with self._vfs.open(name, "rb") as file:
            file.seek(at)
            return file.read(length)

    def append(self, name, data):
        """Add to the file, or begin it; when this returns it is on flash."""
        with self._vfs.open(name, "ab") as file:
            file.write(data)

    def replace(self, name, data):
        """The file holds `data` and nothing else; until then it holds what it did."""
        with self._vfs.open(BESIDE, "wb") as file:
            file.write(data)
        self._vfs.rename(BESIDE, name)

    def remove(self, name):
        """The file is gone."""
        self._vfs.remove(name)


def open_flash(partitions, say):
    """FlashFiles on the first of `partitions`, or None where there is none or it does not work, which `say` is told."""
    if not partitions:
        say("warning", "there is no partition %s: log and events live in RAM and end with a reset" % PARTITION)
        return None
    try:
        files = FlashFiles(partitions[0])
    except OSError as error:
        say(
            "error",
            "the partition %s does not work (%r): log and events live in RAM and end with a reset" % (PARTITION, error),
        )
        return None
    if files.is_new:
        say("warning", "the partition %s held no log that can be read: a new one begins" % PARTITION)
    return files
