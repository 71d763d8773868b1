"""Constants of a module are folded for the chip where nobody else knows them, and nothing else of the module is touched."""

from firmware.folding import folded

MODULE = '''"""A module with LIMIT in its words."""

LIMIT = 5  # ours
SHARED = 7
MASK = 0x1F
NEGATIVE = -3
COMPUTED = LIMIT * 2
TEXT = "LIMIT"


def over(value, LIMITED=1):
    """More than LIMIT?"""
    return value > LIMIT and value & MASK or NEGATIVE  # LIMIT
'''


def test_whole_numbers_of_ones_own_are_put_in_where_they_are_used() -> None:
    found = folded(MODULE, {"SHARED"})
    assert "_LIMIT = const(5)  # ours" in found and "_MASK = const(0x1F)" in found and "_NEGATIVE = const(-3)" in found
    assert "SHARED = 7\n" in found and "_SHARED" not in found
    assert "COMPUTED = _LIMIT * 2" in found and "return value > _LIMIT and value & _MASK or _NEGATIVE  # LIMIT" in found
    assert 'TEXT = "LIMIT"' in found and '"""More than LIMIT?"""' in found and "LIMITED=1" in found


def test_the_folded_module_says_the_same() -> None:
    plain: dict[str, object] = {}
    chip: dict[str, object] = {"const": int}
    exec(MODULE, plain)
    exec(folded(MODULE, ()), chip)
    for value in range(40):
        assert plain["over"](value) == chip["over"](value)  # type: ignore[operator]
