"""Stories of the technician's phone in a real browser: dead zones, a reload in one, refusals, a fault mended, thumbs."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from cloud.tests import axe, test_page
from cloud.tests.rescue_town import PHONE, Town

pytestmark = test_page.pytestmark


def picture(side: int) -> bytes:
    """A grey square as a PNG."""
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * side for _ in range(side)))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    found = Town(tmp_path_factory.mktemp("town"))
    yield found
    found.stop()


def phone_of(browser: Any, town: Town, name: str = "wang.qiang", **more: Any) -> tuple[Any, list[str]]:
    page, problems = town.person(browser, name, "/phone", **{**PHONE, **more})
    page.wait_for_selector(".phone")
    return page, problems


def steps(page: Any, case: str) -> list[dict[str, Any]]:
    """The case's timeline as the API tells it to who looks at the page."""
    found = page.evaluate(f"fetch('/api/v1/cases/{case}').then(a => a.json())")
    return list(found["timeline"])


def open_case(page: Any, code: str) -> str:
    page.click(f".row:has-text('{code}')")
    page.wait_for_selector(".case-code")
    return str(page.url.split("/phone/")[1].split("?")[0])


def test_a_rescue_through_a_dead_zone_is_sent_in_order_also_after_a_reload_in_it(browser: Any, town: Town) -> None:
    town.trap("lift-1")
    page, problems = phone_of(browser, town)
    case = open_case(page, "340 117")
    assert "严禁扒门" in page.inner_text(".remedies")
    assert "coordinate=wgs84" in page.get_attribute("a:has-text('导航')", "href")
    assert page.get_attribute("a:has-text('其他地图')", "href").startswith("geo:30.2713,120.1285")
    page.wait_for_selector("text=本页已可离线打开")
    page.wait_for_timeout(1200)  # the list is kept a second after its last change
    page.context.set_offline(True)
    page.click("text=接单")
    page.click(".etas >> text=10 分")
    page.click("text=已到场")
    page.set_input_files("input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": picture(2000)})
    page.wait_for_selector(".outbox >> text=待发送（4）")
    page.reload()
    page.wait_for_selector(".outbox >> text=待发送（4）")
    page.wait_for_selector(".phone-offline >> text=无网络")
    page.wait_for_selector(".case-where >> text=西溪路 18 号")
    page.wait_for_selector("text=已救出…")  # what was said holds here though nobody has heard it yet
    said = [item.inner_text().split()[1] for item in page.locator(".outbox li").all()]
    assert said == ["接单", "出发，预计", "到场", "照片"]
    page.context.set_offline(False)
    page.wait_for_selector(".outbox", state="detached")
    page.wait_for_selector(".photos img")
    assert page.evaluate("document.querySelector('.photos img').naturalWidth") == 1600
    mine = [entry for entry in steps(page, case) if entry["name"] == "王强"]
    assert [entry["step"] for entry in mine] == ["accept", "on_the_way", "arrived", "photo"]
    assert all(entry["said_at_ms"] is not None and entry["said_at_ms"] < entry["at_ms"] for entry in mine[:3])
    page.click("text=已救出…")
    page.fill(".step-dialog input[type=number] >> nth=0", "2")
    page.select_option(".step-dialog select >> nth=1", "power_cut")
    page.click(".step-dialog >> text=确定")
    page.wait_for_selector(".next >> text=现场处置已完成")
    page.wait_for_selector(".outbox", state="detached")
    last = [entry for entry in steps(page, case) if entry["name"] == "王强"][-2:]
    assert [entry["step"] for entry in last] == ["released", "cause"]
    assert last[0]["said_at_ms"] is None  # there was a line: it was said when it arrived
    assert problems == []
    page.context.close()


