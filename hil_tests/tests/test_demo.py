"""The demo as a newcomer meets it: its lines, its end, and what it says when it cannot start."""

import importlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner

import liftwatch
from hil_tests import services
from hil_tests.demo.stack import Stack
from hil_tests.services import ROOT, Child, StartError, free_port, get_json, wait_until
from hil_tests.tests.family import children_of, runs

READY_S = 60.0


@pytest.mark.chain
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_says_where_it_is_takes_a_fault_and_leaves_nothing_behind(
    tmp_path: pathlib.Path, ending: signal.Signals
) -> None:
    port = free_port()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {**os.environ, "LIFTWATCH_RUN": str(tmp_path), "TMPDIR": str(temporary)}
    command = [sys.executable, str(ROOT / "liftwatch.py")]
    demo = subprocess.Popen(
        [*command, "demo", "--lifts", "1", "--port", str(port), "--no-browser"],
        stdout=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip
    try:
        assert demo.stdout is not None
        guard = threading.Timer(READY_S, demo.kill)
        guard.start()
        urls = {}
        for line in demo.stdout:
            name, _, rest = line.strip().partition(" ")
            urls[name] = rest
            if name == "ready":
                break
        guard.cancel()
        assert urls["ready"] == f"http://127.0.0.1:{port}"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get_json(urls["ready"] + "/api/v1/lifts")
        # The link lets its reader in, once, as a browser would be.
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        browser.open(urls["sign-in"], data=b"", timeout=5).close()
        with browser.open(urls["ready"] + "/api/v1/lifts", timeout=5) as answer:
            assert [lift["quality"] for lift in json.load(answer)] == ["good"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(urls["sign-in"], data=b"", timeout=5)
        with urllib.request.urlopen(urls["metrics"], timeout=5) as metrics:
            assert b"liftwatch" in metrics.read()
        subprocess.run([*command, "inject", "lift-1", "button_pressed"], check=True, env=env, stdout=subprocess.DEVNULL)
        wait_until(lambda: bool(get_json(urls["city-mock"] + "/received")), 5, "the press at the city")
        family = children_of(demo.pid)
        assert len(family) >= 6
    finally:
        demo.send_signal(ending)
        ended = demo.wait(timeout=30)
    assert ended == 0
    wait_until(lambda: not any(runs(pid) for pid in family), 5, "the end of all children")
    assert not (tmp_path / "bench.json").exists()
    assert not list(temporary.iterdir())


@pytest.mark.chain
def test_a_part_that_cannot_start_is_named_and_nothing_stays(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Child] = []
    real = services.part

    def part(name: str, *rest: str, **more: dict[str, str]) -> Child:
        child = real(name, *rest, **more)  # type: ignore[arg-type]  # handed on as it came
        if name == "gateway":
            child.command = [sys.executable, "-c", "import sys; sys.exit('no such luck')"]
        started.append(child)
        return child

    monkeypatch.setattr(services, "part", part)
    stack = Stack(tmp_path, 1, influx=False)
    with pytest.raises(StartError, match=r"gateway[\s\S]*no such luck"):
        stack.start()
    assert [child.name for child in started] == ["city-mock", "twin", "cloud", "gateway"]
    assert not any(child.alive() for child in [*started, *stack.children.values()])


@pytest.mark.chain
def test_a_bench_that_died_comes_back_with_its_nodes(tmp_path: pathlib.Path) -> None:
    stack = Stack(tmp_path, 1, baud=38400, influx=False)
    stack.start()
    try:
        stack.restart("twin", kill=True)
        console = stack.nodes["lift-1"].console
        wait_until(lambda: console.read_text().count("link: up") == 2, 30, "the second connection of the node")
        at_ms = stack.press("lift-1")
        wait_until(
            lambda: any(entry["arrived_at_ms"] >= at_ms for entry in stack.received()), 5, "the press at the city"
        )
        assert stack.received()[-1]["id"] == "lift-1-2-1"
    finally:
        stack.stop()


@pytest.mark.chain
def test_a_killed_demo_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    text = (
        "import pathlib, sys, time; from hil_tests.demo.stack import Stack; "
        f"Stack(pathlib.Path({str(tmp_path)!r}), 1).start(); print('ready', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    family = children_of(parent.pid)
    assert len(family) >= 6
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(runs(pid) for pid in family), 10, "the end of all children")


def test_a_taken_port_is_told_before_anything_starts(tmp_path: pathlib.Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StartError, match="--port"):
        Stack(tmp_path, 1, port).start()


def test_a_child_that_says_nothing_is_stopped_and_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "START_S", 0.5)
    child = Child("mute", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    begun = time.monotonic()
    with pytest.raises(StartError, match="mute did not come up"):
        child.start()
    assert time.monotonic() - begun < 10
    assert not child.alive()


def test_a_frozen_child_is_stopped_as_quickly_as_any(tmp_path: pathlib.Path) -> None:
    text = "import time; print('ready', flush=True); time.sleep(60)"
    child = Child("frozen", [sys.executable, "-c", text], tmp_path).start()
    assert child.process is not None
    child.process.send_signal(signal.SIGSTOP)
    child.stop(timeout_s=30)
    assert child.process.returncode == -signal.SIGTERM  # and not SIGKILL, behind the time that it is given


def _missing(name: str) -> Callable[[str], object]:
    def load(module: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return load


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", _missing("uvicorn"))
    result = CliRunner().invoke(liftwatch.main, ["cloud"])
    assert result.exit_code == 1
    assert "pip install 'liftwatch[cloud]'" in result.output


def test_each_part_has_help_with_an_example() -> None:
    context = click.Context(liftwatch.main)
    for name in liftwatch.PARTS:
        result = CliRunner().invoke(liftwatch.main, [name, "--help"])
        assert result.exit_code == 0, name
        assert f"liftwatch {name}" in result.output, name
        assert liftwatch.main.get_command(context, name) is not None
    assert "liftwatch demo" in CliRunner().invoke(liftwatch.main, ["--help"]).output
