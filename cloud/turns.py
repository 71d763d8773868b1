"""Loops that work on the database in turns, and are stopped between two of them.

A task that is cancelled in the middle of a statement leaves a connection behind that nobody has rolled back: on SQLite it holds the
lock until it is collected, and who comes next waits for it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

STOP_S = 5.0


class Turns:
    """Counts the turns that are being taken; after `stop` no further one begins."""

    def __init__(self) -> None:
        self._taken = 0
        self._stopping = False
        self._idle = asyncio.Event()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One turn. After `stop` it never begins: its loop is cancelled where it does no harm."""
        if self._stopping:
            await asyncio.get_running_loop().create_future()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            if self._taken == 0:
                self._idle.set()

    async def stop(self) -> None:
        """Until no turn is being taken, STOP_S at most."""
        self._stopping = True
        while self._taken:
            self._idle.clear()
            try:
                async with asyncio.timeout(STOP_S):
                    await self._idle.wait()
            except TimeoutError:
                return
