"""The field table: what is known of a lift at one moment, with units and ranges. It is the one source of codecs, documents and page.

A field's number is its name in the log's records: never reuse one. The wire default of every field is unknown (None).
"""

from protocols import codes


class Field:
    """One measured quantity. `log_deadband`: the log records a change only beyond it, in the field's own unit."""

    def __init__(self, number, name, kind, unit, low, high, log_deadband, enum, source, text_en, text_zh):
        self.number = number
        self.name = name
        self.kind = kind  # "int", "bool" or "enum"
        self.unit = unit
        self.low = low
        self.high = high
        self.log_deadband = log_deadband
        self.enum = enum  # key of codes.ENUM_TEXTS, or None
        self.source = source  # "bus", "input" (the node's own terminals) or "node" (derived by the node)
        self.text_en = text_en
        self.text_zh = text_zh


BOOL = "bool"
INT = "int"
ENUM = "enum"

# fmt: off
FIELDS = (
    #     no  name                kind  unit     low    high       dead enum            source   en, zh
    Field(1,  "service_mode",     ENUM, "",      0,     7,         0,   "service_mode", "bus",   "service mode", "服务模式"),
    Field(2,  "car_status",       ENUM, "",      0,     1,         0,   "car_status",   "bus",   "car status", "轿厢运行状态"),
    Field(3,  "direction",        ENUM, "",      0,     2,         0,   "direction",    "bus",   "direction", "轿厢运行方向"),
    Field(4,  "door_zone",        BOOL, "",      0,     1,         0,   None,           "bus",   "door zone", "开锁区域"),
    Field(5,  "floor",            INT,  "stop",  1,     128,       0,   None,           "bus",   "floor", "当前楼层"),
    Field(6,  "door_1",           ENUM, "",      1,     6,         0,   "door",         "bus",   "door 1", "前门"),
    Field(7,  "door_2",           ENUM, "",      1,     6,         0,   "door",         "bus",   "door 2", "后门"),
    Field(8,  "passenger",        BOOL, "",      0,     1,         0,   None,           "input", "person in car", "轿内有人"),
    Field(9,  "speed_mm_s",       INT,  "mm/s",  0,     20000,     150, None,           "bus",   "speed", "运行速度"),
    Field(10, "position_mm",      INT,  "mm",    -5000, 500000,    400, None,           "bus",   "car position", "轿厢位置"),
    Field(11, "load_permille",    INT,  "‰",     0,     3000,      50,  None,           "bus",   "load", "轿厢负载"),
    Field(12, "safety_circuit",   BOOL, "",      0,     1,         0,   None,           "bus",   "safety circuit closed", "安全回路接通"),
    Field(13, "door_lock",        BOOL, "",      0,     1,         0,   None,           "bus",   "door lock circuit closed", "门锁回路接通"),
    Field(14, "mains",            BOOL, "",      0,     1,         0,   None,           "input", "mains present", "主电源有电"),
    Field(15, "button",           BOOL, "",      0,     1,         0,   None,           "input", "alarm button pressed", "报警按钮按下"),
    Field(16, "light_curtain",    BOOL, "",      0,     1,         0,   None,           "bus",   "light curtain interrupted", "光幕遮挡"),
    Field(17, "overload",         BOOL, "",      0,     1,         0,   None,           "bus",   "overload", "超载"),
    Field(18, "controller_link",  BOOL, "",      0,     1,         0,   None,           "node",  "controller answers", "控制器应答"),
    Field(19, "controller_fault", INT,  "",      0,     65535,     0,   None,           "bus",   "controller fault number", "控制器故障号"),
    Field(20, "run_hours",        INT,  "h",     0,     2000000,   0,   None,           "bus",   "running hours", "累计运行时间"),
    Field(21, "starts",           INT,  "",      0,     2000000000, 0,  None,           "bus",   "starts", "累计运行次数"),
    Field(22, "door_cycles",      INT,  "",      0,     2000000000, 0,  None,           "node",  "door cycles", "累计开门次数"),
)
# fmt: on

BY_NAME = {field.name: field for field in FIELDS}
BY_NUMBER = {field.number: field for field in FIELDS}
NAMES = tuple(field.name for field in FIELDS)
BUS_NAMES = tuple(field.name for field in FIELDS if field.source == "bus")
# A change of one of these is sent at once; the others wait for the next period.
DISCRETE_NAMES = tuple(
    field.name for field in FIELDS if field.kind != INT or field.name in ("floor", "controller_fault")
)


def check_value(field, value):
    """Return `value` as the field's type, or None where it is unknown or does not fit: foreign values never pass as known."""
    if value is None:
        return None
    if field.kind == BOOL:
        if value is True or value is False:
            return value
        return bool(value) if value in (0, 1) else None
    if value is True or value is False or not isinstance(value, int):
        return None
    if field.enum is not None and value not in codes.ENUM_TEXTS[field.enum]:
        return None
    return value if field.low <= value <= field.high else None
