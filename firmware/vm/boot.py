"""Starts the node on the unix VM from its ROMFS image ($NODE_ROM): code runs in place, outside the heap, as from an ESP32's flash."""

import os
import sys

import ffi
import uctypes
import vfs

SEEK_END = 2
PROT_READ = 1
MAP_PRIVATE = 2


def mapped(path):
    """The file at `path` as a bytearray that lies outside the heap; OSError if there is none."""
    libc = ffi.open("libc.so.6")
    fd = libc.func("i", "open", "si")(path, 0)
    if fd < 0:
        raise OSError(2, path)
    size = libc.func("l", "lseek", "ili")(fd, 0, SEEK_END)
    at = libc.func("p", "mmap", "pLiiil")(None, size, PROT_READ, MAP_PRIVATE, fd, 0)
    libc.func("i", "close", "i")(fd)
    return uctypes.bytearray_at(at, size)


vfs.mount(vfs.VfsRom(mapped(os.getenv("NODE_ROM"))), "/rom")
sys.path.insert(0, "/rom")
for _name in ("ffi", "uctypes", "mapped"):
    del globals()[_name]
__import__(os.getenv("NODE_APP") or "app")
