"""The field table: what is known of a lift at one moment, with units and ranges. It is the one source of codecs, documents and page.

A field's number is its name in the log's records, and its place in the table: never reuse one, and never take a row out. The wire default of every field is unknown (None).
"""

from collections import namedtuple

# One measured quantity. `kind` is "int", "bool" or "enum"; the log records a change only beyond `log_deadband`, in the field's
# own unit; `enum` is the key of texts.ENUM_TEXTS, or None; `source` is "bus", "input" (the node's own terminals) or "node"
# (derived by the node). A tuple, since on the chip two dozen objects with names would cost 2 KB more.
Field = namedtuple(  # noqa: PYI024  the chip has no typing
    "Field", ("number", "name", "kind", "unit", "low", "high", "log_deadband", "enum", "source")
)

BOOL = "bool"
INT = "int"
ENUM = "enum"

# fmt: off
FIELDS = (
    #     no  name                kind  unit     low    high       dead enum            source
    Field(1,  "service_mode",     ENUM, "",      0,     7,         0,   "service_mode", "bus"),
    Field(2,  "car_status",       ENUM, "",      0,     1,         0,   "car_status",   "bus"),
    Field(3,  "direction",        ENUM, "",      0,     2,         0,   "direction",    "bus"),
    Field(4,  "door_zone",        BOOL, "",      0,     1,         0,   None,           "bus"),
    Field(5,  "floor",            INT,  "stop",  1,     128,       0,   None,           "bus"),
    Field(6,  "door_1",           ENUM, "",      1,     6,         0,   "door",         "bus"),
    Field(7,  "door_2",           ENUM, "",      1,     6,         0,   "door",         "bus"),
    Field(8,  "passenger",        BOOL, "",      0,     1,         0,   None,           "input"),
    Field(9,  "speed_mm_s",       INT,  "mm/s",  0,     20000,     150, None,           "bus"),
    Field(10, "position_mm",      INT,  "mm",    -5000, 500000,    400, None,           "bus"),
    Field(11, "load_permille",    INT,  "‰",     0,     3000,      50,  None,           "bus"),
    Field(12, "safety_circuit",   BOOL, "",      0,     1,         0,   None,           "bus"),
    Field(13, "door_lock",        BOOL, "",      0,     1,         0,   None,           "bus"),
    Field(14, "mains",            BOOL, "",      0,     1,         0,   None,           "input"),
    Field(15, "button",           BOOL, "",      0,     1,         0,   None,           "input"),
    Field(16, "light_curtain",    BOOL, "",      0,     1,         0,   None,           "bus"),
    Field(17, "overload",         BOOL, "",      0,     1,         0,   None,           "bus"),
    Field(18, "controller_link",  BOOL, "",      0,     1,         0,   None,           "node"),
    Field(19, "controller_fault", INT,  "",      0,     65535,     0,   None,           "bus"),
    Field(20, "run_hours",        INT,  "h",     0,     2000000,   0,   None,           "bus"),
    Field(21, "starts",           INT,  "",      0,     2000000000, 0,  None,           "bus"),
    Field(22, "door_cycles",      INT,  "",      0,     2000000000, 0,  None,           "node"),
    Field(23, "battery_low",      BOOL, "",      0,     1,         0,   None,           "input"),
    Field(24, "work_mode",        ENUM, "",      0,     2,         0,   "work_mode",    "node"),
    Field(25, "alarm_shown",      ENUM, "",      0,     4,         0,   "alarm_shown",  "node"),
)
# fmt: on

BY_NAME = {field.name: field for field in FIELDS}
NAMES = tuple(field.name for field in FIELDS)
BUS_NAMES = tuple(field.name for field in FIELDS if field.source == "bus")
# A change of one of these is sent at once; the others wait for the next period.
DISCRETE_NAMES = tuple(
    field.name for field in FIELDS if field.kind != INT or field.name in ("floor", "controller_fault")
)


def check_value(field: Field, value: object) -> int | None:
    """Return `value` as the field's type, or None where it is unknown or does not fit: foreign values never pass as known."""
    if value is None:
        return None
    if field.kind == BOOL:
        if value is True or value is False:
            return value
        return bool(value) if value in (0, 1) else None
    if value is True or value is False or not isinstance(value, int):
        return None
    return value if field.low <= value <= field.high else None
