"""A Chromium that looks at a cloud's page, and what is measured in it. Times are unix ms of this machine."""

import contextlib
import gzip
import shutil
import time
from collections.abc import Iterator
from typing import Any

from hil_tests.measure.cloud.site import Site
from hil_tests.services import StartError

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SIZE = {"width": 1920, "height": 1080}

# When the card of each lift's alarm was first on the screen: two frames behind the change, so that it was painted.
SEE_ALARMS = """
window.seen = {};
new MutationObserver(() => {
  const fresh = [...document.querySelectorAll('[data-alarm]')].map(e => e.dataset.alarm).filter(id => !(id in seen));
  if (fresh.length === 0) return;
  for (const id of fresh) seen[id] = 0;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    for (const id of fresh) seen[id] = performance.timeOrigin + performance.now();
  }));
}).observe(document, { subtree: true, childList: true });
"""
# From a batch's arrival in the page to the change of the document that it makes, and the frames meanwhile.
SEE_BATCHES = """
window.batches = []; window.frames = 0; window.at = 0;
const read = ReadableStreamDefaultReader.prototype.read;
ReadableStreamDefaultReader.prototype.read = async function () {
  const found = await read.call(this);
  if (found.value && window.at === 0) window.at = performance.now();
  return found;
};
new MutationObserver(() => {
  if (window.at > 0) { window.batches.push(performance.now() - window.at); window.at = 0; }
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
const count = () => { window.frames++; requestAnimationFrame(count); };
requestAnimationFrame(count);
"""


class Browser:
    """Pages of one person who is signed in."""

    def __init__(self, site: Site, chromium: Any, who: str) -> None:
        self._site = site
        self.context = chromium.new_context(viewport=SIZE)
        page = self.context.new_page()
        page.goto(site.admin("link", "--sign-in", "--url", site.url, who).split()[-1])
        page.click("button.main")
        page.wait_for_url(f"{site.url}/")
        page.close()

    def open(self, path: str, script: str = "") -> Any:
        """A page at `path`; `script` runs before those of the page."""
        page = self.context.new_page()
        if script:
            page.add_init_script(script)
        page.goto(self._site.url + path)
        return page

    def first_load(self) -> tuple[float, float]:
        """(ms to the first contentful paint with a warm cache, kB of JavaScript until then as gzip packs them)."""
        scripts: dict[str, int] = {}

        def packed(answer: Any) -> None:
            if answer.request.resource_type == "script":
                scripts[answer.url] = len(gzip.compress(answer.body()))

        cold = self.context.new_page()
        cold.on("response", packed)
        cold.goto(self._site.url + "/", wait_until="load")
        cold.wait_for_timeout(1500)
        cold.close()
        times = []
        for _ in range(5):
            page = self.context.new_page()
            page.goto(self._site.url + "/", wait_until="load")
            page.wait_for_timeout(1500)
            times.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            page.close()
        return sorted(times)[len(times) // 2], sum(scripts.values()) / 1000


@contextlib.contextmanager
def opened(site: Site, who: str = "admin") -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright; StartError where one of them is missing."""
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  a tool of the tests, and missing elsewhere
    except ModuleNotFoundError as error:
        raise StartError("Playwright is not installed; scripts/setup test brings it") from error
    if path is None:
        raise StartError("there is no chromium; install Debian's package chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield Browser(site, chromium, who)
        finally:
            chromium.close()


def smoothness(page: Any, seconds: float) -> tuple[float, list[float], int]:
    """(frames a second, ms from each batch's arrival to the document, strips in the document)."""
    page.evaluate("window.batches.length = 0; window.frames = 0; window.at = 0")
    begun = time.monotonic()
    page.wait_for_timeout(1000 * seconds)
    frames, batches = page.evaluate("[window.frames, window.batches]")
    strips = page.evaluate("document.querySelectorAll('[data-lift]').length")
    return frames / (time.monotonic() - begun), batches, strips
