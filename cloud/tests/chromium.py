"""A real browser, and a cloud as a process for it to look at, set up by the command as an operator would."""

import concurrent.futures
import contextlib
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

import liftwatch
from hil_tests import services

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextlib.contextmanager
def started() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


class Site:
    """A cloud on a free port, its administrator's ways in, and the token of gateway g-1."""

    def __init__(self, directory: pathlib.Path, *options: str, host: str = "127.0.0.1") -> None:
        self.directory = directory
        self.database = f"sqlite+aiosqlite:///{directory}/c.db"
        self.port = services.free_port()
        self.url = f"http://{host}:{self.port}"
        made = self.admin("gateway-token", "g-1", "link", "--url", self.url, "--sign-in", "admin").split()
        self.gateway_token, self._first_link = made[2], made[-1]
        arguments = ("--database", self.database, "--port", str(self.port), *options)
        self.child = services.part("cloud", directory, "cloud", *arguments)
        self.child.start()

    def admin(self, *arguments: str) -> str:
        """`liftwatch cloud admin …`; what it prints."""
        command = ["cloud", "admin", "--database", self.database, *arguments]
        # In a thread: the browser's driver has a loop in this one. As a process of its own it is started by the demo's tests.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            done = pool.submit(CliRunner().invoke, liftwatch.main, command).result()
        assert done.exit_code == 0, done.output
        return done.output

    def link(self, name: str = "admin", *options: str) -> str:
        """A one-time link for a person."""
        return self.admin("link", "--url", self.url, *options, name).split()[-1]

    def sign_in(self, page: Any, name: str = "admin") -> None:
        """Sign a browser's page in, as a person does with a one-time link."""
        link, self._first_link = self._first_link, ""
        page.goto(link if link and name == "admin" else self.link(name, "--sign-in"))
        page.click("button.main")
        page.wait_for_url(f"{self.url}/")

    def stop(self) -> None:
        """Stop it."""
        self.child.stop()


def watched(page: Any, site: Site) -> list[str]:
    """What goes wrong in a page from now on: errors of scripts, refusals by the policy, requests to anybody else."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((site.url, "data:")) else problems.append(f"outside: {request.url}")
        ),
    )
    return problems
