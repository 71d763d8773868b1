"""The twin's controller on the bus: a NICE3000-like register map behind pymodbus. Written from field notes, not from our profile.

Terminals are the factory's: X2 door zone, X4 safety circuit, X5 door lock, X9 inspection. It answers reads and refuses the rest.
"""

import asyncio
from typing import Any

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from hil_tests.bench.twin import Twin

UNIT = 1  # FD-02
REPLY_DELAY_S = 0.010  # FD-03
READS = (1, 2, 3, 4)
# 101x inputs, outputs and car; 20xx calls; 3000 direction; 8000 fault; F9-09 hours, F9-11/12 starts.
BLOCKS = ((0x1010, 0x14), (0x2000, 6), (0x2010, 12), (0x3000, 1), (0x8000, 1), (0xF909, 4))
# Emergency power and earthquake have no state of their own: X18 (UPS valid) and X19 (earthquake) tell of them.
SYSTEM_STATES = {
    "inspection": 0, "fire": 3, "firefighter": 4, "automatic": 7, "emergency_power": 7, "earthquake": 7, "locked": 8,
}  # fmt: skip
SYSTEM_FAULT, SYSTEM_RELEVEL = 5, 10
CAR_STATES = {
    "parked": 0, "opening": 1, "unopened": 1, "open": 2, "closing": 3, "starting": 5, "running": 5, "braking": 5,
    "arrived": 6, "stopped": 6, "dead": 6, "visit": 6, "failing": 5, "failed": 6, "sliding": 0, "falling": 2,
}  # fmt: skip


def t3_5_s(baud: int, bits: int = 10) -> float:
    """Silence that ends a frame: 3.5 characters, fixed above 19,200 baud (Modbus over serial line V1.02)."""
    return 0.00175 if baud > 19200 else 3.5 * bits / baud


def _word(*set_bits: tuple[int, bool]) -> int:
    return sum(1 << bit for bit, on in set_bits if on)


def _call_words(floors: set[int], first: int) -> dict[int, int]:
    words: dict[int, int] = {}
    for floor in floors:
        place, bit = divmod(floor - 1, 8)
        words[first + place] = words.get(first + place, 0) | 1 << bit
    return words


def registers(twin: Twin) -> dict[int, int]:
    """{address: word} as the controller shows its lift now; what is not there reads 0."""
    now, doors = twin.now_ms, twin.doors
    shut = [door.is_shut(now) and not (twin.door_shows_open and index == 0) for index, door in enumerate(doors)]
    wide = [door.position(now) >= 1.0 for door in doors]
    back = len(doors) - 1
    two = back == 1
    opens, closes = [d.command == "open" for d in doors], [d.command == "close" for d in doors]
    curtain, full, over = twin.light_curtain, twin.load_permille >= 1000, twin.load_permille > 1100
    levelling = twin.phase == "open" and twin.speed_mm_s > 0
    system = SYSTEM_FAULT if twin.fault_number else SYSTEM_STATES[twin.mode]
    if levelling:
        system = SYSTEM_RELEVEL
    car = 5 if twin.running and twin.phase in ("visit", "open") else CAR_STATES[twin.phase]
    speed = int(twin.speed_mm_s)
    words = {
        0x1010: speed,
        0x1011: twin.spec.rated_speed_mm_s,
        0x1012: 5400,
        0x1013: 620 + 4 * twin.load_permille if speed else 0,
        0x1014: speed * 5000 // twin.spec.rated_speed_mm_s,
        0x1015: _word(
            (1, twin.door_zone), (3, twin.safety_closed), (4, twin.door_lock_closed), (8, twin.mode == "inspection")
        ),
        0x1016: _word((1, twin.mode == "emergency_power"), (2, twin.mode == "earthquake")),
        0x1018: twin.floor,
        # A signed tenth of a metre, as far as can be told from the tool.
        0x1019: round(twin.position_mm / 100) & 0xFFFF,
        0x101A: twin.load_permille,
        0x101B: _word(
            (0, curtain),
            (2, wide[0]),
            (3, two and wide[back]),
            (4, shut[0]),
            (5, two and shut[back]),
            (6, full),
            (7, over),
        ),
        0x101C: _word((0, opens[0]), (1, closes[0]), (2, shut[0]))
        | _word((3, two and opens[back]), (4, two and closes[back]), (5, two and shut[back])),
        0x101D: _word((0, curtain), (2, twin.mode == "locked"), (3, twin.mode == "fire"), (12, full), (13, over))
        | system << 4
        | car << 8,
        0x3000: {0: 3, 1: 1, 2: 2}[twin.direction],
        0x8000: twin.fault_number,
        0xF909: twin.run_ms // 3_600_000,
        0xF90B: twin.starts // 10000,
        0xF90C: twin.starts % 10000,
    }
    words.update(_call_words({p.target for p in twin.aboard if p.calls_ms is None and p.target in twin.calls}, 0x2000))
    words.update(_call_words({p.origin for p in twin.passengers if not p.aboard}, 0x2010))
    return words


