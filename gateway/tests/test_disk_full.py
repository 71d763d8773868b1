"""A real full disk, and one that is freed again: alarms go on in their reserve, history waits, nobody restarts anything."""

import asyncio
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gateway.reserve import STEP_BYTES, Reserve
from gateway.tests.alone import Gateway

MEGABYTE = 1_000_000
DISK_MEGABYTES = 16
RESERVE_MEGABYTES = 6


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A small file system of its own."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES * MEGABYTE}", "none", str(tmp_path)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system must be mounted for this test, which needs Linux and root")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


class Glutton:
    """Another program that takes every free byte of the disk, again and again, until it is stopped; then it gives all back."""

    def __init__(self, disk: pathlib.Path) -> None:
        self._path = disk / "glutton"
        self._file = self._path.open("ab", buffering=0)

    def eat(self) -> None:
        """Fill the disk to the last byte."""
        for size in (1 << 20, 1 << 12, 1):
            try:
                while self._file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue

    def stop(self) -> None:
        self._file.close()
        self._path.unlink()


async def test_alarms_have_their_reserve_on_a_full_disk_and_history_goes_on_once_it_is_freed(
    disk: pathlib.Path,
) -> None:
    async with Gateway(disk, RESERVE_MEGABYTES) as gateway:
        values = gateway.service.stores.values
        await gateway.message(1)
        await gateway.batch(1)
        await gateway.until(lambda: gateway.service.log.positions() == {"lift-1": (1, 1)})
        await gateway.until(lambda: gateway.receipted() == {"lift-1-1-1"})
        assert values()["reserve_bytes"] == RESERVE_MEGABYTES * MEGABYTE and values()["reserve_held"]
        glutton = Glutton(disk)
        glutton.eat()
        with pytest.raises(OSError, match="No space"):
            (disk / "any").write_bytes(bytes(5000))
        (disk / "any").unlink()

        # Each alarm is receipted although another program takes what is left of each step.
        for number in range(2, 201):
            await gateway.message(number)
            if number % 10 == 0:
                await gateway.batch(number // 10)
                await gateway.until(lambda number=number: len(gateway.receipted()) == number)  # type: ignore[misc]
                glutton.eat()
        assert gateway.receipted() == {f"lift-1-1-{number}" for number in range(1, 201)}
        assert 0 < values()["reserve_bytes"] < RESERVE_MEGABYTES * MEGABYTE and not values()["reserve_held"]
        assert gateway.service.journal.failed == 0
        assert gateway.service.stores.health()["disk"].startswith("full")
        # History waits at the node, which is never told otherwise.
        assert gateway.service.log.positions() == {"lift-1": (1, 1)} and gateway.service.log.refused > 0
        assert max(ack["log"][1] for ack in gateway.acks) == 1

        glutton.stop()
        await gateway.until(lambda: bool(values()["reserve_held"]))
        for number in range(2, 21):
            await gateway.batch(number)
        await gateway.until(lambda: gateway.service.log.positions() == {"lift-1": (1, 20)})
        assert gateway.service.stores.health()["disk"] == "ok"
        assert not gateway.service.stores.put_aside()
    async with Gateway(disk, RESERVE_MEGABYTES) as gateway:
        assert {f"lift-1-1-{number}" for number in range(1, 201)} <= set(await gateway.incidents())
        assert gateway.service.log.positions() == {"lift-1": (1, 20)}


async def test_without_any_room_an_alarm_has_no_receipt_and_is_committed_once_there_is_some(disk: pathlib.Path) -> None:
    async with Gateway(disk, 1) as gateway:
        await gateway.message(1)
        await gateway.until(lambda: gateway.receipted() == {"lift-1-1-1"})
        glutton = Glutton(disk)
        number = 1
        while not gateway.service.journal.failed:
            glutton.eat()
            number += 1
            await gateway.message(number)
            await asyncio.sleep(0.01)
        assert f"lift-1-1-{number}" not in gateway.receipted()
        glutton.stop()
        # The node sends again what has no receipt.
        wanted = {f"lift-1-1-{each}" for each in range(1, number + 1)}
        async with asyncio.timeout(15):
            while missing := wanted - gateway.receipted():
                for name in missing:
                    await gateway.message(int(name.rsplit("-", 1)[1]))
                await asyncio.sleep(0.1)
        assert len(await gateway.incidents()) == number


async def test_a_gateway_starts_on_a_full_disk_with_its_reserve(disk: pathlib.Path) -> None:
    async with Gateway(disk, 2) as gateway:
        await gateway.message(1)
        await gateway.until(lambda: gateway.receipted() == {"lift-1-1-1"})
    glutton = Glutton(disk)
    glutton.eat()
    async with Gateway(disk, 2) as gateway:
        await gateway.message(2)
        await gateway.until(lambda: gateway.receipted() >= {"lift-1-1-2"})
        glutton.stop()
        await gateway.batch(1)
        await gateway.until(lambda: bool(gateway.service.stores.values()["reserve_held"]))
        await gateway.batch(1)
        await gateway.until(lambda: gateway.service.log.positions() == {"lift-1": (1, 1)})


def test_the_reserve_is_given_up_in_steps_and_taken_again_whole(disk: pathlib.Path) -> None:
    now_ms = 0
    reserve = Reserve(disk / "reserve", 3 * STEP_BYTES, lambda: now_ms)
    assert reserve.held and reserve.left() == 3 * STEP_BYTES
    assert reserve.release() and reserve.left() == 2 * STEP_BYTES
    glutton = Glutton(disk)
    glutton.eat()
    assert not reserve.held
    now_ms = 1000
    assert not reserve.held and reserve.left() == 2 * STEP_BYTES
    assert reserve.release() and reserve.release() and not reserve.release()
    glutton.stop()
    assert not reserve.held
    now_ms = 2000
    assert reserve.held and reserve.left() == 3 * STEP_BYTES
