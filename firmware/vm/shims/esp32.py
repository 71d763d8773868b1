"""esp32 for the unix VM: NVS in the file $NVS, where what is not committed is lost, and a flash partition in the file $FLASH."""

import json
import os
import sys
import time

import ffi
import nor
import uctypes


class NVS:
    """One namespace of 32-bit numbers."""

    def __init__(self, namespace):
        self._path = os.getenv("NVS")
        self._space = namespace
        try:
            with open(self._path) as file:
                self._all = json.load(file)
        except (OSError, ValueError):
            self._all = {}

    def get_i32(self, key):
        try:
            return self._all[self._space][key]
        except KeyError:
            raise OSError(-4354)  # ESP_ERR_NVS_NOT_FOUND

    def set_i32(self, key, value):
        self._all.setdefault(self._space, {})[key] = value

    def commit(self):
        with open(self._path + ".new", "w") as file:
            json.dump(self._all, file)
        os.rename(self._path + ".new", self._path)


# A megabyte. Serial NOR of an ESP32 takes this long for a block and for a page, in which nothing else runs (typical of the kind;
# an old block may take ten times as long).
PARTITION_BYTES = 1 << 20
ERASE_MS = 45
PAGE_BYTES = 256
PAGE_US = 700


def _mapped(path):
    """The file at `path`, made full of ones where there is none, as memory that outlives a kill."""
    try:
        os.stat(path)
    except OSError:
        with open(path + ".new", "wb") as file:
            for _ in range(PARTITION_BYTES // nor.BLOCK_BYTES):
                for _ in range(nor.BLOCK_BYTES // len(nor.ERASED)):
                    file.write(nor.ERASED)
        os.rename(path + ".new", path)
    libc = ffi.open("libc.so.6")
    fd = libc.func("i", "open", "si")(path, 2)
    at = libc.func("p", "mmap", "pLiiil" if sys.maxsize > 1 << 32 else "pIiiil")(None, PARTITION_BYTES, 3, 1, fd, 0)
    libc.func("i", "close", "i")(fd)
    return uctypes.bytearray_at(at, PARTITION_BYTES)


class Partition(nor.Nor):
    """The one data partition of this board, if the environment names a file for it."""

    TYPE_DATA = 1

    @staticmethod
    def find(type, label=None):
        path = os.getenv("FLASH")
        return [Partition(_mapped(path))] if path and type == Partition.TYPE_DATA and label == "liftlog" else []

    def program(self, at, data):
        time.sleep_us(PAGE_US * ((len(data) + PAGE_BYTES - 1) // PAGE_BYTES))
        super().program(at, data)

    def erase(self, block):
        time.sleep_ms(ERASE_MS)
        super().erase(block)