class _Ear(ServerRequestHandler):
    """pymodbus' connection, with the two habits of a real slave that it lacks: silence ends a frame, others' requests are not ours."""

    controller: "Controller"

    def data_received(self, data: bytes) -> None:
        controller, now = self.controller, self.loop.time()
        # A burst is handed over at its end; whatever came before the silence ahead of it is no part of this frame.
        if now - controller.heard_at - len(data) * controller.byte_s > controller.silence_s:
            self.recv_buffer = b""
        controller.heard_at = now
        super().data_received(data)

    async def handle_request(self) -> None:
        if self.last_pdu is not None and self.last_pdu.dev_id == UNIT and self.controller.can_answer:
            await super().handle_request()  # type: ignore[no-untyped-call]  # pymodbus


class _Server(ModbusSerialServer):
    controller: "Controller"

    def callback_new_connection(self) -> ServerRequestHandler:
        ear = _Ear(self, self.trace_packet, self.trace_pdu, self.trace_connect)  # type: ignore[no-untyped-call]
        ear.controller = self.controller
        return ear


class Controller:
    """Serves one twin on a tty. `advance(twin)` is called before each answer, so that the answer is of the present."""

    def __init__(self, twin: Twin, port: str, baud: int, advance: Any = None, bits: int = 10) -> None:
        """`advance()` brings the twin to now; without it the twin is shown as it stands."""
        self.twin = twin
        self.requests = 0
        self.write_attempts = 0
        self.byte_s = bits / baud
        self.silence_s = t3_5_s(baud, bits) + 0.002
        self.heard_at = 0.0
        self._turnaround_s = t3_5_s(baud, bits) + REPLY_DELAY_S
        self._advance = advance
        self._port, self._baud = port, baud
        self._server: _Server | None = None

    @property
    def can_answer(self) -> bool:
        """It has power and is not mute."""
        return self.twin.controller_answers

    def _count(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        """Everything that came whole is counted; what is no read is counted as an attempt to write."""
        if not sending and pdu.dev_id == UNIT:
            self.requests += 1
            self.write_attempts += pdu.function_code not in READS
        return pdu

    async def _answer(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """pymodbus' action: fill in the registers asked for, after the controller's own delay."""
        due = self.heard_at + self._turnaround_s
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        if set_values is not None or function_code not in (3, 4):
            return ExcCodes.ILLEGAL_FUNCTION
        if self._advance is not None:
            self._advance()
        words = registers(self.twin)
        for place in range(address, address + count):
            current_registers[place - start_address] = words.get(place, 0)
        return None

    async def start(self) -> None:
        """Listen."""
        data = [SimData(at, count=count, values=0, datatype=DataType.REGISTERS) for at, count in BLOCKS]
        self._server = _Server(
            SimDevice(UNIT, simdata=data, action=self._answer),
            framer=FramerType.RTU,
            port=self._port,
            baudrate=self._baud,
            trace_pdu=self._count,
            reconnect_delay=0.1,
        )
        self._server.controller = self
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        """Close the tty."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus
