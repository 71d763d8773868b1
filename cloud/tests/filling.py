"""Rows for every table that there is, so that a table which somebody adds is in the tests of backup and migrations at once."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Float, Integer, LargeBinary, Table, insert, null

# The migrations put rows into these themselves, or triggers keep them.
SEEDED = ("audit_entry", "audit_head", "access_change", "alembic_version")
ROWS = 3


def value_of(column: Any, row: int) -> Any:
    """Something that this column can hold, another one in each row. What refers to another column has that one's value."""
    for key in column.foreign_keys:
        return value_of(key.column, row)
    affinity = column.type._type_affinity
    if affinity is Boolean:
        return row % 2 == 0
    if affinity is Integer:
        return row + 1
    if affinity is Float:
        return row + 0.25
    if isinstance(column.type, LargeBinary):
        return bytes([0, 255, row])
    if isinstance(column.type, JSON):
        return {"名": [row, None, "x"]} if row else []
    return f"{row}梯\"'\n{column.name}"[: column.type.length]


def fill(connection: Connection, tables: Iterable[Table]) -> None:
    """ROWS rows in each table, those first that others refer to. The last row is empty where it may be."""
    for table in tables:
        if table.name in SEEDED:
            continue
        for row in range(ROWS):
            values = {column.name: value_of(column, row) for column in table.columns}
            if row == ROWS - 1:
                free = [c for c in table.columns if c.nullable and not c.primary_key and not c.foreign_keys]
                values |= {column.name: null() for column in free}
            connection.execute(insert(table).values(values))
