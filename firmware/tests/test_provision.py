"""`liftwatch provision`: what it writes is what a node reads; nonsense is refused; nobody overhears a secret; a board keeps its own log."""

import contextlib
import json
import os
import pathlib
import pty
import re
import stat
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from firmware import profiles
from firmware.node.settings import BOOT_S, BOOTS_BEGIN_S, PINS, Settings, load
from firmware.provision import board, builder
from firmware.provision.cli import provision
from hil_tests.authority import Authority
from hil_tests.services import wait_until
from hil_tests.vm import ROOT, best_interpreter, build_firmware, node_settings
from protocols.errors import SettingsError

pytestmark = pytest.mark.chain

LIFT = [
    "--site", "s-1", "--lift", "lift-1", "--broker", "mqtt.example.org", "--profile", "nice3000", "--stops", "6",
    "--rated-speed", "1000", "--travel", "14500",
]  # fmt: skip
SECRET = "correct horse"


def run(*arguments: str | pathlib.Path) -> Result:
    return CliRunner().invoke(provision, [str(argument) for argument in arguments])


def written(path: pathlib.Path, *arguments: str | pathlib.Path) -> Settings:
    """What a node reads that was provisioned into `path`."""
    result = run(*arguments, "--out", path)
    assert result.exit_code == 0, result.output
    return load(str(path), profiles.load)


@pytest.fixture
def password_file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "password"
    path.write_text(SECRET + "\n")
    return path


def test_what_is_written_is_what_a_node_reads(tmp_path: pathlib.Path, password_file: pathlib.Path) -> None:
    authority = Authority(tmp_path / "ca")
    own = authority.sign("lift-1")
    settings = written(
        tmp_path / "lift-1.json", *LIFT, "--broker", "10.0.0.1:9883", "--user", "node", "--password-file", password_file,
        "--ca", authority.ca_der, "--certificate", own.certificate, "--key", own.key, "--server-name", "broker.test",
        "--doors", "2", "--baud", "38400", "--unit", "3", "--metered", "--wifi", "加装电梯", "--wifi-key-file", password_file,
        "--set", "pins.button=32", "--set", 'inputs.door_zone={"address": 4117, "bit": 2, "active": 0}',
        "--set", "confirm_ms.trapped_at_level=90000", "--set", "log_level=debug",
    )  # fmt: skip
    assert (settings.site, settings.lift, settings.host, settings.port) == ("s-1", "lift-1", "10.0.0.1", 9883)
    assert (settings.user, settings.password, settings.server_name) == ("node", SECRET, "broker.test")
    assert (settings.ca, settings.key) == (str(authority.ca_der), str(own.key))
    assert (settings.stops, settings.doors, settings.baud, settings.unit, settings.metered) == (6, 2, 38400, 3, True)
    assert settings.wifi == {"ssid": "加装电梯", "key": SECRET}
    assert settings.pins["button"] == 32 and settings.log_level == "debug"
    assert settings.profile.inputs["door_zone"] == (4117, 2, 0)
    assert settings.confirm_ms == {"trapped_at_level": 90000}
    assert stat.S_IMODE((tmp_path / "lift-1.json").stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--stops", "1"], "car.stops is 1; 2 to 128; see --stops"),
        (["--site", "Hefang"], "see --site"),
        (["--profile", "none"], "see --profile"),
        (["--baud", "5"], "1200 to 115200; see --baud"),
        (["--broker", "mqtt://broker"], "HOST or HOST:PORT"),
        (["--broker", "two words"], "broker.host"),
        (["--broker", "h:70000"], "broker.port is 70000"),
        (["--travel", "1450"], "290 mm from one to the next"),
        (["--set", "brokr.port=1"], "did you mean broker.port?"),
        (["--set", "pin.button=3"], "did you mean pins.button?"),
        (["--set", "wifi.password=3"], "wifi.password"),
        (["--set", "pins.led=25"], "pins.led and pins.button are both 25"),
        (["--set", "pins.green=25"], "pins.green and pins.button are both 25"),
        (["--set", "voice.uart=1"], "voice.uart and bus.uart are both 1"),
        (["--set", "confirm_ms.trapped=1"], "'trapped'"),
        (["--set", 'inputs.door_zone={"address": 4117, "bit": 1, "level": 0}'], "inputs.door_zone.level"),
        (["--set", "inputs.door=1"], "none of door_zone"),
        (["--set", "log_level=loud"], "one of error, warning"),
        (["--set", "site.name=x"], "site is 's-1', which has no entries"),
        (["--set", "metered"], "ENTRY=VALUE"),
        (["--set", "time_floor_s=5"], "the time at which this command runs"),
        (["--set", "broker.password=x"], "others can read"),
        (["--set", "wifi.key=x"], "others can read"),
        (["--set", 'broker={"host": "h", "password": "x"}'], "others can read"),
        (["--user", "node"], "nobody to ask; see --password-file"),
        (["--wifi", "home"], "see --wifi-key-file"),
        (["--wifi", "x" * 33, "--wifi-key-file", __file__], "wifi.ssid"),
        (["--wifi", "home", "--wifi-key-file", __file__], "wifi.key: 8 to 63"),
        (["--password-file", "/nowhere"], "/nowhere cannot be read"),
        (["--ca", "/nowhere"], "broker.tls.ca: /nowhere cannot be read"),
        (["--ca", __file__], "no certificate in PEM or DER"),
        (["--from", "/nowhere"], "/nowhere cannot be read"),
        (["--from", __file__], "is no JSON"),
    ],
)
def test_nonsense_is_refused_with_its_place_and_nothing_is_written(
    tmp_path: pathlib.Path, wrong: list[str], told: str
) -> None:
    result = run(*LIFT, *wrong, "--out", tmp_path / "out.json")
    assert result.exit_code == 1, result.output
    assert told in result.output
    assert not list(tmp_path.iterdir())


