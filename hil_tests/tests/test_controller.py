"""The twin's controller: its registers by the field notes, its manners on the bus, and that nothing can be written to it."""

import asyncio
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hil_tests.bench.controller import Controller, registers
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.line import Line
from hil_tests.bench.twin import Twin
from protocols.fields import BUS_NAMES
from protocols.modbus.crc import crc16
from protocols.modbus.rtu import Answer, Request
from protocols.profiles.profile import Profile
from protocols.state import LiftState
from protocols.tests.both.test_profile import _nice3000

BAUD = 115200  # the tests' time is spent waiting for bytes


def still(**built: Any) -> Twin:
    twin = Twin(LiftSpec(**built))
    twin.quiet.add("test")
    return twin


def seal(frame: bytes) -> bytes:
    crc = crc16(frame)
    return frame + bytes((crc & 0xFF, crc >> 8))


# -- the map ----------------------------------------------------------------------------------------------------------


def test_a_parked_lift_by_the_field_notes() -> None:
    words = registers(still())
    assert words[0x1010] == 0 and words[0x1011] == 1000
    assert words[0x1015] == 1 << 1 | 1 << 3 | 1 << 4  # X2 door zone, X4 safety circuit, X5 door lock
    assert words[0x1018] == 1 and words[0x1019] == 0
    assert words[0x101B] == 1 << 4 and words[0x101C] == 1 << 2  # closed limit, lock
    assert words[0x101D] == 7 << 4  # automatic, waiting
    assert words[0x3000] == 3 and words[0x8000] == 0


def test_a_running_lift_by_the_field_notes() -> None:
    twin = still()
    twin.travel(1, 5)
    while not (twin.speed_mm_s == 1000 and not twin.door_zone):
        twin.advance(twin.now_ms + 20)
    words = registers(twin)
    assert words[0x1010] == 1000 and words[0x3000] == 1
    assert words[0x1015] == 1 << 3 | 1 << 4
    assert words[0x1019] == round(twin.position_mm / 100)
    assert words[0x101A] == 120
    assert words[0x101D] >> 8 & 15 == 5
    assert words[0x2000] == 1 << 4  # car call for stop 5
    while twin.phase != "opening":
        twin.advance(twin.now_ms + 20)
    words = registers(twin)
    assert words[0x101C] & 0b11 == 0b01 and words[0x101B] & 0b10100 == 0 and words[0x101D] >> 8 & 15 == 1


def test_starts_are_told_in_ten_thousands_and_the_rest() -> None:
    twin = still()
    twin.starts = 123_456
    words = registers(twin)
    assert (words[0xF90B], words[0xF90C]) == (12, 3456)


@pytest.mark.parametrize(("mode", "state", "bits"), [("inspection", 0, 1 << 8), ("fire", 3, 0), ("locked", 8, 0)])
def test_modes_are_told_by_the_system_state(mode: str, state: int, bits: int) -> None:
    twin = still()
    twin.set_mode(mode)
    words = registers(twin)
    assert words[0x101D] >> 4 & 15 == state and words[0x1015] & 1 << 8 == bits


@pytest.mark.parametrize("doors", [1, 2])
@pytest.mark.parametrize("fault", [name for name in SCRIPTS if name not in ("mains_lost", "controller_mute")])
def test_our_profile_reads_from_the_map_what_the_lift_does(fault: str, doors: int) -> None:
    """The map and the profile were written apart from each other: here they meet, through every fault."""
    twin = Twin(LiftSpec(doors=doors, traffic_factor=20.0, seed=doors))
    profile = Profile(_nice3000())
    twin.advance(600_000)
    SCRIPTS[fault].inject(twin)
    for _ in range(1200):
        twin.advance(twin.now_ms + 100)
        words = dict.fromkeys(range(0x1010, 0x1024), 0) | registers(twin)
        state = LiftState(service_mode=1)
        profile.decode(words, state, doors)
        truth = twin.sample()
        if fault in ("emergency_power", "earthquake"):
            # Their terminals have no factory setting: a site's profile says where they are.
            terminal = {"emergency_power": 1 << 1, "earthquake": 1 << 2}[fault]
            assert words[0x1016] == (terminal if truth.pop("service_mode") != 1 else 0)
        truth["position_mm"] = round(twin.position_mm / 100) * 100
        for name, value in truth.items():
            if name in BUS_NAMES:
                assert getattr(state, name) == value, (name, twin.phase)


# -- on the bus -------------------------------------------------------------------------------------------------------


