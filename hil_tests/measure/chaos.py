"""Breaks everything in any order by a seed, under load, then heals it all and has the promise judged."""

import pathlib
import random
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field

from hil_tests.demo.stack import Stack
from hil_tests.disk import NoDisk, SmallDisk
from hil_tests.measure.judgement import Judgement
from hil_tests.measure.mishaps import SERVED, Mishap, Mishaps
from hil_tests.services import StartError, movable_clock, undisturbed
from hil_tests.wires import Wires

# The gateway's reserve of 64 MB, and what a minute of three lifts needs.
DISK_MEGABYTES = 96
GAP_S = (0.5, 6.0)
LASTS_S = (0.5, 12.0)
MOST_AT_ONCE = 3
# Faults of a lift with how long they are left in; the button is pressed far more often.
FAULTS = (
    ("running_with_door_open", 4.0),
    ("safety_circuit_open_running", 4.0),
    ("mains_lost", 5.0),
    ("controller_mute", 8.0),
)


@dataclass
class Outcome:
    """What one seed came to."""

    seed: int
    steps: list[str]
    figures: dict[str, float]
    failures: list[str] = field(default_factory=list)


class Chaos:
    """One seed on one running stack. `steps` are told what was done when; `pressed` are (lift, monotonic s)."""

    def __init__(self, stack: Stack, mishaps: Mishaps, seed: int, steps: list[str]) -> None:
        self._stack = stack
        self._mishaps = mishaps
        self._seed = seed
        self._random = random.Random(seed)
        self._begun = time.monotonic()
        self._stop = threading.Event()
        self._steps = steps
        self.pressed: list[tuple[str, float]] = []

    def run(self, seconds: float) -> None:
        """Break things for `seconds` under load, then heal all; nothing is healed for whoever interrupts it."""
        load = [threading.Thread(target=work, daemon=True) for work in (self._press, self._break_lifts)]
        for thread in load:
            thread.start()
        going: list[tuple[float, Mishap]] = []
        try:
            self._break(seconds, going)
            for _, mishap in going:
                self._do("end", mishap)
        finally:
            self._stop.set()
            for thread in load:
                thread.join(timeout=20)
        self._heal()

    def _break(self, seconds: float, going: list[tuple[float, Mishap]]) -> None:
        choices = self._mishaps.all()
        due = time.monotonic()
        until = due + seconds
        while (now := time.monotonic()) < until:
            for entry in [entry for entry in going if entry[0] <= now]:
                going.remove(entry)
                self._do("end", entry[1])
            busy = {mishap.part for _, mishap in going}
            free = [mishap for mishap in choices if mishap.part not in busy]
            if now >= due and len(going) < MOST_AT_ONCE and free:
                mishap = self._random.choice(free)
                lasts_s = min(mishap.longest_s, self._random.uniform(*LASTS_S))
                self._do("begin", mishap)
                going.append((time.monotonic() + lasts_s, mishap))
                due = time.monotonic() + self._random.uniform(*GAP_S)
            time.sleep(0.05)

    def _do(self, what: str, mishap: Mishap) -> None:
        self._steps.append(f"{time.monotonic() - self._begun:6.1f} {what} {mishap.name}")
        try:
            (mishap.begin if what == "begin" else mishap.end)()
        except (OSError, StartError) as error:
            # A part that does not come back at once is started again when all is healed; whether it can is judged then.
            self._steps.append(f"       {error!r}")

    def _heal(self) -> None:
        for name in SERVED:
            if name in self._stack.children and not self._stack.children[name].alive():
                self._steps.append(f"{time.monotonic() - self._begun:6.1f} start {name}")
                self._stack.start_part(name)
        for lift in self._stack.lift_ids():
            self._stack.inject(lift, "button_pressed", clear=True)

    # -- load -----------------------------------------------------------------------------------------------------

    def _press(self) -> None:
        chance = random.Random(self._seed + 1)
        while not self._stop.wait(chance.uniform(0.3, 1.5)):
            lift = chance.choice(self._stack.lift_ids())
            self.pressed.append((lift, time.monotonic()))
            self._stack.press(lift, hold_ms=150)
            if chance.random() < 0.6:
                self._stop.wait(0.3)
                self._stack.inject(lift, "button_pressed", clear=True)

    def _break_lifts(self) -> None:
        chance = random.Random(self._seed + 2)
        while not self._stop.wait(chance.uniform(2.0, 6.0)):
            lift, (fault, lasts_s) = chance.choice(self._stack.lift_ids()), chance.choice(FAULTS)
            self._stack.inject(lift, fault)
            self._stop.wait(lasts_s)
            self._stack.inject(lift, fault, clear=True)

    def seen_presses(self) -> dict[str, int]:
        """{lift: presses while its node ran}: what a frozen node missed it cannot have counted."""
        frozen = self._mishaps.frozen
        return {
            lift: sum(
                at_lift == lift and not any(begun - 1 <= at <= ended for begun, ended in frozen.get(lift, []))
                for at_lift, at in self.pressed
            )
            for lift in self._stack.lift_ids()
        }


def run_seed(seed: int, seconds: float, lifts: int, node_kills: bool) -> Outcome:
    """One seed on a stack of its own. The folder of a seed that failed is kept, and named among its failures."""
    data = pathlib.Path(tempfile.mkdtemp(prefix=f"liftwatch-chaos-{seed}-"))
    outcome = Outcome(seed, [], {})
    wires = Wires()
    clock = data / "clock"
    environment = movable_clock(clock)
    if environment is None:
        outcome.steps.append("the gateway's clock was left alone: install Debian's package faketime to move it")
    disk, stack = None, Stack(data, lifts, wires=wires, gateway_env=environment)
    is_kept = True
    try:
        try:
            disk = SmallDisk(data / "gateway", DISK_MEGABYTES)
        except NoDisk as error:
            outcome.steps.append(f"the gateway's disk was never full: {error}")
        stack.start()
        mishaps = Mishaps(stack, wires, clock if environment else None, disk, node_kills)
        _run(Chaos(stack, mishaps, seed, outcome.steps), stack, seconds, node_kills, outcome)
        is_kept = bool(outcome.failures)
    except StartError as error:
        outcome.failures.append(str(error))
    except KeyboardInterrupt:
        is_kept = False
        raise
    finally:
        with undisturbed():
            stack.stop()
            wires.close()
            if disk is not None:
                if is_kept:
                    ignored = shutil.ignore_patterns("reserve", "ballast")
                    shutil.copytree(disk.path, data / "gateway-kept", ignore=ignored)
                disk.close()
            if not is_kept:
                shutil.rmtree(data, ignore_errors=True)
    if is_kept:
        outcome.failures.append(f"kept: {data}")
    return outcome


def _run(chaos: Chaos, stack: Stack, seconds: float, node_kills: bool, outcome: Outcome) -> None:
    """Break, heal, and have it judged into `outcome`."""
    chaos.run(seconds)
    judgement = Judgement(stack, {} if node_kills else chaos.seen_presses())
    outcome.failures, outcome.figures = judgement.failures, judgement.figures
    judgement.figures["presses"] = len(chaos.pressed)
    judgement.run()
