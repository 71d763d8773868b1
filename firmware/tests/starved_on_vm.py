"""Runs on the VM: a task of the node finds no memory, again and again. Prints "reset after N" once the supervisor gives it up."""

import asyncio

import node.supervisor
from node.supervisor import Supervisor

node.supervisor.RESTART_FIRST_MS = node.supervisor.RESTART_MAX_MS = 1
tries = 0


async def starved():
    global tries
    tries += 1
    raise MemoryError("memory allocation failed")


def reset():
    print("reset after %d" % tries)
    raise SystemExit


supervisor = Supervisor(lambda level, text: None, lambda: None, reset)
supervisor.add("link", starved, 1000)
asyncio.run(supervisor.run())
