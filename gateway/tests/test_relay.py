"""A relay to a destination that fails, refuses and answers late: order, keys, replacement, refill."""

import asyncio
import json
from typing import Any

import pytest

from gateway import relay as relay_module
from gateway.city_http import HttpCity, body
from gateway.config import Lift, load, load_city
from gateway.errors import ConfigError, NotDelivered, Refused
from gateway.relay import Outcome, Relay

LIFT = Lift("lift-1", "site", registration_code="32201234562018091346", rescue_code="330117")


def event(name: str, rev: int = 1, severity: int = 2, received: int = 1, phase: str = "open") -> dict[str, Any]:
    return {
        "id": name, "rev": rev, "severity": severity, "received": received, "kind": "button_pressed", "phase": phase,
        "stages": {"onset": 1_763_600_000_000}, "closed_at_ms": None, "cause": "pressed", "snapshot": {"floor": 3, "doors": [2]},
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

    async def refill() -> list[dict[str, Any]]:
        return held

    relay = Relay("city", desk.send, outcomes.append, each_phase, refill)
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


async def test_people_in_danger_go_first_and_phases_of_one_incident_in_order() -> None:
    desk = Desk()
    events = [event("a-1-1"), event("b-1-1", 2, 4, 5, "closed"), event("b-1-1", 1, 4, 3)]
    await run(desk, *events, until=3)
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


def test_the_body_carries_key_codes_and_the_events_own_time() -> None:
    city = load_city("shanghai_like.toml")
    sent = body(city, LIFT, event("lift-1-1-1", 2, phase="closed"))
    assert (sent["alarmId"], sent["revision"], sent["faultStatus"]) == ("LW-lift-1-1-1", 2, 1)
    assert sent["failureCode"] == "90"
    assert sent["occurTime"] == "2025-11-20 08:53:20"
    json.dumps(sent)


@pytest.mark.parametrize(
    ("status", "text", "outcome"),
    [
        (200, b'{"code":0}', "business_code 0"), (200, b'{"code":503}', NotDelivered), (200, b'{"code":400}', Refused),
        (200, b"<html>", NotDelivered), (200, b"[]", NotDelivered), (500, b"", NotDelivered), (429, b"", NotDelivered),
        (404, b"", Refused), (302, b"", NotDelivered),
    ],
)  # fmt: skip
def test_what_counts_as_a_receipt(status: int, text: bytes, outcome: Any) -> None:
    desk = HttpCity(load_city("shanghai_like.toml"), "http://127.0.0.1:1", None)  # type: ignore[arg-type]
    if isinstance(outcome, str):
        assert desk._judge(status, text) == outcome
        return
    with pytest.raises(outcome):
        desk._judge(status, text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "gateway"), ("[gateway]\nid='x'\ndata_dir='d'\nodd=1\n", "odd"), ("[gateway]\nid='X!'\ndata_dir='d'\n", "a-z"),
        ("[gateway]\nid='x'\ndata_dir='d'\n[broker]\nport=99999\n", "port"), ("nonsense", "toml"),
        ("[gateway]\nid='x'\ndata_dir='d'\n[[lift]]\nid='a'\nsite='s'\n[[lift]]\nid='a'\nsite='s'\n", "twice"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_told_with_its_place(tmp_path: Any, text: str, word: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as found:
        load(path)
    assert word in str(found.value)
    assert str(path) in str(found.value)