def test_a_step_that_comes_too_late_is_shown_and_stops_nothing_behind_it(browser: Any, town: Town) -> None:
    town.trap("lift-2")
    page, _ = phone_of(browser, town, lang="en")
    case = open_case(page, "340 118")
    page.wait_for_selector("text=This page opens without a line")
    page.context.set_offline(True)
    page.click("text=Accept")
    page.click("text=Note…")
    page.fill(".step-dialog textarea", "门锁已检查")
    page.click(".step-dialog >> text=Save")
    page.wait_for_selector(".outbox >> text=Waiting to be sent (2)")
    desk, _ = town.person(browser, "chen.jing", f"/desk/{case}", lang="en")
    desk.click("text=Dispatch L2")
    desk.locator(".rung").nth(0).get_by_role("button", name="Stand down").click()
    desk.wait_for_selector(".rung >> nth=0 >> text=Stood down")
    page.context.set_offline(False)
    page.wait_for_selector(".outbox >> text=Not accepted (1)")
    page.wait_for_selector(".outbox >> text=Waiting to be sent", state="detached")
    assert "moved on meanwhile · kept in the timeline" in page.inner_text(".outbox")
    entries = steps(page, case)
    assert [entry["step"] for entry in entries if entry["name"] == "王强"] == ["said_late", "note"]
    desk.wait_for_selector(".timeline >> text=came too late: accept")
    page.click("text=Understood")
    page.wait_for_selector(".outbox", state="detached")
    page.context.close()
    desk.context.close()


def test_what_one_technician_said_is_never_sent_as_anothers_and_a_busy_case_loses_no_step(
    browser: Any, town: Town
) -> None:
    town.trap("lift-5")
    page, _ = phone_of(browser, town, lang="en")
    case = open_case(page, "340 125")
    page.wait_for_selector("text=This page opens without a line")
    page.wait_for_timeout(1200)  # the list is kept a second after its last change
    page.context.set_offline(True)
    page.click("text=Accept")
    page.wait_for_selector(".outbox >> text=Waiting to be sent (1)")
    page.goto("about:blank")
    page.context.set_offline(False)
    page.context.clear_cookies()
    town.site.sign_in(page, "li.na")
    # The line is thin: who this is, is known late.
    page.route("**/api/v1/me", lambda route: (page.wait_for_timeout(1500), route.continue_()))
    page.goto(f"{town.site.url}/phone?lang=en")
    page.wait_for_selector(".row >> text=340 125")
    page.wait_for_timeout(2500)
    assert "accept" not in [entry["step"] for entry in steps(page, case)]
    page.unroute("**/api/v1/me")
    page.goto("about:blank")
    page.context.clear_cookies()
    town.site.sign_in(page, "wang.qiang")
    said: list[str] = []

    def busy(route: Any) -> None:
        said.append(route.request.post_data)
        title = "others are changing this case at the same moment; say it again"
        body = {"type": "about:blank", "title": title, "status": 409, "detail": None}
        route.fulfill(status=409, json=body, content_type="application/problem+json")

    page.route("**/steps", busy, times=1)
    page.goto(f"{town.site.url}/phone?lang=en")
    page.wait_for_selector(".phone")
    page.wait_for_selector(".outbox", state="detached")
    for _ in range(50):
        entries = [entry for entry in steps(page, case) if entry["step"] == "accept"]
        if entries:
            break
        page.wait_for_timeout(200)
    assert [entry["name"] for entry in entries] == ["王强"] and len(said) == 1
    page.context.close()


def test_a_fault_is_taken_mended_and_closed_by_the_contractor_himself(browser: Any, town: Town) -> None:
    incident = town.trap("lift-3", "door_wont_open")
    page, problems = phone_of(browser, town, lang="en")
    open_case(page, "340 119")
    page.click("text=Accept")
    page.click(".etas >> text=cannot say")
    page.click("text=I am there")
    town.free(incident, "lift-3")
    page.click("text=Mended…")
    page.select_option(".step-dialog select >> nth=1", "rubbish_in_door")
    page.click(".step-dialog >> text=Save")
    page.wait_for_selector(".next >> text=What was to be done on site is done")
    page.click("text=Close…")
    page.click(".step-dialog .button-action")
    page.wait_for_selector(".next >> text=The case is closed")
    assert problems == []
    page.context.close()


def test_targets_are_for_thumbs_and_axe_finds_nothing_in_the_dark_and_in_the_light(browser: Any, town: Town) -> None:
    town.trap("lift-4")
    page, _ = phone_of(browser, town)
    page.wait_for_selector(".row")
    assert axe.violations(page) == []
    open_case(page, "340 124")
    page.click("text=联系人")
    page.wait_for_selector("a[href^='tel:']")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert axe.violations(page) == []
    small = page.evaluate(
        "[...document.querySelectorAll('.phone a, .phone button, .phone label.button, .phone summary')]"
        ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5).map(e => e.textContent)"
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()
