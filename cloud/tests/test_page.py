"""The page in a real browser, fed by a gateway that says what it is told: normal, trapped, stale, both languages, a phone."""

import json
import pathlib
import time
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from cloud.tests.chromium import CHROMIUM, Site, watched
from cloud.tests.conftest import incident, live, record

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium; install Debian's package chromium"),
]


def gateway(site: Site, *names: str) -> ClientConnection:
    headers = {"Authorization": f"Bearer {site.gateway_token}"}
    socket = connect(site.url.replace("http", "ws") + "/api/v1/gateways/g-1/link", additional_headers=headers)
    socket.send(
        json.dumps({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [record(name) for name in names]})
    )
    assert json.loads(socket.recv())["type"] == "welcome"
    return socket


def tell(socket: ClientConnection, *lifts: dict[str, Any]) -> None:
    socket.send(json.dumps({"type": "live", "t_ms": 1, "lifts": lifts}))


def open_page(browser: Any, site: Site, *, lang: str = "en", width: int = 1440) -> tuple[Any, list[str]]:
    """The live page, signed in, and what goes wrong in it."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark")
    problems = watched(page, site)
    site.sign_in(page)
    page.goto(f"{site.url}/?lang={lang}")
    return page, problems


def test_normal_lifts_are_calm_and_a_trapped_one_is_not(browser: Any, cloud: Site) -> None:
    socket = gateway(cloud, "lift-1", "lift-2")
    tell(socket, live("lift-1"), live("lift-2", direction=1, car_status=1, passenger=True))
    page, problems = open_page(browser, cloud)
    page.wait_for_selector(".strip-none >> nth=1")
    assert page.inner_text(".alarms .empty") == "Nothing calls for you"
    tell(socket, live("lift-1", door_zone=False, passenger=True, faults=["trapped_between_floors"]))
    socket.send(json.dumps({"type": "incident", "incident": incident(opened=int(time.time() * 1000) - 21_000)}))
    page.wait_for_selector(".strip-trapped")
    assert "▲ Trapped between floors" in page.inner_text(".strip-trapped")
    page.click(".alarm-details summary")
    page.wait_for_selector(".alarm-details .chain")
    card = page.inner_text(".alarm-danger")
    assert "330117" in card
    assert "committed" in card
    assert page.title().startswith("(1)")
    assert problems == []
    page.close()
    socket.close()


def test_an_incident_says_why_and_what_would_end_it(browser: Any, cloud: Site) -> None:
    socket = gateway(cloud, "lift-1")
    tell(socket, {**live("lift-1", faults=["trapped_between_floors"]), "near_misses": {"trapped_at_level": 3}})
    opened = int(time.time() * 1000) - 21_000
    evidence = [["stopped", opened], ["out_of_zone", opened - 500], ["passenger", opened - 9000]]
    socket.send(json.dumps({"type": "incident", "incident": incident(opened=opened, evidence=evidence)}))
    page, problems = open_page(browser, cloud)
    page.click(".alarm-details > summary")
    page.click(".incident-danger summary")
    why = page.inner_text(".incident-danger .why")
    assert "the car is outside the door zone since" in why and "Ends when: the car is in the door zone (1 s)" in why
    page.click(".strip")
    page.wait_for_selector("text=Nearly told: Trapped at floor level 3")
    assert problems == []
    page.close()
    socket.close()


def test_what_is_withheld_alarms_nobody_and_what_was_open_before_the_work_still_does(browser: Any, cloud: Site) -> None:
    socket = gateway(cloud, "lift-1", "lift-2")
    work: dict[str, Any] = {"work_mode": 1, "faults": ["running_with_door_open", "work_mode"]}
    tell(socket, live("lift-1", **work, withheld=["running_with_door_open"]), live("lift-2", **work, withheld=[]))
    kept = incident("lift-1-1-2", kind="running_with_door_open", withheld="work", opened=int(time.time() * 1000))
    socket.send(json.dumps({"type": "incident", "incident": kept}))
    page, problems = open_page(browser, cloud)
    page.wait_for_selector(".strip-work >> text=Technician at work")
    page.wait_for_selector(".strip-trapped >> text=Running with door open")
    assert "at work: told to no city" in page.inner_text(".incident-note")
    assert page.locator(".incident-danger").count() == 0 and problems == []
    page.close()
    socket.close()


def test_the_page_says_when_the_server_is_gone_and_comes_back_alone(browser: Any, tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    page, _ = open_page(browser, site)
    page.wait_for_selector(".live-word")
    site.child.kill()
    page.wait_for_selector(".banner", timeout=20_000)
    site.child.start()
    page.wait_for_selector(".banner", state="detached", timeout=20_000)
    page.close()
    site.stop()


def member(number: int, triage: str, reason: str, now_ms: int, **more: Any) -> dict[str, Any]:
    lift = f"lift-{number}"
    return {
        "lift": lift, "site": "hefang-yuan", "incident": f"{lift}-1-1", "incidents": [f"{lift}-1-1"], "class": triage,
        "reason": reason, "since_ms": now_ms - 300_000, "ended_ms": None, "passenger": triage == "occupied",
        "passenger_at_ms": now_ms - 240_000, "floor": 3, "running": False, "in_zone": True, "car_at_ms": now_ms - 301_000,
        "live": True, **more,
    }  # fmt: skip


def power_cut(now_ms: int, version: int = 1, **more: Any) -> dict[str, Any]:
    members = [
        member(3, "alarm", "trapped_in_power_cut", now_ms, incidents=["lift-3-1-1", "lift-3-1-2"]),
        member(2, "occupied", "passenger_seen", now_ms, live=False), member(4, "unknown", "presence_unknown", now_ms),
        member(1, "empty", "nobody_seen", now_ms),
    ]  # fmt: skip
    snapshot = {
        "scope": "site", "site": "hefang-yuan", "sites": 1, "lifts": 4, "lifts_known": 5,
        "alarm": 1, "occupied": 1, "unknown": 1, "moving": 0, "empty": 1, "ended": 0,
    }  # fmt: skip
    return incident(
        "g-1-1790000000-1", version, opened=now_ms - 300_000, kind="area_power_cut", lift="g-1", severity=4, members=members,
        snapshot=snapshot, **{"class": "event"}, **more,
    )  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_area_event_has_its_members_in_order_under_it_and_none_of_them_again(
    browser: Any, cloud: Site, lang: str
) -> None:
    names = [f"lift-{number}" for number in range(1, 6)]
    now_ms = int(time.time() * 1000)
    socket = gateway(cloud, *names)
    tell(socket, *(live(name, "bus_silent", mains=False) for name in names))
    area = power_cut(now_ms)
    own = {"opened": now_ms - 300_000, "area": area["id"], "kind": "mains_lost", "severity": 2}
    found = [incident(f"lift-{n}-1-1", lift=f"lift-{n}", **own) for n in (1, 2, 3, 4)]
    found.append(incident("lift-3-1-2", lift="lift-3", **{**own, "kind": "trapped_in_power_cut", "severity": 4}))
    found += [area, incident("lift-5-1-1", lift="lift-5", opened=now_ms - 1000, kind="door_blocked", severity=2)]
    for one in found:  # the members come first, as they do
        socket.send(json.dumps({"type": "incident", "incident": one}))
        assert json.loads(socket.recv())["type"] == "receipt"
    page, problems = open_page(browser, cloud, lang=lang)
    page.wait_for_selector(".members .member >> nth=3")
    page.wait_for_selector(".alarm:visible >> nth=1")
    assert page.locator(".incident:visible").count() == 1
    titles = page.locator(".alarm-title:visible").all_inner_texts()
    assert len(titles) == 2, "who is trapped, and what has nothing to do with the area; the others are under it"
    assert page.title().startswith("(3)")
    lifts = [page.locator(".member-lift").nth(at).inner_text().split(" · ")[0] for at in range(4)]
    assert lifts == ["梯 lift-3", "梯 lift-2", "梯 lift-4", "梯 lift-1"]
    card = page.inner_text(".incident-danger")
    expected = {
        "en": (
            "Power cut over many lifts",
            "hefang-yuan · 4 of 5 lifts",
            "Trapped in a power cut",
            "Last known",
            "Occupancy unknown",
        ),
        "zh": ("多台电梯停电", "hefang-yuan · 4 台，共 5 台", "停电困人", "最后已知", "是否有人未知"),
    }
    assert all(words in card for words in expected[lang]), card
    page.click(".member-alarm summary")
    page.wait_for_selector(".member-alarm .chain >> nth=1")
    opened = page.inner_text(".member-alarm details[open]")
    both = {"en": ("Mains lost", "Trapped in a power cut"), "zh": ("主电源断电", "停电困人")}
    assert all(words in opened for words in both[lang]) and page.locator(".member-alarm .chain").count() == 2
    # A later revision moves a member up.
    area["members"] = [area["members"][3] | {"class": "alarm", "reason": "button_pressed"}, *area["members"][:3]]
    socket.send(json.dumps({"type": "incident", "incident": {**area, "version": 2}}))
    page.wait_for_selector(".member-alarm >> nth=1")
    assert page.locator(".member-lift").first.inner_text().startswith("梯 lift-1")
    assert problems == []
    page.close()
    socket.close()


def test_on_a_phone_a_long_area_shows_those_looked_after_first_and_runs_out_nowhere(browser: Any, cloud: Site) -> None:
    now_ms = int(time.time() * 1000)
    socket = gateway(cloud, "lift-1")
    area = power_cut(now_ms)
    first = member(1, "occupied", "passenger_seen", now_ms)
    area["members"] = [first | {"lift": f"lift-{n}", "incident": f"lift-{n}-1-1"} for n in range(250)]
    area["snapshot"] |= {"lifts": 1000, "lifts_known": 9000, "scope": "gateway", "sites": 80, "occupied": 1000}
    del area["snapshot"]["site"]
    socket.send(json.dumps({"type": "incident", "incident": area}))
    page, problems = open_page(browser, cloud, width=390)
    page.wait_for_selector(".more")
    assert page.locator(".member:visible").count() == 8
    card = page.inner_text(".incident-danger")
    assert "80 sites · 1000 of 9000 lifts" in card and "242 more" in card and "750 not listed" in card
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems == []
    page.close()
    socket.close()


def test_the_generated_words_are_fresh() -> None:
    from cloud.web import generate

    assert generate.stale() == []
