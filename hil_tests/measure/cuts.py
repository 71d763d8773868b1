"""Cuts the links between nodes, broker and gateway one after the other, under load, and measures how each comes back by itself.

It starts and judges nothing but its own stack: real broker, gateway, nodes on the VM, TLS between them.
"""

import pathlib
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hil_tests.demo.stack import Stack
from hil_tests.measure.breakage import Load
from hil_tests.measure.judgement import Judgement
from hil_tests.services import StartError, wait_until
from hil_tests.wires import Wires

# What the wire does meanwhile. reset, closed: both ends hear of it, by RST or by FIN. silent: nothing passes, then all of it
# comes late. slow: 0.4 s for each chunk. half-open: nothing passes, and those who find out afterwards are told by RST.
# dead: what is sent is lost, and nobody is ever told that the connection is gone.
MOODS = {"reset": "cut", "closed": "closed", "silent": "silent", "slow": "slow", "half-open": "silent", "dead": "dead"}
WIRES = (("node-broker",), ("gateway-broker",), ("node-broker", "gateway-broker"))
# Lengths in seconds; a third of the cuts each.
LENGTHS_S = ((0.1, 1.0), (1.0, 10.0), (10.0, 60.0))
# Ours: a keep-alive of 15 s that finds a dead line, a back-off of at most 16 s, TLS, and a loaded machine.
RECOVERS_S = 60.0


@dataclass
class Result:
    """What the cuts came to. `recovered_s` by kind: from the healed line until state and alarms of every lift came through."""

    recovered_s: dict[str, list[float]] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def _cut(stack: Stack, wires: Wires, kind: str, names: tuple[str, ...], lasts_s: float) -> float:
    """One cut of `lasts_s`; the seconds from its end until every lift is shown good and has an alarm at the city since."""
    for name in names:
        wires.set(name, MOODS[kind])
    time.sleep(lasts_s)
    for name in names:
        if kind == "half-open":
            wires.reset(name)
        wires.set(name, "open")
    return await_back(stack, f"{kind} of {' and '.join(names)}")


def await_back(stack: Stack, what: str, within_s: float = RECOVERS_S) -> float:
    """Wait until every lift is shown good and has an alarm at the city, both of after now; the seconds it took."""
    healed = time.time()

    def back() -> bool:
        shown = all(
            lift["quality"] == "good" and time.time() - lift["link_age_ms"] / 1000 > healed for lift in stack.lifts()
        )
        alarmed = {entry["lift"] for entry in stack.received() if entry["arrived_at_ms"] > 1000 * healed}
        return shown and alarmed == set(stack.lift_ids())

    return wait_until(back, within_s, f"state and alarms of all lifts after {what}")


def run(cuts: int, seed: int, tell: Callable[[str], None], longest_s: float = 60.0, lifts: int = 2) -> Result:
    """`cuts` cuts of at most `longest_s` on a stack of its own, judged at the end. The folder is kept if something failed."""
    wires, result = Wires(), Result()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liftwatch-cuts-"))
    stack = Stack(folder, lifts, traffic=5.0, wires=wires, tls=True)
    try:
        stack.start()
        with Load(stack, seed) as load:
            _cut_all(stack, wires, cuts, random.Random(seed), tell, longest_s, result)
        _judge(stack, load, result)
    except StartError as error:
        result.failures.append(str(error))
    finally:
        stack.stop()
        wires.close()
    if result.failures:
        result.failures.append(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _cut_all(
    stack: Stack,
    wires: Wires,
    cuts: int,
    chance: random.Random,
    tell: Callable[[str], None],
    longest_s: float,
    result: Result,
) -> None:
    kinds = chance.sample(sorted(MOODS), len(MOODS))
    for number in range(cuts):
        low, high = LENGTHS_S[number // len(kinds) % len(LENGTHS_S)]
        lasts_s = min(longest_s, chance.uniform(low, high))
        kind, names = kinds[number % len(kinds)], chance.choice(WIRES)
        at = " and ".join(names)
        try:
            seconds = _cut(stack, wires, kind, names, lasts_s)
        except StartError as error:
            result.failures.append(f"{number + 1}: {at} {kind} for {lasts_s:.1f} s: {error}")
            tell(result.failures[-1])
            continue
        result.recovered_s.setdefault(kind, []).append(seconds)
        tell(f"{number + 1} of {cuts}: {at} {kind} for {lasts_s:.1f} s, good again after {seconds:.1f} s")
        time.sleep(chance.uniform(0.2, 2.0))


def _judge(stack: Stack, load: Load, result: Result) -> None:
    seen = {lift: sum(at == lift for at, _ in load.pressed) for lift in stack.lift_ids()}
    judgement = Judgement(stack, seen)
    judgement.run()
    result.failures += judgement.failures
    result.figures = judgement.figures
    result.figures["presses"] = len(load.pressed)
    result.figures["presses_unanswered"] = load.unanswered
    for lift, node in stack.nodes.items():
        if node.exits:
            result.failures.append(f"the node of {lift} ended: {node.exits}")
        elif node.sockets() > 1:
            result.failures.append(f"the node of {lift} holds {node.sockets()} sockets")
