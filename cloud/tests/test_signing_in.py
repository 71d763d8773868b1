"""Signing in as a browser does it: passwords with lock-out, one-time links, ends of sessions, other sites, limits. Clock injected."""

import concurrent.futures
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from cloud.accounts import service, signing_in
from cloud.accounts.models import Organisation, Person, Session
from cloud.accounts.tokens import hash_of
from cloud.settings import HOUR_MS, MINUTE_MS, Limits, Settings, SettingsError
from cloud.shell import shell_scope
from cloud.tests.conftest import CHEAP, Cloud

PASSWORD = "seven lifts go up at dawn"
OTHER = "eight lifts come down at dusk"
OWN = {"sec-fetch-site": "same-origin"}


class Clock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def browser(database: str, clock: Clock) -> Iterator[Cloud]:
    """Nobody yet; follows no redirect, keeps cookies, sends what a browser sends from our own page."""
    many = Limits(address=10**6, attempts=10**6)
    with Cloud(database, Settings(passwords=CHEAP, clock=clock, limits=many)) as found:
        del found.headers["authorization"]
        found.headers.update(OWN)
        yield found


def link_for(browser: Cloud, clock: Clock, purpose: str = "set_password", name: str = "admin") -> str:
    async def make(session: Any) -> str:
        person = (await session.scalars(select(Person).where(Person.sign_in_name == name))).one()
        return await signing_in.make_link(session, clock(), shell_scope(), person, purpose, 24 * HOUR_MS)

    return f"/link/{browser.run(make)}"


def set_password(browser: Cloud, clock: Clock, password: str = PASSWORD, name: str = "admin") -> None:
    answer = browser.post(link_for(browser, clock, name=name), data={"password": password, "again": password})
    assert answer.status_code == 303, answer.text
    browser.cookies.clear()


def sign_in(browser: Cloud, password: str = PASSWORD, name: str = "admin", **more: str) -> Any:
    return browser.post("/sign-in", data={"name": name, "password": password, **more})


def test_nobody_known_is_sent_to_sign_in_and_back_to_where_he_wanted(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    answer = browser.get("/?lift=lift-1&lang=en")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F%3Flift%3Dlift-1%26lang%3Den")
    assert browser.get("/api/v1/lifts").status_code == 401
    answer = sign_in(browser, next="/?lift=lift-1&lang=en")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?lift=lift-1&lang=en")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert browser.get("/api/v1/me").json()["name"] == "Administrator"
    assert browser.get("/sign-in").headers["location"] == "/"


@pytest.mark.parametrize(
    "next", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/\r\nx"]
)
def test_no_other_place_is_gone_on_to_after_signing_in(browser: Cloud, clock: Clock, next: str) -> None:
    set_password(browser, clock)
    assert sign_in(browser, next=next).headers["location"] == "/"


def test_a_one_time_link_is_looked_at_often_and_used_once(browser: Cloud, clock: Clock) -> None:
    link = link_for(browser, clock)
    assert browser.get(link).status_code == browser.get(link).status_code == 200
    assert browser.post(link, data={"password": PASSWORD, "again": OTHER}).status_code == 422
    assert browser.post(link, data={"password": "short", "again": "short"}).status_code == 422
    assert browser.post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
    assert browser.get(link).status_code == 404
    assert browser.post(link, data={"password": OTHER, "again": OTHER}).status_code == 404
    browser.cookies.clear()
    assert sign_in(browser, OTHER).status_code == 401
    assert sign_in(browser).status_code == 303


def test_a_link_ends_after_a_day_and_gives_way_to_a_newer_one(browser: Cloud, clock: Clock) -> None:
    first, second = link_for(browser, clock), link_for(browser, clock)
    assert (browser.get(first).status_code, browser.get(second).status_code) == (404, 200)
    clock.now_ms += 24 * HOUR_MS
    assert browser.get(second).status_code == 404


def test_a_new_password_by_a_link_signs_everybody_else_out(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    sign_in(browser)
    mine = browser.cookies["liftwatch"]
    browser.cookies.clear()
    set_password(browser, clock, OTHER)
    browser.cookies.set("liftwatch", mine)
    assert browser.get("/api/v1/me").status_code == 401


def test_wrong_passwords_lock_out_for_longer_and_longer_and_tell_nothing(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    nobody = sign_in(browser, "wrong", name="nobody-of-that-name")
    for _ in range(signing_in.FREE_FAILURES):
        answer = sign_in(browser, "wrong")
        assert answer.status_code == 401
    shown = re.sub(r'value="[^"]*"', "", answer.text)
    assert shown == re.sub(r'value="[^"]*"', "", nobody.text)
    assert sign_in(browser).status_code == 401  # the right one, too early
    clock.now_ms += MINUTE_MS
    assert sign_in(browser, "wrong").status_code == 401
    clock.now_ms += MINUTE_MS
    assert sign_in(browser).status_code == 401
    clock.now_ms += MINUTE_MS
    assert sign_in(browser).status_code == 303
    browser.cookies.clear()
    assert sign_in(browser, "wrong").status_code == 401
    assert sign_in(browser).status_code == 303  # the count began anew


def test_many_attempts_at_once_get_no_more_tries_than_one_after_the_other(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: sign_in(browser, f"wrong {n}").status_code, range(24)))
    assert set(answers) == {401}

    async def failures(session: Any) -> int:
        return int(await session.scalar(select(Person.failures).where(Person.sign_in_name == "admin")))

    assert browser.run(failures) == signing_in.FREE_FAILURES
    entries = browser.run(_refusals)
    assert sorted(entries) == sorted(["wrong password"] * 4 + ["wrong password, locked out"] + ["locked out"] * 19)


async def _refusals(session: Any) -> list[str]:
    from cloud.audit.models import AuditEntry

    rows = await session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "sign_in.refused"))
    return [row["why"] for row in rows]


