"""The shared tests on the real MicroPython VM: as many must run there as pytest collects here."""

import ast
import os
import pathlib
import re
import subprocess

import pytest

from hil_tests.vm import NoInterpreter, interpreter

ROOT = pathlib.Path(__file__).parents[3]
BOTH = ROOT / "protocols" / "tests" / "both"


def _tests_here() -> int:
    count = 0
    for path in BOTH.glob("test_*.py"):
        tree = ast.parse(path.read_text())
        count += sum(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body)
    return count


@pytest.mark.parametrize(("arch", "heap"), [("i386", "512K"), ("amd64", "1024K")])
def test_the_shared_tests_pass_on_micropython_and_none_is_left_out(arch: str, heap: str) -> None:
    try:
        path = interpreter(arch)
    except NoInterpreter as error:
        if "cannot run i386" not in str(error):
            raise
        pytest.skip(f"no 32-bit programs on this kernel: {error}")
    run = subprocess.run(
        [path, "-X", "heapsize=" + heap, "protocols/tests/run_on_vm.py"],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    closing = re.search(r"(\d+) passed, 0 failed", run.stdout)
    assert closing is not None, run.stdout[-2000:]
    assert int(closing.group(1)) == _tests_here() > 30
