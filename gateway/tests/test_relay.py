"""A relay to a destination that fails, refuses and answers late: order, keys, replacement, refill."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Self

import pytest

from gateway import relay as relay_module
from gateway.clock import unix_ms
from gateway.errors import NotDelivered, Refused
from gateway.relay import Outcome, Relay


def event(name: str, rev: int = 1, severity: int = 2, received: int = 1, phase: str = "open") -> dict[str, Any]:
    return {
        "id": name, "rev": rev, "severity": severity, "received": received, "kind": "button_pressed", "phase": phase,
        "stages": {"onset": 1_763_600_000_000}, "closed_at_ms": None, "cause": "pressed", "snapshot": {"floor": 3, "doors": [2]}, "last_known": {}, "last_known_at_ms": None,
    }  # fmt: skip


class Desk:
    """A destination by script: each answer is a text, or an exception to raise."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, int]] = []

    async def send(self, sent: dict[str, Any]) -> str:
        self.got.append((sent["id"], sent["rev"]))
        answer = self.answers.pop(0) if self.answers else "ok"
        if isinstance(answer, Exception):
            raise answer
        return str(answer)


async def run(
    desk: Desk,
    *events: dict[str, Any],
    each_phase: bool = True,
    held: list[dict[str, Any]] | None = None,
    until: int = 1,
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    held = held or []

    async def refill(limit: int) -> tuple[list[dict[str, Any]], bool]:
        return held, False

    relay = Relay("city", [desk.send], outcomes.append, each_phase, refill)
    for entry in events:
        relay.offer(entry)
    task = asyncio.create_task(relay.run())
    for _ in range(2000):
        if len(outcomes) >= until:
            break
        await asyncio.sleep(0.001)
    task.cancel()
    return outcomes


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "RETRY_FIRST_S", 0.001)
    monkeypatch.setattr(relay_module, "RETRY_MAX_S", 0.002)


async def test_a_failure_is_tried_again_with_the_same_key_and_counted() -> None:
    desk = Desk(NotDelivered("down"), NotDelivered("down"))
    (outcome,) = await run(desk, event("a-1-1"))
    assert desk.got == [("a-1-1", 1)] * 3
    assert (outcome.state, outcome.attempts) == ("receipted", 3)
    assert outcome.sent_ms is not None
    assert outcome.sent_ms <= (outcome.receipted_ms or 0)


async def test_a_refusal_ends_that_message_and_loses_no_other() -> None:
    outcomes = await run(Desk(Refused("no")), event("a-1-1"), event("a-1-2", received=2), until=2)
    assert [(o.event["id"], o.state) for o in outcomes] == [("a-1-1", "refused"), ("a-1-2", "receipted")]


async def test_people_in_danger_go_first_and_phases_of_one_incident_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "IN_FLIGHT", 1)
    desk = Desk()
    events = [event("a-1-1"), event("b-1-1", 2, 4, 5, "closed"), event("b-1-1", 1, 4, 3)]
    await run(desk, held=events, until=3)
    assert desk.got == [("b-1-1", 1), ("b-1-1", 2), ("a-1-1", 1)]


async def test_a_newer_revision_replaces_one_not_sent_unless_each_phase_is_wanted() -> None:
    desk = Desk()
    outcomes = await run(desk, event("a-1-1", 1), event("a-1-1", 2), each_phase=False, until=2)
    assert desk.got == [("a-1-1", 2)]
    assert [o.state for o in outcomes] == ["superseded", "receipted"]


async def test_what_the_journal_held_over_a_restart_is_sent() -> None:
    desk = Desk()
    await run(desk, held=[event("a-1-1"), event("a-1-2")], until=2)
    assert sorted(desk.got) == [("a-1-1", 1), ("a-1-2", 1)]


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  what is waited for is told by no event
            await asyncio.sleep(0.001)


