"""Runs on the VM: a board at the end of a serial line, with the raw REPL of a chip. $ROOT is the flash of its files. Test side only.

The unix VM has no raw REPL of its own; what is run by it is run by the real interpreter, on the shims of the chip.
"""

import io
import os
import sys

import esp32
import vfs

BANNER = "raw REPL; CTRL-B to exit\r\n"
INTERRUPT, ENTER_RAW, LEAVE_RAW, END = 3, 1, 2, 4

_log = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="liftlog")
esp32.Partition.find = staticmethod(lambda kind, label=None: _log if label == "liftlog" else [])
_flash = esp32.Partition(esp32._mapped(os.getenv("ROOT")))
try:
    _files = vfs.VfsLfs2(_flash)
except OSError:  # a new board
    vfs.VfsLfs2.mkfs(_flash)
    _files = vfs.VfsLfs2(_flash)
vfs.umount("/")
vfs.mount(_files, "/")


def run(code, space):
    """Run one piece as a chip does: OK, what it prints, its error, each ended by END."""
    print("OK", end="")
    text = ""
    try:
        exec(code, space)
    except Exception as error:
        out = io.StringIO()
        sys.print_exception(error, out)
        text = out.getvalue()
    print("\x04%s\x04>" % text, end="")


def serve():
    space = {}
    code = bytearray()
    while True:
        byte = sys.stdin.buffer.read(1)
        if not byte:
            return
        if byte[0] == ENTER_RAW:
            code = bytearray()
            print(BANNER + ">", end="")
        elif byte[0] == END and not code:
            space = {}
            print("OK\r\nMPY: soft reboot\r\n" + BANNER + ">", end="")
        elif byte[0] == END:
            run(bytes(code), space)
            code = bytearray()
        elif byte[0] not in (INTERRUPT, LEAVE_RAW) and not (byte == b"\r" and not code):
            code += byte


serve()
