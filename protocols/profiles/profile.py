"""Register profiles: how one family of controllers tells what it knows, as data. Contributing one needs no code. No I/O.

A point is one field of the field table: "number" (a register times `multiply`), "pair" (two registers, the first weighing
`high_weight`), "enum" (bits of a register through a map; "keep" = the value before) or "first" (the first rule whose bits
all match). `inputs` are terminals whose meaning the site decides: their address, bit and polarity may be set per lift.
"""

from protocols.errors import SettingsError
from protocols.fields import BOOL, BY_NAME, check_value
from protocols.modbus.errors import RequestError
from protocols.modbus.rtu import READ_HOLDING_REGISTERS, READ_INPUT_REGISTERS, Framing, Request, gap_us, transaction_us
from protocols.profiles import schema
from protocols.state import LiftState

INSPECTION_MODE = 2
# At most 63 registers a block: 131 bytes keep a lost answer cheap and the receive buffer small, and 64 would make the byte
# count 0x80, with which the vendor's exceptions begin.
MAX_BLOCK = 63


class Profile:
    """One checked profile. Build it from the parsed JSON; SettingsError says what is wrong and where."""

    def __init__(self, data: dict, inputs: dict | None = None) -> None:
        """`data` is taken over; `inputs` {name: {"address", "bit", "active"}} are the site's terminals in place of the factory's."""
        self.name = schema.part(data, "name", "profile", str)
        where = "profile %s" % self.name
        schema.number(data, "format", where, schema.FORMAT, schema.FORMAT)
        serial = schema.part(data, "serial", where, dict)
        self.baud = schema.number(serial, "baud", where, 1200, 115200)
        self.format = schema.choice(serial, "format", where, ("8N1", "8E1", "8O1", "8N2"))
        self.bits = 10 if self.format == "8N1" else 11
        self.unit = schema.number(serial, "unit", where, 1, 247)
        self.reply_delay_ms = schema.number(serial, "reply_delay_ms", where, 0, 1000)
        # Some controllers show their data as input registers.
        self.function = schema.number(
            data, "function", where, READ_HOLDING_REGISTERS, READ_INPUT_REGISTERS, READ_HOLDING_REGISTERS
        )
        framing = schema.part(data, "framing", where, dict, {})
        seed = schema.number(framing, "xor_seed", where, 0, 0xFFFF, 0)
        try:
            self.framing = Framing(framing.get("check", "crc"), seed, framing.get("byte_count_bytes", 1))
        except RequestError as error:
            raise SettingsError("%s: %s" % (where, error))
        self.readable = schema.part(data, "readable", where, list)
        schema.check_ranges(self.readable, where)
        self.points = schema.part(data, "points", where, list)
        schema.check_points(self.points, where)
        self.inputs = schema.check_inputs(schema.part(data, "inputs", where, dict, {}), inputs or {}, where)
        # The registers that reset and lock a lift lie near its data: what the profile does not list is not even read.
        for group in schema.GROUPS:
            for address in self.addresses(group):
                if not self._may_read(address, address):
                    raise SettingsError("%s: register 0x%04X is not in readable" % (where, address))

    def addresses(self, group: str, doors: int = 2) -> list[int]:
        """Sorted register addresses that the points of `group` need."""
        found: set[int] = set()
        for point in self.points:
            if point["group"] != group or (doors < 2 and point["field"] == "door_2"):
                continue
            if point["kind"] == "first":
                for rule in point["rules"]:
                    found.update(bit[0] for bit in rule["bits"])
            else:
                found.add(point["address"])
                if point["kind"] == "pair":
                    found.add(point["address"] + 1)
        if group == "safety":
            found.update(entry[0] for entry in self.inputs.values())
        return sorted(found)

    def plan(self, group: str, baud: int | None = None, doors: int = 2, unit: int | None = None) -> list[Request]:
        """The Requests that read `group` in the least wire time: near addresses share a block where that is quicker."""
        baud = baud or self.baud
        unit = unit or self.unit
        delay_us = self.reply_delay_ms * 1000
        addresses = self.addresses(group, doors)
        times_us = [0]
        ways: list[tuple[int, int, Request]] = []
        # For each address the best way to read it and all before it: its time, where its last block starts, that block.
        for end in range(len(addresses)):
            found = []
            for start in range(end, -1, -1):
                first, count = addresses[start], addresses[end] - addresses[start] + 1
                if count > MAX_BLOCK or not self._may_read(first, addresses[end]):
                    break
                request = Request(unit, self.function, first, count, self.framing)
                time_us = times_us[start] + transaction_us(request, baud, self.bits, delay_us)
                found.append((time_us, start, request))
            ways.append(min(found))
            times_us.append(ways[-1][0])
        requests: list[Request] = []
        at = len(addresses)
        while at:
            _, at, request = ways[at - 1]
            requests.insert(0, request)
        return requests

    def _may_read(self, first: int, last: int) -> bool:
        return any(low <= first and last <= high for low, high in self.readable)

    def cycle_us(self, group: str, baud: int | None = None, doors: int = 2) -> int:
        """What one cycle of `group` takes on the wire, from arithmetic: the measure of the poll rate."""
        baud = baud or self.baud
        delay = self.reply_delay_ms * 1000
        return sum(transaction_us(request, baud, self.bits, delay) for request in self.plan(group, baud, doors))

    def gap_us(self, baud: int | None = None) -> int:
        """t3.5 at `baud`."""
        return gap_us(baud or self.baud, self.bits)

    def decode(self, registers: dict[int, int], state: LiftState, doors: int = 2) -> None:
        """Set the fields of `state` that `registers` {address: value} tell of; what cannot be told becomes unknown."""
        for point in self.points:
            name = point["field"]
            if doors < 2 and name == "door_2":
                continue
            found, value = self._value(point, registers, getattr(state, name))
            if found:
                setattr(state, name, check_value(BY_NAME[name], value))
        for name in self.inputs:
            address, bit, active = self.inputs[name]
            if address not in registers:
                continue
            on = (registers[address] >> bit & 1) == active
            if name != "inspection":
                setattr(state, name, on)
            elif on:
                # The terminal is quicker than the state word, and true also where the word says something else.
                state.service_mode = INSPECTION_MODE

    def _value(self, point: dict, registers: dict[int, int], before: int | None) -> tuple[bool, int | None]:
        kind = point["kind"]
        if kind == "first":
            return self._first(point, registers)
        address = point["address"]
        if address not in registers:
            return False, None
        raw = registers[address]
        if kind == "pair":
            if address + 1 not in registers:
                return False, None
            return True, raw * point["high_weight"] + registers[address + 1]
        if kind == "number":
            if point.get("signed") and raw & 0x8000:
                raw -= 0x10000
            return True, raw * point.get("multiply", 1) // point.get("divide", 1)
        value = point["map"].get(raw >> point.get("shift", 0) & point.get("mask", 0xFFFF), point.get("else"))
        return True, before if value == "keep" else value

    @staticmethod
    def _first(point: dict, registers: dict[int, int]) -> tuple[bool, int | None]:
        for rule in point["rules"]:
            for address, _, _ in rule["bits"]:
                if address not in registers:
                    return False, None
        for rule in point["rules"]:
            if all((registers[address] >> bit & 1) == want for address, bit, want in rule["bits"]):
                return True, _as_field(point["field"], rule["value"])
        return True, _as_field(point["field"], point.get("else"))


def _as_field(name: str, value: int | None) -> int | None:
    return bool(value) if BY_NAME[name].kind == BOOL and value is not None else value
