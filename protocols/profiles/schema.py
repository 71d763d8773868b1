"""What a register profile and a site's inputs may say: each mistake is told with its place. It decodes nothing."""

from protocols.errors import SettingsError
from protocols.fields import BY_NAME, check_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
GROUPS = ("safety", "slow")
KINDS = ("number", "pair", "enum", "first")
INPUTS = ("door_zone", "safety_circuit", "door_lock", "inspection")
# "keep" in place of a value: what was known before still holds.
KEEP = "keep"
REQUIRED = object()


def is_int(value: object, low: int, high: int) -> bool:
    """A whole number from `low` to `high`; JSON's true and false are none."""
    return isinstance(value, int) and value is not True and value is not False and low <= value <= high


def number(data: dict, name: str, where: str, low: int, high: int, default: "Any" = REQUIRED) -> int:
    """The number `name` of `data`, `default` where it is missing."""
    value: Any = data.get(name, default)
    if not is_int(value, low, high):
        found = "missing" if value is REQUIRED else repr(value)
        raise SettingsError("%s: %s is %s; a number from %d to %d is needed" % (where, name, found, low, high))
    return int(value)


def choice(data: dict, name: str, where: str, allowed: tuple, default: object = None) -> str:
    """The text `name` of `data`, one of `allowed`."""
    value: Any = data.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise SettingsError("%s: %s is %r; it must be one of %s" % (where, name, value, ", ".join(allowed)))
    return value


def part(data: object, name: str, where: str, kind: type, default: object = None) -> "Any":
    """The text, list or object `name` of `data`."""
    value = data.get(name, default) if isinstance(data, dict) else None
    if not isinstance(value, kind):
        raise SettingsError("%s: %s is %r; a %s is needed" % (where, name, value, kind.__name__))
    return value


def check_ranges(ranges: list, where: str) -> None:
    """`readable`: pairs of first and last address."""
    for pair in ranges:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not is_int(pair[0], 0, 0xFFFF)
            or not is_int(pair[1], pair[0], 0xFFFF)
        ):
            raise SettingsError("%s: readable: %r; pairs of a first and a last address are needed" % (where, pair))


def check_points(points: list, where: str) -> None:
    """`points`: each has a known field, once, and what its kind needs."""
    seen = set()
    for point in points:
        name = point.get("field") if isinstance(point, dict) else None
        if not isinstance(name, str) or name not in BY_NAME or name in seen:
            raise SettingsError("%s: points: %r is no field of a lift, or there twice" % (where, name))
        seen.add(name)
        _check_point(point, name, "%s: %s" % (where, name))


def _check_point(point: dict, name: str, place: str) -> None:
    choice(point, "group", place, GROUPS)
    kind = choice(point, "kind", place, KINDS)
    if kind == "first":
        _check_rules(point, name, place)
        return
    number(point, "address", place, 0, 0xFFFE if kind == "pair" else 0xFFFF)
    if kind == "number":
        number(point, "multiply", place, -100000, 100000, 1)
        number(point, "divide", place, 1, 100000, 1)
    elif kind == "pair":
        number(point, "high_weight", place, 1, 0x10000)
    else:
        number(point, "shift", place, 0, 15, 0)
        number(point, "mask", place, 1, 0xFFFF, 0xFFFF)
        values = part(point, "map", place, dict)
        meanings = {}
        for key in values:
            if not key.isdigit():
                raise SettingsError("%s: map: %r is no number" % (place, key))
            _check_meaning(values[key], name, place, True)
            meanings[int(key)] = values[key]
        # JSON has only texts for keys: 800 bytes of the chip's heap, and each sample would make another to look one up.
        point["map"] = meanings
        _check_meaning(point.get("else"), name, place, True)


def _check_rules(point: dict, name: str, place: str) -> None:
    for rule in part(point, "rules", place, list):
        bits = part(rule, "bits", place, list)
        if not bits or "value" not in rule:
            raise SettingsError("%s: a rule needs bits and a value" % place)
        for bit in bits:
            good = isinstance(bit, list) and len(bit) == 3 and is_int(bit[0], 0, 0xFFFF) and is_int(bit[1], 0, 15)
            if not good or not is_int(bit[2], 0, 1):
                raise SettingsError("%s: %r; a bit is [address, 0 to 15, 0 or 1]" % (place, bit))
        _check_meaning(rule.get("value"), name, place, False)
    _check_meaning(point.get("else"), name, place, False)


def _check_meaning(value: object, name: str, place: str, may_keep: bool) -> None:
    if value is None or (may_keep and value == KEEP):
        return
    if check_value(BY_NAME[name], value) is None:
        raise SettingsError("%s: the value %r does not fit the field" % (place, value))


def check_inputs(factory: dict, site: dict, where: str) -> dict[str, tuple[int, int, int]]:
    """{name: (address, bit, active level)} of the terminals: the site's word in place of the factory's."""
    for entries in (factory, site):
        for name in entries:
            if name not in INPUTS:
                raise SettingsError("%s: inputs: %r is none of %s" % (where, name, ", ".join(INPUTS)))
    out = {}
    for name in INPUTS:
        if name not in site and name not in factory:
            continue
        entry = part(site if name in site else factory, name, where + ": inputs", dict)
        place = "%s: inputs: %s" % (where, name)
        out[name] = (
            number(entry, "address", place, 0, 0xFFFF),
            number(entry, "bit", place, 0, 15),
            number(entry, "active", place, 0, 1, 1),
        )
    return out
