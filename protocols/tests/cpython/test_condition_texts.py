"""Every condition and cause of the table has its words, and an event is explained by them."""

from protocols.condition_texts import CAUSES, CONDITIONS, GATEWAY_CLEARS, GATEWAY_CONDITIONS, cause_words, explained
from protocols.fault_texts import GATEWAY_FAULTS
from protocols.faults import FAULTS


def _conditions() -> set[str]:
    groups = [names for fault in FAULTS for names in (*(names for names, _ in fault.alternatives), *fault.clear)]
    return {name for names in groups for name in names}


def test_every_condition_of_the_table_has_words_in_both_languages_and_no_other_has() -> None:
    # The button's own evidence is its edge.
    assert _conditions() | {"button"} == set(CONDITIONS)
    assert not set(CONDITIONS) & set(GATEWAY_CONDITIONS)
    assert set(GATEWAY_CLEARS.values()) <= set(GATEWAY_CONDITIONS) and set(GATEWAY_CLEARS) <= set(GATEWAY_FAULTS)
    for words in (*CONDITIONS.values(), *GATEWAY_CONDITIONS.values(), *CAUSES.values()):
        assert all(words) and any("\u4e00" <= letter <= "\u9fff" for letter in words[1]) and words[0].isascii()


def test_an_event_says_what_held_since_when_and_what_would_clear_it() -> None:
    found = explained("trapped_between_floors", [["stopped", 100], ["out_of_zone", 90], ["passenger", 20]], "passenger")
    assert [(held["condition"], held["since_ms"]) for held in found["held"]] == [
        ("stopped", 100), ("out_of_zone", 90), ("passenger", 20),
    ]  # fmt: skip
    assert found["held"][2]["zh"] == "轿内有人" and found["cause"] == {"en": "somebody is in the car", "zh": "轿内有人"}
    assert [[one["condition"] for one in group] for group in found["clears"]] == [["in_zone"]]
    assert found["clear_ms"] == 1000 and found["ended"] is None
    assert explained("button_pressed", [], "pressed", "ended")["ended"] == {
        "en": "ended by a competent person",
        "zh": "由专业人员结束报警",
    }
    assert explained("button_pressed", [], "pressed", "door_open")["ended"] == {
        "en": "a door is fully open",
        "zh": "门完全打开",
    }


def test_what_a_gateway_tells_by_itself_is_explained_too() -> None:
    found = explained("node_offline", [["last_heard", 100]], "on_battery")
    assert found["held"][0]["zh"] == "最后一次收到监测终端信号" and found["cause"]["en"].endswith("battery")
    assert [[one["condition"] for one in group] for group in found["clears"]] == [["heard_again"]]


def test_what_the_table_does_not_know_keeps_its_name() -> None:
    found = explained("store_damaged", [["of another version", 5]], "of another version")
    assert found == {
        "cause": None, "held": [{"condition": "of another version", "en": "of another version", "zh": "of another version", "since_ms": 5}],
        "clears": [], "clear_ms": None, "ended": None,
    }  # fmt: skip
    assert cause_words("occupancy_unknown") is not None
