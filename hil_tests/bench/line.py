"""The RS-485 line between two ptys: paced at the baud rate, and as bad as told. It moves bytes and knows nothing of Modbus."""

import asyncio
import os
import random
import tty
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class Noise:
    """Chances 0 to 1: per byte (flip, drop, insert) and per burst (cut, merge, echo, delay). All 0 = a clean line."""

    flip: float = 0.0  # one bit of a byte
    drop: float = 0.0  # a byte is lost
    insert: float = 0.0  # a byte comes from nowhere
    cut: float = 0.0  # the burst ends early
    merge: float = 0.0  # the burst is held back and runs into the next one of its direction
    echo: float = 0.0  # the sender hears itself
    delay: float = 0.0  # the burst comes `delay_ms` late
    delay_ms: int = 60

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            most = 10_000 if field.name == "delay_ms" else 1.0
            if not isinstance(value, int | float) or not 0 <= value <= most:
                raise ValueError(f"noise: {field.name} is {value!r}; 0 to {most:g}")


CLEAN = Noise()
# What the fault `line_noise` puts on the line: about one exchange in three is hurt.
HEAVY = Noise(flip=0.003, drop=0.0015, insert=0.0015, cut=0.03, merge=0.01, echo=0.02, delay=0.02)
HARMS = ("flip", "drop", "insert", "cut", "merge", "echo", "delay")


class Wire:
    """One direction: takes bursts with their time, says what arrives when. Sans-IO; seeded."""

    def __init__(self, byte_s: float, rng: random.Random) -> None:
        self.noise = CLEAN
        self.counters = dict.fromkeys(("bytes", "bursts", "hurt", *HARMS), 0)
        self._byte_s = byte_s
        self._rng = rng
        self._free_at = 0.0
        self._held = b""

    def carry(self, data: bytes, now: float) -> list[tuple[float, bytes, bool]]:
        """[(time, bytes, to the sender itself)] that come of `data` sent at `now` (seconds)."""
        # Handed over whole when the last byte has taken its time: whoever listens waits for the end of the frame anyway.
        end = max(now, self._free_at) + len(data) * self._byte_s
        self._free_at = end
        self.counters["bytes"] += len(data)
        self.counters["bursts"] += 1
        if self.noise == CLEAN and not self._held:
            return [(end, data, False)]
        return self._hurt(data, end)

    def _hits(self, harm: str) -> bool:
        chance = getattr(self.noise, harm)
        hit = bool(chance and self._rng.random() < chance)
        self.counters[harm] += hit
        return hit

    def _hurt(self, data: bytes, end: float) -> list[tuple[float, bytes, bool]]:
        before = sum(self.counters[harm] for harm in HARMS)
        out = bytearray()
        for byte in data:
            if self._hits("drop"):
                continue
            out.append(byte ^ 1 << self._rng.randrange(8) if self._hits("flip") else byte)
            if self._hits("insert"):
                out.append(self._rng.randrange(256))
        if out and self._hits("cut"):
            del out[self._rng.randrange(len(out)) :]
        merged, self._held = self._held + bytes(out), b""
        late = self.noise.delay_ms / 1000 if self._hits("delay") else 0.0
        arrivals = [(end, data, True)] if self._hits("echo") else []
        if self._hits("merge"):
            self._held = merged
        else:
            arrivals.append((end + late, merged, False))
        self.counters["hurt"] += sum(self.counters[harm] for harm in HARMS) != before
        return arrivals


class End:
    """One pty: `path` is for whoever plugs in, `master` is ours."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        tty.setraw(self.master)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)

    def read(self) -> bytes:
        """What has come; empty if nothing."""
        try:
            return os.read(self.master, 4096)
        except OSError:
            return b""

    def write(self, data: bytes) -> bool:
        """Send; False if nobody reads there and the pty is full: a wire has no memory."""
        try:
            return os.write(self.master, data) == len(data)
        except OSError:
            return False

    def close(self) -> None:
        """Give the pty back."""
        os.close(self.master)
        os.close(self._slave)


class Line:
    """Two ends and the wires between them. `bits` a byte: 10 for 8N1, 11 for 8E1."""

    def __init__(self, baud: int, bits: int = 10, seed: int = 1) -> None:
        self.node = End()
        self.controller = End()
        rng = random.Random(seed)
        self._wires = {self.node: Wire(bits / baud, rng), self.controller: Wire(bits / baud, rng)}
        self._lost = 0
        self._open = False

    @property
    def noise(self) -> Noise:
        """What is on the line now."""
        return self._wires[self.node].noise

    @noise.setter
    def noise(self, noise: Noise) -> None:
        for wire in self._wires.values():
            wire.noise = noise

    @property
    def counters(self) -> dict[str, int]:
        """Bytes and bursts carried and each kind of harm done, both ways together; `lost` = bursts that nobody took."""
        ways = [wire.counters for wire in self._wires.values()]
        return {name: sum(way[name] for way in ways) for name in ways[0]} | {"lost": self._lost}

    def describe(self) -> dict[str, object]:
        """Counters and noise, for the control."""
        return {**self.counters, "noise": asdict(self.noise)}

    def start(self) -> None:
        """Carry bytes both ways from now on."""
        self._open = True
        loop = asyncio.get_running_loop()
        for source, sink in ((self.node, self.controller), (self.controller, self.node)):
            loop.add_reader(source.master, self._carrier(loop, source, sink))

    def stop(self) -> None:
        """Unplug and close."""
        self._open = False
        loop = asyncio.get_running_loop()
        for end in (self.node, self.controller):
            loop.remove_reader(end.master)
            end.close()

    def _carrier(self, loop: asyncio.AbstractEventLoop, source: End, sink: End) -> Callable[[], None]:
        wire = self._wires[source]

        def carry() -> None:
            data = source.read()
            if data:
                for at, arriving, back in wire.carry(data, loop.time()):
                    loop.call_at(at, self._put, source if back else sink, arriving)

        return carry

    def _put(self, end: End, data: bytes) -> None:
        if self._open and data and not end.write(data):
            self._lost += 1
