"""Constants and private names are made cheap for the chip where nobody else knows them, and nothing else of the module is touched."""

import re
from typing import Any

from firmware.build import packed_faults, sources
from firmware.folding import folded, names, shortened, with_constants, without_unused
from protocols.faults import FAULTS, NAMES

MODULE = '''"""A module with LIMIT in its words."""

LIMIT = 5  # ours
SHARED = 7
MASK = 0x1F
NEGATIVE = -3
COMPUTED = LIMIT * 2
TEXT = "LIMIT"
WORD = "word"


def is_word(value):
    return value == WORD


def over(value, LIMITED=1):
    """More than LIMIT?"""
    return value > LIMIT and value & MASK or NEGATIVE  # LIMIT
'''


def test_whole_numbers_of_ones_own_are_put_in_where_they_are_used() -> None:
    found = folded(MODULE, {"SHARED"})
    assert "_LIMIT = const(5)  # ours" in found and "_MASK = const(0x1F)" in found and "_NEGATIVE = const(-3)" in found
    assert "SHARED = 7\n" in found and "_SHARED" not in found
    assert "COMPUTED = _LIMIT * 2" in found and "return value > _LIMIT and value & _MASK or _NEGATIVE  # LIMIT" in found
    assert '_WORD = const("word")' in found and "value == _WORD" in found
    assert 'TEXT = "LIMIT"' in found and '"""More than LIMIT?"""' in found and "LIMITED=1" in found


def test_the_folded_module_says_the_same() -> None:
    plain: dict[str, object] = {}
    chip: dict[str, object] = {"const": lambda value: value}
    exec(MODULE, plain)
    exec(folded(MODULE, ()), chip)
    for value in range(40):
        assert plain["over"](value) == chip["over"](value)  # type: ignore[operator]


CLASS = '''"""Tells of _hidden."""

_a = 1


class _Inner:
    def __init__(self, _value):
        self._value = _value
        self._shared = _a
        self.__dict__["_looked_up"] = 3

    def _double(self, more=0):
        return self._value * 2 + self._shared + more + self._looked_up


def outer(value):
    return _Inner(value)._double(more=1)
'''


def test_private_names_of_ones_own_become_short_and_the_module_says_the_same() -> None:
    found = shortened(CLASS, {"_shared"}, names(CLASS))
    assert not {"_Inner", "_double", "_value"} & names(found)
    assert {"_shared", "_looked_up", "__init__"} <= names(found)
    plain: dict[str, object] = {}
    chip: dict[str, object] = {}
    exec(CLASS, plain)
    exec(found, chip)
    assert plain["outer"](20) == chip["outer"](20) == 45  # type: ignore[operator]


def test_no_class_of_the_node_has_its_base_in_another_module() -> None:
    """Else two modules' short names could meet in one object."""
    for name, path in sources().items():
        text = path.read_text()
        classes = set(re.findall(r"^class (\w+)", text, re.MULTILINE))
        for base in re.findall(r"^class \w+\((.+)\):", text, re.MULTILINE):
            assert base in classes | {"Exception"}, (name, base)


def test_what_nobody_on_the_chip_mentions_is_left_out_and_what_only_that_needed_too() -> None:
    one = '''"""Has described() in its words."""


class Sender:
    def send(self):
        return helped()

    @property
    def told(self):
        return only_for_told()

    def looked_up(self):
        return 1


def helped():
    return 2


def only_for_told():
    return 3


def described():
    return 4


def tested():
    return 5
'''
    other = "from one import Sender\n\nVALUE = getattr(Sender(), 'looked_up')() + Sender().send()\n"
    found = without_unused({"one": one, "other": other}, {"tested"})
    assert found["other"] == other
    assert {"send", "helped", "looked_up", "tested"} <= names(found["one"])
    assert not {"told", "property", "only_for_told", "described"} & names(found["one"])
    assert len(found["one"].splitlines()) == len(one.splitlines())
    space: dict[str, object] = {}
    exec(found["one"] + "\nresult = Sender().send() + tested()", space)
    assert space["result"] == 7


def test_a_class_of_which_nothing_is_left_is_still_a_class() -> None:
    found = without_unused({"m": "class Kept:\n    def gone(self):\n        return 1\n\n\nvalue = Kept()\n"}, ())
    assert "gone" not in found["m"]
    exec(found["m"], {})


def test_constants_of_other_modules_are_put_in_and_their_names_are_not_imported() -> None:
    text = """from far import (
    DONE,
    Other,
)
from near import codes
from near import LIMIT, SHADOWED


def over(value, LIMITED=1):
    SHADOWED = 2
    Other.LIMIT = codes.OPEN
    return value - LIMIT == codes.LOW and codes.unknown and DONE  # LIMIT
"""
    constants = {
        "far": {"DONE": "2"},
        "near": {"LIMIT": "9", "SHADOWED": "1"},
        "near.codes": {"OPEN": '"open"', "LOW": "-3"},
    }
    found = with_constants(text, constants)
    assert len(found.splitlines()) == len(text.splitlines())
    assert "from far import Other\n" in found and "from near import SHADOWED\n" in found
    assert 'Other.LIMIT = "open"' in found and "SHADOWED = 2" in found
    assert "return value - 9 == (-3) and codes.unknown and 2  # LIMIT" in found


def test_the_packed_table_of_faults_is_the_table() -> None:
    space: dict[str, Any] = {}
    exec(packed_faults().read_text(), space)
    assert space["NAMES"] == NAMES
    assert [tuple(space["fault"](row.name)) for row in FAULTS] == [tuple(row) for row in FAULTS]
