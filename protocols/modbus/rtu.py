"""Modbus RTU master, sans-IO and read-only by construction: only function codes 1 to 4 can be encoded. No UART, no clock.

Framing variants, as seen in a vendor's phone tool (verify on the bench): `byte_count_bytes` 2 where the reply carries a
16-bit byte count, `check` "xor" where an OEM replaced the CRC by an XOR of a 16-bit seed and all bytes. Both checks are two
bytes, the low one first.
"""

from protocols.modbus.crc import crc16, xor_check
from protocols.modbus.errors import PeerError, RequestError

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
READ_FUNCTIONS = (1, 2, 3, 4)

# Modbus application protocol V1.1b3: at most 125 registers or 2000 bits a request.
MAX_REGISTERS = 125
MAX_BITS = 2000
# Address 0 is the broadcast, 248-255 are reserved.
MAX_UNIT = 247
CHECK_BYTES = 2
# The vendor's own exceptions are 8 bytes: unit, function, 0x8001 where the byte count would be, 0, code, check. 0x80 is also
# the byte count of 64 registers: whoever talks to such a controller asks for fewer (profiles do).
VENDOR_EXCEPTION_BYTES = 8


class Framing:
    """How frames of one controller look. The default is the standard."""

    def __init__(self, check: str = "crc", xor_seed: int = 0, byte_count_bytes: int = 1) -> None:
        if check not in ("crc", "xor"):
            raise RequestError("framing: check is %r; use crc or xor" % check)
        if byte_count_bytes not in (1, 2):
            raise RequestError("framing: byte_count_bytes is %r; use 1 or 2" % byte_count_bytes)
        if not 0 <= xor_seed <= 0xFFFF:
            raise RequestError("framing: xor_seed is %r; 0 to 65535" % xor_seed)
        self.check = check
        self.xor_seed = xor_seed
        self.byte_count_bytes = byte_count_bytes

    def seal(self, frame: bytes | bytearray) -> bytes:
        """`frame` with its check value appended."""
        value = crc16(frame) if self.check == "crc" else xor_check(frame, self.xor_seed)
        return bytes(frame) + bytes((value & 0xFF, value >> 8))

    def is_sealed(self, frame: bytes | bytearray) -> bool:
        """True if the last bytes of `frame` are its check value."""
        return self.seal(frame[:-CHECK_BYTES]) == bytes(frame)


STANDARD = Framing()


class Request:
    """One read. Making one that is no read, or out of range, raises RequestError: no write can exist as an object."""

    def __init__(self, unit: int, function: int, address: int, count: int, framing: Framing = STANDARD) -> None:
        """`unit` 1-247, `function` 1-4, `address` 0-65535, `count` of registers (or bits for 1 and 2)."""
        self.unit = unit
        self.function = function
        self.address = address
        self.count = count
        self.framing = framing
        self._check()

    def _check(self) -> None:
        if self.function not in READ_FUNCTIONS:
            raise RequestError("function %r: only the reads 1 to 4 can be sent to a lift" % (self.function,))
        if not 1 <= self.unit <= MAX_UNIT:
            raise RequestError("unit %r: 1 to 247, never the broadcast" % (self.unit,))
        most = MAX_BITS if self.function <= 2 else MAX_REGISTERS
        if not 1 <= self.count <= most or not 0 <= self.address <= 0x10000 - self.count:
            raise RequestError("address %r, count %r: at most %d within 0 to 65535" % (self.address, self.count, most))

    def data_bytes(self) -> int:
        """Bytes of data in the answer."""
        return (self.count + 7) // 8 if self.function <= 2 else 2 * self.count

    def answer_bytes(self) -> int:
        """Length of the normal answer's whole frame."""
        return 2 + self.framing.byte_count_bytes + self.data_bytes() + CHECK_BYTES

    def encode(self) -> bytes:
        """The frame to send."""
        # Again, since MicroPython's objects cannot be frozen and this is the one place that bytes to a lift come from.
        self._check()
        address, count = self.address, self.count
        head = bytes((self.unit, self.function, address >> 8, address & 0xFF, count >> 8, count & 0xFF))
        return self.framing.seal(head)