class Platform:
    """A destination by rule: `answer(event)` raises, or waits, or returns; what arrived when is kept."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.got: list[str] = []
        self.now = self.most = 0

    async def send(self, sent: dict[str, Any]) -> str:
        self.got.append(f"{sent['id']}/{sent['rev']}")
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            result = self.answer(sent)
            if asyncio.iscoroutine(result):
                await result
        finally:
            self.now -= 1
        return "ok"


class Running:
    """A relay that runs while the test looks at it."""

    def __init__(
        self, *routes: Any, held: list[dict[str, Any]] | None = None, escalate_ms: int = 10_000, **more: Any
    ) -> None:
        self.outcomes: list[Outcome] = []
        self.escalated: list[str] = []
        self.asked = 0
        self.held = held or []
        self.journal: Callable[[], list[dict[str, Any]]] = lambda: self.held

        async def refill(limit: int) -> tuple[list[dict[str, Any]], bool]:
            self.asked += 1
            found = self.journal()
            return found[:limit], len(found) > limit

        self.relay = Relay(
            "city", [route.send for route in routes], self.outcomes.append, more.get("each_phase", True), refill, escalate_ms,
            lambda event, sent_ms, attempts: self.escalated.append(event["id"]),
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.relay.run())
        await eventually(lambda: bool(self.asked or self.relay.depth()))
        return self

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, count: int) -> list[tuple[str, str]]:
        await eventually(lambda: len(self.outcomes) >= count)
        return [(outcome.event["id"], outcome.state) for outcome in self.outcomes]


def never(sent: dict[str, Any]) -> None:
    raise NotDelivered("down")


async def test_an_event_that_a_city_cannot_digest_holds_up_no_other() -> None:
    def answer(sent: dict[str, Any]) -> None:
        if sent["id"] == "poison-1-1":
            raise NotDelivered("HTTP 500")

    async with Running(Platform(answer)) as running:
        running.relay.offer(event("poison-1-1", severity=4))
        for number in range(20):
            running.relay.offer(event(f"a-1-{number}"))
        assert len(await running.until(20)) == 20
        assert running.relay.depth() == 1


async def test_a_fault_of_ours_in_one_event_ends_no_relay() -> None:
    def answer(sent: dict[str, Any]) -> None:
        if sent["id"] == "bad-1-1":
            raise TypeError("no time")

    async with Running(Platform(answer)) as running:
        running.relay.offer(event("bad-1-1", severity=4))
        running.relay.offer(event("a-1-1"))
        assert await running.until(1) == [("a-1-1", "receipted")]
        assert not running.task.done()


async def test_an_alarm_does_not_wait_for_the_answer_to_another_but_phases_of_one_do() -> None:
    desk = Platform(lambda sent: asyncio.sleep(0.05))
    async with Running(desk) as running:
        for number in range(3):
            running.relay.offer(event(f"a-1-{number}"))
        running.relay.offer(event("a-1-0", 2, phase="closed"))
        await asyncio.sleep(0.02)
        assert desk.got == ["a-1-0/1", "a-1-1/1", "a-1-2/1"]
        await running.until(4)
    assert desk.got[3] == "a-1-0/2"
    assert desk.most == 3


async def test_a_city_that_is_down_is_tried_with_one_event_at_a_time_and_gets_all_at_once_when_it_is_back() -> None:
    down = True

    async def answer(sent: dict[str, Any]) -> None:
        await asyncio.sleep(0.001)
        if down:
            raise NotDelivered("down")

    desk = Platform(answer)
    async with Running(desk) as running:
        for number in range(50):
            running.relay.offer(event(f"a-1-{number}"))
        await asyncio.sleep(0.05)
        assert not running.outcomes
        desk.most = 0
        await asyncio.sleep(0.05)
        assert desk.most == 1
        assert running.relay.silent_since_ms is not None
        down = False
        await running.until(50)
    assert running.relay.silent_since_ms is None
    assert sorted(key for key, _ in {(o.event["id"], o.state) for o in running.outcomes}) == sorted(
        f"a-1-{n}" for n in range(50)
    )


async def test_pauses_grow_to_their_limit_and_are_never_quite_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(relay_module, "RETRY_MAX_S", 0.04)
    at: list[float] = []

    def answer(sent: dict[str, Any]) -> None:
        at.append(asyncio.get_running_loop().time())
        raise NotDelivered("down")

    async with Running(Platform(answer)) as running:
        running.relay.offer(event("a-1-1"))
        await eventually(lambda: len(at) >= 8)
    pauses = [later - sooner for sooner, later in itertools.pairwise(at)]
    assert pauses[0] >= 0.7 * 0.01
    assert all(pause >= 0.7 * 0.04 for pause in pauses[2:])
    assert len({round(pause, 4) for pause in pauses[2:]}) > 1


async def test_without_a_receipt_in_time_the_next_route_is_taken_once_and_somebody_is_told() -> None:
    second = Platform(lambda sent: None)
    now = unix_ms()
    async with Running(Platform(never), second, escalate_ms=60) as running:
        running.relay.offer(event("a-1-1", received=now))
        await asyncio.sleep(0.02)
        assert second.got == []
        assert await running.until(1) == [("a-1-1", "receipted")]
    assert second.got == ["a-1-1/1"]
    assert running.escalated == ["a-1-1"]
    assert running.outcomes[0].detail == "ok, route 2"
    assert running.relay.counters["escalated"] == 1


async def test_a_route_that_hangs_does_not_keep_the_next_from_being_taken() -> None:
    hanging = Platform(lambda sent: asyncio.sleep(60))
    async with Running(hanging, Platform(lambda sent: None), escalate_ms=40) as running:
        running.relay.offer(event("a-1-1", received=unix_ms()))
        assert await running.until(1) == [("a-1-1", "receipted")]


async def test_two_receipts_of_two_routes_are_booked_once() -> None:
    slow = Platform(lambda sent: asyncio.sleep(0.1))
    async with Running(slow, Platform(lambda sent: asyncio.sleep(0.05)), escalate_ms=30) as running:
        running.relay.offer(event("a-1-1", received=unix_ms()))
        await asyncio.sleep(0.25)
    assert [outcome.detail for outcome in running.outcomes] == ["ok, route 2"]


async def test_what_one_route_refuses_the_next_may_take_and_only_all_together_refuse() -> None:
    def no(sent: dict[str, Any]) -> None:
        raise Refused("no such lift")

    async with Running(Platform(no), Platform(lambda sent: None)) as running:
        running.relay.offer(event("a-1-1", received=unix_ms()))
        assert await running.until(1) == [("a-1-1", "receipted")]
    async with Running(Platform(no), Platform(no)) as running:
        running.relay.offer(event("a-1-1", received=unix_ms()))
        assert await running.until(1) == [("a-1-1", "refused")]
        assert running.outcomes[0].detail == "no such lift; no such lift"


async def test_what_the_journal_alone_holds_is_not_overtaken_by_its_own_later_phase() -> None:
    desk = Platform(lambda sent: None)
    async with Running(desk) as running:
        running.relay._overflowed = True
        running.held = [event("a-1-1"), closed := event("a-1-1", 2, phase="closed")]
        running.relay.offer(closed)
        running.relay.offer(event("b-1-1"))
        await running.until(3)
    assert [key for key in desk.got if key.startswith("a")] == ["a-1-1/1", "a-1-1/2"]


async def test_what_is_pushed_out_while_the_journal_is_asked_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "WATCH_S", 0.001)
    running = Running(desk := Platform(lambda sent: None))
    late = event("a-1-1", 2, phase="closed")

    def journal() -> list[dict[str, Any]]:
        if running.asked == 1:  # it arrives behind the question
            running.relay.offer(late)
            return []
        return [late]

    running.journal = journal
    async with running:
        await running.until(1)
    assert desk.got == ["a-1-1/2"]


async def test_beyond_its_memory_the_least_urgent_is_left_to_the_journal_and_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "MAX_WAITING", 10)
    monkeypatch.setattr(relay_module, "WATCH_S", 0.01)
    down = True

    def answer(sent: dict[str, Any]) -> None:
        if down:
            raise NotDelivered("down")

    running = Running(Platform(answer))
    running.held = [event(f"a-1-{number}", severity=1 + number % 3, received=number) for number in range(30)]
    for entry in running.held:
        running.relay.offer(entry)
    running.relay.offer(alarm := event("b-1-1", severity=4, received=99))
    assert running.relay.depth() == 10
    assert running.relay.counters["pushed_out"] == 21
    # As the journal does: what has its receipt is not told again, and people in danger come first.
    everything = sorted([*running.held, alarm], key=lambda e: -e["severity"])

    def journal() -> list[dict[str, Any]]:
        served = {outcome.event["id"] for outcome in running.outcomes}
        return [entry for entry in everything if entry["id"] not in served]

    running.journal = journal
    async with running:
        await asyncio.sleep(0.05)
        down = False
        await running.until(31)
    assert running.outcomes[0].event["id"] == "b-1-1" or running.outcomes[0].attempts > 1
    assert len({outcome.event["id"] for outcome in running.outcomes}) == 31
