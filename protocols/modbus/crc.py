"""Check values of Modbus RTU frames: CRC-16 by table, and the XOR that some OEM controllers use instead. Nothing else."""

# CRC-16/MODBUS, polynomial 0xA001 reflected (Modbus over Serial Line V1.02). A table: bit by bit costs ten times as much.


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_TABLE = _table()


def crc16(data: bytes | bytearray) -> int:
    """CRC-16/MODBUS of `data`; on the wire the low byte comes first."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value


def xor_check(data: bytes | bytearray, seed: int) -> int:
    """XOR of `seed` (16 bits, another for each customer) and all bytes: the OEM variant; on the wire the low byte comes first."""
    value = seed
    for byte in data:
        value ^= byte
    return value
