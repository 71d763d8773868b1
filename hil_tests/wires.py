"""TCP wires between parts of the product that can be cut, go silent or slow while they carry. They read nothing of what they carry."""

import asyncio
import collections
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

CHUNK_BYTES = 4096
MOODS = ("open", "cut", "closed", "silent", "dead", "slow")
SLOW_S = 0.4
# Where segs_out and segs_in lie in Linux's struct tcp_info (since 4.2).
SEGMENTS_AT = 136
PASSINGS_KEPT = 256


class Traffic(NamedTuple):
    """What passed the near end of a wire, both ways: bytes of TCP's payload, segments with acknowledgements, connections."""

    payload: int
    segments: int
    connections: int


class Passing(NamedTuple):
    """One chunk that came to a wire: when (monotonic s), from the near end or the far one, and its size in bytes."""

    at_s: float
    from_near: bool
    size: int


class _Carried:
    """The two ends of one connection. `dead`: what comes is thrown away, and neither end ever hears of the other again."""

    def __init__(self, dead: bool, *ends: asyncio.StreamWriter) -> None:
        self.dead = dead
        self.ends = ends
        self.payload = 0
        self.segments = 0

    def passed(self, count: int) -> None:
        """So many bytes came from either end."""
        self.payload += count
        near = self.ends[0].get_extra_info("socket")
        with contextlib.suppress(OSError):
            info = near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            self.segments = sum(struct.unpack_from("II", info, SEGMENTS_AT))

    def abort(self) -> None:
        for end in self.ends:
            end.transport.abort()


class Wire:
    """One listening port that leads to another. `mood` may change at any time.

    open: passes. cut: all connections are reset, new ones too. closed: the same, but with a polite end (FIN). silent:
    connections stay, nothing passes, nothing is lost: what waits is delivered when the wire opens again. dead: what is sent is
    lost, and connections of that time never carry again, which nobody tells their ends. slow: each chunk waits 0.4 s.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, target_port: int) -> None:
        self._loop = loop
        self._target = target_port
        self._carried: set[_Carried] = set()
        self._over = Traffic(0, 0, 0)
        self._passings: collections.deque[Passing] = collections.deque(maxlen=PASSINGS_KEPT)
        self._mood = "open"
        self._passes = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.resets = 0

    async def open(self) -> None:
        """Listen on a free port."""
        self._passes.set()
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def set(self, mood: str) -> None:
        """Change the mood; ValueError if there is none of that name."""
        if mood not in MOODS:
            raise ValueError(f"no such mood: {mood}; one of {', '.join(MOODS)}")
        self._mood = mood
        if mood == "silent":
            self._passes.clear()
        else:
            self._passes.set()
        if mood == "cut":
            self.reset()
        for carried in list(self._carried):
            if mood == "dead":
                carried.dead = True
            elif mood == "closed":
                for end in carried.ends:
                    end.close()

    def reset(self) -> None:
        """Reset every connection that stands; new ones are taken as the mood says."""
        for carried in list(self._carried):
            self.resets += 1
            carried.abort()

    async def traffic(self) -> Traffic:
        """Since the wire was laid."""
        return self._sum(self._carried)

    async def passings(self) -> list[Passing]:
        """The newest chunks, oldest first."""
        return list(self._passings)

    def _sum(self, ends: Iterable[_Carried]) -> Traffic:
        found = self._over
        for carried in ends:
            carried.passed(0)
            found = Traffic(found.payload + carried.payload, found.segments + carried.segments, found.connections + 1)
        return found

    async def close(self) -> None:
        """Stop listening and end what stands."""
        if self._server is not None:
            self._server.close()
        self.reset()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mood == "cut":
            writer.transport.abort()
            return
        if self._mood == "closed":
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        carried = _Carried(self._mood == "dead", writer, far_writer)
        self._carried.add(carried)
        try:
            await asyncio.gather(self._pump(reader, far_writer, carried), self._pump(far_reader, writer, carried))
        finally:
            self._carried.discard(carried)
            self._over = self._sum([carried])
            carried.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carried: _Carried) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                carried.passed(len(data))
                self._passings.append(Passing(time.monotonic(), writer is carried.ends[1], len(data)))
                await self._passes.wait()
                if self._mood == "slow":
                    await asyncio.sleep(SLOW_S)
                if not carried.dead:
                    writer.write(data)
                    await writer.drain()
        # Either direction's end is the connection's end, half-closed ones no part of ours makes; on a dead one nobody hears it.
        if not carried.dead:
            writer.transport.abort()


class Wires:
    """Named wires on a thread of their own; to be used from any other."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._wires: dict[str, Wire] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._thread.start()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def lay(self, name: str, target_port: int) -> int:
        """A wire called `name` to loopback `target_port`; the port at which it begins."""
        wire = Wire(self._loop, target_port)
        self._call(wire.open())
        self._wires[name] = wire
        return wire.port

    def names(self) -> list[str]:
        """The wires that were laid."""
        return sorted(self._wires)

    def set(self, name: str, mood: str) -> None:
        """Change the mood of one wire."""
        self._call(self._wires[name].set(mood))

    def reset(self, name: str) -> None:
        """Reset what stands on one wire: the two ends of a connection that died while it was silent find out now."""
        self._loop.call_soon_threadsafe(self._wires[name].reset)

    def traffic(self, name: str) -> Traffic:
        """What has passed one wire."""
        found: Traffic = self._call(self._wires[name].traffic())
        return found

    def passings(self, name: str) -> list[Passing]:
        """The newest chunks that came to one wire, oldest first."""
        found: list[Passing] = self._call(self._wires[name].passings())
        return found

    def close(self) -> None:
        """End all of them."""
        for wire in self._wires.values():
            self._call(wire.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
