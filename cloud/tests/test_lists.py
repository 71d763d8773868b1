"""Lists by pages: the links of full pages lead through everything once, whatever is asked for."""

from typing import Any

import msgspec
import pytest

from cloud.gateways.live_states import ToldLive
from cloud.lifts.models import RECORD
from cloud.live import schemas, trouble
from cloud.live.board import UNKNOWN
from cloud.tests.conftest import Cloud, incident, live, record

LINK = "/api/v1/gateways/g-1/link"


def walk(client: Cloud, path: str) -> list[Any]:
    """All pages of a list, by their links."""
    out: list[Any] = []
    for _ in range(100):
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        out += answer.json() if isinstance(answer.json(), list) else answer.json()["gateways"]
        if "link" not in answer.headers:
            return out
        path, rel = answer.headers["link"].split("; ")
        assert rel == 'rel="next"'
        path = path.strip("<>")
    raise AssertionError("it never ends")


LISTS = [
    ("/api/v1/lifts?", 9), ("/api/v1/lifts?site=s-1", 4), ("/api/v1/lifts?q=XIXI%20road", 9), ("/api/v1/lifts?q=330104", 1),
    ("/api/v1/lifts?trouble=gone", 9), ("/api/v1/lifts?trouble=none", 0), ("/api/v1/gateways?", 2),
    ("/api/v1/incidents?", 9), ("/api/v1/incidents?folded=false&phase=open", 9), ("/api/v1/assignments?unassigned=true", 9),
    ("/api/v1/cases?", 5), ("/api/v1/organisations?", 4), ("/api/v1/people?", 4), ("/api/v1/tokens?", 6),
]  # fmt: skip


def test_the_links_lead_through_a_list_once(client: Cloud) -> None:
    for gateway, numbers in (("g-1", range(5)), ("g-2", range(5, 9))):
        with client.websocket_connect(f"/api/v1/gateways/{gateway}/link") as socket:
            lifts = [
                record(f"l-{n}", site=f"s-{n % 2}", rescue_code=f"33010{n}", address=f"Xixi Road {n}") for n in numbers
            ]
            socket.send_json({"type": "hello", "gateway": gateway, "version": "1", "lifts": lifts})
            socket.receive_json()
            for n in numbers:
                # Some opened in the same ms.
                found = {**incident(f"i-{n}", opened=1000 + n // 4, severity=1), "lift": f"l-{n}"}
                socket.send_json({"type": "incident", "incident": found})
                socket.receive_json()
    for n in range(3):
        place: str = client.post("/api/v1/organisations", json={"kind": "contractor", "name": f"c-{n}"}).json()["id"]
        body = {"sign_in_name": f"p-{n}", "name": "p", "organisation": place, "role": "viewer"}
        assert client.post("/api/v1/people", json=body).status_code == 201
        client.post("/api/v1/tokens", json={"name": "t", "organisation": place, "role": "viewer"})
    for n in range(5):
        assert client.post("/api/v1/cases", json={"op": f"o-{n}", "kind": "other", "lift": f"l-{n}"}).status_code < 300
    for path, count in LISTS:
        for limit in (1, 2, count or 1, 100):
            entries = walk(client, f"{path}&limit={limit}")
            names = [entry.get("id") or entry["lift"] for entry in entries]
            assert (path, limit, len(names), len(set(names))) == (path, limit, count, count)
    said = [entry["number"] for entry in walk(client, "/api/v1/audit?limit=3")]
    assert said == list(range(said[0], 0, -1))


def test_a_lift_is_in_the_list_of_its_trouble(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        lifts = [record(f"l-{n}") for n in range(4)]
        socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": lifts})
        socket.receive_json()
        states: list[dict[str, Any]] = [
            {},
            {"faults": ["trapped_between_floors"]},
            {"service_mode": 2},
            {"faults": ["door_blocked"]},
        ]
        told = [live(f"l-{n}", "good", **state) for n, state in enumerate(states)]
        socket.send_json({"type": "live", "t_ms": 1, "lifts": told})
        socket.send_json({"type": "incident", "incident": {**incident("i"), "lift": "l-0"}})
        socket.receive_json()
        found = {
            name: [lift["id"] for lift in client.get(f"/api/v1/lifts?trouble={name}").json()]
            for name in ("none", "trapped", "work", "fault", "gone")
        }
    assert found == {"none": ["l-0"], "trapped": ["l-1"], "work": ["l-2"], "fault": ["l-3"], "gone": []}


@pytest.mark.parametrize(
    ("quality", "state", "expected"),
    [
        ("good", {"faults": ["trapped_between_floors"], "withheld": ["trapped_between_floors"], "work_mode": 1}, "work"),
        ("bus_silent", {}, "fault"), ("stale", {"faults": ["trapped_between_floors"]}, "gone"),
        ("good", {"service_mode": 7}, "none"), ("good", {"faults": ["a fault of tomorrow"]}, "fault"),
    ],
)  # fmt: skip
def test_trouble_in_a_word(quality: str, state: dict[str, Any], expected: str) -> None:
    assert trouble.of(quality, state) == expected


def test_all_that_the_api_shows_of_a_lift_is_taken_from_what_gateways_tell_and_the_other_way_round() -> None:
    """Live states are read field by field: one that is forgotten there would be missing on the page and nowhere else."""
    told = {field.name for field in msgspec.structs.fields(ToldLive)}
    assert told | {"id", *RECORD} | {"gateway", "controller_fault"} == set(schemas.Lift.model_fields)
    assert set(UNKNOWN) == set(schemas.State.model_fields)


def test_who_has_it_already_is_told_so_and_a_change_is_told_whole(client: Cloud) -> None:
    with client.websocket_connect(LINK) as socket:
        socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [record("lift-1")]})
        socket.receive_json()
        for version in (1, 2):
            socket.send_json({"type": "incident", "incident": incident("i-1", version)})
            socket.receive_json()
            for path in (
                "/api/v1/incidents/i-1",
                "/api/v1/incidents?limit=1",
                "/api/v1/organisations",
                "/openapi.json",
            ):
                first = client.get(path)
                again = client.get(path, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
                assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
                assert again.headers["etag"] == first.headers["etag"]
            if version == 1:
                tag = client.get("/api/v1/incidents/i-1").headers["etag"]
    assert client.get("/api/v1/incidents/i-1", headers={"if-none-match": tag}).json()["version"] == 2
    assert "etag" not in client.get("/api/v1/incidents/none").headers
