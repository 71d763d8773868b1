"""The contractor's live view in a real browser, in stories: finding, acknowledging, by keys alone, on a phone, asleep, with a wrong clock."""

import gzip
import pathlib
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cloud.tests import axe
from cloud.tests.chromium import CHROMIUM
from cloud.tests.conftest import live
from cloud.tests.live_town import Looking, Town, lift, now_ms, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium; install Debian's package chromium"),
]
HOUR_MS = 3_600_000
FIRST_LOAD = 250_000
BETWEEN: dict[str, Any] = {"door_zone": False, "passenger": True, "floor": 3, "position_mm": 6200 + 1300, "doors": [2]}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    found = Town(tmp_path_factory.mktemp("town"), [lift(n) for n in range(1, 13)])
    found.quiet(*range(1, 13))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def signed_in(browser: Any, town: Town, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with the cookies of somebody signed in."""
    path = str(tmp_path_factory.mktemp("state") / "state.json")
    page = browser.new_page()
    town.site.sign_in(page)
    page.context.storage_state(path=path)
    page.context.close()
    return path


@pytest.fixture
def look(browser: Any, town: Town, signed_in: str) -> Iterator[Looking]:
    found = Looking(browser, town, signed_in)
    yield found
    found.close()
    assert found.problems == []


# What is played, and when the context is asked to run; a machine of the tests has no sound card to hear it by.
SOUND = """
window.notes = [];
const RealContext = window.AudioContext;
window.AudioContext = class extends EventTarget {
  state = window.muted ? "suspended" : "running"; currentTime = 0; destination = {};
  async resume() {} async suspend() {}
  createOscillator() { const o = { frequency: {}, connect: to => to, start() { notes.push(o.frequency.value) }, stop() {} }; return o; }
  createGain() { const g = { gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: to => to }; return g; }
};
"""


# A page that nobody looks at, of whoever let it notify him.
HIDDEN = """
window.told = [];
Object.defineProperty(document, "hidden", { get: () => true });
window.Notification = class { static permission = "granted"; constructor(title) { told.push(title); } };
"""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_somebody_is_trapped_it_sounds_and_is_acknowledged_by_a_key_for_all(
    look: Looking, town: Town, lang: str
) -> None:
    number = {"zh": 1, "en": 2}[lang]
    words = {
        "zh": ("非平层困人", "未确认", "已确认", "开始值班", "声音开", "2 层上方 1.3 m"),
        "en": ("Trapped between floors", "Not acknowledged", "has it since", "Start shift", "Sound on", "+1.3 m above floor 2"),
    }[lang]  # fmt: skip
    page = look.page(f"/?lang={lang}&lift=lift-{number}", script=SOUND)
    other = look.page(f"/?lang={lang}", script=HIDDEN)
    assert page.inner_text(".shift").strip() == words[3]
    page.click(".shift")
    assert page.inner_text(".shift").strip() == words[4] and page.evaluate("notes.splice(0).length") == 3
    town.tell(live(f"lift-{number}", **BETWEEN, faults=["trapped_between_floors"]))
    town.alarm(number, f"{number}-1")
    page.wait_for_selector(".strip-trapped")
    card = page.locator(f".alarm-danger.alarm-new[data-alarm=lift-{number}]")
    assert words[0] in card.inner_text() and words[1] in card.inner_text() and f"33010{number}" in card.inner_text()
    assert words[0] in page.text_content(".strip-trapped")
    assert re.match(r"\([12]\) ", page.title())
    until(page, "document.querySelector('.alarms [aria-live=assertive]').textContent.includes('幢')")
    assert page.evaluate("notes.length") >= 8
    assert page.get_attribute("link[rel=icon]", "href").startswith("data:image/png")
    shelves = page.locator(f"[data-alarm=lift-{number}] [aria-haspopup=dialog]").count()
    assert shelves == 0, "whoever is trapped is put on no shelf"
    page.keyboard.press("a")
    for found in (page, other):
        found.wait_for_selector(f"[data-alarm=lift-{number}]:not(.alarm-new)")
        state = found.inner_text(f"[data-alarm=lift-{number}] .alarm-state")
        assert words[2] in state and "Administrator" in state
    assert words[0] in other.evaluate("told.join()"), "who does not look is told by the system"
    page.evaluate("notes.length = 0")
    page.wait_for_timeout(3800)  # longer than the pause of the pattern
    assert page.evaluate("notes.length") == 0, "it is quiet once somebody has it"
    page.focus(f"[data-lift=lift-{number}]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".shafts .offset")
    assert page.inner_text(".place") == words[5]
    town.alarm(number, f"{number}-1", 2, phase="closed", closed_at_ms=now_ms())
    town.quiet(number)


def test_sound_that_is_blocked_is_red_and_a_fault_is_shelved_with_a_reason(look: Looking, town: Town) -> None:
    town.alarm(3, "3-1", kind="door_blocked", severity=2)
    page = look.page("/?lang=en&lift=lift-3", script="window.muted = true;" + SOUND)
    page.click(".shift")
    page.wait_for_selector(".shift-blocked")
    page.click("[data-alarm=lift-3] [aria-haspopup=dialog]")
    page.click("dialog[open] label:has-text('8 h')")
    assert page.locator("dialog[open] .button-action").is_disabled()
    page.fill("dialog[open] .field input", "waiting for a part")
    page.click("dialog[open] .button-action")
    page.wait_for_selector(".alarm-shelved[data-alarm=lift-3]")
    assert "waiting for a part" in page.inner_text(".alarm-shelved")
    page.click(".alarm-shelved button:has-text('Take it up again')")
    page.wait_for_selector(".alarm-fault[data-alarm=lift-3]")


def test_filters_groups_and_search_stand_in_the_address(look: Looking, town: Town) -> None:
    town.tell(live("lift-4", faults=["door_blocked"]), live("lift-6", service_mode=2))
    page = look.page("/?lang=en")
    page.wait_for_selector(".strip-fault")
    page.click(".chip-fault")
    until(page, "document.querySelectorAll('.strip').length === 1")
    page.click(".chip-fault")
    page.keyboard.press("/")
    page.keyboard.type("33 01 10")
    until(page, "document.querySelectorAll('.strip').length === 1")
    assert page.locator(".strip").get_attribute("data-lift") == "lift-10"
    page.fill(".search", "")
    page.select_option(".choose:has-text('Group') select", "site")
    page.select_option(".choose:has-text('Size') select", "small")
    page.wait_for_selector(".group-head >> nth=1")
    heads = page.locator(".group-head").all_inner_texts()
    assert heads[0].startswith("hefang-yuan") and "1 fault" in heads[0] and heads[1].startswith("xixi-li"), heads
    again = look.page(page.url.removeprefix(town.site.url))
    again.wait_for_selector(".group-head >> nth=1")
    assert again.locator(".strip-small").count() == 12
    again.select_option(".choose:has-text('Site') select", "xixi-li")
    again.fill(".search", "nothing like it")
    again.wait_for_selector(".nothing")
    assert "It hides all 12 lifts" in again.inner_text(".nothing")
    again.click(".nothing button")
    again.wait_for_selector(".strip >> nth=11")
    assert again.inner_text(".lifts h2") == "Lifts 12" and again.get_attribute("html", "lang") == "en"
    again.click("header .pill[lang=zh-CN]")
    until(again, "document.documentElement.lang === 'zh-CN'")
    assert again.inner_text(".lifts h2") == "电梯 12" and "lang=zh" in again.url
    town.quiet(4, 6)


def test_by_keys_alone_and_without_them(look: Looking, town: Town) -> None:
    page = look.page("/?lang=en&sort=name")
    page.wait_for_selector(".strip >> nth=11")
    for key in ("j", "j", "ArrowRight", "k"):
        page.keyboard.press(key)
    assert "lift=lift-2" in page.url
    until(page, "document.activeElement.dataset.lift === 'lift-2'")
    page.keyboard.press("Enter")
    page.wait_for_selector(".lift-head")
    page.keyboard.press("4")
    page.wait_for_selector(".health h2")
    page.keyboard.press("Backspace")
    page.wait_for_selector(".strip.selected")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert "Acknowledge" in page.inner_text("dialog[open]")
    page.uncheck("dialog[open] input[type=checkbox]")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert "lift=lift-2" in page.url, "keys of one letter can be switched off"


def test_the_map_shows_sites_as_one_until_one_looks_nearer(look: Looking) -> None:
    page = look.page("/?lang=en&view=map")
    page.wait_for_selector(".spot >> nth=1")
    names = page.locator(".spot-name").all_text_contents()
    assert sorted(names) == ["hefang-yuan", "xixi-li"]
    page.locator(".spot [role=button]").first.focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.spot').length > 2")
    page.wait_for_url("**map=**")
    page.click(".map-buttons button >> nth=2")
    until(page, "document.querySelectorAll('.spot').length === 2")


def test_history_is_zoomed_and_the_step_back_leads_out(look: Looking, town: Town) -> None:
    end = now_ms()
    town.answers["history"] = {
        "fields": {
            "floor": [[end - 300_000, 1], [end - 200_000, 4], [end - 100_000, None]],
            "position_mm": [[end - 300_000, 0], [end - 200_000, 9100]],
            "speed_mm_s": [[end - 290_000, 1000], [end - 200_000, 0]], "door_1": [[end - 300_000, 2], [end - 190_000, 4]],
            "mains": [[end - 300_000, True], [end - 150_000, False]],
        },
        "before": {"floor": [end - 700_000, 1]}, "gaps": [], "truncated": False, "step_ms": 1,
    }  # fmt: skip
    page = look.page("/lift/lift-5?tab=history&lang=en")
    page.wait_for_selector(".chart canvas >> nth=2")
    over = page.locator(".chart .u-over").first
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=**")
    times = {name: int(value) for name, value in re.findall(r"(from|to)=(\d+)", page.url)}
    assert 90_000 < times["to"] - times["from"] < 150_000
    deadline = time.monotonic() + 5
    while (town.asked[-1]["from_ms"], town.asked[-1]["points"]) != (times["from"], 0):
        assert time.monotonic() < deadline, "a part is read anew, every record of it"
        page.wait_for_timeout(20)
    page.go_back()
    until(page, "!location.search.includes('from=')")
    page.click("button:has-text('30 d')")
    page.wait_for_url("**range=30d**")
    deadline = time.monotonic() + 5
    while town.asked[-1]["points"] != 700:
        assert time.monotonic() < deadline, "a month is read in few points"
        page.wait_for_timeout(20)
    page.click("button:has-text('Table')")
    page.wait_for_selector(".records")
    table = page.inner_text(".records")
    assert "unknown" in table and "9.1 m" in table and "open" in table
    town.answers["history"] = {"error": "this gateway has no InfluxDB configured"}
    page.select_option(".choose:has-text('Source') select", "influx")
    page.wait_for_selector(".problem")
    assert page.inner_text(".problem") == "The gateway could not answer this"


def test_a_black_box_is_scrubbed_on_the_same_drawing(look: Looking, town: Town) -> None:
    told = now_ms() - 60_000
    town.alarm(7, "7-1", opened=told, closed_at_ms=told + 30_000, phase="closed")
    town.answers["black_box"] = {
        "fields": {
            "position_mm": [[told - 50_000, 3300], [told - 30_000, 7500]], "floor": [[told - 50_000, 2], [told - 30_000, 3]],
            "door_zone": [[told - 50_000, True], [told - 30_000, False]], "passenger": [[told - 60_000, True]],
            "door_1": [[told - 60_000, 2]], "speed_mm_s": [[told - 40_000, 900], [told - 30_000, 0], [told + 50_000, 0]],
        },
        "onset_ms": told - 30_000, "detected_ms": told, "problems": [],
    }  # fmt: skip
    page = look.page("/lift/lift-7?tab=events&lang=zh")
    page.click("button:has-text('查看黑匣子')")
    page.wait_for_selector(".black-box .offset")
    assert page.inner_text(".black-box .place") == "2 层上方 1.3 m"
    slider = page.locator(".black-box input[type=range]")
    slider.fill(str(told - 45_000 - (told - 45_000 - (told - 60_000)) % 100))
    assert page.inner_text(".black-box .place") == "平层：1 层"
    assert "判定前 45 s" in page.inner_text(".scrub-time") and "box=lift-7-7-1" in page.url
    town.answers["black_box"] = {"missing": "none"}
    page.reload()
    page.wait_for_selector(".black-box .problem")
    assert "没有这次事件的黑匣子记录" in page.inner_text(".black-box")


def test_each_value_has_an_age_of_its_own_and_none_when_nothing_is_heard(look: Looking, town: Town) -> None:
    town.tell({**live("lift-8", starts=1234, load_permille=150), "age_ms": 120, "link_age_ms": 40})
    page = look.page("/lift/lift-8?lang=en")
    page.wait_for_selector(".values tbody tr")
    row = page.locator(".values tr", has=page.locator("th", has_text=re.compile(r"^(car )?load$")))
    assert "15 %" in row.inner_text() and "good" in row.inner_text() and " s" in row.inner_text()
    assert "1,234" in page.inner_text(".link >> nth=1") and "not told" in page.inner_text(".link >> nth=0")
    silent = {**live("lift-8", "stale"), "age_ms": 90_000, "link_age_ms": 90_000}
    silent["last_known"], silent["state"] = {"state": silent["state"], "at_ms": now_ms() - 90_000}, {}
    town.tell(silent)
    page.wait_for_selector(".place-old")
    assert "not what is now" in page.inner_text(".place-old")
    shown = set(page.locator(".values td:nth-child(2)").all_inner_texts())
    assert shown == {"unknown"} and "Whether there are faults is not known" in page.inner_text(".faults")
    town.quiet(8)


# The browser's clock goes wrong by so much, from the beginning or at a word.
SKEW = """
const real = Date.now.bind(Date); window.skew = {skew};
Date.now = () => real() + window.skew;
"""


def test_ages_do_not_lie_where_the_browsers_clock_does(look: Looking, town: Town) -> None:
    opened = now_ms() - 65_000
    town.alarm(9, "9-1", opened=opened)
    silent = {**live("lift-10", "stale"), "age_ms": 70_000, "link_age_ms": 70_000}
    silent["last_known"], silent["state"] = {"state": silent["state"], "at_ms": now_ms() - 70_000}, {}
    town.tell(silent)
    page = look.page("/?lang=en&size=large", script=SKEW.replace("{skew}", str(3 * HOUR_MS)))
    page.wait_for_selector(".strip-gone")
    assert "Stale" in page.inner_text(".strip-gone") and page.inner_text(".strip-gone .floor") == "?"
    assert page.locator(".strip-gone .ghost").count() == 1
    foot = page.inner_text(".strip-gone .strip-foot")
    since = page.evaluate("ms => new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', hour12: false}).format(ms)", now_ms() - 70_000)  # fmt: skip
    assert f"since {since}" in foot and "1 min" in foot, foot
    waited = page.inner_text("[data-alarm=lift-9] .alarm-time")
    assert int(waited.split(":")[0]) <= 5, waited
    town.alarm(9, "9-1", 2, opened=opened, phase="closed", closed_at_ms=now_ms())
    town.quiet(10)


def test_a_browser_that_slept_an_hour_comes_back_by_the_last_id_and_shows_what_came_meanwhile(
    look: Looking, town: Town
) -> None:
    page = look.page("/?lang=en", script=SKEW.replace("{skew}", "0"))
    page.wait_for_selector(".strip >> nth=11")
    page.wait_for_selector(".live-pill:not(.pill-bad)")
    page.context.set_offline(True)
    page.evaluate(f"window.skew = {HOUR_MS}")  # its monotonic clock stood still, as that of many a machine asleep
    page.wait_for_selector(".banner")
    assert "not current" in page.inner_text(".banner")
    town.alarm(11, "11-1", kind="door_blocked", severity=2)
    with page.expect_request("**/api/v1/live") as asked:
        page.context.set_offline(False)
    assert asked.value.headers["last-event-id"].isdigit()
    page.wait_for_selector("[data-alarm=lift-11]", timeout=10_000)
    page.wait_for_selector(".live-pill:not(.pill-bad)")


def test_two_thousand_lifts_are_a_screenful_of_strips(browser: Any, tmp_path: pathlib.Path) -> None:
    town = Town(tmp_path, [lift(n) for n in range(1, 2001)])
    for begin in range(1, 2001, 200):
        town.quiet(*range(begin, begin + 200))
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    town.site.sign_in(page)
    loaded: list[int] = []
    page.on("response", lambda answer: loaded.append(len(gzip.compress(answer.body()))) if answer.url.endswith(".js") else None)  # fmt: skip
    page.goto(f"{town.site.url}/?lang=en")
    page.wait_for_selector(".strip-small")
    assert 20_000 < sum(loaded) <= FIRST_LOAD, f"JavaScript of the first load: {sum(loaded)} bytes by gzip"
    until(page, "document.querySelector('.chip-none b').textContent === '2000'")
    assert page.locator(".strip").count() < 300
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_selector("[data-lift=lift-2000]")
    page.fill(".search", "LIFT-1777")
    until(page, "document.querySelectorAll('.strip').length === 1")
    page.close()
    town.stop()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_on_live_lift_and_wall(look: Looking, town: Town, scheme: str) -> None:
    town.alarm(12, f"12-{scheme}")
    town.tell(live("lift-12", **BETWEEN, faults=["trapped_between_floors"]), live("lift-2", faults=["door_blocked"]))
    page = look.page("/?lang=zh", color_scheme=scheme)
    for path, ready in (
        ("/?lang=zh&size=large", ".strip-trapped"), ("/?lang=en&view=map", ".spot"), ("/lift/lift-12?lang=zh", ".values"),
        ("/lift/lift-12?lang=en&tab=events", ".event-list li"), ("/wall?lang=zh", ".strip-trapped"),
    ):  # fmt: skip
        page.goto(town.site.url + path)
        page.wait_for_selector(ready)
        page.wait_for_selector(".live-pill:not(.pill-bad)")
        assert axe.violations(page) == [], f"{scheme} {path}"
    town.alarm(12, f"12-{scheme}", 2, phase="closed", closed_at_ms=now_ms())
    town.quiet(12, 2)


def test_on_a_phone_everything_is_one_column_and_large_enough_for_a_thumb(look: Looking, town: Town) -> None:
    page = look.page("/?lang=zh", width=390, height=844)
    small = """() => [...document.querySelectorAll('main a, main button, main select, main input, main summary, header a, header button, header select')]
      .map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width > 0 && Math.max(r.height, e.closest('label, .pill')?.getBoundingClientRect().height ?? 0) < 43.5)
      .map(([e, r]) => `${e.tagName} ${e.className} ${r.height}`)"""
    for path, ready in (
        ("/?lang=zh", ".strip"), ("/lift/lift-1?lang=zh", ".values"), ("/lift/lift-1?lang=en&tab=history", ".history"),
        ("/lift/lift-1?lang=zh&tab=events", ".events"),
    ):  # fmt: skip
        page.goto(town.site.url + path)
        page.wait_for_selector(ready)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.evaluate(small) == [], path
    page.goto(f"{town.site.url}/?lang=zh")
    page.wait_for_selector(".strip")
    first, strip = page.locator(".alarms").bounding_box(), page.locator(".strip").first.bounding_box()
    assert first["y"] < strip["y"], "what calls for him comes first"


def test_the_wall_turns_its_pages_stops_at_an_alarm_and_takes_a_new_version(
    browser: Any, look: Looking, town: Town
) -> None:
    town.site.admin("organisation", "contractor", "看板维保", "person", "wall", "大屏", "看板维保", "viewer",
                    *(word for n in range(1, 13) for word in ("assign", "--contractor", "看板维保", f"lift-{n}")))  # fmt: skip
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    town.site.sign_in(page, "wall")
    page.goto(f"{town.site.url}/?wall=1&every=3&lang=zh")
    page.wait_for_selector(".wall .strip >> nth=11")
    assert page.locator("nav, select").count() == 0
    town.alarm(5, "5-9")
    page.wait_for_selector(".alarm-danger.alarm-new[data-alarm=lift-5]")
    assert "停止翻页" in page.inner_text(".wall-page") and page.locator(".alarm .button").count() == 0
    town.alarm(5, "5-9", 2, phase="closed", closed_at_ms=now_ms())
    document = page.evaluate("fetch('/wall').then(answer => answer.text())")
    newer = re.sub(r"/assets/index-[\w-]+\.js", "/assets/index-newer.js", document)
    page.route("**/wall*", lambda route: route.fulfill(body=newer, content_type="text/html"))
    with page.expect_navigation():
        page.evaluate("dispatchEvent(new Event('online'))")  # the stream begins anew, as when the server was restarted
    page.close()