def test_what_is_missing_is_named_with_its_option(tmp_path: pathlib.Path) -> None:
    assert "lift is missing; see --lift" in run("--site", "s", "--out", tmp_path / "x").output
    assert "--out FILE or --port DEVICE" in run(*LIFT).output
    assert "--out FILE or --port DEVICE" in run(*LIFT, "--out", tmp_path / "x", "--port", "/dev/null").output


def test_a_key_that_is_not_the_certificate_s_is_refused(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path / "ca")
    one, other = authority.sign("one"), authority.sign("other")
    result = run(
        *LIFT, "--ca", authority.ca, "--certificate", one.certificate, "--key", other.key, "--out", tmp_path / "x"
    )
    assert result.exit_code == 1 and "is no key of" in result.output
    result = run(*LIFT, "--ca", authority.ca, "--certificate", one.certificate, "--out", tmp_path / "x")
    assert result.exit_code == 1 and "go together" in result.output


def test_every_entry_that_a_node_asks_for_is_listed() -> None:
    asked = re.findall(r'_get\(\s*data, "([^"]+)"', (ROOT / "firmware" / "node" / "settings.py").read_text())
    listed = run("--list").output.split()
    assert len(asked) > 30
    asked += [f"pins.{name}" for name, _ in PINS]
    assert not set(asked) - {"broker.tls", "wifi", "pins."} - set(listed)


def test_the_settings_of_benches_and_demo_are_such_as_would_be_provisioned() -> None:
    lift = {"id": "lift-1", "baud": 9600, "stops": 6, "doors": 1, "rated_speed_mm_s": 1000, "floor_pitch_mm": 2900}
    settings = builder.checked(node_settings("s-1", lift, 1883, metered=True), profiles.load)
    assert (settings.lift, settings.travel_mm, settings.metered) == ("lift-1", 14500, True)