class Master:
    """The simplest master there is: send, take what comes."""

    def __init__(self, line: Line) -> None:
        self._file = pathlib.Path(line.node.path).open("r+b", buffering=0)  # noqa: SIM115  closed by the fixture
        self._got = bytearray()
        self._came = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._file.fileno(), self._take)

    def _take(self) -> None:
        self._got += self._file.read(256)
        self._came.set()

    async def ask(self, frame: bytes, wait_s: float = 0.25) -> bytes:
        """Send `frame`; what has come once it has been quiet for 50 ms, or nothing within `wait_s`."""
        self._got.clear()
        self._file.write(frame)
        timeout = wait_s
        while True:
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), timeout)
            except TimeoutError:
                return bytes(self._got)
            timeout = 0.05

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._file.fileno())
        self._file.close()


class Bus:
    def __init__(self) -> None:
        self.twin = still()
        self.line = Line(BAUD)
        self.controller = Controller(self.twin, self.line.controller.path, BAUD)
        self.master = Master(self.line)


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    bus = Bus()
    bus.line.start()
    await bus.controller.start()
    yield bus
    bus.master.close()
    await bus.controller.stop()
    bus.line.stop()


async def read(bus: Bus, address: int, count: int) -> list[int] | None:
    request = Request(1, 3, address, count)
    return Answer(request).feed(await bus.master.ask(request.encode()))


async def test_it_answers_with_the_present(bus: Bus) -> None:
    assert await read(bus, 0x1018, 2) == [1, 0]
    bus.twin.travel(1, 4)
    bus.twin.advance(bus.twin.now_ms + 60_000)
    assert await read(bus, 0x1018, 2) == [4, 87]
    assert bus.controller.requests == 2 and bus.controller.write_attempts == 0


@pytest.mark.parametrize(
    ("frame", "function"),
    [
        (b"\x01\x06\x60\x00\x00\x01", 6),  # fault reset
        (b"\x01\x06\x10\x18\x00\x05", 6),
        (b"\x01\x10\x60\x04\x00\x01\x02\x00\x01", 16),  # run/stop
        (b"\x01\x05\x00\x00\xff\x00", 5),
        (b"\x01\x0f\x00\x00\x00\x08\x01\xff", 15),
        (b"\x01\x16\x10\x18\x00\xf2\x00\x25", 22),
    ],
)
async def test_every_kind_of_write_is_refused_and_counted(bus: Bus, frame: bytes, function: int) -> None:
    before = registers(bus.twin)
    answer = await bus.master.ask(seal(frame))
    assert answer[:2] == bytes((1, function | 0x80)) and answer[2] in (1, 2)
    assert bus.controller.write_attempts == 1
    assert registers(bus.twin) == before
    assert await read(bus, 0x1018, 1) == [1]


async def test_what_is_not_there_cannot_be_read(bus: Bus) -> None:
    answer = await bus.master.ask(Request(1, 3, 0x6000, 1).encode())
    assert answer[:3] == b"\x01\x83\x02"


async def test_it_is_silent_to_others_requests_and_when_mute_or_dead(bus: Bus) -> None:
    assert await bus.master.ask(Request(2, 3, 0x1018, 1).encode()) == b""
    bus.twin.controller_silent = True
    assert await bus.master.ask(Request(1, 3, 0x1018, 1).encode()) == b""
    bus.twin.controller_silent = False
    SCRIPTS["mains_lost"].inject(bus.twin)
    assert await bus.master.ask(Request(1, 3, 0x1018, 1).encode()) == b""
    SCRIPTS["mains_lost"].clear(bus.twin)
    bus.twin.advance(bus.twin.now_ms + 10_000)
    assert await read(bus, 0x1018, 1) == [1]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x00",
        b"\x01\x03\x10",
        b"\x01\x10\x10\x10\x00\x40\x80",
        b"\xff" * 40,
        Request(1, 3, 0x1010, 4).encode()[:-1] + b"\x00",
    ],
)
async def test_after_silence_rubbish_is_forgotten(bus: Bus, rubbish: bytes) -> None:
    assert await bus.master.ask(rubbish, 0.05) == b""
    assert await read(bus, 0x1018, 1) == [1]
    assert bus.controller.write_attempts == 0


async def test_the_answer_comes_after_the_controllers_own_delay(bus: Bus) -> None:
    loop = asyncio.get_running_loop()
    request = Request(1, 3, 0x1010, 16)
    waits = []
    for _ in range(5):
        begin = loop.time()
        answer = await bus.master.ask(request.encode())
        waits.append(loop.time() - begin - 0.05)
        assert len(answer) == request.answer_bytes()
    wire_s = (8 + request.answer_bytes()) * 10 / BAUD
    assert wire_s + 0.010 <= min(waits) < wire_s + 0.040
