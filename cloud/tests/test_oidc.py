"""Signing in by an OpenID provider, against one that serves for real: the way in, and each lie that must not be believed."""

import pathlib
import urllib.parse
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc import jwk

from cloud.settings import OidcProvider, Settings, SettingsError, load_providers
from cloud.tests.conftest import CHEAP, Cloud
from cloud.tests.provider import CLIENT, SECRET, Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider().start()
    yield found
    found.stop()


@pytest.fixture
def browser(provider: Provider, tmp_path: pathlib.Path) -> Iterator[Cloud]:
    """A browser whose person has the identity subject-1."""
    ways = (OidcProvider("work", "City SSO", provider.issuer, CLIENT, SECRET),)
    with Cloud(f"sqlite+aiosqlite:///{tmp_path}/c.db", Settings(passwords=CHEAP, oidc=ways)) as found:
        (admin,) = found.get("/api/v1/people").json()
        identity = {"issuer": provider.issuer, "subject": "subject-1"}
        assert found.post(f"/api/v1/people/{admin['id']}/identities", json=identity).status_code == 204
        found.administrator = dict(found.headers)
        del found.headers["authorization"]
        yield found


def went_to(browser: Cloud, path: str = "/oidc/work?next=/account") -> str:
    """The way to the provider and what it sends the browser back with."""
    answer = browser.get(path)
    assert answer.status_code == 303, answer.text
    back = httpx.get(answer.headers["location"], trust_env=False).headers["location"]
    assert back.startswith("http://testserver/oidc/work/callback?")
    return back.removeprefix("http://testserver")


def refusals(browser: Cloud) -> list[dict[str, Any]]:
    headers = browser.administrator
    entries = browser.get("/api/v1/audit", headers=headers).json()
    return [entry for entry in entries if entry["action"] == "sign_in.refused"]


def test_who_has_a_linked_identity_comes_in_and_goes_on_to_where_he_wanted(browser: Cloud) -> None:
    assert "City SSO" in browser.get("/sign-in").text
    answer = browser.get(went_to(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    (session,) = browser.get("/api/v1/me/sessions").json()
    assert session["method"] == "oidc"
    assert "liftwatch-oidc" not in browser.cookies


def test_who_is_not_linked_does_not_come_in_and_the_log_tells_what_to_link(browser: Cloud, provider: Provider) -> None:
    provider.subject = "somebody else"
    answer = browser.get(went_to(browser))
    assert answer.status_code == 422
    assert "liftwatch" not in browser.cookies
    assert refusals(browser)[0]["detail"] | {"why": ""} == {
        "why": "", "issuer": provider.issuer, "subject": "somebody else",
    }  # fmt: skip


def test_what_was_begun_in_one_browser_cannot_be_finished_in_another(browser: Cloud) -> None:
    back = went_to(browser)
    kept = browser.cookies["liftwatch-oidc"]
    browser.cookies.clear()
    assert browser.get(back).status_code == 422
    went_to(browser)  # another of its own: the states differ
    assert browser.get(back).status_code == 422
    browser.cookies.set("liftwatch-oidc", kept)
    assert browser.get(back).status_code == 303


def test_a_way_back_is_good_once_and_for_minutes(browser: Cloud) -> None:
    back = went_to(browser)
    kept = browser.cookies["liftwatch-oidc"]
    assert browser.get(back).status_code == 303
    browser.cookies.clear()
    browser.cookies.set("liftwatch-oidc", kept)
    assert browser.get(back).status_code == 422
    assert "not begun in this browser" in refusals(browser)[0]["detail"]["why"]


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "of another day"}, {"aud": "another client"}, {"iss": "https://evil.example"}, {"exp": 1000},
        {"exp": None}, {"sub": ""}, {"sub": 5}, {"nonce": None}, {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"}, {"iat": 4_102_444_800},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_lies_is_not_believed(browser: Cloud, provider: Provider, lie: dict[str, Any]) -> None:
    provider.lie = lie
    assert browser.get(went_to(browser)).status_code == 422
    assert "liftwatch" not in browser.cookies
    assert "not to be believed" in refusals(browser)[0]["detail"]["why"]


def test_a_token_signed_by_somebody_else_is_not_believed(browser: Cloud, provider: Provider) -> None:
    provider.foreign_key = jwk.RSAKey.generate_key(2048)
    assert browser.get(went_to(browser)).status_code == 422
    assert "liftwatch" not in browser.cookies


def test_new_keys_of_the_provider_are_found(
    browser: Cloud, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.accounts.oidc.KEYS_AGAIN_S", 0.0)
    assert browser.get(went_to(browser)).status_code == 303
    provider.new_key()
    browser.cookies.clear()
    assert browser.get(went_to(browser)).status_code == 303


def test_a_provider_that_is_down_or_another_one_is_told_and_nothing_else_suffers(
    browser: Cloud, provider: Provider
) -> None:
    provider.calls_itself = "https://evil.example"
    assert browser.get("/oidc/work").status_code == 502
    provider.stop()
    assert browser.get("/oidc/work").status_code == 502
    assert browser.get("/oidc/unknown").status_code == 404
    assert browser.get("/sign-in").status_code == 200


def test_who_says_no_at_the_provider_is_back_at_the_sign_in_page(browser: Cloud) -> None:
    state = urllib.parse.parse_qs(went_to(browser))["state"][0]
    answer = browser.get(f"/oidc/work/callback?error=access_denied&state={state}")
    assert answer.status_code == 422
    assert "/sign-in" in answer.text


def test_an_identity_is_one_persons_and_can_be_taken_away(browser: Cloud, provider: Provider) -> None:
    headers = browser.administrator
    (admin,) = browser.get("/api/v1/people", headers=headers).json()
    path = f"/api/v1/people/{admin['id']}/identities"
    identity = {"issuer": provider.issuer, "subject": "subject-1"}
    assert browser.post(path, json=identity, headers=headers).status_code == 409
    assert browser.post(path, json={**identity, "issuer": "https://other"}, headers=headers).status_code == 422
    assert browser.delete(path, params=identity, headers=headers).status_code == 204
    assert browser.delete(path, params=identity, headers=headers).status_code == 404
    assert browser.get(went_to(browser)).status_code == 422


def test_the_file_of_providers_is_read_and_its_mistakes_are_told(tmp_path: pathlib.Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    file = tmp_path / "oidc.toml"
    good = (
        'id = "work"\nname = "City"\nissuer = "https://login.example"\nclient_id = "c"\nclient_secret_file = "secret"\n'
    )
    file.write_text("[[provider]]\n" + good)
    assert load_providers(file) == (OidcProvider("work", "City", "https://login.example", "c", "s3cret"),)
    for text in (
        "x", "[[provider]]\n" + good + "more = 1\n", "[[provider]]\n" + good.replace("https", "http"), "[provider]\n" + good,
        "[[provider]]\n" + good.replace('"secret"', '"gone"'), "[[provider]]\n" + good.replace('"work"', '"Work!"'), "",
    ):  # fmt: skip
        file.write_text(text)
        with pytest.raises(SettingsError):
            load_providers(file)
    with pytest.raises(SettingsError):
        load_providers(tmp_path / "none.toml")
