"""The bench from outside: its control over HTTP, its terminals, its commands, and that it is cheap."""

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from hil_tests.bench.bench import Bench
from hil_tests.bench.cli import inject, run_file, twin
from hil_tests.bench.config import ConfigError, load
from hil_tests.bench.faults import SCRIPTS
from hil_tests.bench.lift import LiftSpec
from hil_tests.bench.lift_bench import LiftBench

pytestmark = pytest.mark.chain

ROOT = pathlib.Path(__file__).parents[2]


class Control:
    """The bench's HTTP control, as a test sees it."""

    def __init__(self, bench: Bench, session: aiohttp.ClientSession) -> None:
        self.bench = bench
        self._session = session

    async def get(self, path: str) -> Any:
        async with self._session.get(self.bench.url + path) as response:
            return await response.json()

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        async with self._session.post(self.bench.url + path, json=body) as response:
            return response.status, await response.json()


@pytest.fixture
async def control(tmp_path: pathlib.Path) -> AsyncIterator[Control]:
    lifts = [LiftBench(LiftSpec(id=f"lift-{n}", seed=n, stops=3 + n), 115200) for n in (1, 2)]
    bench = Bench(lifts, tmp_path / "bench.json")
    await bench.start()
    async with aiohttp.ClientSession() as session:
        yield Control(bench, session)
    await bench.stop()
    assert not (tmp_path / "bench.json").exists()


async def eventually(holds: Any, timeout_s: float = 10.0) -> Any:
    """Poll until `holds()` is true; a bench lives in real time."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = holds()
        found = await found if asyncio.iscoroutine(found) else found
        if found:
            return found
        assert time.monotonic() < deadline, "did not happen"
        await asyncio.sleep(0.02)


# -- control ----------------------------------------------------------------------------------------------------------


async def test_it_tells_where_to_plug_in_and_the_truth(control: Control, tmp_path: pathlib.Path) -> None:
    lifts = await control.get("/lifts")
    assert [(lift["id"], lift["stops"]) for lift in lifts] == [("lift-1", 4), ("lift-2", 5)]
    for lift in lifts:
        assert os.path.exists(lift["uart"]) and os.path.exists(lift["gpio"])  # noqa: PTH110
        assert lift["truth"]["floor"] == 1 and lift["write_attempts"] == 0
    assert (await control.get("/lifts/lift-2"))["id"] == "lift-2"
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["control"] == control.bench.url and written["lifts"]["lift-1"]["uart"] == lifts[0]["uart"]
    assert set(await control.get("/faults")) == set(SCRIPTS)


async def test_an_injected_fault_is_lived_through_in_real_time(control: Control) -> None:
    before = time.time_ns() // 1_000_000
    status, answer = await control.post("/inject", lift="lift-1", fault="safety_circuit_open_running")
    assert status == 200 and answer["ok"] and before <= answer["injected_at_ms"] <= time.time_ns() // 1_000_000
    await eventually(lambda: control.bench.lifts["lift-1"].twin.safety_closed is False)
    assert (await control.get("/lifts/lift-1"))["active"] == ["safety_circuit_open_running"]
    assert [stamp["fault"] for stamp in await control.get("/stamps")] == ["safety_circuit_open_running"]
    await control.post("/inject", lift="lift-1", fault="safety_circuit_open_running", clear=True)
    lift = await control.get("/lifts/lift-1")
    assert lift["active"] == [] and lift["truth"]["safety_circuit"] is True


async def test_what_makes_no_sense_is_refused_with_what_would(control: Control) -> None:
    for path, body, status, said in (
        ("/inject", {"lift": "lift-9", "fault": "mains_lost"}, 404, "lift-1, lift-2"),
        ("/inject", {"lift": "lift-1", "fault": "gremlins"}, 404, "door_blocked"),
        ("/inject", {"lift": "lift-1", "fault": "mains_lost", "clear": "yes"}, 400, "true or false"),
        ("/inject", {"lift": ["lift-1"], "fault": "mains_lost"}, 404, "no lift"),
        ("/press", {"lift": "lift-1", "hold_ms": -5}, 400, "hold_ms"),
        ("/press", {"lift": "lift-1", "loudly": True}, 400, "hold_ms"),
        ("/line", {"lift": "lift-1", "flip": 2}, 400, "flip"),
        ("/line", {"lift": "lift-1", "flip": "much"}, 400, "flip"),
        ("/nowhere", {}, 404, "Not Found"),
    ):
        assert (await control.post(path, **body))[0] == status, body
        assert said in (await control.post(path, **body))[1]["error"]


async def test_noise_can_be_set_and_taken_away(control: Control) -> None:
    _, answer = await control.post("/line", lift="lift-1", flip=0.01, delay=0.5, delay_ms=20)
    assert answer["line"]["noise"]["flip"] == 0.01
    assert (await control.get("/lifts/lift-2"))["line"]["noise"]["flip"] == 0
    _, answer = await control.post("/line", lift="lift-1")
    assert set(answer["line"]["noise"].values()) == {0, 60}
    await control.post("/inject", lift="lift-1", fault="line_noise")
    assert (await control.get("/lifts/lift-1"))["line"]["noise"]["cut"] > 0
    await control.post("/inject", lift="lift-1", fault="line_noise", clear=True)
    assert (await control.get("/lifts/lift-1"))["line"]["noise"]["cut"] == 0


# -- terminals --------------------------------------------------------------------------------------------------------


class Terminals:
    """The node's side of the terminal pty."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.levels: dict[int, int] = {}
        self.seen: list[tuple[int, int, float]] = []

    def look(self) -> dict[int, int]:
        """The levels by now; a pin not heard of is missing."""
        try:
            data = os.read(self.fd, 4096)
        except BlockingIOError:
            data = b""
        for line in data.decode().splitlines():
            pin, level = map(int, line.split())
            self.levels[pin] = level
            self.seen.append((pin, level, time.time() * 1000))
        return self.levels


