"""Finds and starts the real MicroPython VM that the tests and the demo run the firmware on. It knows nothing of the firmware."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[1]


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
