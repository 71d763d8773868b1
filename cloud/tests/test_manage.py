"""The story of an administrator in a real browser: an organisation, a person, a link, a lift; and what the person then sees.

The person's page follows at once: he gains a lift when it is assigned and loses it when his role is taken, without a reload.
"""

from typing import Any

import pytest

from cloud.tests.chromium import CHROMIUM, Site, watched
from cloud.tests.conftest import live
from cloud.tests.test_page import gateway, tell

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium; install Debian's package chromium"),
]
PASSWORD = "seven lifts go up at dawn"


def test_an_administrator_lets_a_contractor_in_and_shows_him_his_lift_alone(browser: Any, cloud: Site) -> None:
    socket = gateway(cloud, "lift-1", "lift-2")
    tell(socket, live("lift-1"), live("lift-2"))
    office, street = (
        browser.new_context(locale="en"),
        browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}),
    )
    admin, person = office.new_page(), street.new_page()
    problems = [watched(admin, cloud), watched(person, cloud)]
    cloud.sign_in(admin)
    admin.goto(f"{cloud.url}/manage/organisations?lang=en")
    admin.select_option("section:last-of-type [name=kind]", "contractor")
    admin.fill("section:last-of-type [name=name]", "安达维保")
    admin.click("section:last-of-type button")
    admin.click("nav >> text=People")
    admin.fill("[name=sign_in_name]", "li.na")
    admin.fill("[name=name]", "李娜")
    admin.select_option("[name=place]", label="安达维保 · technician")
    admin.click("text=Add a person >> nth=-1")
    admin.click("text=Make a one-time link")
    link = admin.inner_text("code")
    assert link.startswith(f"{cloud.url}/link/")

    person.goto(link)
    person.fill("[name=password]", PASSWORD)
    person.fill("[name=again]", PASSWORD)
    person.click("button.main")
    person.wait_for_selector("text=没有电梯")

    admin.goto(f"{cloud.url}/manage/lifts?unassigned=1")
    admin.click("td a >> nth=0")
    admin.select_option("[name=contractor]", label="安达维保")
    admin.fill("[name=district]", "330106")
    admin.click("button.main")
    person.wait_for_selector(".strip")
    assert person.locator(".strip").count() == 1
    assert "lift-1" in person.inner_text(".strip")
    assert person.evaluate("fetch('/api/v1/lifts/lift-2').then((answer) => answer.status)") == 404
    assert person.goto(f"{cloud.url}/manage/people").status == 403

    person.goto(f"{cloud.url}/?lang=zh")
    person.wait_for_selector(".strip")
    admin.goto(f"{cloud.url}/manage/people")
    admin.click("text=李娜")
    admin.click("text=Take away")
    person.wait_for_selector(".strip", state="detached")
    person.wait_for_selector("text=没有电梯")
    person.reload()
    person.wait_for_url(f"{cloud.url}/account")
    assert "无角色" in person.inner_text("main")
    assert problems == [[], []]
    socket.close()
    office.close()
    street.close()


def test_a_page_whose_session_was_ended_goes_to_the_sign_in_page_by_itself(browser: Any, cloud: Site) -> None:
    page = browser.new_page(locale="en")
    cloud.sign_in(page)
    page.goto(f"{cloud.url}/?lang=en&lift=lift-1")
    page.wait_for_selector("[role=status]:not(.pill-bad)")
    other = browser.new_context()
    admin = other.new_page()
    cloud.sign_in(admin)
    admin.goto(f"{cloud.url}/account?lang=en")
    admin.click("text=Sign it out")
    page.wait_for_url(f"{cloud.url}/sign-in?next=%2F%3Flang%3Den%26lift%3Dlift-1", timeout=10_000)
    page.close()
    other.close()


def test_the_audit_log_shows_what_was_done_and_that_it_was_read(browser: Any, cloud: Site) -> None:
    page = browser.new_page(locale="en")
    cloud.sign_in(page)
    page.goto(f"{cloud.url}/manage/log?lang=en")
    assert "signed_in" in page.inner_text("tbody")
    page.reload()
    assert "personal.read GET /manage/log" in page.inner_text("tbody tr >> nth=0")
    page.close()
