"""A gateway without broker, city and cloud, for tests of its stores: a test is the node. It asserts nothing."""

import asyncio
import pathlib
from collections.abc import Callable
from typing import Any

from gateway import config
from gateway import journal as jobs
from gateway.config import CityRef, Config, Lift
from gateway.service import Service
from gateway.tests.test_stores import batch
from protocols import messages, records
from protocols.faults import BY_NAME
from protocols.state import LiftState


class Gateway:
    """A whole gateway in `data`, fed as its lanes would; what it would tell the nodes is kept. All its lifts are at site s."""

    def __init__(
        self, data: pathlib.Path, reserve_megabytes: int = 1, lifts: int = 1, city: list[CityRef] | None = None
    ) -> None:
        self._config = Config(
            config.Gateway("g", str(data), reserve_megabytes=reserve_megabytes), city=city or [],
            lift=[Lift(f"lift-{n + 1}", "s") for n in range(lifts)],
        )  # fmt: skip
        self.acks: list[dict[str, Any]] = []

    async def __aenter__(self) -> "Gateway":  # noqa: PYI034  it is never subclassed
        # Nobody is at the broker's port: the lanes try for ever.
        self.service = Service(self._config)
        self.service.lifts._publish = lambda topic, payload: self.acks.append(messages.decode("ack", payload))
        await self.service.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.service.stop()

    async def message(self, number: int, lift: str = "lift-1", kind: str = "button_pressed", **more: Any) -> None:
        """An event of the node, its opening if `more` does not say otherwise."""
        row = BY_NAME[kind]
        payload = messages.encode("event", {
            "id": f"{lift}-1-{number}", "rev": 1, "boot": 1, "up_ms": 1000 + number, "kind": kind, "code": row.code,
            "class": row.event_class, "severity": row.severity, "phase": "open", "onset_up_ms": 900, "detected_up_ms": 950,
            "published_up_ms": 1000, "attempt": 1, "cause": "pressed", "presses": 1, **more,
        })  # fmt: skip
        await asyncio.to_thread(self.service.intake.on_fast, f"lift/1/s/{lift}/event", payload, False)

    async def state(self, lift: str, seq: int, **known: Any) -> None:
        """A state of the node, with what it knows."""
        values = {"boot": 1, "seq": seq, "up_ms": 1000 + seq, "sample_up_ms": 1000 + seq, "period_ms": 1000}
        payload = messages.encode("state", values, LiftState(**known))
        await asyncio.to_thread(self.service.intake.on_bulk, f"lift/1/s/{lift}/state", payload, False)

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
