"""Register profiles: how one family of controllers tells what it knows, as data. Contributing one needs no code. No I/O.

A point is one field of the field table: "number" (a register times `multiply`), "pair" (two registers, the first weighing
`high_weight`), "enum" (bits of a register through a map; "keep" = the value before) or "first" (the first rule whose bits
all match). `inputs` are terminals whose meaning the site decides: their address, bit and polarity may be set per lift.
"""

from protocols.errors import SettingsError
from protocols.fields import BOOL, BY_NAME, check_value
from protocols.modbus.rtu import READ_HOLDING_REGISTERS, Framing, Request, gap_us, transaction_us
from protocols.state import LiftState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
GROUPS = ("safety", "slow")
KINDS = ("number", "pair", "enum", "first")
INPUTS = ("door_zone", "safety_circuit", "door_lock", "inspection")
INSPECTION_MODE = 2
# At most 63 registers a block: 131 bytes keep a lost answer cheap and the receive buffer small, and 64 would make the byte
# count 0x80, with which the vendor's exceptions begin.
MAX_BLOCK = 63


def _need(data: dict, name: str, kind: type, where: str) -> "Any":
    value = data.get(name)
    if not isinstance(value, kind):
        raise SettingsError("%s: %s is %r; a %s is needed" % (where, name, value, kind.__name__))
    return value


class Profile:
    """One checked profile. Build it from the parsed JSON; SettingsError says what is wrong and where."""

    def __init__(self, data: dict, inputs: dict | None = None) -> None:
        """`inputs` {name: {"address", "bit", "active"}} are the site's terminals in place of the factory's."""
        where = "profile %s" % data.get("name", "without a name")
        if data.get("format") != FORMAT:
            raise SettingsError("%s: format is %r; this version reads %d" % (where, data.get("format"), FORMAT))
        self.name = _need(data, "name", str, where)
        serial = _need(data, "serial", dict, where)
        self.baud = _need(serial, "baud", int, where)
        self.bits = 10 if serial.get("format") == "8N1" else 11
        self.format = _need(serial, "format", str, where)
        self.unit = _need(serial, "unit", int, where)
        self.reply_delay_ms = _need(serial, "reply_delay_ms", int, where)
        framing = data.get("framing", {})
        self.framing = Framing(
            framing.get("check", "crc"), framing.get("xor_seed", 0), framing.get("byte_count_bytes", 1)
        )
        self.readable = [(first, last) for first, last in _need(data, "readable", list, where)]
        self.points = _need(data, "points", list, where)
        for point in self.points:
            self._check_point(point, where)
        self.inputs = self._site_inputs(data.get("inputs", {}), inputs or {}, where)

    @staticmethod
    def _check_point(point: dict, where: str) -> None:
        name = point.get("field")
        if name not in BY_NAME:
            raise SettingsError("%s: no field is named %r" % (where, name))
        if point.get("kind") not in KINDS or point.get("group") not in GROUPS:
            raise SettingsError("%s: %s: kind must be one of %s, group one of %s" % (where, name, KINDS, GROUPS))
        if point["kind"] == "first":
            _need(point, "rules", list, "%s: %s" % (where, name))
        else:
            _need(point, "address", int, "%s: %s" % (where, name))
        if point["kind"] == "enum":
            _need(point, "map", dict, "%s: %s" % (where, name))

    @staticmethod
    def _site_inputs(factory: dict, site: dict, where: str) -> dict[str, tuple[int, int, int]]:
        out = {}
        for name in site:
            if name not in INPUTS:
                raise SettingsError("%s: inputs: %r is none of %s" % (where, name, INPUTS))
        for name in INPUTS:
            entry = site.get(name, factory.get(name))
            if entry is None:
                continue
            address = _need(entry, "address", int, "%s: inputs: %s" % (where, name))
            bit = _need(entry, "bit", int, "%s: inputs: %s" % (where, name))
            if not 0 <= bit <= 15:
                raise SettingsError("%s: inputs: %s: bit %d; 0 to 15" % (where, name, bit))
            out[name] = (address, bit, 1 if entry.get("active", 1) else 0)
        return out

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
        blocks: list[list[int]] = []
        for address in self.addresses(group, doors):
            if blocks and self._joins(blocks[-1], address, baud):
                blocks[-1][1] = address
            else:
                blocks.append([address, address])
        return [Request(unit, READ_HOLDING_REGISTERS, a, z - a + 1, self.framing) for a, z in blocks]

    def _joins(self, block: list[int], address: int, baud: int) -> bool:
        """Reading the registers between costs less than another request, and all of them may be read."""
        if address - block[0] >= MAX_BLOCK or not any(a <= block[0] and address <= z for a, z in self.readable):
            return False
        single = Request(1, READ_HOLDING_REGISTERS, 0, 1, self.framing)
        another = transaction_us(single, baud, self.bits, self.reply_delay_ms * 1000)
        between = (address - block[1]) * 2 * (self.bits * 1000000 // baud)
        return between < another

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
        value = point["map"].get(str(raw >> point.get("shift", 0) & point.get("mask", 0xFFFF)), point.get("else"))
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
