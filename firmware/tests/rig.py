"""One lift on the bench, one node on the VM, one broker, and a gateway's voice that is moved by hand."""

import asyncio
import pathlib
import secrets
import subprocess
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt

from hil_tests import services
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.lift_bench import LiftBench
from hil_tests.vm import ROOT, NodeVm, best_interpreter, build_firmware, node_settings
from protocols import messages
from protocols.identity import topic


def on_vm(name: str, *arguments: str, code: int = 0, heap: str | None = None, env: dict[str, str] | None = None) -> str:
    """What the script `name` of this folder prints beside the node's modules, in the node's heap or another; it must end with `code`."""
    build_firmware()
    path, nodes_heap = best_interpreter()
    run = subprocess.run(
        [path, "-X", "heapsize=" + (heap or nodes_heap), str(ROOT / "firmware" / "vm" / "boot.py"), *arguments],
        env={
            "MICROPYPATH": f"{ROOT}/firmware/tests:.frozen", "NODE_ROM": str(ROOT / "build" / "vm.romfs"),
            "NODE_APP": name, "TZ": "UTC", **(env or {}),
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == code, run.stdout[-2000:] + run.stderr[-2000:]
    return run.stdout


class Ear:
    """Everything a node publishes, and a gateway's voice that receipts it by hand."""

    def __init__(self, port: int, greets: bool = True) -> None:
        """`greets`: it answers each birth with an ack, as a gateway does, before which a node tells nothing."""
        self.heard: list[tuple[str, bytes, float]] = []
        self._greets = greets
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda client, data, found: self._hear(found.topic.rsplit("/", 1)[-1], found.payload)
        self._client.on_connect = lambda client, *_: client.subscribe("lift/1/#")
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, kind: str, payload: bytes) -> None:
        self.heard.append((kind, payload, time.monotonic()))
        if kind == "link" and self._greets:
            birth = messages.decode(kind, payload)
            if birth["online"]:
                self.ack([], birth["boot"])

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [messages.decode(kind, payload) for at, payload, _ in self.heard if at == kind]

    def ack(self, events: list[list[Any]], boot: int = 1, wrong_s: int = 0, **more: Any) -> None:
        values = {"gw": "g", "t_ms": int((time.time() + wrong_s) * 1000), "boot": boot, "events": events, **more}
        self._client.publish(topic("s-1", "lift-1", "ack"), messages.encode("ack", values))

    def say(self, kind: str, payload: bytes) -> None:
        self._client.publish(topic("s-1", "lift-1", kind), payload)

    def command(self, what: str, **args: Any) -> dict[str, Any]:
        """The node's reply to a command."""
        name = secrets.token_hex(4)
        values = {"id": name, "expires_ms": int((time.time() + 5) * 1000), "what": what, "args": args}
        self.say("cmd", messages.encode("cmd", values))
        found: list[dict[str, Any]] = []
        services.wait_until(
            lambda: bool(found.extend(r for r in self.all("reply") if r["id"] == name) or found), 5, f"reply to {what}"
        )
        return found[0]

    def stop(self) -> None:
        self._client.loop_stop()


class Rig:
    """One lift on the bench, one node, one broker."""

    def __init__(
        self,
        directory: pathlib.Path,
        broker: dict[str, Any] | None = None,
        more: str = "",
        settings: dict[str, Any] | None = None,
        **node: Any,
    ) -> None:
        """`broker` are settings of the node's connection other than the plain one, `settings` others; `more` lines of mosquitto.conf."""
        build_firmware()
        self.broker, self.port = services.mosquitto(directory, more=more)
        self.broker.start(lambda: services.listens(self.port))
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.lift = self._call(self._make())
        described = self.lift.describe()
        told = {**(settings or {}), **({"broker": broker} if broker else {})}
        self.node = NodeVm(
            node_settings("s-1", described, self.port, **told),
            described["uart"],
            described["gpio"],
            directory / "node",
            **node,
        )
        self.ear = Ear(self.port)
        self.node.start()

    async def _make(self) -> LiftBench:
        lift = LiftBench(LiftSpec(id="lift-1"), 38400)
        await lift.start()
        self._pacer = asyncio.get_running_loop().create_task(self._pace(lift))
        return lift

    @staticmethod
    async def _pace(lift: LiftBench) -> None:
        while True:
            lift.refresh(again=True)
            await asyncio.sleep(0.1)

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def press(self) -> None:
        async def act() -> None:
            self.lift.press(0.2)

        self._call(act())

    def inject(self, fault: str, *, clear: bool = False) -> None:
        """Begin or end one of the bench's faults."""

        async def act() -> None:
            self.lift.inject(fault, clear=clear)

        self._call(act())

    async def _end(self) -> None:
        self._pacer.cancel()
        await self.lift.stop()

    def stop(self) -> None:
        self.node.stop()
        self.ear.stop()
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.broker.stop()
