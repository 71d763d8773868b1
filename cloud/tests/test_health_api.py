"""A lift's health over the API: with its parts and words, unknown as unknown, from the gateway that has the lift and no other."""

import threading
from typing import Any

import pytest

from cloud.health.reports import HealthReports, level
from cloud.health.schemas import MAX_PARTS
from cloud.live.board import Board
from cloud.tests.conftest import Cloud, record
from cloud.tests.health_told import days, health, part, young
from cloud.tests.test_api import LINK, hello
from protocols import health as table
from protocols import health_texts


def tell(socket: Any, *lifts: dict[str, Any]) -> None:
    socket.send_json({"type": "health", "t_ms": 1, "lifts": list(lifts)})


def follow_up(socket: Any) -> None:
    """Wait until what was told before is taken in."""
    socket.send_json({"type": "odd"})
    assert socket.receive_json()["type"] == "error"


def asked(client: Cloud, lift: str = "lift-1") -> Any:
    answer = client.get(f"/api/v1/lifts/{lift}/health")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_health_of_a_lift_is_a_score_with_its_parts_and_words(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        answer = client.get("/api/v1/lifts/lift-1/health")
        assert answer.status_code == 404 and "yet" in answer.json()["title"]
        assert client.get("/api/v1/lifts/lift-9/health").status_code == 404
        tell(socket, health())
        follow_up(socket)
        found = asked(client)
    assert (found["score"], found["level"], found["known"], found["lowest"]) == (64, "watch", 76, "relevellings")
    parts = {each["name"]: each for each in found["parts"]}
    door = parts["door_1_opening"]
    assert (door["value"], door["baseline"], door["mark"], door["level"], door["unit"]) == (3900, 2600, 46, "act", "ms")
    assert door["trend"]["weeks_to_bad"] == 22 and door["limits"]["good"] == 4000 and door["weight"] == 6
    assert door["title"] == {"en": "Door 1: opening time", "zh": "前门开门时间"}
    assert door["meaning"]["zh"] and door["action"]["en"]
    usage = {each["name"]: each for each in found["usage"]}
    assert usage["starts"]["per_day"] == 61 and "mark" not in usage["starts"]


def test_what_is_not_known_has_neither_value_nor_mark_but_a_reason_in_both_languages(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        tell(socket, health())
        follow_up(socket)
        parts = {each["name"]: each for each in asked(client)["parts"]}
        assert (parts["levelling"]["value"], parts["levelling"]["mark"], parts["levelling"]["level"]) == (
            None,
            None,
            None,
        )
        assert (
            "steps of 100 mm" in parts["levelling"]["reason"]["en"] and "100 mm" in parts["levelling"]["reason"]["zh"]
        )
        assert parts["faults"]["reason"] == {
            "en": "Only 210 of 300 starts in that time.",
            "zh": "该时段内只有 210 次（启动），需要 300 次。",
        }
        tell(socket, young())
        follow_up(socket)
        found = asked(client)
        assert (found["score"], found["level"], found["known"]) == (None, None, 0)
        assert found["reason"]["en"] == "Only 0 of 3 days so far." and all(
            each["mark"] is None for each in found["parts"]
        )


@pytest.mark.parametrize("key", [*health_texts.REASONS, "of a later version"])
def test_every_reason_has_words(key: str) -> None:
    board = Board()
    board.hello("g-1", "1", [record()], 0)
    reports = HealthReports(board)
    told = {"key": key, "have": 1.5, "need": 3, "step": 100, "fields": ["door_1", "starts", "odd"]}
    reports.take("g-1", [health(reason=told, parts=[part("levelling", reason=told)])])
    found = reports.of("lift-1")
    assert found is not None and found.reason is not None
    assert found.reason.en and found.reason.zh and "{" not in found.reason.en + found.reason.zh


def test_parts_of_a_later_version_are_left_out_and_every_part_of_ours_is_shown(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        tell(socket, health(parts=[*(part(name, 1, 50) for name in table.NAMES), part("telepathy", 1, 100)]))
        follow_up(socket)
        assert [each["name"] for each in asked(client)["parts"]] == list(table.NAMES)


@pytest.mark.parametrize(
    "wrong", [{"score": 130}, {"score": "good"}, {"known": -1}, {"parts": None}, {"parts": [part("levelling", 1, 101)]},
              {"parts": [part("levelling", 1, 10)] * (MAX_PARTS + 1)}, {"lift": None}],
)  # fmt: skip
def test_a_health_that_is_none_is_refused_counted_and_changes_nothing(client: Cloud, wrong: dict[str, Any]) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        tell(socket, health())
        follow_up(socket)
        before = asked(client)
        tell(socket, health(score=1), {**health(), **wrong})
        assert "malformed" in socket.receive_json()["detail"]
        assert asked(client) == before
        assert client.get("/healthz").json()["malformed"] == 2


def test_a_gateway_tells_of_its_own_lifts_only(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket, client.websocket_connect("/api/v1/gateways/g-2/link") as other:
        hello(socket)
        hello(other, record("lift-2"))
        tell(other, health("lift-1", score=3), health("lift-2"), health("lift-9"))
        follow_up(other)
        assert client.get("/api/v1/lifts/lift-1/health").status_code == 404
        assert asked(client, "lift-2")["score"] == 64
        assert client.get("/api/v1/lifts/lift-9/health").status_code == 404


def test_it_says_of_when_it_is_though_its_gateway_is_gone(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        tell(socket, health())
        follow_up(socket)
    assert (asked(client)["at_ms"], asked(client)["date"]) == (1_795_000_000_000, "2026-11-26")


def test_days_are_asked_from_the_gateway(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        url = "/api/v1/lifts/lift-1/health/days?from=2026-10-13&to=2026-11-26"
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(client.get(url)))
        thread.start()
        query = socket.receive_json()
        assert (query["what"], query["lift"], query["from"], query["to"]) == (
            "health_days",
            "lift-1",
            "2026-10-13",
            "2026-11-26",
        )
        socket.send_json({"type": "answer", "q": query["q"], "days": days()})
        thread.join()
        found = answers[0].json()
    assert len(found["days"]) == 44 and found["days"][20]["parts"]["door_1_opening"] is None
    assert [day["over"] for day in found["days"]] == [True] * 43 + [False]


def test_days_that_cannot_be_had_say_why(client: Cloud) -> None:
    url = "/api/v1/lifts/lift-1/health/days"
    assert client.get(url).status_code == 404
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        assert client.get(f"{url}?from=2026-11-02&to=2026-11-01").status_code == 422
        assert client.get(f"{url}?from=2020-01-01&to=2026-11-01").status_code == 422
        assert client.get(f"{url}?from=soon").status_code == 422
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(client.get(url)))
        thread.start()
        socket.send_json({"type": "answer", "q": socket.receive_json()["q"], "error": "OSError: no disk"})
        thread.join()
        assert answers[0].status_code == 502 and "no disk" in answers[0].json()["title"]
    assert client.get(url).status_code == 503


def test_levels_are_those_of_the_table() -> None:
    assert [level(mark) for mark in (None, 100, 80, 79, 50, 49, 0)] == [
        None,
        "good",
        "good",
        "watch",
        "watch",
        "act",
        "act",
    ]
    assert {"good", "watch", "act"} == set(health_texts.LEVELS)
