"""Every name of the contract's tables has its words, and no word is left over."""

from protocols import health, health_texts
from protocols.fault_texts import GATEWAY_FAULTS, REASON_TEXTS, TEXTS, TRIAGE_TEXTS
from protocols.faults import BY_NAME as FAULTS
from protocols.fields import BY_NAME, FIELDS
from protocols.messages import ITEMS
from protocols.texts import ENUM_TEXTS, FIELD_TEXTS, MESSAGE_TEXTS


def test_each_field_fault_and_message_item_has_words() -> None:
    assert set(FIELD_TEXTS) == set(BY_NAME)
    assert set(TEXTS) == set(FAULTS) | set(GATEWAY_FAULTS)
    assert {kind: set(words) for kind, words in MESSAGE_TEXTS.items()} == {
        kind: {item[0] for item in items} for kind, items in ITEMS.items()
    }


def test_everything_is_said_in_both_languages() -> None:
    pairs = [words[at : at + 2] for words in TEXTS.values() for at in (0, 2, 4)]
    for english, chinese in [*pairs, *TRIAGE_TEXTS.values(), *REASON_TEXTS.values()]:
        assert english.isascii() and not chinese.isascii(), (english, chinese)


def test_the_ranges_of_enumerations_are_their_numbers() -> None:
    for field in FIELDS:
        if field.enum is not None:
            numbers = [number for number in sorted(ENUM_TEXTS[field.enum]) if field.enum != "door" or number]
            assert numbers == list(range(field.low, field.high + 1)), field.name


def test_each_part_of_the_health_has_words_and_each_fault_that_is_not_counted_is_one() -> None:
    assert set(health_texts.PARTS) == set(health.NAMES) and set(health_texts.USAGE) == set(health.USAGE_NAMES)
    assert {part.of for part in health.PARTS} <= set(health_texts.OCCASIONS)
    assert all(all(words) for words in (*health_texts.PARTS.values(), *health_texts.REASONS.values()))
    assert set(health.NOT_COUNTED) <= set(FAULTS)


def test_the_limits_of_the_health_are_in_order() -> None:
    for part in health.PARTS:
        assert part.good < part.bad and part.weight > 0 and part.least > 0, part.name
        assert (part.ratio is None) == (part.ratio_bad is None), part.name
        assert part.ratio is None or 1 < part.ratio < part.ratio_bad, part.name
        assert part.quick is None or part.quick < part.good, part.name
