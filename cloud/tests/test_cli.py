"""The command as an operator meets it: where it may listen, the link of the first start, and setting up from a shell."""

import pathlib
import stat

import pytest
from click.testing import CliRunner, Result

import liftwatch
from cloud.tests.chromium import Site
from hil_tests.services import get_json


def run(*arguments: str) -> Result:
    return CliRunner().invoke(liftwatch.main, ["cloud", *arguments])


@pytest.fixture
def database(tmp_path: pathlib.Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'c.db'}"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "no loopback address"),
        (["--host", "10.0.0.5", "--public-url", "http://x"], "no loopback address"),
        (["--public-url", "liftwatch.example"], "scheme and host"),
        (["--oidc", "/none.toml"], "cannot be read"),
        (["--notice-host", "http://sms.internal"], "HOST or HOST:PORT"),
        (["--retention", "/none.toml"], "cannot be read"),
    ],
)
def test_what_would_be_unsafe_is_refused_with_what_to_do(database: str, options: list[str], told: str) -> None:
    result = run("--database", database, *options)
    assert result.exit_code == 1
    assert told in result.output


def test_the_first_start_prints_a_link_for_the_administrator_and_says_so_until_it_was_used(
    tmp_path: pathlib.Path,
) -> None:
    site = Site(tmp_path)
    assert site.child.process is not None and site.child.process.stdout is not None
    line = site.child.process.stdout.readline().decode()
    site.stop()
    assert line.startswith("first start: within 24 h set the password of 'admin' at http://127.0.0.1:")
    assert "/link/" in line


def test_a_shell_sets_up_organisations_people_and_tokens_in_one_line(database: str, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    result = run(
        "admin", "--database", database, "organisation", "contractor", "安达", "person", "--district", "3301", "li.na",
        "李娜", "安达", "technician", "link", "--sign-in", "li.na", "gateway-token", "--file", str(file), "g-1", "list",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "person " in result.output and "technician of 安达" in result.output
    assert "http://127.0.0.1:8080/link/" in result.output
    assert file.read_text().startswith("lwg_")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "lwg_" not in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["person", "li", "Li", "Nowhere", "viewer"], "no organisation 'Nowhere'"),
        (["person", "li", "Li", "Platform", "technician"], "no role 'technician'"),
        (["link", "nobody"], "nobody has the sign-in name"),
        (["gateway-token", "Not_An_Id"], "1 to 32"),
        (["assign", "lift-1"], "there is no lift"),
        (["api-token", "--district", "x", "n", "Platform", "viewer"], "2 to 12 digits"),
    ],
)
def test_a_mistake_is_told_and_nothing_of_the_line_is_done(database: str, arguments: list[str], told: str) -> None:
    result = run("admin", "--database", database, "organisation", "owner", "O", *arguments)
    assert result.exit_code == 1
    assert told in result.output
    listed = run("admin", "--database", database, "list").output
    assert " O" not in [line[-2:] for line in listed.splitlines()]


def test_what_a_shell_changes_a_running_cloud_follows(tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    text = site.admin("api-token", "report", "Platform", "administrator").split()[-1]
    assert get_json(f"{site.url}/api/v1/me", token=text)["name"] == "report"
    assert get_json(f"{site.url}/api/v1/audit", token=text)[-1]["actor_name"] == "first start"
    site.stop()
