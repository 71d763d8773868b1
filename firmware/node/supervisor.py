"""Keeps the node's tasks alive: restarts what ends or crashes, and feeds the watchdog only while every task beats."""

import asyncio
import gc
import time

RESTART_FIRST_MS = 500
RESTART_MAX_MS = 10000
GUARD_MS = 500
# A heap without room does not mend itself: the same task failing so often in a row for want of memory resets the node (ours).
MEMORY_ERRORS = 5


class Supervisor:
    """`add` tasks, then `run` for ever. A task must call `beat(name)` more often than its limit."""

    def __init__(self, say, feed, reset):
        self._say = say
        self._feed = feed
        self._reset = reset
        self._tasks = []  # (name, coroutine function)
        self._beats = {}
        self._limits = {}
        self.restarts = {}

    def add(self, name, task, limit_ms):
        """`task()` is a coroutine that should never return; it counts as hung after `limit_ms` without a beat."""
        self._tasks.append((name, task))
        self._limits[name] = limit_ms
        self._beats[name] = time.ticks_ms()

    def beat(self, name):
        """The task `name` is alive."""
        self._beats[name] = time.ticks_ms()

    def late(self):
        """Names of the tasks that have not beaten in time."""
        now = time.ticks_ms()
        return [name for name in self._beats if time.ticks_diff(now, self._beats[name]) > self._limits[name]]

    async def _keep(self, name, task):
        wait_ms = RESTART_FIRST_MS
        starved = 0
        while True:
            started = time.ticks_ms()
            try:
                await task()
                self._say("error", "%s ended by itself" % name)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the top of each task: whatever it was, the node goes on
                gc.collect()
                self._say("error", "%s failed: %r" % (name, error))
                starved = starved + 1 if isinstance(error, MemoryError) else 0
            self.restarts[name] = self.restarts.get(name, 0) + 1
            if time.ticks_diff(time.ticks_ms(), started) > 60000:
                wait_ms = RESTART_FIRST_MS
                starved = 0
            if starved >= MEMORY_ERRORS:
                self._say("error", "%s finds no memory: resetting the node" % name)
                self._reset()
            self.beat(name)
            await asyncio.sleep_ms(wait_ms)
            wait_ms = min(RESTART_MAX_MS, wait_ms * 2)
            # A task that keeps failing is kept up by restarts, not by the watchdog: history and alarms still run.
            self.beat(name)

    async def run(self):
        """Start all tasks and watch them for ever."""
        for name, task in self._tasks:
            asyncio.create_task(self._keep(name, task))
        told = None
        while True:
            late = self.late()
            if not late:
                self._feed()
            elif late != told:
                self._say("error", "no beat from %s: the watchdog will reset the node" % ", ".join(late))
            told = late
            await asyncio.sleep_ms(GUARD_MS)
