"""Stories of the rescue desk in a real browser, by keyboard alone, with the technician at his phone and a gateway that is told."""

from collections.abc import Iterator
from typing import Any

import pytest

from cloud.tests import axe, test_page
from cloud.tests.conftest import live
from cloud.tests.rescue_town import LIFTS, PHONE, Town

pytestmark = test_page.pytestmark


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    found = Town(tmp_path_factory.mktemp("town"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Where nobody has time: answers within 2 s, arrival within 4 s, a silent gateway after 3 s."""
    found = Town(
        tmp_path_factory.mktemp("hasty"),
        "answer_s = 2",
        "arrive_s = 4",
        "call_s = 1",
        "acknowledge_s = 2",
        "gateway_silent_s = 3",
    )
    yield found
    found.stop()


def row(page: Any, lift: str) -> Any:
    code = LIFTS[lift]
    return page.locator(".queue .row", has_text=f"{code[:3]} {code[3:]}")


def tab_to(page: Any, text: str, scope: str = "body") -> None:
    """Go there with the Tab key, as who has no mouse."""
    wanted = f"document.activeElement.closest({scope!r}) && document.activeElement.textContent.includes({text!r})"
    for _ in range(120):
        if page.evaluate(wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {text!r} by Tab")


def press(page: Any, text: str, scope: str = "body") -> None:
    tab_to(page, text, scope)
    page.keyboard.press("Enter")


def sees(page: Any, text: str, scope: str = ".desk-case") -> None:
    page.locator(scope, has_text=text).first.wait_for()


def close_by_keyboard(desk: Any) -> None:
    """Refused while the call-back is missing, then made, then closed."""
    press(desk, "结案…", ".case-buttons")
    desk.wait_for_selector(".step-dialog")
    press(desk, "结案", ".step-dialog")
    sees(desk, "还不能结案", ".step-dialog")
    desk.keyboard.press("Escape")
    press(desk, "回访…", ".case-buttons")
    desk.wait_for_selector(".step-dialog")
    press(desk, "保存", ".step-dialog")
    sees(desk, "已回访", ".case-state")
    press(desk, "结案…", ".case-buttons")
    desk.wait_for_selector(".step-dialog")
    press(desk, "结案", ".step-dialog")
    sees(desk, "门系统故障", ".case-state")
    sees(desk, "已结案", ".case-kind")
    desk.wait_for_selector(".queue .closed")


def test_a_rescue_from_the_alarm_to_the_close_by_keyboard_alone(browser: Any, town: Town) -> None:
    desk, problems = town.person(browser, "chen.jing", "/desk")
    phone, phone_problems = town.person(browser, "wang.qiang", "/phone", lang="en", **PHONE)
    desk.wait_for_selector("text=没有未结案的警情")
    incident = town.trap("lift-1")
    row(desk, "lift-1").wait_for()
    assert "困人报警" in desk.text_content("[aria-live=assertive]")
    desk.keyboard.press("j")
    sees(desk, "340 117", ".case-code")
    sees(desk, "停在 3 层上方 1.3 m", ".says")
    sees(desk, "轿厢内有人", ".says")
    desk.keyboard.press("a")
    sees(desk, "陈静（应急处置中心） 已确认", ".case-state")
    desk.keyboard.press("p")
    desk.wait_for_selector(".step-dialog")
    desk.keyboard.type("2")
    desk.keyboard.press("Enter")
    desk.wait_for_selector(".step-dialog", state="detached")
    sees(desk, "2 人", ".case-time")
    tab_to(desk, "", ".comfort li")
    desk.keyboard.press("Space")
    sees(desk, "已告知：您好", ".timeline")
    assert desk.locator(".talk button").is_disabled()
    assert "没有语音通道" in desk.inner_text(".talk")

    phone.click(".row")
    phone.click("text=Accept")
    phone.click(".etas >> text=10 min")
    sees(desk, "在途", ".rung >> nth=0")
    sees(desk, "王强", ".rung >> nth=0")
    sees(desk, "预计 10 分钟后到达", ".comfort")
    phone.click("text=I am there")
    sees(desk, "已到场", ".rung >> nth=0")
    town.free(incident)
    sees(desk, "信号已恢复", ".case-state")
    phone.click("text=Released…")
    phone.select_option(".step-dialog select >> nth=1", "door_system")
    phone.click(".step-dialog >> text=Confirm")
    sees(desk, "待回访", ".case-state")
    sees(desk, "轿厢已得到通知", ".case-state")
    sees(desk, "已救出，解除报警：王强", ".timeline")
    assert [told["alarm"] for told in town.car] == ["heard", "coming", "arrived", "ended"]
    assert town.car[1]["eta_min"] == 10

    close_by_keyboard(desk)
    assert problems == [] and phone_problems == []
    desk.context.close()
    phone.context.close()


def test_of_two_desks_that_acknowledge_at_once_one_has_it_and_the_other_sees_who(browser: Any, town: Town) -> None:
    town.trap("lift-2")
    desks = [
        town.person(browser, name, "/desk", lang=lang)[0] for name, lang in (("chen.jing", "zh"), ("he.yan", "en"))
    ]
    for desk in desks:
        row(desk, "lift-2").click()
        desk.wait_for_selector(".case-buttons .button-danger")
    # Each presses before it can have seen the other.
    for desk in desks:
        desk.evaluate("setTimeout(() => document.querySelector('.case-buttons .button-danger').click(), 300)")
    for desk, words in zip(desks, ("已确认", "has it since"), strict=True):
        sees(desk, words, ".case-state")
    states = [desk.inner_text(".case-state") for desk in desks]
    winners = {name for state in states for name in ("陈静", "何燕") if name in state}
    assert len(winners) == 1
    loser = desks[1] if winners == {"陈静"} else desks[0]
    loser.wait_for_selector(".case-buttons >> text=/接管|Take over/")
    for desk in desks:
        desk.context.close()


def test_a_call_by_telephone_is_found_by_its_code_or_entered_by_a_place_and_linked_later(
    browser: Any, town: Town
) -> None:
    desk, problems = town.person(browser, "chen.jing", "/desk", lang="en")
    desk.wait_for_selector(".queue")
    desk.keyboard.press("/")
    desk.keyboard.type("340 119")
    desk.wait_for_selector(".new-case >> text=荷芳苑 3 号梯")
    tab_to(desk, "", "label:has(input[type=number])")
    desk.keyboard.type("3")
    desk.keyboard.press("Enter")
    sees(desk, "340 119", ".case-code")
    sees(desk, "3 inside", ".case-time")
    sees(desk, "telephone call", ".case-kind")
    first = desk.url

    desk.keyboard.press("n")
    desk.wait_for_selector(".new-case")
    desk.keyboard.press("Tab")
    desk.keyboard.type("西溪路 20 号院内")
    desk.keyboard.press("Enter")
    sees(desk, "no lift yet", ".case-code")
    sees(desk, "西溪路 20 号院内", ".case-where")
    press(desk, "Link to a lift…", ".case-buttons")
    desk.wait_for_selector(".step-dialog")
    desk.keyboard.type("340124")
    desk.keyboard.press("Enter")
    sees(desk, "340 124", ".case-code")
    desk.wait_for_selector("dialog[open]", state="detached")

    desk.fill(".queue .search", "340119")
    sees(desk, "340 119", ".case-code")
    assert desk.url.split("?")[0] == first.split("?")[0]
    desk.fill(".queue .search", "999999")
    sees(desk, "No lift has code 999 999", ".queue")
    assert problems == []
    desk.context.close()


def test_a_false_alarm_needs_to_say_how_that_is_known_and_contacts_are_read_on_demand(browser: Any, town: Town) -> None:
    incident = town.trap("lift-5")
    desk, problems = town.person(browser, "chen.jing", "/desk")
    row(desk, "lift-5").click()
    sees(desk, "340 125", ".case-code")
    desk.keyboard.press("a")
    sees(desk, "已确认", ".case-state")
    assert desk.locator("a[href^='tel:']").count() == 0
    desk.click("text=联系人")
    desk.wait_for_selector("a[href='tel:13000000002']")
    desk.keyboard.press("f")
    desk.wait_for_selector(".step-dialog")
    assert desk.locator(".step-dialog .button-danger").is_disabled()
    desk.fill(".step-dialog textarea", "监控显示轿厢内无人，儿童误按")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    sees(desk, "可结案", ".case-state")
    town.free(incident, "lift-5")
    press(desk, "结案…", ".case-buttons")
    desk.wait_for_selector(".step-dialog")
    desk.fill(".step-dialog textarea", "已核实")
    press(desk, "结案", ".step-dialog")
    sees(desk, "已结案", ".case-kind")
    sees(desk, "儿童误按", ".timeline")
    assert problems == []
    desk.context.close()


def test_a_server_killed_amid_a_case_goes_on_where_it_was(browser: Any, town: Town) -> None:
    town.trap("lift-6")
    desk, _ = town.person(browser, "chen.jing", "/desk", lang="en")
    row(desk, "lift-6").click()
    sees(desk, "340 126", ".case-code")
    desk.keyboard.press("a")
    sees(desk, "has it since", ".case-state")
    due = desk.inner_text(".rung >> nth=0").split("answer limit ")[1][:8]
    town.site.child.kill()
    desk.wait_for_selector(".banner", timeout=20_000)
    desk.keyboard.press("3")
    desk.wait_for_selector(".step-dialog")
    desk.keyboard.press("Enter")
    sees(desk, "The server cannot be reached", ".step-dialog")
    town.site.child.start()
    town.gateway()
    desk.wait_for_selector(".banner", state="detached", timeout=20_000)
    press(desk, "Dispatch L3", ".step-dialog")
    desk.wait_for_selector(".step-dialog", state="detached")
    sees(desk, "Call 119 now", ".rung >> nth=2")
    assert f"answer limit {due}" in desk.inner_text(".rung >> nth=0")
    desk.context.close()


def test_who_does_not_answer_or_answers_and_never_comes_is_followed_by_the_next_level(
    browser: Any, hasty: Town
) -> None:
    desk, problems = hasty.person(browser, "chen.jing", "/desk", lang="en")
    hasty.trap("lift-1")
    row(desk, "lift-1").click()
    sees(desk, "reminded", ".queue")
    desk.keyboard.press("a")
    sees(desk, "missed: answer", ".rung >> nth=0")
    sees(desk, "missed: answer", ".rung >> nth=1")
    sees(desk, "Call 119 now", ".rung >> nth=2")
    sees(desk, "overdue", ".rung >> nth=2")
    press(desk, "119 called…", ".rung-buttons")
    desk.wait_for_selector(".step-dialog")
    desk.keyboard.type("西湖中队已出动")
    desk.keyboard.press("Enter")
    sees(desk, "Accepted", ".rung >> nth=2 >> .rung-state")
    sees(desk, "西湖中队已出动", ".timeline")
    timeline = desk.inner_text(".timeline")
    assert "level 1 did not answer in time" in timeline and "escalated from level 2 to level 3 (no answer)" in timeline

    hasty.trap("lift-2")
    row(desk, "lift-2").click()
    desk.locator(".rung").nth(0).get_by_role("button", name="Accepted").click()
    sees(desk, "missed: arrival", ".rung >> nth=0")
    sees(desk, "escalated from level 1 to level 2 (not arrived)", ".timeline")
    assert desk.locator(".rung").nth(0).get_by_role("button", name="Arrived").is_visible()
    assert problems == []
    desk.context.close()


def test_a_silent_gateway_is_a_case_with_the_lifts_to_look_at_first(browser: Any, hasty: Town) -> None:
    desk, _ = hasty.person(browser, "chen.jing", "/desk", lang="en")
    hasty.lifts(live("lift-5", passenger=True), live("lift-6", car_status=1, direction=1))
    hasty.socket.close()
    silent = desk.locator(".queue .row", has_text="g-1")
    silent.wait_for()
    assert "last seen occupied or moving" in silent.inner_text()
    silent.click()
    for name in ("荷芳苑 5 号梯", "荷芳苑 6 号梯"):
        sees(desk, name, ".desk-site")
    hasty.gateway()
    sees(desk, "gateway heard again", ".timeline")
    desk.context.close()


def test_axe_finds_nothing_at_the_desk_in_the_dark_and_in_the_light(browser: Any, town: Town) -> None:
    town.trap("lift-4")
    desk, _ = town.person(browser, "chen.jing", "/desk")
    row(desk, "lift-4").click()
    sees(desk, "340 124", ".case-code")
    desk.wait_for_selector(".timeline li")
    for scheme in ("dark", "light"):
        desk.emulate_media(color_scheme=scheme)
        assert axe.violations(desk) == []
    for width in (1280, 1920):
        desk.set_viewport_size({"width": width, "height": 1080})
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    desk.context.close()