def test_a_secret_is_asked_for_without_an_echo(tmp_path: pathlib.Path) -> None:
    near, far = pty.openpty()
    command = [sys.executable, str(ROOT / "liftwatch.py"), "provision", *LIFT, "--user", "node", "--out", "x.json"]
    child = subprocess.Popen(
        command, cwd=tmp_path, stdin=far, stdout=far, stderr=far, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(far)
    seen = b""
    with contextlib.suppress(OSError):  # the far end is closed
        while True:
            seen += os.read(near, 1024)
            if b"password of node at the broker" in seen and SECRET.encode() not in seen:
                os.write(near, SECRET.encode() + b"\n")
                seen = seen.replace(b"password of node at the broker", b"(asked)")
    os.close(near)
    assert child.wait(20) == 0, seen
    assert b"(asked)" in seen and b"written to x.json" in seen
    assert SECRET.encode() not in seen
    assert load(str(tmp_path / "x.json"), profiles.load).password == SECRET


def test_a_file_of_another_lift_is_not_written_over(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.json"
    written(path, *LIFT)
    result = run(*LIFT, "--lift", "lift-2", "--out", path)
    assert result.exit_code == 1 and "not of this lift" in result.output
    assert written(path, *LIFT, "--stops", "7").stops == 7
    # Who begins with the file itself means to change it.
    assert written(path, "--from", path, "--lift", "lift-2").lift == "lift-2"


# -- in another one's place -------------------------------------------------------------------------------------------


def test_a_replacement_begins_beyond_its_predecessor_however_soon_it_comes(tmp_path: pathlib.Path) -> None:
    first = written(tmp_path / "first.json", *LIFT)
    second = written(tmp_path / "second.json", "--from", tmp_path / "first.json", "--replace")
    third = written(tmp_path / "third.json", "--from", tmp_path / "second.json", "--replace")
    assert first.first_boot < second.first_boot < third.first_boot
    assert (second.lift, second.stops) == (first.lift, first.stops)
    result = run("--from", tmp_path / "third.json", "--replace", "--lift", "lift-9", "--out", tmp_path / "x")
    assert result.exit_code == 1 and "at the same lift" in result.output


def test_a_clock_that_is_behind_would_begin_too_low_and_is_refused() -> None:
    now_s = BOOTS_BEGIN_S + 100 * 86400
    assert builder.time_floor(now_s, None, replaces=True) == now_s
    assert builder.time_floor(now_s, {"time_floor_s": now_s - 5 * BOOT_S}, replaces=True) == now_s
    assert builder.time_floor(now_s, {"time_floor_s": now_s - 5}, replaces=True) == now_s - 5 + BOOT_S
    assert builder.time_floor(now_s, {"time_floor_s": now_s + 60}, replaces=False) == now_s + 60
    for clock_s, before in ((1000, None), (now_s - 2 * 86400, {"time_floor_s": now_s}), (now_s, {"time_floor_s": "1"})):
        with pytest.raises(SettingsError):
            builder.time_floor(clock_s, before, replaces=False)


# -- on a board -------------------------------------------------------------------------------------------------------


class Wired:
    """A board on the VM at the end of a pty, booted again when it resets."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.boots = 0
        self._ours, self._device = pty.openpty()
        tty.setraw(self._device)
        self.port = os.ttyname(self._device)
        path, heap = best_interpreter()
        self._command = [path, "-X", "heapsize=" + heap, str(ROOT / "firmware" / "vm" / "boot.py")]
        self._env = {
            "MICROPYPATH": f"{ROOT}/firmware/tests:.frozen", "NODE_ROM": str(ROOT / "build" / "vm.romfs"),
            "NODE_APP": "board_on_vm", "TZ": "UTC", "ROOT": str(directory / "root.bin"), "FLASH": str(directory / "flash.bin"),
            "NVS": str(directory / "nvs.json"),
        }  # fmt: skip
        self._stopping = False
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        code = 75
        while code == 75 and not self._stopping:
            self._child = subprocess.Popen(self._command, env=self._env, stdin=self._ours, stdout=self._ours)
            self.boots += 1
            code = self._child.wait()

    def await_boot(self, number: int) -> None:
        """It has started again: only then may another open its port."""
        wait_until(lambda: self.boots == number, 10, f"the board's boot {number}")

    def stop(self) -> None:
        self._stopping = True
        if self._child is not None:
            self._child.kill()
        self._thread.join(10)
        os.close(self._ours)
        os.close(self._device)

    def files(self, *paths: str) -> list[bytes | None]:
        """What lies on it at `paths`."""
        with board.Board(self.port) as there:
            return [there.read(path) for path in paths]


@pytest.fixture
def wired(tmp_path: pathlib.Path) -> Iterator[Wired]:
    build_firmware()
    found = Wired(tmp_path)
    yield found
    found.stop()


def test_a_board_gets_settings_profile_and_certificates_and_starts(
    wired: Wired, tmp_path: pathlib.Path, password_file: pathlib.Path
) -> None:
    authority = Authority(tmp_path / "ca")
    own = authority.sign("lift-1")
    result = run(
        *LIFT, "--user", "node", "--password-file", password_file, "--ca", authority.ca_der, "--certificate",
        own.certificate, "--key", own.key, "--port", wired.port,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert SECRET not in result.output
    wired.await_boot(2)
    names = ("/settings.json", "/profiles/nice3000.json", "/ca.der", "/certificate.pem", "/key.key")
    data, profile, *files = wired.files(*names)
    settings = Settings(json.loads(data or b""), lambda name: json.loads(profile or b""))
    assert (settings.lift, settings.password) == ("lift-1", SECRET)
    assert (settings.ca, settings.certificate, settings.key) == names[2:]
    assert files == [path.read_bytes() for path in (authority.ca_der, own.certificate, own.key)]


def test_a_board_s_own_log_is_kept_and_another_lift_s_is_never_told_as_its_own(wired: Wired) -> None:
    assert run(*LIFT, "--port", wired.port).exit_code == 0
    wired.await_boot(2)
    with board.Board(wired.port) as there:
        there._run("import esp32, vfs\npart = esp32.Partition.find(1, label='liftlog')[0]\nvfs.VfsLfs2.mkfs(part)")
        there._run("with vfs.VfsLfs2(part).open('seg', 'wb') as file:\n    file.write(b'x')")
        assert there.log_files() == 1
    # Its own settings anew: the log stays. Its own board stands in for nobody.
    assert run(*LIFT, "--stops", "7", "--port", wired.port).exit_code == 0
    wired.await_boot(3)
    result = run(*LIFT, "--replace", "--port", wired.port)
    assert result.exit_code == 1 and "leave --replace away" in result.output
    result = run(*LIFT, "--lift", "lift-2", "--port", wired.port)
    assert result.exit_code == 1 and "it was the node of lift-1 at s-1: --replace erases it" in result.output
    with board.Board(wired.port) as there:
        there._run("import os\nos.remove('/settings.json')")
    result = run(*LIFT, "--lift", "lift-2", "--port", wired.port)
    assert result.exit_code == 1 and "nothing on it says of which lift" in result.output
    with board.Board(wired.port) as there:
        assert there.log_files() == 1
    assert run(*LIFT, "--lift", "lift-2", "--replace", "--port", wired.port).exit_code == 0
    wired.await_boot(4)
    with board.Board(wired.port) as there:
        assert json.loads(there.read("/settings.json") or b"")["lift"] == "lift-2"
        assert there.log_files() == 0


def test_certificates_that_the_board_lacks_are_told_before_its_settings_change(wired: Wired) -> None:
    result = run(*LIFT, "--set", "broker.tls.ca=/other.der", "--port", wired.port)
    assert result.exit_code == 1 and "/other.der is not on the board; give --ca FILE" in result.output
    assert wired.files("/settings.json") == [None] and wired.boots == 1


def test_a_port_without_a_board_is_told(tmp_path: pathlib.Path) -> None:
    result = run(*LIFT, "--port", str(tmp_path / "ttyUSB9"))
    assert result.exit_code == 1 and "plug the node in" in result.output


def test_without_mpremote_a_file_is_written_and_a_port_says_what_to_install(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "firmware.provision.board")
    monkeypatch.setitem(sys.modules, "mpremote.transport", None)
    assert written(tmp_path / "x.json", *LIFT).lift == "lift-1"
    result = run(*LIFT, "--port", "/dev/ttyUSB9")
    assert result.exit_code == 1 and "pip install 'liftwatch[provision]'" in result.output
