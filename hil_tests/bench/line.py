"""The RS-485 line between two ptys: paced at the baud rate, and as bad as told. It moves bytes and knows nothing of Modbus."""

import asyncio
import os
import random
import tty
from dataclasses import dataclass


@dataclass
class Noise:
    """Chances per byte (flip, drop, insert) and per burst (delay, echo, cut). 0 = a clean line."""

    flip: float = 0.0
    drop: float = 0.0
    insert: float = 0.0
    cut: float = 0.0
    echo: float = 0.0
    delay: float = 0.0
    delay_ms: int = 60


# What `line_noise` puts on the line: about one frame in three is hurt.
HEAVY = Noise(flip=0.006, drop=0.003, insert=0.003, cut=0.05, echo=0.03, delay=0.03)


class End:
    """One pty: `path` is for whoever plugs in, `master` is ours."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        tty.setraw(self.master)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)

    def close(self) -> None:
        """Give the pty back."""
        os.close(self.master)
        os.close(self._slave)


class Line:
    """Two ends and the wire between them. Half duplex is not enforced: who talks at once is heard garbled by the checks above."""

    def __init__(self, baud: int, bits: int = 10, seed: int = 1) -> None:
        self.node = End()
        self.controller = End()
        self.noise = Noise()
        self.counters = {"bytes": 0, "hurt": 0}
        self._byte_s = bits / baud
        self._random = random.Random(seed)
        self._free_at = {self.node.master: 0.0, self.controller.master: 0.0}

    def start(self) -> None:
        """Carry bytes both ways from now on."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.node.master, self._carry, self.node.master, self.controller.master)
        loop.add_reader(self.controller.master, self._carry, self.controller.master, self.node.master)

    def stop(self) -> None:
        """Unplug and close."""
        loop = asyncio.get_running_loop()
        for end in (self.node, self.controller):
            loop.remove_reader(end.master)
            end.close()

    def _carry(self, source: int, sink: int) -> None:
        try:
            data = os.read(source, 4096)
        except OSError:
            return
        loop = asyncio.get_running_loop()
        start = max(loop.time(), self._free_at[source])
        # The last byte leaves after all of them took their time; receivers care for the end of the frame.
        self._free_at[source] = end = start + len(data) * self._byte_s
        self.counters["bytes"] += len(data)
        hurt, late_s, echo = self._hurt(data)
        loop.call_at(end + late_s, self._put, sink, hurt)
        if echo:
            loop.call_at(end, self._put, source, data)

    def _hurt(self, data: bytes) -> tuple[bytes, float, bool]:
        noise, chance = self.noise, self._random.random
        out = bytearray()
        for byte in data:
            if chance() < noise.drop:
                continue
            out.append(byte ^ 1 << self._random.randrange(8) if chance() < noise.flip else byte)
            if chance() < noise.insert:
                out.append(self._random.randrange(256))
        if chance() < noise.cut:
            del out[self._random.randrange(len(out) + 1) :]
        late_s = noise.delay_ms / 1000 if chance() < noise.delay else 0.0
        echo = chance() < noise.echo
        self.counters["hurt"] += bytes(out) != data or late_s > 0 or echo
        return bytes(out), late_s, echo

    @staticmethod
    def _put(sink: int, data: bytes) -> None:
        try:
            os.write(sink, data)
        except OSError:
            return  # nobody reads there: a wire has no memory
