"""The twin's controller on the bus: a NICE3000-like register map behind pymodbus. Written from the field notes, not from our profile.

Registers follow the vendor's tool data; terminals are the factory's: X2 door zone, X4 safety circuit, X5 door lock, X9 inspection.
"""

import asyncio

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hil_tests.bench.twin import Twin

UNIT = 1
REPLY_DELAY_S = 0.010  # FD-03


def _bits(**on: bool) -> int:
    """A word with bit N set for each bN=True."""
    return sum(1 << int(name[1:]) for name, value in on.items() if value)


def registers(twin: Twin) -> dict[int, int]:
    """{address: word} as the controller shows its lift now."""
    front = twin.door_state(0)
    back = twin.door_state(1) if len(twin.doors) > 1 else 2
    blocked = twin.door_obstacle and front in (1, 3, 6)
    opening, closing = front == 3, front == 1
    if twin.running:
        car_state = 5
    else:
        car_state = {3: 1, 4: 2, 1: 3, 2: 4, 6: 6}[front] if twin.phase != "parked" else 0
    system_state = 0 if twin.inspection else 5 if twin.fault_number else 7
    counter = twin.starts
    return {
        0x1010: int(twin.speed_mm_s),
        0x1011: twin.spec.rated_speed_mm_s,
        0x1015: _bits(b1=twin.door_zone, b3=twin.safety_closed, b4=twin.door_lock_closed, b8=twin.inspection),
        0x1018: twin.floor,
        0x1019: max(0, round(twin.position_mm / 100)),
        0x101A: twin.load_permille,
        0x101B: _bits(b0=blocked, b2=front == 4, b3=back == 4, b4=front == 2, b5=back == 2),
        0x101C: _bits(b0=opening, b1=closing, b2=front == 2, b3=back == 3, b4=back == 1, b5=back == 2),
        0x101D: _bits(b0=blocked) | system_state << 4 | car_state << 8,
        0x3000: {0: 3, 1: 1, 2: 2}[twin.direction],
        0x8000: twin.fault_number,
        0xF909: int(twin.run_ms / 3_600_000),
        0xF90B: counter // 10000,
        0xF90C: counter % 10000,
    }


class Controller:
    """Serves one twin on a tty. `advance` brings the twin to the present before each answer; writes are refused and counted."""

    def __init__(self, twin: Twin, port: str, baud: int) -> None:
        self.twin = twin
        self.requests = 0
        self.write_attempts = 0
        blocks = [(0x1010, 20), (0x3000, 1), (0x8000, 1), (0xF909, 4)]
        device = SimDevice(
            UNIT,
            simdata=[SimData(a, count=n, values=0, datatype=DataType.REGISTERS) for a, n in blocks],
            action=self._answer,
        )
        self._server = ModbusSerialServer(
            device, framer=FramerType.RTU, port=port, baudrate=baud, trace_packet=self._trace, reconnect_delay=0.1
        )

    def _trace(self, sending: bool, packet: bytes) -> bytes:
        if not sending:
            return packet
        silent = not self.twin.mains or self.twin.controller_silent or packet[:1] != bytes([UNIT])
        return b"" if silent else packet

    async def _answer(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        self.requests += 1
        if set_values is not None or function_code not in (3, 4):
            self.write_attempts += 1
            return ExcCodes.ILLEGAL_FUNCTION
        await asyncio.sleep(REPLY_DELAY_S)
        for place, word in registers(self.twin).items():
            if address <= place < address + count:
                current_registers[place - start_address] = word
        return None

    async def start(self) -> None:
        """Listen."""
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        """Close the tty."""
        await self._server.shutdown()
