"""Runs on the VM: a link without a broker backs off; then an alarm comes. Prints the tries before it, and how soon it was tried again."""

import asyncio
import time

from node.link import Link

tries = []


class Transport:
    """A network that refuses."""

    async def open(self):
        tries.append(time.ticks_ms())
        raise OSError(111)

    def close(self):
        pass

    def explain(self, error):
        return repr(error)


class Settings:
    site, lift, keepalive_ms, tls, user, password = "s-1", "lift-1", 15000, False, None, None


async def main():
    link = Link(
        Settings(), Transport(), 1, None, time.ticks_ms, lambda below: below - 1, lambda *said: None, lambda: None
    )
    asyncio.create_task(link.run())
    while len(tries) < 4:
        await asyncio.sleep_ms(20)
    await asyncio.sleep_ms(100)
    before, at = len(tries), time.ticks_ms()
    # Not only once: an alarm is followed by its revisions.
    for _ in range(10):
        link.hurry()
        await asyncio.sleep_ms(20)
    while len(tries) < before + 3 and time.ticks_diff(time.ticks_ms(), at) < 9000:
        await asyncio.sleep_ms(20)
    print(before, [time.ticks_diff(tried, at) for tried in tries[before:]])


asyncio.run(main())