class Answer:
    """Collects the bytes that follow one request. Used once. `feed` has three answers: values, None (more), PeerError.

    After a PeerError the shell waits for silence on the line before it sends again: so a late or foreign frame is dropped.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[int] | None:
        """Take `data` as it came. Returns a list of values (registers, or 0/1 for bits), or None if bytes are missing."""
        request = self._request
        got = self._bytes
        got += data
        if len(got) < 2:
            return None
        if got[0] != request.unit:
            raise PeerError("foreign", "unit %d answered, %d was asked" % (got[0], request.unit))
        if got[1] == request.function | 0x80:
            self._exception(3 + CHECK_BYTES)
            return None
        if got[1] != request.function:
            raise PeerError("foreign", "function %d answered, %d was asked" % (got[1], request.function))
        head = 2 + request.framing.byte_count_bytes
        if len(got) < head:
            return None
        count = got[2] if head == 3 else got[2] << 8 | got[3]
        if count != request.data_bytes():
            if got[2] == 0x80 and (len(got) < 4 or got[3] == 1):
                self._exception(VENDOR_EXCEPTION_BYTES)
                return None
            raise PeerError("malformed", "%d bytes of data, %d were asked for" % (count, request.data_bytes()))
        length = request.answer_bytes()
        if len(got) < length:
            return None
        if len(got) > length:
            raise PeerError("malformed", "%d bytes behind the answer" % (len(got) - length))
        if not request.framing.is_sealed(got):
            raise PeerError("check", "%d bytes with a wrong check value" % length)
        return self._values(got, head)

    def frame(self) -> bytes:
        """The bytes so far: after values came, the whole frame as it was on the line."""
        return bytes(self._bytes)

    def missing(self) -> int:
        """How many bytes a normal answer still lacks."""
        return max(0, self._request.answer_bytes() - len(self._bytes))

    def _values(self, got: bytes | bytearray, head: int) -> list[int]:
        request = self._request
        if request.function <= 2:
            return [got[head + bit // 8] >> (bit & 7) & 1 for bit in range(request.count)]
        return [got[at] << 8 | got[at + 1] for at in range(head, head + 2 * request.count, 2)]

    def _exception(self, length: int) -> None:
        """Raise it once its `length` bytes are whole; the code is the last one before the check."""
        got = self._bytes
        if len(got) < length:
            return
        if len(got) > length:
            raise PeerError("malformed", "%d bytes behind an exception" % (len(got) - length))
        if not self._request.framing.is_sealed(got):
            raise PeerError("check", "an exception with a wrong check value")
        code = got[length - CHECK_BYTES - 1]
        raise PeerError("exception", "code %d" % code, code)


# -- wire time ----------------------------------------------------------------------------------------------------


def byte_time_us(baud: int, bits: int = 10) -> int:
    """Microseconds of one byte; `bits` = 10 for 8N1, 11 for 8E1 or 8N2."""
    return (bits * 1000000 + baud - 1) // baud


def gap_us(baud: int, bits: int = 10) -> int:
    """t3.5, the silence between frames: 3.5 bytes, fixed at 1750 us above 19200 baud (Modbus over Serial Line V1.02)."""
    return 1750 if baud > 19200 else 7 * byte_time_us(baud, bits) // 2


def transaction_us(request: Request, baud: int, bits: int = 10, reply_delay_us: int = 0) -> int:
    """What one request takes on the wire: both frames, a gap behind each, and the controller's delay."""
    wire = (6 + CHECK_BYTES + request.answer_bytes()) * byte_time_us(baud, bits)
    return wire + 2 * gap_us(baud, bits) + reply_delay_us
