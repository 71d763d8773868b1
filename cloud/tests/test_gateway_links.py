"""Gateways prove who they are, and a gateway can speak for itself and its own lifts alone."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from cloud.tests.conftest import Cloud, incident, live, record

Link = Callable[..., Any]


@pytest.fixture
def link(client: Cloud) -> Iterator[Link]:
    """Dials in as a gateway, with its lifts; hangs up at the end."""
    with contextlib.ExitStack() as open_links:

        def dial(gateway: str, *lifts: str) -> Any:
            socket = open_links.enter_context(client.websocket_connect(f"/api/v1/gateways/{gateway}/link"))
            hello = {"type": "hello", "gateway": gateway, "version": "1", "lifts": [record(name) for name in lifts]}
            socket.send_json(hello)
            return socket

        yield dial


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "headers", [{}, bearer("lwg_guessed"), {"authorization": "Basic eDp5"}, {"cookie": "liftwatch=x"}]
)
def test_without_its_token_no_gateway_gets_in(client: Cloud, headers: dict[str, str]) -> None:
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect("/api/v1/gateways/g-1/link", headers={"authorization": "", **headers}),
    ):
        pass
    (entry,) = [e for e in client.get("/api/v1/audit").json() if e["action"] == "gateway.refused"]
    assert entry["object"] == "gateway:g-1"


def test_neither_another_gateways_token_nor_an_administrators_opens_the_link(client: Cloud) -> None:
    other, administrators = bearer(client.gateway_token("g-2")), dict(client.headers)
    for headers in (other, {"authorization": administrators["authorization"]}):
        with (
            pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
            client.websocket_connect("/api/v1/gateways/g-1/link", headers=headers),
        ):
            pass


def test_a_gateways_token_reads_nothing(client: Cloud) -> None:
    for path in ("/api/v1/lifts", "/api/v1/me", "/api/v1/incidents", "/api/v1/live"):
        assert client.get(path, headers=bearer(client.gateway_token())).status_code == 401


def test_a_gateway_cannot_tell_of_another_ones_lift(client: Cloud, link: Link) -> None:
    first = link("g-1", "lift-1")
    assert first.receive_json()["type"] == "welcome"
    second = link("g-2", "lift-1", "lift-2")
    refusal = second.receive_json()
    assert refusal["type"] == "error"
    assert "lift-1" in refusal["detail"]
    assert second.receive_json()["type"] == "welcome"
    first.send_json({"type": "live", "t_ms": 1, "lifts": [live("lift-1", floor=3)]})
    first.send_json({"type": "incident", "incident": incident()})
    assert first.receive_json()["type"] == "receipt"
    second.send_json({"type": "live", "t_ms": 1, "lifts": [live("lift-1", floor=6), live("lift-2")]})
    second.send_json({"type": "incident", "incident": incident("theirs")})
    assert "not a lift of this gateway" in second.receive_json()["detail"]
    shown = {lift["id"]: lift for lift in client.get("/api/v1/lifts").json()}
    assert (shown["lift-1"]["gateway"], shown["lift-1"]["state"]["floor"]) == ("g-1", 3)
    assert shown["lift-2"]["gateway"] == "g-2"
    assert [found["id"] for found in client.get("/api/v1/incidents").json()] == ["lift-1-1-1"]


def test_a_gateway_cannot_overwrite_another_ones_incident(client: Cloud, link: Link) -> None:
    first, second = link("g-1", "lift-1"), link("g-2", "lift-2")
    first.receive_json()
    second.receive_json()
    first.send_json({"type": "incident", "incident": incident("lift-1-1-1", version=1)})
    first.receive_json()
    second.send_json({"type": "incident", "incident": {**incident("lift-1-1-1", version=9), "lift": "lift-2"}})
    assert "of another lift" in second.receive_json()["detail"]
    assert client.get("/api/v1/incidents/lift-1-1-1").json()["version"] == 1


def test_a_gateway_named_like_anothers_lift_cannot_tell_of_that_lift(client: Cloud, link: Link) -> None:
    first, second = link("g-1", "lift-1"), link("lift-1", "lift-2")
    first.receive_json()
    second.receive_json()
    second.send_json({"type": "incident", "incident": incident("x")})
    assert second.receive_json()["type"] == "error"


def test_what_a_gateway_tells_of_itself_is_taken(client: Cloud, link: Link) -> None:
    socket = link("g-1", "lift-1")
    socket.receive_json()
    socket.send_json({"type": "incident", "incident": {**incident("g-1-store-1"), "lift": "g-1"}})
    assert socket.receive_json()["type"] == "receipt"
    assert client.get("/api/v1/incidents").json()[0]["lift"] == "g-1"


def test_a_lift_moves_to_another_gateway_when_an_administrator_says_so(client: Cloud, link: Link) -> None:
    first, second = link("g-1", "lift-1"), link("g-2", "lift-1")
    first.receive_json()
    assert second.receive_json()["type"] == "error"
    second.receive_json()
    answer = client.put("/api/v1/lifts/lift-1/assignment", json={"gateway": "g-2"})
    assert answer.json()["gateway"] == "g-2"
    second.send_json({"type": "live", "t_ms": 1, "lifts": [live("lift-1", floor=5)]})
    second.send_json({"type": "incident", "incident": incident()})
    assert second.receive_json()["type"] == "receipt"
    first.send_json({"type": "live", "t_ms": 1, "lifts": [live("lift-1", floor=2)]})
    assert first.receive_json()["type"] == "error"
    shown = client.get("/api/v1/lifts/lift-1").json()
    assert (shown["gateway"], shown["state"]["floor"]) == ("g-2", 5)


def test_a_revoked_token_cuts_the_link_at_once(client: Cloud) -> None:
    token = client.post("/api/v1/gateway-tokens", json={"gateway": "g-9"}).json()
    with client.websocket_connect("/api/v1/gateways/g-9/link", headers=bearer(token["token"])) as socket:
        socket.send_json({"type": "hello", "gateway": "g-9", "version": "1", "lifts": []})
        assert socket.receive_json()["type"] == "welcome"
        assert client.delete(f"/api/v1/tokens/{token['id']}").status_code == 204
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_an_answer_to_a_question_that_another_gateway_was_asked_is_not_taken(client: Cloud, link: Link) -> None:
    first, second = link("g-1", "lift-1"), link("g-2", "lift-2")
    first.receive_json()
    second.receive_json()
    answer: dict[str, Any] = {}
    asking = threading.Thread(target=lambda: answer.update(client.get("/api/v1/lifts/lift-1/history").json()))
    asking.start()
    number = first.receive_json()["q"]
    second.send_json({"type": "answer", "q": number, "fields": {"floor": [[1, 6]]}, "gaps": [], "truncated": False})
    second.send_json({"type": "incident", "incident": {**incident("y"), "lift": "lift-2"}})
    second.receive_json()
    first.send_json({"type": "answer", "q": number, "fields": {"floor": [[1, 2]]}, "gaps": [], "truncated": False})
    asking.join(5)
    assert answer["fields"] == {"floor": [[1, 2]]}