async def test_the_press_is_stamped_as_the_contact_closes(control: Control) -> None:
    lift = control.bench.lifts["lift-1"]
    terminals = Terminals(lift.gpio.path)
    await eventually(lambda: terminals.look().get(26) == 1)
    _, answer = await control.post("/press", lift="lift-1", hold_ms=150)
    await eventually(lambda: terminals.look().get(25) == 1)
    down_ms = next(at for pin, level, at in terminals.seen if (pin, level) == (25, 1))
    assert -1 <= down_ms - answer["at_ms"] < 200
    await eventually(lambda: terminals.look().get(25) == 0)
    up_ms = next(at for pin, level, at in reversed(terminals.seen) if (pin, level) == (25, 0))
    assert up_ms - answer["at_ms"] >= 149
    assert await control.get("/stamps") == [{"lift": "lift-1", "fault": "button_pressed", "at_ms": answer["at_ms"]}]
    os.close(terminals.fd)


async def test_mains_and_presence_are_on_the_terminals_and_repeated_to_a_newcomer(control: Control) -> None:
    lift = control.bench.lifts["lift-2"]
    terminals = Terminals(lift.gpio.path)
    await eventually(lambda: terminals.look() == {25: 0, 26: 1, 27: 0, 32: 0, 33: 0})
    for fault, pin, level in (
        ("mains_lost", 26, 0),
        ("battery_low", 33, 1),
        ("work_mode", 32, 1),
        ("presence_stuck", 27, 1),
        ("button_stuck", 25, 1),
    ):
        await control.post("/inject", lift="lift-2", fault=fault)
        await eventually(lambda pin=pin, level=level: terminals.look()[pin] == level)
    await control.post("/inject", lift="lift-2", fault="button_stuck", clear=True)
    await eventually(lambda: terminals.look()[25] == 0)
    os.write(terminals.fd, b"2 1\n18 1\n7 1\n19 2\n")
    await eventually(lambda: lift.lamps == {"own": 1, "yellow": 1, "green": 0})
    os.write(terminals.fd, b"18 0\n19 1\n")
    await eventually(lambda: lift.describe()["lamps"] == {"own": 1, "yellow": 0, "green": 1})
    os.close(terminals.fd)


