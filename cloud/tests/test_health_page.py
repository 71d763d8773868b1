"""A lift's health on the page, in a real browser: score with parts, what is not known, both languages, a phone, a gateway that goes."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from cloud.tests import test_page
from cloud.tests.chromium import Site
from cloud.tests.conftest import live
from cloud.tests.health_told import days, health, young
from cloud.tests.test_page import gateway, open_page, tell

pytestmark = test_page.pytestmark


@contextmanager
def told(site: Site, *reports: dict[str, Any]) -> Iterator[ClientConnection]:
    """A gateway that has told the health of its lifts, and answers for their days."""
    names = [report["lift"] for report in reports] or ["lift-1"]
    with gateway(site, *names) as socket:
        tell(socket, *(live(name) for name in names))
        if reports:
            socket.send(json.dumps({"type": "health", "t_ms": 1, "lifts": reports}))
        thread = threading.Thread(target=_answer, args=(socket,), daemon=True)
        thread.start()
        yield socket
    thread.join(timeout=5)


def _answer(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        for text in socket:
            query = json.loads(text)
            if query.get("type") == "query":
                found: dict[str, Any] = (
                    {"days": days()} if query["what"] == "health_days" else {"fields": {}, "gaps": []}
                )
                socket.send(json.dumps({"type": "answer", "q": query["q"], **found}))


def opened(browser: Any, site: Site, **more: Any) -> tuple[Any, list[str]]:
    page, problems = open_page(browser, site, **more)
    page.click(".strip >> nth=0")
    page.click(".lift-head nav a >> nth=3")
    page.wait_for_selector(".health h2")
    return page, problems


def row(page: Any, title: str) -> Any:
    return page.locator(".health tbody tr", has=page.locator("summary", has_text=re.compile(f"^{re.escape(title)}$")))


def test_the_score_comes_with_its_parts_their_marks_in_words_and_what_to_do(browser: Any, cloud: Site) -> None:
    with told(cloud, health()):
        page, problems = opened(browser, cloud)
        page.wait_for_selector(".whole")
        whole = page.inner_text(".whole")
        assert (
            "64" in whole
            and "watch" in whole
            and "76 % of the weight is known" in whole
            and "Relevellings (0)" in whole
        )
        door = row(page, "Door 1: opening time")
        text = door.inner_text()
        assert "46 act" in text and "3.9 s" in text and "2.6 s" in text
        assert "getting worse, +0.14 s a week (42 days)" in text and "at its limit in 22 weeks" in text
        assert "Clean and check sill" in text
        assert page.locator(".health tbody tr").count() == 12
        assert not door.locator("details small").is_visible()
        door.locator("summary").focus()
        page.keyboard.press("Enter")
        assert "Full mark up to 4 s, none from 7 s on; of its own first weeks up to 1.15 times" in door.inner_text()
        assert problems == []
        page.close()


def test_what_is_not_known_says_so_and_why_and_has_no_number(browser: Any, cloud: Site) -> None:
    with told(cloud, health()):
        page, _ = opened(browser, cloud)
        page.wait_for_selector(".row-none")
        levelling = row(page, "Levelling").inner_text()
        assert "not known" in levelling and "steps of 100 mm" in levelling
        assert row(page, "Levelling").locator(".bar, .line").count() == 0
        page.close()


def test_a_lift_that_is_new_here_has_no_score_and_no_good_marks(browser: Any, cloud: Site) -> None:
    with told(cloud, young()):
        page, _ = opened(browser, cloud)
        page.wait_for_selector(".whole-none")
        assert "no score" in page.inner_text(".whole") and "Only 0 of 3 days so far." in page.inner_text(".whole")
        assert page.locator(".mark-good").count() == 0 and page.locator(".mark-none").count() == 12
        assert "Today 12" in page.inner_text(".use")
        page.close()


def test_the_lines_are_drawn_named_for_who_cannot_see_them_and_have_a_hole_where_nothing_was_known(
    browser: Any, cloud: Site
) -> None:
    with told(cloud, health()):
        page, problems = opened(browser, cloud)
        line = row(page, "Door 1: opening time").locator("[role=img]")
        line.locator("canvas").wait_for()
        assert line.get_attribute("aria-label") == "Door 1: opening time: 42 days of data, 2.6 s … 3.86 s"
        lit = """canvas => {
          const columns = [];
          const { width, height } = canvas;
          const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
          for (let x = 0; x < width; x += 1) {
            let white = 0;
            for (let y = 0; y < height; y += 1) white += data[4 * (y * width + x)] > 200 && data[4 * (y * width + x) + 3] > 100;
            columns.push(white > 0);
          }
          return columns;
        }"""
        columns = line.locator("canvas").evaluate(lit)
        first, last = columns.index(True), len(columns) - 1 - columns[::-1].index(True)
        assert last - first > 0.8 * len(columns)
        assert False in columns[first:last]
        assert problems == []
        page.close()


def test_the_table_is_a_table_for_whoever_has_it_read_to_him(browser: Any, cloud: Site) -> None:
    with told(cloud, health()):
        page, _ = opened(browser, cloud)
        page.wait_for_selector(".health table")
        assert page.inner_text(".health caption") == "The parts of the health score"
        heads = page.locator(".health thead th[scope=col]").all_inner_texts()
        assert heads == ["Part", "Mark", "Last 7 days", "First weeks", "Trend"]
        assert page.locator(".health tbody th[scope=row]").count() == 12
        assert page.get_attribute(".health", "aria-label") == "Health"
        page.close()


def test_it_is_there_in_chinese(browser: Any, cloud: Site) -> None:
    with told(cloud, health()):
        page, _ = opened(browser, cloud, lang="zh")
        page.wait_for_selector(".whole")
        text = page.inner_text(".health")
        assert "健康状况" in text and "前门开门时间" in text and "46 处理" in text and "以 100 mm 为步长" in text
        assert "约 22 周后达到下限" in text and "清洁并检查地坎" in text
        assert not {"Door", "act", "good", "not known", "steady"} & set(text.split())
        page.close()


def test_on_a_phone_each_part_is_a_block_and_nothing_runs_out_sideways(browser: Any, cloud: Site) -> None:
    with told(cloud, health()):
        page, _ = opened(browser, cloud, lang="zh", width=390)
        page.wait_for_selector(".whole")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.close()


def test_before_the_gateway_has_told_anything_the_page_says_so(browser: Any, cloud: Site) -> None:
    with told(cloud) as socket:
        page, _ = opened(browser, cloud)
        page.wait_for_selector(".health .empty")
        assert "told nothing of this lift's health yet" in page.inner_text(".health .empty")
        socket.send(json.dumps({"type": "health", "t_ms": 1, "lifts": [health()]}))
        page.reload()
        page.wait_for_selector(".whole")
        page.close()


def test_another_lift_never_shows_under_this_ones_name(browser: Any, cloud: Site) -> None:
    with told(cloud, health("lift-1"), young("lift-2")):
        page, _ = opened(browser, cloud)
        page.wait_for_selector(".whole-watch")
        page.goto(page.url.replace("lift-1", "lift-2"))
        page.wait_for_selector(".whole-none")
        assert "lift-2" in page.inner_text(".health h2")
        page.close()


def test_without_its_gateway_the_report_stays_with_its_date_and_has_no_lines(browser: Any, cloud: Site) -> None:
    with told(cloud, health()):
        pass
    page, _ = opened(browser, cloud)
    page.wait_for_selector(".whole")
    assert "as of 2026-11-26" in page.inner_text(".whole") and page.locator(".line").count() == 0
    page.close()
