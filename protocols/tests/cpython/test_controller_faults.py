"""Fault words of controllers: every documented number has its words, every coded one is documented, unknown ones keep their number."""

import json
import pathlib

import pytest

from protocols.controller_fault_texts import RESERVED, WORDS, is_known, told
from protocols.controller_faults import NATIONAL_CODES, national_code

PROFILES = {
    json.loads(path.read_text())["name"] for path in (pathlib.Path(__file__).parents[2] / "profiles").glob("*.json")
}
# Numbers of the public map, written from it and not from the table.
NICE = {*range(2, 15), *range(16, 21), 22, 24, 25, 26, 29, 30, *range(33, 50), *range(51, 59), 65}


def test_the_tables_are_of_profiles_that_exist() -> None:
    assert set(WORDS) <= PROFILES
    assert set(NATIONAL_CODES) <= set(WORDS)
    assert set(RESERVED) <= set(WORDS)


def test_every_number_of_the_public_map_has_a_cause_and_a_remedy_in_both_languages() -> None:
    assert set(WORDS["nice3000"]) == NICE
    assert not set(RESERVED["nice3000"]) & NICE
    for row in WORDS["nice3000"].values():
        assert all(text.strip() == text != "" for text in row)
        assert all(ord(letter) < 0x2E80 for letter in row[1] + row[3])
        assert any(ord(letter) >= 0x2E80 for letter in row[2]) and any(ord(letter) >= 0x2E80 for letter in row[4])


@pytest.mark.parametrize(("word", "code"), [(41, 1), (49, 2), (48, 3), (65, 5), (40, 6), (30, 7), (58, 7), (26, 47)])
def test_a_word_stands_for_a_national_code(word: int, code: int) -> None:
    assert national_code(word, "nice3000") == code
    shown = told(word, "nice3000")
    assert shown is not None
    assert (shown["word"], shown["known"], shown["code"]) == (word, True, code)


def test_a_word_means_nothing_in_a_controller_of_another_kind() -> None:
    assert national_code(58, "another") is None
    assert national_code(58, None) is None
    assert national_code(None, "nice3000") is None
    shown = told(58, "another")
    assert shown is not None
    assert (shown["known"], shown["cause"]["en"]) == (False, "Unknown word 58")


@pytest.mark.parametrize("word", [59, 77, 65535])
def test_an_unknown_word_is_shown_with_its_number_and_without_advice(word: int) -> None:
    assert told(word, "nice3000") == {
        "word": word,
        "known": False,
        "code": None,
        "cause": {"en": f"Unknown word {word}", "zh": f"未知故障号 {word}"},
        "remedy": {"en": "", "zh": ""},
    }


def test_a_reserved_word_is_unknown_and_says_that_it_is_reserved() -> None:
    for word in RESERVED["nice3000"]:
        shown = told(word, "nice3000")
        assert shown is not None and not shown["known"]
        assert "reserved" in shown["cause"]["en"] and "保留" in shown["cause"]["zh"]


def test_no_fault_is_no_word() -> None:
    assert told(0, "nice3000") is None
    assert told(None, "nice3000") is None
    assert is_known(0, None)
