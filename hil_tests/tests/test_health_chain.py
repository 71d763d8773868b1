"""Health through the whole chain: a demo's lift from its first minute on, and lifts whose nodes bring weeks that they had to keep."""

import asyncio
import contextlib
import threading
import time
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from hil_tests.bench.ordinary import house
from hil_tests.demo.stack import Stack
from hil_tests.measure.fleet import FleetNode, lived
from hil_tests.services import wait_until

pytestmark = pytest.mark.chain

DAYS = 8
AGAIN_S = 2
# Two doors, stops beside its level, a zone switch that flickers.
NUMBER, SEED = 2, 1


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(
        tmp_path_factory.mktemp("health"), 1, baud=38400, traffic=150.0, influx=False, health=f"again_s = {AGAIN_S}"
    )
    running.start()
    yield running
    running.stop()


def health(stack: Stack, lift: str) -> Any:
    """GET …/health; None while nothing was told."""
    with contextlib.suppress(urllib.error.HTTPError):
        return stack.get(f"/api/v1/lifts/{lift}/health")
    return None


def told_ms(stack: Stack, lift: str) -> int:
    found = health(stack, lift)
    return 0 if found is None else int(found["at_ms"])


def parts(stack: Stack, lift: str) -> dict[str, Any]:
    found = health(stack, lift)
    assert found is not None
    return {part["name"]: part for part in found["parts"]}


def whole(stack: Stack, lift: str) -> bool:
    """All days are in it, and every part is known."""
    found = health(stack, lift)
    return found is not None and found["days"] >= DAYS and all(part["mark"] is not None for part in found["parts"])


def at_rest(stack: Stack, lift: str) -> bool:
    """All of the log is followed, and nothing new was to be told since: what came before that lacks the last records."""
    silent_ms = time.time_ns() // 1_000_000 - told_ms(stack, lift)
    return stack.metric("health_behind_batches") == 0 and silent_ms > 3000 * AGAIN_S


def marks(found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (part["value"], part["mark"]) for name, part in found.items()}


@contextlib.contextmanager
def connected(stack: Stack, *nodes: FleetNode) -> Iterator[None]:
    """The nodes' links, on a thread of their own."""
    loop = asyncio.new_event_loop()

    async def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*(node.run(stack.broker_port) for node in nodes))

    task = loop.create_task(run())
    thread = threading.Thread(target=loop.run_until_complete, args=(task,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=10)
        loop.close()


def test_weeks_that_nodes_had_to_keep_become_their_health_and_a_killed_gateway_tells_the_same(stack: Stack) -> None:
    end_ms = time.time_ns() // 1_000_000
    names = {"past-new": False, "past-old": True}
    nodes = [
        FleetNode(name, lived(house(NUMBER, SEED, aged=aged), DAYS, end_ms), records_on=False)
        for name, aged in names.items()
    ]
    with connected(stack, *nodes):
        wait_until(
            lambda: all(node.delivery.log_backlog() == 0 for node in nodes), 240, "the hand-over of both backlogs"
        )
        wait_until(lambda: stack.metric("health_behind_batches") == 0, 120, "the following of the log")
        wait_until(lambda: all(whole(stack, name) for name in names), 120, "the health of both, in all its parts")
        wait_until(lambda: all(at_rest(stack, name) for name in names), 60, "the last word on both")
        new, old = (health(stack, name) for name in names)
        # The record says one door: nobody has put these lifts in the configuration.
        assert DAYS <= new["days"] == old["days"] <= DAYS + 1  # midnight may come meanwhile
        assert new["score"] >= 95 and old["score"] <= new["score"] - 10
        mine, worn = parts(stack, "past-new"), parts(stack, "past-old")
        for name in ("levelling", "zone_flickers"):
            assert worn[name]["mark"] <= mine[name]["mark"] - 10
        assert worn["door_1_opening"]["value"] > 1.3 * mine["door_1_opening"]["value"]
        assert mine["faults"]["value"] == 0
        days = stack.get("/api/v1/lifts/past-old/health/days", 20)["days"]
        assert len(days) >= DAYS and all(day["observed_hours"] > 23.9 for day in days[1:-2])

        before_ms = told_ms(stack, "past-old")
        stack.restart("gateway", kill=True)
        wait_until(
            lambda: told_ms(stack, "past-old") > before_ms and whole(stack, "past-old"), 120, "a word of the new one"
        )
        wait_until(lambda: at_rest(stack, "past-old"), 60, "its last word")
        assert marks(parts(stack, "past-old")) == marks(worn)


def test_a_lift_that_runs_is_told_of_within_minutes_and_nothing_of_it_is_known_yet(stack: Stack) -> None:
    # It ran while the other test waited, and its gateway, killed meanwhile, goes on with the same day.
    wait_until(
        lambda: (health(stack, "lift-1") or {"today": {}})["today"].get("door_cycles", 0) >= 2, 200, "today's counts"
    )
    found = health(stack, "lift-1")
    assert (found["score"], found["known"], found["days"]) == (None, 0, 0)
    assert found["reason"]["en"] == "Only 0 of 3 days so far." and found["reason"]["zh"]
    assert all(part["mark"] is None and part["value"] is None and part["reason"] for part in found["parts"])
    assert found["today"]["starts"] >= 1
    days = stack.get("/api/v1/lifts/lift-1/health/days")["days"]
    assert [day["over"] for day in days] == [False]
    # What a bus tells in steps of 100 mm is no levelling, not even of one day.
    assert days[0]["usage"]["door_cycles"] >= 2
