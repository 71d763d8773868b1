"""Loops that must not end: started again when they fail, counted, and all ended together. It knows nothing of what they do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

_log = logging.getLogger(__name__)

# Ours: soon enough for an alarm that waits behind it, slow enough that a loop that fails at once does not fill the disk with words.
PAUSE_S = 0.5
CANCEL_S = 0.5


class Supervisor:
    """The loops of one service. `restarts` counts those that had to be started again."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.restarts = 0

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` for ever, from the running loop."""

        async def run() -> None:
            while True:
                try:
                    await work()
                    _log.error("%s ended by itself; starting it again", name)
                except asyncio.CancelledError:
                    raise
                except Exception:  # the top of each loop
                    _log.exception("%s failed; starting it again", name)
                self.restarts += 1
                await asyncio.sleep(PAUSE_S)

        self._tasks.add(asyncio.get_running_loop().create_task(run(), name=name))

    def once(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the loops, once; a failure is logged."""

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and task.exception() is not None:
                _log.error("%s failed", name, exc_info=task.exception())

        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def stop(self) -> None:
        """End all loops."""
        left = set(self._tasks)
        while left:
            for task in left:
                task.cancel()
            # A cancellation may get lost in what a task waits for: then it is told again.
            _, left = await asyncio.wait(left, timeout=CANCEL_S)