# -- configuration and commands ---------------------------------------------------------------------------------------


def test_a_bench_file_needs_no_more_than_ids(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text('[[lift]]\nid = "a"\n[[lift]]\nid = "b"\nstops = 4\ndoors = 2\nbaud = 38400\ntraffic_factor = 20\n')
    first, second = load(path)
    assert first.baud == 9600 and first.spec() == LiftSpec(id="a")
    assert second.spec() == LiftSpec(id="b", stops=4, doors=2, traffic_factor=20.0) and second.baud == 38400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lift"),
        ("[[lift]]\nstops = 5", "id"),
        ('[[lift]]\nid = "A lift"', "lift 1 id"),
        ('[[lift]]\nid = "a"\nstops = 1', "lift 1 stops"),
        ('[[lift]]\nid = "a"\ndoors = 3', "doors"),
        ('[[lift]]\nid = "a"\nbaud = 1234', "9600"),
        ('[[lift]]\nid = "a"\nspeed = 5', "speed"),
        ('[[lift]]\nid = "a"\n[[lift]]\nid = "a"', "two lifts"),
        ("[[lift", "bench.toml"),
    ],
)
def test_a_wrong_bench_file_is_told_what_is_wrong(tmp_path: pathlib.Path, text: str, said: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load(path)
    result = CliRunner().invoke(twin, ["--config", str(path)])
    assert result.exit_code == 1 and said in result.output


@pytest.mark.parametrize("wrong", [["--broker", "nowhere"], ["--broker", ":1883"], ["--site", "A site"]])
def test_where_simple_terminals_cannot_publish_is_said(tmp_path: pathlib.Path, wrong: list[str]) -> None:
    path = tmp_path / "bench.toml"
    path.write_text('[[lift]]\nid = "a"\nsimple = true\n')
    assert load(path)[0].simple is True
    result = CliRunner().invoke(twin, ["--config", str(path), *wrong])
    assert result.exit_code == 2 and "--broker is HOST:PORT" in result.output


def test_inject_says_what_to_do_when_no_bench_runs(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTWATCH_RUN", str(tmp_path))
    result = CliRunner().invoke(inject, ["lift-1", "mains_lost"])
    assert result.exit_code == 1 and "no bench is running" in result.output and "liftwatch demo" in result.output
    run_file().write_text('{"control": "http://127.0.0.1:9"}')
    result = CliRunner().invoke(inject, ["lift-1", "mains_lost"])
    assert result.exit_code == 1 and "does not answer" in result.output
    assert CliRunner().invoke(inject, ["lift-1"]).exit_code == 2


@pytest.fixture
def running(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """`liftwatch twin` as a process."""
    monkeypatch.setenv("LIFTWATCH_RUN", str(tmp_path))
    (tmp_path / "bench.toml").write_text('[[lift]]\nid = "lift-1"\n')
    command = [
        sys.executable,
        "-c",
        "from hil_tests.bench.cli import twin; twin()",
        "--config",
        str(tmp_path / "bench.toml"),
    ]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().startswith("ready http://127.0.0.1:")
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_the_commands_work_on_a_running_bench(running: subprocess.Popen[str]) -> None:
    listed = CliRunner().invoke(inject, ["--list"])
    assert listed.exit_code == 0 and "lifts: lift-1" in listed.output
    assert [line.split()[0] for line in listed.output.splitlines()[:-1]] == list(SCRIPTS)
    done = CliRunner().invoke(inject, ["lift-1", "door_blocked"])
    assert done.exit_code == 0 and "lift-1 door_blocked injected at" in done.output
    assert "cleared" in CliRunner().invoke(inject, ["lift-1", "door_blocked", "--clear"]).output
    wrong = CliRunner().invoke(inject, ["lift-7", "door_blocked"])
    assert wrong.exit_code == 1 and "no lift is called lift-7; the bench has lift-1" in wrong.output
    wrong = CliRunner().invoke(inject, ["lift-1", "bad_luck"])
    assert wrong.exit_code == 1 and "no fault is called bad_luck" in wrong.output
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == 0
    assert not run_file().exists()
