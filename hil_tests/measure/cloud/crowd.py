"""Gateways and viewers by the hundred, in a process of their own: they speak what real ones speak, and cost the cloud what those cost."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection as Pipe
from typing import Any, Self

import aiohttp

from hil_tests.measure.cloud.site import STOPS, Site, record
from hil_tests.services import StartError, end_with_parent

# A gateway tells at 5 Hz what changed; each node tells its state each second.
LIVE_S = 0.2
TURNS = 5
HEARTBEAT_S = 5.0
# Of ten lifts so many are on their way.
MOVING_OF_10 = 2
VARIANTS = 8
ANSWER_S = 60.0


@dataclass(frozen=True)
class GatewaySpec:
    """A gateway: its id, its token, its lifts with their numbers in the estate."""

    id: str
    token: str
    lifts: Sequence[tuple[int, str]]


def live(name: str, variant: int, moving: bool) -> dict[str, Any]:
    """A lift's state as a gateway tells it: one that moves is each time elsewhere."""
    at = variant if moving else 2
    state = {
        "service_mode": 1, "car_status": int(moving), "direction": int(moving), "door_zone": not moving, "floor": at % STOPS + 1,
        "doors": [2], "passenger": moving, "speed_mm_s": 1000 * moving, "position_mm": 1700 * at, "load_permille": 100 * moving,
        "safety_circuit": True, "door_lock": True, "mains": True, "button": False, "light_curtain": False, "overload": False,
        "controller_link": True, "controller_fault": 0, "run_hours": 1200, "starts": 40_000 + at, "door_cycles": 80_000,
        "battery_low": False, "work_mode": 0, "faults": [], "withheld": [],
    }  # fmt: skip
    return {
        "id": name, "quality": "good", "age_ms": 40 + variant, "link_age_ms": 20 + variant, "since_ms": 1, "period_ms": 1000,
        "boot": 1, "link_bytes_month": 40_000_000, "profile": "nice3000", "near_misses": {}, "suppressed": {}, "stops": STOPS,
        "rated_speed_mm_s": 1000, "state": state, "last_known": None,
    }  # fmt: skip


async def gateway(url: str, spec: GatewaySpec) -> None:
    """Dial in and tell, for ever."""
    texts = [
        [json.dumps(live(name, variant, number % 10 < MOVING_OF_10), ensure_ascii=False) for variant in range(VARIANTS)]
        for number, name in spec.lifts
    ]
    headers = {"Authorization": f"Bearer {spec.token}"}
    link = f"{url}/api/v1/gateways/{spec.id}/link"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(link, headers=headers, max_msg_size=1 << 22) as socket,
    ):
        records = [record(name, number) for number, name in spec.lifts]
        await socket.send_json({"type": "hello", "gateway": spec.id, "version": "bench", "lifts": records})
        hearing = asyncio.create_task(_hear(socket))
        due, turn = time.monotonic(), 0
        while not hearing.done():
            told = [found[turn % VARIANTS] for found in texts[turn % TURNS :: TURNS]]
            await socket.send_str(f'{{"type":"live","t_ms":{time.time_ns() // 1_000_000},"lifts":[{",".join(told)}]}}')
            if turn % int(HEARTBEAT_S / LIVE_S) == 0:
                await socket.send_json({"type": "heartbeat", "t_ms": 0})
            turn += 1
            due += LIVE_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _hear(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Receipts and pings: who does not read is taken for dead."""
    async for _ in socket:
        pass


class Viewer(asyncio.Protocol):
    """One open page that only counts."""

    def __init__(self, path: str, token: str) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        self.bytes = 0
        self.chunks = 0
        self.lost = False
        self.first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.first = self.first or data[:300]
        self.bytes += len(data)
        self.chunks += data.count(b"event: ")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self.lost = True


async def _serve(pipe: Pipe, host: str, port: int) -> None:
    url = f"http://{host}:{port}"
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []
    viewers: list[tuple[asyncio.Transport, Viewer]] = []
    while True:
        what, *rest = await asyncio.to_thread(pipe.recv)
        answer: Any = None
        if what == "gateways":
            tasks += [asyncio.create_task(gateway(url, spec)) for spec in rest[0]]
        elif what == "viewers":
            for path, token in rest[0]:
                made = await loop.create_connection(partial(Viewer, path, token), host, port)
                viewers.append(made)
        elif what == "tell":
            answer = {
                "bytes": sum(viewer.bytes for _, viewer in viewers), "events": sum(viewer.chunks for _, viewer in viewers),
                "seeing": sum(viewer.chunks > 0 and not viewer.lost for _, viewer in viewers),
                "odd": [(viewer.first, viewer.lost, viewer.bytes) for _, viewer in viewers if not viewer.chunks or viewer.lost][:3],
                "failed": [repr(task.exception()) for task in tasks if task.done()],
            }  # fmt: skip
        elif what == "leave":
            for transport, _ in viewers:
                transport.abort()
            viewers = []
        pipe.send(answer)


def serve(pipe: Pipe, host: str, port: int) -> None:
    """The process."""
    end_with_parent()
    asyncio.run(_serve(pipe, host, port))


class Crowd:
    """The same from outside."""

    def __init__(self, site: Site) -> None:
        self._site = site
        context = multiprocessing.get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=serve, args=(far, "127.0.0.1", site.port), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.join(10)

    def _ask(self, *what: Any) -> Any:
        self._pipe.send(what)
        if not self._pipe.poll(ANSWER_S):
            raise StartError("gateways and viewers do not answer")
        return self._pipe.recv()

    def dial_in(self) -> None:
        """All gateways, each with its contractor's lifts; back when all lifts are heard."""
        site, at = self._site, {name: number for number, name in enumerate(self._site.lifts)}
        self._ask("gateways", [
            GatewaySpec(f"g-{number}", token, [(at[name], name) for name in site.lifts_of(number)])
            for number, token in enumerate(site.gateway_tokens)
        ])  # fmt: skip
        deadline = time.monotonic() + ANSWER_S
        while any(not gateway["connected"] for gateway in site.get("/api/v1/gateways")["gateways"]):
            if time.monotonic() > deadline:
                raise StartError(f"not all gateways dialled in: {self.told()['failed'][:3]}")
            time.sleep(0.2)
        time.sleep(3)

    def look(self, count: int) -> None:
        """So many viewers, by contractor in turn; back when each has its snapshot."""
        tokens = self._site.tokens
        self._ask("viewers", [("/api/v1/live", tokens[number % len(tokens)]) for number in range(count)])
        deadline = time.monotonic() + ANSWER_S
        while self.told()["seeing"] < count:
            if time.monotonic() > deadline:
                told = self.told()
                raise StartError(f"{told['seeing']} of {count} viewers see something; the others: {told['odd']}")
            time.sleep(0.2)

    def leave(self) -> None:
        """All viewers go."""
        self._ask("leave")

    def told(self) -> dict[str, Any]:
        """What viewers have been told so far."""
        found: dict[str, Any] = self._ask("tell")
        return found
