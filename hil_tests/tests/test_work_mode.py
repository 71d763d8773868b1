"""A technician at work on a whole stack: what the city does not hear, what it hears all the same, and what it hears when the work ends.

And what else is commanded: a car is told, and its alarm ended.
"""

import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from hil_tests.demo import people
from hil_tests.demo.stack import Stack
from hil_tests.services import get_json, post_json, wait_until
from hil_tests.vm import ROOT

pytestmark = pytest.mark.chain
FAULT = "running_with_door_open"
KEY, COMMANDED, TOLD = "lift-1", "lift-2", "lift-3"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # With hardly any traffic nobody opens the door meanwhile but the faults of the test.
    found = Stack(
        tmp_path_factory.mktemp("work"), 3, baud=38400, traffic=0.1, influx=False, node={"button_filter": True}
    )
    found.start()
    yield found
    found.stop()


def command(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """`liftwatch gateway command …`, as a person calls it."""
    return subprocess.run(
        [sys.executable, ROOT / "liftwatch.py", "gateway", "command", *words, "--url", stack.metrics_url],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def newest(stack: Stack, name: str, kind: str) -> dict[str, Any]:
    found = [incident for incident in stack.incidents(lift=name) if incident["kind"] == kind]
    return found[0] if found else {}


def at_city(stack: Stack, name: str) -> list[tuple[str, int]]:
    return [
        (entry["body"]["failureCode"], entry["body"]["faultStatus"])
        for entry in stack.received()
        if entry["lift"] == name
    ]


def lift(stack: Stack, name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.get(f"/api/v1/lifts/{name}")
    return found


def is_working(stack: Stack, name: str) -> int | None:
    mode: int | None = lift(stack, name)["state"]["work_mode"]
    return mode


def test_a_fault_at_work_is_kept_and_shown_and_goes_to_no_city_but_the_button_does(stack: Stack) -> None:
    stack.inject(KEY, "work_mode")
    wait_until(lambda: is_working(stack, KEY) == 1, 10, "work mode by key")
    wait_until(lambda: newest(stack, KEY, "work_mode").get("phase") == "open", 10, "its event")
    assert newest(stack, KEY, "work_mode")["explanation"]["cause"]["en"] == "begun with the key"
    stack.inject(KEY, FAULT)
    wait_until(lambda: newest(stack, KEY, FAULT).get("withheld") == "work", 60, "the fault, withheld")
    stack.press(KEY)
    wait_until(lambda: ("90", 0) in at_city(stack, KEY), 10, "the button at the city")
    wait_until(
        lambda: any(entry["state"] == "withheld" for entry in newest(stack, KEY, FAULT)["deliveries"]),
        10,
        "its delivery",
    )
    assert {code for code, _ in at_city(stack, KEY)} == {"90"}


def test_what_outlasts_the_work_goes_out_as_new_when_the_key_is_turned_back(stack: Stack) -> None:
    incident = newest(stack, KEY, FAULT)
    if incident["phase"] == "closed":
        stack.inject(KEY, FAULT)
        wait_until(lambda: newest(stack, KEY, FAULT)["phase"] != "closed", 60, "the fault again")
    stack.inject(KEY, "work_mode", clear=True)
    wait_until(lambda: ("12", 0) in at_city(stack, KEY), 15, "the fault at the city, as new")
    told = newest(stack, KEY, FAULT)
    assert told["withheld"] == "" and told["rev"] > 1
    wait_until(lambda: newest(stack, KEY, "work_mode")["phase"] == "closed", 10, "the end of the work")
    stack.inject(KEY, FAULT, clear=True)
    wait_until(lambda: ("12", 1) in at_city(stack, KEY), 60, "its end at the city")


def test_a_command_begins_and_ends_work_mode_and_nonsense_is_refused(stack: Stack) -> None:
    begun = command(stack, COMMANDED, "work", "--seconds", "600")
    assert begun.returncode == 0 and "work for 600 s" in begun.stdout, begun.stderr
    wait_until(lambda: is_working(stack, COMMANDED) == 2, 10, "work mode by command")
    refused = command(stack, COMMANDED, "work", "--seconds", "5")
    assert refused.returncode == 1 and "60 to 28800" in refused.stderr
    strange = command(stack, "lift-9", "work")
    assert strange.returncode == 1 and "no lift 'lift-9'" in strange.stderr
    assert command(stack, COMMANDED, "work", "--seconds", "0").returncode == 0
    wait_until(lambda: is_working(stack, COMMANDED) == 0, 10, "its end")


def desk_token(stack: Stack, file: pathlib.Path) -> str:
    """A token by which the rescue desk's dispatcher is known."""
    admin = [sys.executable, str(ROOT / "liftwatch.py"), "cloud", "admin", "--database", stack.cloud_database]
    subprocess.run(
        [*admin, "api-token", "--days", "1", "--file", str(file), "desk", people.DESK, "dispatcher"], check=True
    )
    return file.read_text().strip()


def test_a_car_is_told_from_the_press_to_the_end_of_alarm_by_a_competent_person(
    stack: Stack, tmp_path: pathlib.Path
) -> None:
    token = desk_token(stack, tmp_path / "desk")

    def shows(number: int) -> bool:
        lamps = get_json(f"{stack.bench_url}/lifts/{TOLD}")["lamps"]
        lit = (lamps["yellow"], lamps["green"]) == (number > 0, number > 1)
        return lit and bool(lift(stack, TOLD)["state"]["alarm_shown"] == number)

    def cases() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = stack.get(f"/api/v1/cases?lift={TOLD}")
        return found

    def say(step: str, **more: str) -> None:
        url = f"{stack.cloud_url}/api/v1/cases/{cases()[0]['id']}/steps"
        post_json(url, {"op": f"test-{step}", "step": step, **more}, token=token)

    wait_until(lambda: shows(0), 10, "dark lamps")
    stack.behave(mode="down")
    stack.press(TOLD)
    wait_until(lambda: shows(1), 10, "yellow by the press alone: no city has answered")
    wait_until(lambda: bool(cases()), 10, "its case")
    say("acknowledge")
    wait_until(lambda: shows(2), 10, "green by the desk's word")
    told = command(stack, TOLD, "car", "--alarm", "coming", "--eta", "12")
    assert "coming 12; yellow lamp, green lamp, no voice" in told.stdout, told.stderr
    wait_until(lambda: shows(3), 5, "help on the way")
    assert newest(stack, TOLD, "button_pressed")["phase"] != "closed"
    say("no_rescue", outcome="false_alarm", note="误按", competent="王强")
    wait_until(lambda: shows(0), 10, "dark lamps again")
    wait_until(lambda: newest(stack, TOLD, "button_pressed")["phase"] == "closed", 5, "the alarm's end")
    explanation = newest(stack, TOLD, "button_pressed")["explanation"]
    assert explanation["ended"]["zh"] == "由专业人员结束报警" and explanation["cause"]["zh"] == "轿内按下"
    wait_until(lambda: cases()[0]["end_of_alarm"]["told_at_ms"] is not None, 5, "the node's word in the case")
    assert cases()[0]["end_of_alarm"]["detail"] == "done: ended; dark yellow lamp, dark green lamp, no voice"
    stack.behave()


def test_a_node_that_is_away_does_not_carry_out_later_what_was_meant_for_now(stack: Stack) -> None:
    stack.nodes[COMMANDED].stop()
    answered = command(stack, COMMANDED, "work")
    assert answered.returncode == 1 and "did not answer within 5 s" in answered.stderr
    stack.nodes[COMMANDED].start()
    wait_until(lambda: is_working(stack, COMMANDED) is not None, 30, "the node")
    assert is_working(stack, COMMANDED) == 0


def test_the_buttons_filter_withholds_a_press_beside_an_open_door_and_counts_it(stack: Stack) -> None:
    stack.inject(COMMANDED, "door_blocked")  # the door stands open, and stays so
    wait_until(lambda: lift(stack, COMMANDED)["state"]["doors"] == [4], 60, "an open door")
    stack.press(COMMANDED)
    wait_until(
        lambda: newest(stack, COMMANDED, "button_pressed").get("phase") == "closed", 20, "the filtered alarm's end"
    )
    assert newest(stack, COMMANDED, "button_pressed")["withheld"] == "filter"
    wait_until(lambda: lift(stack, COMMANDED)["suppressed"].get("button_pressed") == 1, 30, "its counter")
    assert at_city(stack, COMMANDED) == []
