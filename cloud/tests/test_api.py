"""The cloud from outside: gateways dial in, the API answers, receipts hold over a restart, errors say what to do."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.live.board import Board
from cloud.tests.conftest import Cloud, incident, live, record

LINK = "/api/v1/gateways/g-1/link"
NUMBERS = itertools.count(1)


def hello(socket: Any, *records: dict[str, Any]) -> None:
    socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": list(records) or [record()]})
    assert socket.receive_json()["type"] == "welcome"


def test_a_lift_is_unknown_until_its_state_comes(client: Cloud) -> None:
    assert client.get("/api/v1/lifts").json() == []
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        (lift,) = client.get("/api/v1/lifts").json()
        assert (lift["quality"], lift["age_ms"], lift["state"]["floor"]) == ("unknown", None, None)
        socket.send_json({"type": "live", "t_ms": 1, "lifts": [live()]})
        socket.send_json({"type": "incident", "incident": incident()})
        socket.receive_json()
        (lift,) = client.get("/api/v1/lifts").json()
        assert (lift["quality"], lift["state"]["floor"], lift["name"]) == ("good", 3, "梯 lift-1")
        assert lift["age_ms"] >= 40


def test_where_a_lift_stands_and_how_its_stops_lie_is_told_where_the_gateway_knows_it(client: Cloud) -> None:
    place = {"latitude_deg": 30.27, "longitude_deg": 120.11, "floor_levels_mm": [0, 4200], "floor_names": ["-1", "1"]}
    with client.websocket_connect(LINK) as socket:
        hello(socket, record("a"), record("b", stops=2, floor_pitch_mm=4200, **place))
        bare, known = client.get("/api/v1/lifts").json()
    assert {name: known[name] for name in place} == place
    assert (bare["latitude_deg"], bare["floor_levels_mm"], bare["floor_names"]) == (None, [], [])
    assert (bare["floor_pitch_mm"], known["floor_pitch_mm"]) == (2900, 4200)


def test_a_lift_of_a_lost_gateway_never_looks_live(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        socket.send_json({"type": "live", "t_ms": 1, "lifts": [live()]})
        socket.send_json({"type": "incident", "incident": incident()})
        socket.receive_json()
    for _ in range(200):
        (lift,) = client.get("/api/v1/lifts").json()
        if lift["quality"] != "good":
            break
    assert (lift["quality"], lift["state"]["floor"], lift["last_known"]["state"]["floor"]) == ("stale", None, 3)


def test_incidents_are_receipted_after_the_commit_and_are_there_after_a_restart(database: str) -> None:
    with Cloud(database) as client, client.websocket_connect(LINK) as socket:
        hello(socket)
        socket.send_json({"type": "incident", "sent_ms": 5, "incident": incident(version=3)})
        assert socket.receive_json() == {"type": "receipt", "id": "lift-1-1-1", "version": 3}
    with Cloud(database) as client:
        (found,) = client.get("/api/v1/incidents").json()
        assert (found["id"], found["kind"], found["class"]) == ("lift-1-1-1", "trapped_between_floors", "alarm")
        (own,) = [d for d in found["deliveries"] if d["destination"] == "cloud"]
        assert own["sent"] == 5
        assert own["receipted"] > 5
        assert client.get("/api/v1/incidents/lift-1-1-1").json() == found


def test_a_journal_made_anew_behind_a_clock_that_was_set_back_tells_a_later_revision_all_the_same(
    client: Cloud,
) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        for version, phase, held in ((9, "open", 9), (3, "closed", 3), (9, "open", 3)):
            socket.send_json({"type": "incident", "incident": incident(version=version, phase=phase)})
            assert socket.receive_json()["version"] == held
    (found,) = client.get("/api/v1/incidents").json()
    assert (found["version"], found["rev"], found["phase"]) == (3, 2, "closed")


def test_an_older_version_changes_nothing_and_is_receipted_with_the_newer(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        for version, phase in ((5, "closed"), (2, "open"), (5, "closed")):
            socket.send_json({"type": "incident", "incident": incident(version=version, phase=phase)})
            assert socket.receive_json()["version"] == 5
    (found,) = client.get("/api/v1/incidents").json()
    assert (found["version"], found["phase"]) == (5, "closed")
    assert client.get("/api/v1/incidents?phase=open").json() == []


def test_a_malformed_message_is_answered_counted_and_loses_nothing_else(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        for text in ("{", "[]", '{"type":"odd"}', '{"type":"live"}', '{"type":"incident","incident":{"id":"x"}}'):
            socket.send_text(text)
            assert socket.receive_json()["type"] == "error"
        socket.send_json({"type": "incident", "incident": incident()})
        assert socket.receive_json()["type"] == "receipt"
    assert client.get("/healthz").json()["malformed"] == 5


def test_pages_of_incidents_turn_by_time(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        for number in range(5):
            socket.send_json({"type": "incident", "incident": incident(f"lift-1-1-{number}", opened=1000 + number)})
            socket.receive_json()
    first = client.get("/api/v1/incidents?limit=3").json()
    assert [entry["opened_at_ms"] for entry in first] == [1004, 1003, 1002]
    rest = client.get(f"/api/v1/incidents?limit=3&before_ms={first[-1]['opened_at_ms']}").json()
    assert [entry["opened_at_ms"] for entry in rest] == [1001, 1000]


def test_an_area_event_shows_its_members_and_what_is_of_it_can_be_asked_for_or_left_out(client: Cloud) -> None:
    member = {
        "lift": "lift-1", "site": "s", "incident": "lift-1-1-1", "incidents": ["lift-1-1-1"], "class": "occupied",
        "reason": "passenger_seen", "since_ms": 1000, "ended_ms": None, "passenger": True, "passenger_at_ms": 1500,
        "floor": 3, "running": False, "in_zone": True, "car_at_ms": 900, "live": False,
    }  # fmt: skip
    area = incident("g-1-1-1", opened=1000, lift="g-1", kind="area_power_cut", members=[member])
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        for found in (incident("lift-1-1-1", opened=1000), incident("lift-1-1-2", opened=3000), area):
            socket.send_json({"type": "incident", "incident": found})
            socket.receive_json()

        def names(query: str) -> list[str]:
            return [found["id"] for found in client.get(f"/api/v1/incidents?{query}").json()]

        assert names("folded=false") == ["lift-1-1-2", "lift-1-1-1", "g-1-1-1"]
        # The gateway says of what it is later, with another version and the same revision.
        socket.send_json({"type": "incident", "incident": incident("lift-1-1-1", 2, opened=1000, area="g-1-1-1")})
        socket.receive_json()
        assert names("folded=false") == ["lift-1-1-2", "g-1-1-1"]
        assert names("area=g-1-1-1") == ["lift-1-1-1"]
        assert names("") == ["lift-1-1-2", "lift-1-1-1", "g-1-1-1"]
    shown = client.get("/api/v1/incidents/g-1-1-1").json()
    assert shown["members"] == [member] and shown["area"] is None
    assert client.get("/api/v1/incidents/lift-1-1-1").json()["area"] == "g-1-1-1"


def test_history_is_asked_of_the_gateway(client: Cloud) -> None:
    answer: dict[str, Any] = {}
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        asking = threading.Thread(
            target=lambda: answer.update(client.get("/api/v1/lifts/lift-1/history?from=1&to=9&fields=floor").json())
        )
        asking.start()
        query = socket.receive_json()
        assert (query["what"], query["from_ms"], query["to_ms"], query["fields"]) == ("history", 1, 9, ["floor"])
        socket.send_json(
            {"type": "answer", "q": query["q"], "fields": {"floor": [[5, 2]]}, "gaps": [], "truncated": False}
        )
        asking.join(timeout=5)
    assert answer["fields"] == {"floor": [[5, 2]]}


@pytest.mark.parametrize(
    ("told", "status", "shown"),
    [
        ({"fields": {"floor": [[5, 2], [9, None]]}, "onset_ms": 5, "detected_ms": 9, "problems": []}, 200, "floor"),
        ({"missing": "waiting"}, 404, "in a minute"),
        ({"missing": "none"}, 404, "severity 3 and 4"),
        ({"error": "the recording cannot be read: x"}, 502, "cannot be read"),
        ({"fields": {"floor": "many"}}, 502, "not understood"),
    ],
)
def test_a_black_box_is_asked_of_the_gateway_of_its_incident(
    client: Cloud, told: dict[str, Any], status: int, shown: str
) -> None:
    found: list[Any] = []
    with client.websocket_connect(LINK) as socket:
        hello(socket)
        socket.send_json({"type": "incident", "incident": incident()})
        socket.receive_json()
        asking = threading.Thread(target=lambda: found.append(client.get("/api/v1/incidents/lift-1-1-1/black-box")))
        asking.start()
        query = socket.receive_json()
        assert (query["what"], query["lift"], query["incident"]) == ("black_box", "lift-1", "lift-1-1-1")
        socket.send_json({"type": "answer", "q": query["q"], **told})
        asking.join(timeout=5)
    assert found[0].status_code == status and shown in found[0].text


def test_errors_are_problem_documents_that_say_what_to_do(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket)
    for path, status in (
        ("/api/v1/lifts/none", 404), ("/api/v1/incidents/none", 404), ("/api/v1/lifts/none/history", 404),
        ("/api/v1/lifts/lift-1/history?fields=odd", 422), ("/api/v1/lifts/lift-1/history?from=9&to=1", 422),
        ("/api/v1/lifts/lift-1/history", 503), ("/api/v1/incidents?limit=0", 422),
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"]


def test_openapi_describes_the_black_box(client: Cloud) -> None:
    found = client.get("/openapi.json").json()
    assert {"/api/v1/lifts", "/api/v1/incidents", "/api/v1/lifts/{lift}/history", "/api/v1/live"} <= set(found["paths"])
    assert {"floor", "doors", "faults"} <= set(found["components"]["schemas"]["State"]["properties"])
    member = found["components"]["schemas"]["Member"]["properties"]
    assert member["class"]["enum"] == ["alarm", "occupied", "unknown", "moving", "empty", "ended"]


def test_the_silence_of_a_gateway_is_told_with_its_lifts_at_risk() -> None:
    board = Board()
    board.hello("g-1", "1", [record("a"), record("b"), record("c")], 0)
    board.live("g-1", [live("a", passenger=True), live("b"), live("c", car_status=1)], 0)
    assert board.silent_gateways(59_999, lambda name: True) == []
    assert board.silent_gateways(60_000, lambda name: True) == [
        {"gateway": "g-1", "silent_ms": 60_000, "lifts_at_risk": ["a", "c"]}
    ]


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, Any]]:
    database = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('linked')}/c.db"
    with Cloud(database) as client, client.websocket_connect(LINK) as socket:
        hello(socket)
        yield client, socket


@settings(max_examples=30, deadline=None)
@given(st.permutations([1, 2, 3, 4]), st.integers(1, 3))
def test_versions_in_any_order_end_at_the_newest(linked: tuple[Cloud, Any], order: list[int], repeats: int) -> None:
    client, socket = linked
    name = f"lift-1-1-{next(NUMBERS)}"
    for version in order * repeats:
        socket.send_json({"type": "incident", "incident": incident(name, version=version, cause=f"v{version}")})
        socket.receive_json()
    found = client.get(f"/api/v1/incidents/{name}").json()
    assert (found["version"], found["cause"]) == (4, "v4")


def test_what_the_controller_says_of_itself_is_shown_in_words_next_to_its_number(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        hello(socket, record("lift-1"), record("lift-2"))
        known, unknown = live("lift-1", controller_fault=41), live("lift-2", controller_fault=77)
        socket.send_json({"type": "live", "t_ms": 1, "lifts": [{**known, "profile": "nice3000"}, unknown]})
        told = incident(profile="nice3000", snapshot={"floor": 2, "controller_fault": 30})
        socket.send_json({"type": "incident", "incident": told})
        socket.receive_json()
        first, second = client.get("/api/v1/lifts").json()
        assert first["state"]["controller_fault"] == first["controller_fault"]["word"] == 41
        assert (first["controller_fault"]["code"], first["controller_fault"]["cause"]["en"]) == (
            1,
            "Safety circuit open",
        )
        assert second["controller_fault"]["cause"] == {"en": "Unknown word 77", "zh": "未知故障号 77"}
        socket.send_json({"type": "live", "t_ms": 2, "lifts": [live("lift-1", controller_fault=0)]})
        socket.send_json({"type": "incident", "incident": incident("lift-1-1-2")})
        socket.receive_json()
        assert client.get("/api/v1/lifts/lift-1").json()["controller_fault"] is None
    found = client.get("/api/v1/incidents/lift-1-1-1").json()
    assert (found["controller_fault"]["code"], found["controller_fault"]["known"]) == (7, True)
    assert client.get("/api/v1/incidents/lift-1-1-2").json()["controller_fault"] is None


def test_the_description_says_of_every_route_who_may_and_how_it_refuses(client: Cloud) -> None:
    found = client.get("/openapi.json").json()
    assert set(found["components"]["securitySchemes"]) == {"token", "session"}
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            assert operation["responses"]["429"]["content"]["application/problem+json"]["schema"] == problem
            assert bool(operation["security"]) == (path != "/healthz"), path
            assert ("401" in operation["responses"]) == (path != "/healthz")
            assert operation["summary"] and operation.get("description"), f"{method} {path}"
    people = found["paths"]["/api/v1/people"]["get"]
    assert people["responses"]["403"]["description"].endswith("people.manage")
    assert found["paths"]["/api/v1/me/sessions"]["get"]["security"] == [{"session": []}]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/people?after=%00",
        "/api/v1/channels/%00",
        "/api/v1/lifts/%00/assignment",
        f"/api/v1/audit?before={2**70}",
    ],
)
def test_what_a_database_cannot_keep_is_no_error_of_ours(client: Cloud, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 404, 422)
    if answer.status_code == 422:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_name_with_a_nul_is_cleaned_or_refused(client: Cloud) -> None:
    body = {"kind": "owner", "name": "a\x00b"}
    assert client.post("/api/v1/organisations", json=body).status_code in (201, 422)
    assert client.post(
        "/api/v1/people",
        json={
            "sign_in_name": "x",
            "name": "x",
            "organisation": "\x00",
            "role": "viewer",
        },
    ).status_code in (404, 422)
