"""A gateway without broker, city and cloud, for tests of its stores: a test is the node. It asserts nothing."""

import asyncio
import pathlib
from collections.abc import Callable
from typing import Any

from gateway import config
from gateway import journal as jobs
from gateway.config import Config, Lift
from gateway.service import Service
from gateway.tests.test_stores import batch
from protocols import messages, records


class Gateway:
    """A whole gateway in `data`, fed as its lanes would; what it would tell the nodes is kept."""

    def __init__(self, data: pathlib.Path, reserve_megabytes: int = 1) -> None:
        self._config = Config(
            config.Gateway("g", str(data), reserve_megabytes=reserve_megabytes), lift=[Lift("lift-1", "s")]
        )
        self.acks: list[dict[str, Any]] = []

    async def __aenter__(self) -> "Gateway":  # noqa: PYI034  it is never subclassed
        # Nobody is at the broker's port: the lanes try for ever.
        self.service = Service(self._config)
        self.service.lifts._publish = lambda topic, payload: self.acks.append(messages.decode("ack", payload))
        await self.service.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.service.stop()

    async def message(self, number: int) -> None:
        """An alarm of the node."""
        payload = messages.encode("event", {
            "id": f"lift-1-1-{number}", "rev": 1, "boot": 1, "up_ms": 1000 + number, "kind": "button_pressed", "code": 90,
            "class": "alarm", "severity": 4, "phase": "open", "onset_up_ms": 900, "detected_up_ms": 950,
            "published_up_ms": 1000, "attempt": 1, "cause": "pressed", "presses": 1,
        })  # fmt: skip
        await asyncio.to_thread(self.service.intake.on_fast, "lift/1/s/lift-1/event", payload, False)

    async def batch(self, number: int) -> None:
        """A batch of the node's log, of whose batches it still holds all."""
        payload = records.wire(1, batch(number).body)
        await asyncio.to_thread(self.service.intake.on_bulk, "lift/1/s/lift-1/log", payload, False)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what happens in threads."""
        async with asyncio.timeout(15):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def receipted(self) -> set[str]:
        """The events that some ack has receipted since the list was cleared."""
        return {name for ack in self.acks for name, _, _ in ack["events"]}

    async def incidents(self) -> dict[str, dict[str, Any]]:
        """{id: as the cloud is told}."""
        found, _ = await self.service.journal.ask(jobs.behind_cloud([], {}, "", 1000))
        return {entry["id"]: entry for entry in found}
