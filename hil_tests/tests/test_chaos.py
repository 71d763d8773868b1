"""The promise under a fixed seed, in short; `liftwatch bench chaos --hours N` is the long form."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from hil_tests.measure.chaos import run_seed
from hil_tests.services import ROOT, wait_until
from hil_tests.tests.family import children_of, runs

pytestmark = pytest.mark.chain


def test_half_a_minute_of_chaos_loses_and_doubles_nothing() -> None:
    outcome = run_seed(1, 30.0, 3, node_kills=False)
    assert outcome.failures == [], "\n".join(outcome.steps)
    # A run in which nothing happened would prove nothing. Without a link a batch waits for a minute, so there are few of them.
    assert outcome.figures["revisions"] > 20 and outcome.figures["batches"] >= 3 and len(outcome.steps) > 10


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_leaves_no_process_no_disk_and_no_folder(
    tmp_path: pathlib.Path, ending: signal.Signals
) -> None:
    command = [sys.executable, str(ROOT / "liftwatch.py"), "bench", "chaos", "--seconds", "60", "--lifts", "1"]
    chaos = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.DEVNULL)

    def said(text: str) -> bool:
        return any(text in console.read_text() for console in tmp_path.glob("*/nodes/*/console.log"))

    try:
        wait_until(lambda: said("link: up"), 60, "the start of the stack")
        family = children_of(chaos.pid)
        assert len(family) >= 6
    finally:
        chaos.send_signal(ending)
        ended = chaos.wait(timeout=60)
    assert ended == 1
    wait_until(lambda: not any(runs(pid) for pid in family), 5, "the end of all children")
    assert str(tmp_path) not in pathlib.Path("/proc/mounts").read_text()
    assert not list(tmp_path.iterdir())
