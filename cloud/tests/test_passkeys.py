"""Passkeys in a real Chromium with a virtual authenticator: made, used, removed; and what does not get in."""

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from cloud.tests.chromium import CHROMIUM, Site, watched
from cloud.tests.conftest import Cloud

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium; install Debian's package chromium"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """By name: passkeys are bound to one."""
    found = Site(tmp_path_factory.mktemp("passkeys"), host="localhost")
    yield found
    found.stop()


def authenticator(page: Any) -> Any:
    """A virtual authenticator that has verified its user; the session to talk with it, and its id."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    found = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tools, found["authenticatorId"]


def test_a_passkey_is_made_signs_in_without_a_password_and_is_removed(browser: Any, site: Site) -> None:
    page = browser.new_page(locale="en")
    problems = watched(page, site)
    tools, name = authenticator(page)
    site.sign_in(page)
    page.goto(f"{site.url}/account?lang=en")
    page.fill("[data-passkey=add] input", "my laptop")
    page.click("[data-passkey=add] button")
    page.wait_for_selector("text=my laptop")
    page.click("text=Sign out")
    page.wait_for_url(f"{site.url}/sign-in")
    page.goto(f"{site.url}/sign-in?next=/account")
    page.click("[data-passkey=sign-in] button")
    page.wait_for_url(f"{site.url}/account")
    methods = page.evaluate("fetch('/api/v1/me/sessions').then((answer) => answer.json())")
    assert [entry["method"] for entry in methods if entry["this"]] == ["passkey"]
    assert problems == []
    page.goto(f"{site.url}/account?lang=en")
    page.click("text=Remove")
    page.wait_for_selector("text=None yet.")
    page.click("text=Sign out")
    page.wait_for_url(f"{site.url}/sign-in")
    page.click("[data-passkey=sign-in] button")
    page.wait_for_selector("[data-passkey=sign-in] .problem:not([hidden])")
    assert page.url == f"{site.url}/sign-in"
    assert len(tools.send("WebAuthn.getCredentials", {"authenticatorId": name})["credentials"]) == 1
    page.close()


def test_a_cloned_passkey_whose_count_went_back_is_refused_and_told(browser: Any, site: Site) -> None:
    page = browser.new_page(locale="en")
    tools, name = authenticator(page)
    page.goto(site.link("admin", "--sign-in"))
    page.click("button.main")
    page.wait_for_url(f"{site.url}/")
    page.goto(f"{site.url}/account?lang=en")
    page.click("[data-passkey=add] button")
    page.wait_for_selector("text=Remove")
    (credential,) = tools.send("WebAuthn.getCredentials", {"authenticatorId": name})["credentials"]
    for _ in range(2):
        page.context.clear_cookies()
        page.goto(f"{site.url}/sign-in")
        page.click("[data-passkey=sign-in] button")
        page.wait_for_url(f"{site.url}/")
    page.context.clear_cookies()
    tools.send("WebAuthn.removeCredential", {"authenticatorId": name, "credentialId": credential["credentialId"]})
    tools.send("WebAuthn.addCredential", {"authenticatorId": name, "credential": {**credential, "signCount": 0}})
    page.goto(f"{site.url}/sign-in")
    page.click("[data-passkey=sign-in] button")
    page.wait_for_selector("[data-passkey=sign-in] .problem:not([hidden])")
    site.sign_in(page)
    entries = page.evaluate("fetch('/api/v1/audit').then((answer) => answer.json())")
    refusals = [entry for entry in entries if entry["action"] == "sign_in.refused"]
    assert "sign count" in refusals[0]["detail"]["why"]
    assert refusals[0]["object"].startswith("person:")
    page.close()


def test_an_address_in_numbers_offers_no_passkey(browser: Any, site: Site) -> None:
    page = browser.new_page(locale="en")
    page.goto(f"http://127.0.0.1:{site.port}/sign-in")
    assert page.is_hidden("[data-passkey=sign-in]")
    page.close()


def test_rubbish_for_a_passkey_is_refused_and_a_challenge_is_good_once(client: Cloud, tmp_path: pathlib.Path) -> None:
    del client.headers["authorization"]
    begun = client.post("/sign-in/passkey/begin", json={}).json()
    for credential in ({}, {"rawId": "eA"}, {"rawId": 5}, {"rawId": "!"}, begun["options"]):
        answer = client.post("/sign-in/passkey", json={"ceremony": begun["ceremony"], "credential": credential})
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers
