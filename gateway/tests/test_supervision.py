"""Loops that are kept, and ended together whatever they do with their cancellation."""

import asyncio
import contextlib

from gateway.supervision import Supervisor


async def test_a_loop_that_loses_its_cancellation_is_ended_all_the_same() -> None:
    supervisor = Supervisor()
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            # As wait_for() of Python 3.11 does when what it waits for comes at the same moment.
            with contextlib.suppress(asyncio.CancelledError if lost < 2 else TimeoutError):
                try:
                    await asyncio.sleep(60)
                finally:
                    lost += 1

    supervisor.keep("work", work)
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await supervisor.stop()
    assert lost == 3


async def test_a_loop_that_fails_is_started_again_and_counted() -> None:
    supervisor = Supervisor()
    begun = asyncio.Queue[int]()

    async def work() -> None:
        begun.put_nowait(supervisor.restarts)
        raise ValueError("once more")

    supervisor.keep("work", work)
    async with asyncio.timeout(10):
        assert [await begun.get() for _ in range(2)] == [0, 1]
        await supervisor.stop()