def test_a_reset_by_an_administrator_ends_a_lock_out(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    for _ in range(signing_in.FREE_FAILURES):
        sign_in(browser, "wrong")
    set_password(browser, clock, OTHER)
    assert sign_in(browser, OTHER).status_code == 303


def test_a_session_ends_unused_and_ends_for_good(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    sign_in(browser)
    begun = clock.now_ms
    for _ in range(6):
        clock.now_ms += 2 * HOUR_MS - 1
        assert browser.get("/api/v1/me").status_code == 200
    clock.now_ms = begun + 14 * HOUR_MS
    assert browser.get("/api/v1/me").status_code == 401
    sign_in(browser)
    clock.now_ms += 2 * HOUR_MS
    assert browser.get("/api/v1/me").status_code == 401


def test_signing_out_is_for_good_and_only_hashes_are_kept(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    sign_in(browser)
    token = browser.cookies["liftwatch"]

    async def held(session: Any) -> list[str]:
        return list((await session.scalars(select(Session.token_hash))).all())

    assert hash_of(token) in browser.run(held)
    assert token not in browser.run(held)
    assert browser.post("/sign-out").status_code == 303
    browser.cookies.set("liftwatch", token)
    assert browser.get("/api/v1/me").status_code == 401


def test_the_account_page_changes_the_password_with_the_current_one_only(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    sign_in(browser)
    new = {"password": OTHER, "again": OTHER}
    assert browser.post("/account/password", data={"now": "wrong", **new}).status_code == 422
    plain = {"now": PASSWORD, "password": "aaaaaaaaaaaaaaaa", "again": "aaaaaaaaaaaaaaaa"}
    assert browser.post("/account/password", data=plain).status_code == 422
    assert browser.post("/account/password", data={"now": PASSWORD, **new}).status_code == 200
    assert browser.get("/api/v1/me").status_code == 200  # this browser stays
    browser.cookies.clear()
    assert sign_in(browser).status_code == 401
    assert sign_in(browser, OTHER).status_code == 303


def test_who_is_shut_out_is_out_at_once(browser: Cloud, clock: Clock) -> None:
    async def make(session: Any) -> str:
        platform = (await session.scalars(select(Organisation))).one()
        person = await service.make_person(
            session, clock(), shell_scope(), sign_in_name="li.na", name="李娜", phone="", language="zh",
            organisation_id=platform.id, role="viewer", district="",
        )  # fmt: skip
        return str(person.id)

    name = browser.run(make)
    set_password(browser, clock, name="li.na")
    sign_in(browser, name="li.na")
    assert browser.get("/api/v1/me").status_code == 200
    browser.run(lambda session: service.change_person(session, clock(), shell_scope(), name, {"active": False}))
    assert browser.get("/api/v1/me").status_code == 401
    assert sign_in(browser, name="li.na").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://testserver"}, 303),
        ({}, 403),
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(
    browser: Cloud, clock: Clock, headers: dict[str, str], status: int
) -> None:
    set_password(browser, clock)
    sign_in(browser)
    del browser.headers["sec-fetch-site"]
    assert browser.post("/account/language", data={"language": "en"}, headers=headers).status_code == status


def test_another_site_cannot_sign_a_browser_in_either(browser: Cloud, clock: Clock) -> None:
    set_password(browser, clock)
    answer = browser.post(
        "/sign-in", data={"name": "admin", "password": PASSWORD}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_every_answer_has_the_headers_that_browsers_obey(browser: Cloud) -> None:
    for path in ("/sign-in", "/api/v1/lifts", "/files/pages.css", "/nowhere"):
        headers = browser.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in headers
        assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"])
    assert browser.get("/sign-in").headers["cache-control"] == "no-store"


def test_behind_https_the_cookie_is_of_this_host_alone_and_the_origin_is_the_public_one(tmp_path: Any) -> None:
    settings = Settings(passwords=CHEAP, public_url="https://liftwatch.example")
    with Cloud(f"sqlite+aiosqlite:///{tmp_path}/c.db", settings) as browser:
        del browser.headers["authorization"]
        clock = Clock()
        clock.now_ms = settings.clock()
        data = {"password": PASSWORD, "again": PASSWORD}
        link = link_for(browser, clock)
        assert browser.post(link, data=data, headers={"origin": "http://testserver"}).status_code == 403
        answer = browser.post(link, data=data, headers={"origin": "https://liftwatch.example"})
        assert answer.headers["set-cookie"].startswith("__Host-liftwatch=")
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("url", ["liftwatch.example", "ftp://x", "https://x/path", "https://"])
def test_a_public_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="scheme and host"):
        Settings(public_url=url)


def test_too_many_attempts_from_one_address_wait_a_minute(tmp_path: Any) -> None:
    settings = Settings(passwords=CHEAP, limits=Limits(attempts=3))
    with Cloud(f"sqlite+aiosqlite:///{tmp_path}/c.db", settings) as browser:
        del browser.headers["authorization"]
        browser.headers.update(OWN)
        statuses = [sign_in(browser, name=f"name-{n}").status_code for n in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        answer = browser.get("/api/v1/me", headers={"authorization": "Bearer lwt_guessed"})
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 61
        assert answer.headers["content-type"] == "application/problem+json"


def test_nobody_known_and_everybody_known_has_a_limit(tmp_path: Any) -> None:
    settings = Settings(passwords=CHEAP, limits=Limits(actor=3, address=2))
    with Cloud(f"sqlite+aiosqlite:///{tmp_path}/c.db", settings) as known:
        assert [known.get("/api/v1/me").status_code for _ in range(4)] == [200, 200, 200, 429]
        del known.headers["authorization"]
        assert [known.get("/api/v1/me").status_code for _ in range(3)] == [401, 401, 429]


def test_too_large_a_body_is_refused(browser: Cloud) -> None:
    assert browser.post("/sign-in", data={"name": "x" * (1 << 21)}).status_code == 413


def test_the_first_start_makes_an_administrator_without_a_password_and_goes_on_until_he_has_one(
    browser: Cloud, clock: Clock
) -> None:
    async def start(session: Any) -> str | None:
        return await signing_in.first_start(session, clock(), HOUR_MS)

    first, second = browser.run(start), browser.run(start)
    assert first is not None and second is not None
    assert (browser.get(f"/link/{first}").status_code, browser.get(f"/link/{second}").status_code) == (404, 200)
    browser.post(f"/link/{second}", data={"password": PASSWORD, "again": PASSWORD})
    assert browser.run(start) is None
    assert len(browser.get("/api/v1/people").json()) == 1


@pytest.mark.parametrize(("accept", "word"), [("en-GB,en", "Sign in"), ("zh-CN,zh", "登录"), ("", "登录")])
def test_pages_speak_the_language_of_the_browser_until_another_is_chosen(
    browser: Cloud, accept: str, word: str
) -> None:
    assert f"<h1>{word}</h1>" in browser.get("/sign-in", headers={"accept-language": accept}).text
    assert "<h1>Sign in</h1>" in browser.get("/sign-in?lang=en", headers={"accept-language": accept}).text
    assert "<h1>Sign in</h1>" in browser.get("/sign-in", headers={"accept-language": accept}).text
