"""Presses buttons of a running stack by the thousand and follows each press to the city's receipt. It judges nothing."""

import itertools
import time
from collections.abc import Callable
from typing import Any

from hil_tests.demo.stack import Stack

# From a press to the next on the same lift: release, door opens (2.6 s), stands open (1 s), and the alarm is closed.
ROUND_S = 5.4
SETTLE_S = 3.0


def press_all(stack: Stack, presses: int, tell: Callable[[int], None] = lambda done: None) -> list[tuple[str, int]]:
    """`presses` presses over all lifts in turn; each alarm is ended by an opened door before the lift's next.

    Returns [(lift, unix ms at which the contact closed)].
    """
    stamps: list[tuple[str, int]] = []
    lifts = itertools.cycle(stack.lift_ids())
    gap_s = ROUND_S / len(stack.lift_ids())
    due = time.monotonic()
    while len(stamps) < presses:
        due += gap_s
        time.sleep(max(0.0, due - time.monotonic()))
        lift = next(lifts)
        if any(i["kind"] == "button_pressed" for i in stack.incidents(lift=lift, phase="open", limit=5)):
            # Its alarm is not over (the car was on its way): this press would be a revision, so the lift is helped on.
            stack.inject(lift, "button_pressed", clear=True)
            continue
        stamps.append((lift, stack.press(lift, hold_ms=150)))
        time.sleep(0.25)
        stack.inject(lift, "button_pressed", clear=True)
        tell(len(stamps))
    time.sleep(SETTLE_S)
    return stamps


def follow(stack: Stack, stamps: list[tuple[str, int]]) -> tuple[dict[str, list[float]], int]:
    """({stage: [ms since the press]}, presses that never became a new alarm at the city)."""
    opened: dict[str, list[dict[str, Any]]] = {}
    for entry in stack.received():
        if entry["kind"] == "button_pressed" and entry["phase"] == "open":
            opened.setdefault(entry["lift"], []).append(entry)
    incidents = {incident["id"]: incident for incident in stack.all_incidents()}
    stages: dict[str, list[float]] = {}
    missing = 0
    for lift, at_ms in stamps:
        found = next(
            (entry for entry in opened.get(lift, []) if 0 <= entry["arrived_at_ms"] - at_ms < 1000 * ROUND_S), None
        )
        if found is None:
            missing += 1
            continue
        opened[lift].remove(found)
        stages.setdefault("city arrival", []).append(found["arrived_at_ms"] - at_ms)
        incident = incidents.get(found["id"])
        if incident is None:
            continue
        for name, value in incident["stages"].items():
            if value is not None:
                stages.setdefault(name, []).append(value - at_ms)
        for delivery in incident["deliveries"]:
            if delivery["rev"] == 1 and delivery["receipted"]:
                stages.setdefault(f"{delivery['destination']} receipt", []).append(delivery["receipted"] - at_ms)
    return stages, missing
