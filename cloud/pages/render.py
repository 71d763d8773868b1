"""Renders the server's own pages: no JavaScript needed, in the language of who looks."""

import json
import pathlib
import urllib.parse
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from cloud.pages.texts import word

HERE = pathlib.Path(__file__).parent
FILES = HERE / "files"
LANGUAGE_COOKIE = "liftwatch-lang"
YEAR_S = 31_536_000
# The country has one time zone.
SITE_ZONE = timezone(timedelta(hours=8))

# The first mark that is in what a browser says: most say that they are others too.
BROWSERS = (
    ("MicroMessenger", "微信 WeChat"), ("DingTalk", "钉钉 DingTalk"), ("Edg", "Edge"), ("Firefox", "Firefox"),
    ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip

_pages = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def language_of(request: Request) -> str:
    """As the address says, else as chosen before, else as the browser prefers; Chinese where nothing says."""
    for said in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if said in ("en", "zh"):
            return said
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"


def local_time(at_ms: int) -> str:
    """A time as people at the lifts read it, with its offset."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(SITE_ZONE).strftime("%Y-%m-%d %H:%M +08:00")


def browser_name(agent: str) -> str:
    """A browser's name and system, as a person knows them, out of what it says of itself."""
    name = next((name for mark, name in BROWSERS if mark in agent), agent[:40] or "–")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{name} · {system}" if system else name


def plain(detail: Any) -> str:
    """A detail of the audit log as one line that can be read."""
    return json.dumps(detail, ensure_ascii=False)


def page(request: Request, name: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from its template; a language chosen in the address is remembered."""
    language = language_of(request)
    other = "zh" if language == "en" else "en"
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    text = _pages.get_template(name).render(
        lang=language, html_lang="en" if language == "en" else "zh-CN", word=lambda key: word(key, language),
        local_time=local_time, browser_name=browser_name, plain=plain, other_language=urllib.parse.urlencode([*query, ("lang", other)]),
        get=request.method == "GET", **values,
    )  # fmt: skip
    answer = HTMLResponse(text, status_code=status)
    if request.query_params.get("lang") == language:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax")
    return answer
