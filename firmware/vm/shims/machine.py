"""machine of an ESP32 for the unix VM: UART over a pty, pins over a stream of lines, a watchdog that kills. Test side only."""

import asyncio
import io
import os
import struct
import sys
import termios
import time

import ffi
from umachine import *  # noqa: F403  the built-in rest

_libc = ffi.open("libc.so.6")
_open = _libc.func("i", "open", "si")
_read = _libc.func("i", "read", "ipi")
_write = _libc.func("i", "write", "ipi")
_ioctl = _libc.func("i", "ioctl", "iLp" if sys.maxsize > 1 << 32 else "iIp")
_setitimer = _libc.func("i", "setitimer", "ipp")
_O_RDWR_NONBLOCK_NOCTTY = 2 | 0o4000 | 0o400
_FIONREAD = 0x541B


class _Tty(io.IOBase):
    """A raw, non-blocking tty: short reads, None when there is nothing."""

    def __init__(self, path):
        self._fd = _open(path, _O_RDWR_NONBLOCK_NOCTTY)
        if self._fd < 0:
            raise OSError(2, path)
        termios.setraw(self._fd)

    def readinto(self, buffer, size=-1):
        count = _read(self._fd, buffer, len(buffer) if size < 0 else min(size, len(buffer)))
        return None if count < 0 else count

    def read(self, size=-1):
        buffer = bytearray(self.any() if size < 0 else size)
        count = self.readinto(buffer)
        return None if count is None else bytes(buffer[:count])

    def readline(self):
        """One line without waiting: None until the poller says that there is something."""
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return bytes(line) if line else None

    def write(self, data):
        return _write(self._fd, data, len(data))

    def any(self):
        count = bytearray(4)
        _ioctl(self._fd, _FIONREAD, count)
        return struct.unpack("i", count)[0]

    def ioctl(self, request, argument):
        return self._fd if request == 10 else 0  # the file number, so that the poller waits on the real thing


class UART(_Tty):
    """UART n is the tty that the environment names UARTn."""

    def __init__(self, number, **_):
        super().__init__(os.getenv("UART%d" % number))

    def txdone(self):
        return True


class Pin:
    """Pins live on the far end of $GPIO: lines "PIN VALUE" either way. An edge calls the handler from the event loop."""

    IN = 0
    OUT = 1
    _tty = None
    _values = {}
    _handlers = {}

    def __init__(self, number, mode=0, pull=None, value=None):
        self._number = number
        if Pin._tty is None and os.getenv("GPIO"):
            Pin._tty = _Tty(os.getenv("GPIO"))
        if value is not None:
            self.value(value)

    def value(self, new=None):
        if new is None:
            return Pin._values.get(self._number, 0)
        if Pin._values.get(self._number) != new and Pin._tty is not None:
            Pin._tty.write(b"%d %d\n" % (self._number, new))
        Pin._values[self._number] = new

    def irq(self, handler, trigger=None):
        if not Pin._handlers and Pin._tty is not None:
            asyncio.create_task(Pin._listen())
        Pin._handlers[self._number] = (handler, self)

    @staticmethod
    async def _listen():
        reader = asyncio.StreamReader(Pin._tty)
        while True:
            line = (await reader.readline()).split()
            if len(line) != 2:
                continue
            number, value = int(line[0]), int(line[1])
            changed = Pin._values.get(number, 0) != value
            Pin._values[number] = value
            if changed and number in Pin._handlers:
                handler, pin = Pin._handlers[number]
                handler(pin)


class _LoopFlag:
    """asyncio.ThreadSafeFlag for handlers that are called from the event loop, as all are here.

    The real one is polled, and MicroPython's unix port then waits in slices of a whole ms: a tenth of the bus' time.
    """

    def __init__(self):
        self._event = asyncio.Event()

    def set(self):
        self._event.set()

    def clear(self):
        self._event.clear()

    async def wait(self):
        await self._event.wait()
        self._event.clear()


asyncio.ThreadSafeFlag = _LoopFlag


class WDT:
    """Kills the process by SIGALRM when it is not fed: the harness reads that as a watchdog reset."""

    def __init__(self, timeout=5000):
        self._timer = struct.pack("@llll", 0, 0, timeout // 1000, timeout % 1000 * 1000)
        self._old = bytearray(len(self._timer))
        self.feed()

    def feed(self):
        _setitimer(0, self._timer, self._old)


class RTC:
    """The chip's clock: an offset in the file $CLOCK, as libfaketime reads it, so that TLS judges by what was set here."""

    def datetime(self, value):
        path = os.getenv("CLOCK")
        if path is None:
            return
        wanted = time.mktime((value[0], value[1], value[2], value[4], value[5], value[6], 0, 0))
        with open(path) as file:
            offset = int(file.read())
        with open(path + ".new", "w") as file:
            file.write("%+d" % (offset + wanted - int(time.time())))
        os.rename(path + ".new", path)


def reset():
    sys.exit(75)  # the harness starts it again


def reset_cause():
    return int(os.getenv("RESET_CAUSE") or 1)


def unique_id():
    return b"\x00\x00\x00\x00\x00\x01"
