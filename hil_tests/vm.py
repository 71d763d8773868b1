"""Finds and starts the real MicroPython VM with the firmware on it, as a child process. It imports nothing of the firmware."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from hil_tests.bench.lift_bench import BATTERY_PIN, GREEN_PIN, WORK_KEY_PIN, YELLOW_PIN
from hil_tests.services import end_with_parent

ROOT = pathlib.Path(__file__).parents[1]
# What an ESP32 without PSRAM leaves to Python (measured on boards by others); code runs from ROM on both. Objects are twice as
# large where words are.
HEAPS = {"i386": "110K", "amd64": "220K"}
RESET_EXIT = 75  # what the machine shim's reset() ends with
RESTART_S = 0.5
TICKS_PERIOD = 1 << 30  # of time.ticks_ms() on the VM, which counts as time.monotonic() does here


class NoInterpreter(Exception):
    """There is no MicroPython here; the message says what to run."""


def interpreter(arch: str = "i386") -> str:
    """Path of the unpacked interpreter of `arch`, unpacking it first if need be; raise NoInterpreter with what to do."""
    path = ROOT / ".mpy" / arch / "micropython"
    if not path.exists():
        made = subprocess.run([ROOT / "scripts" / "micropython", arch], capture_output=True, text=True, check=False)
        if made.returncode != 0 or not path.exists():
            raise NoInterpreter(f"run scripts/micropython {arch}: {made.stderr.strip()[-400:]}")
    return str(path)


def best_interpreter() -> tuple[str, str]:
    """(path, heap size): i386 with an ESP32's heap, or amd64 with twice the heap where i386 cannot run."""
    try:
        return interpreter("i386"), HEAPS["i386"]
    except NoInterpreter:
        return interpreter("amd64"), HEAPS["amd64"]


def build_firmware() -> None:
    """Compile the firmware for the VM; nothing happens if it is up to date."""
    subprocess.run([sys.executable, ROOT / "firmware" / "build.py", "--quiet"], check=True, stdout=subprocess.DEVNULL)


def node_settings(site: str, lift: dict[str, Any], broker_port: int, **more: Any) -> dict[str, Any]:
    """Settings of a node for a lift as the bench describes it."""
    return {
        "site": site,
        "lift": lift["id"],
        "broker": {"host": "127.0.0.1", "port": broker_port},
        "profile": "nice3000",
        "bus": {"uart": 1, "baud": lift["baud"]},
        "pins": {"battery": BATTERY_PIN, "work_key": WORK_KEY_PIN, "yellow": YELLOW_PIN, "green": GREEN_PIN},
        "car": {
            "stops": lift["stops"],
            "doors": lift["doors"],
            "rated_speed_mm_s": lift["rated_speed_mm_s"],
            "travel_mm": (lift["stops"] - 1) * lift["floor_pitch_mm"],
        },
        **more,
    }


class NodeVm:
    """One node on a VM, started again when it ends (reset, watchdog) until `stop`. Its console goes to `directory`/console.log."""

    def __init__(
        self,
        settings: dict[str, Any],
        uart: str,
        gpio: str,
        directory: pathlib.Path,
        *,
        arch: str | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        """`arch` asks for one interpreter instead of the best; `env` adds to its environment."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        (directory / "settings.json").write_text(json.dumps(settings))
        path, heap = best_interpreter() if arch is None else (interpreter(arch), HEAPS[arch])
        self._command = [path, "-X", "heapsize=" + heap, str(ROOT / "firmware" / "vm" / "boot.py")]
        self._env = {
            **os.environ,
            "MICROPYPATH": ".frozen",
            "NODE_ROM": str(ROOT / "build" / "vm.romfs"),
            "NODE_SETTINGS": str(directory / "settings.json"),
            "NODE_PROFILES": str(ROOT / "build" / "profiles"),
            "NVS": str(directory / "nvs.json"),
            "FLASH": str(directory / "flash.bin"),
            "UART1": uart,
            "GPIO": gpio,
            "TZ": "UTC",  # a chip has no other
            **(env or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self.exits: list[int] = []

    @property
    def console(self) -> pathlib.Path:
        """What the node said so far."""
        return self._directory / "console.log"

    def start(self) -> None:
        """Boot the node and keep it booted."""
        self._stopping.clear()
        self._spawn(1)
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _spawn(self, cause: int) -> None:
        with self.console.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**self._env, "RESET_CAUSE": str(cause)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  one call of libc, loaded already
            )

    def _keep(self) -> None:
        while True:
            assert self._process is not None
            code = self._process.wait()
            if self._stopping.is_set():
                return
            self.exits.append(code)
            if self._stopping.wait(RESTART_S):
                return
            # 3 = watchdog reset, 5 = soft reset, as machine.reset_cause() numbers them on an ESP32.
            self._spawn(3 if code == -signal.SIGALRM else 5)

    def kill(self) -> None:
        """Pull the plug once; the node boots again by itself."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        with self.console.open("a") as log:
            log.write(f"{time.monotonic_ns() // 1_000_000 % TICKS_PERIOD} killed\n")

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    def sockets(self) -> int:
        """How many sockets it holds now."""
        links = pathlib.Path(f"/proc/{self.pid}/fd").iterdir()
        return sum(str(link.readlink()).startswith("socket:") for link in links if link.is_symlink())

    def stop(self) -> None:
        """Switch the node off."""
        self._stopping.set()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._thread is not None:
            self._thread.join(timeout=5)
