"""What an administrator of an organisation may do, and how he must not get beyond it: by people, roles, links and tokens."""

from typing import Any

import pytest

from cloud.accounts.models import Organisation
from cloud.accounts.roles import KINDS, ROLES, permissions
from cloud.accounts.scope import Actor, Grant, Scope
from cloud.database import make_engine, make_sessions, migrate
from cloud.incidents import service as incidents
from cloud.lifts.models import Lift
from cloud.shell import shell_scope
from cloud.tests.conftest import Cloud, incident, record


def made(client: Cloud, kind: str, name: str, **more: Any) -> str:
    answer = client.post("/api/v1/organisations", json={"kind": kind, "name": name, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def person(client: Cloud, name: str, organisation: str, role: str = "viewer", **more: Any) -> dict[str, Any]:
    body = {"sign_in_name": name, "name": name, "organisation": organisation, "role": role}
    answer = client.post("/api/v1/people", json=body, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def token(client: Cloud, organisation: str, role: str) -> dict[str, str]:
    body = {"name": role, "organisation": organisation, "role": role}
    return {"authorization": f"Bearer {client.post('/api/v1/tokens', json=body).json()['token']}"}


@pytest.fixture
def two(client: Cloud) -> tuple[Cloud, str, str, dict[str, str]]:
    """Two contractors, and the headers of an administrator of the first."""
    a, b = made(client, "contractor", "A"), made(client, "contractor", "B")
    return client, a, b, token(client, a, "administrator")


def test_who_has_a_role_elsewhere_too_is_seen_in_part_and_changed_by_the_platform_alone(
    two: tuple[Cloud, str, str, dict[str, str]],
) -> None:
    client, a, b, of_a = two
    both = person(client, "both", a)
    client.post(f"/api/v1/people/{both['id']}/memberships", json={"organisation": b, "role": "administrator"})
    (seen,) = client.get("/api/v1/people", headers=of_a).json()
    assert [m["organisation"] for m in seen["memberships"]] == [a]
    path = f"/api/v1/people/{both['id']}"
    assert client.post(f"{path}/links", json={}, headers=of_a).status_code == 403
    assert client.patch(path, json={"active": False}, headers=of_a).status_code == 403
    assert client.delete(f"{path}/sessions", headers=of_a).status_code == 403
    identity = {"issuer": "https://x", "subject": "s"}
    assert client.post(f"{path}/identities", json=identity, headers=of_a).status_code == 403
    of_b = next(m for m in client.get(path).json()["memberships"] if m["organisation"] == b)
    assert client.delete(f"{path}/memberships/{of_b['id']}", headers=of_a).status_code == 404
    assert client.post(f"{path}/links", json={}).status_code == 201
    # Of his own organisation he may take the role.
    assert client.delete(f"{path}/memberships/{seen['memberships'][0]['id']}", headers=of_a).status_code == 200
    assert client.get("/api/v1/people", headers=of_a).json() == []


def test_nobody_gives_what_is_not_his_to_give(two: tuple[Cloud, str, str, dict[str, str]]) -> None:
    client, a, b, of_a = two
    mine = person(client, "mine", a, headers=of_a)
    platform = next(o["id"] for o in client.get("/api/v1/organisations").json() if o["kind"] == "platform")
    for organisation in (b, platform, "guessed"):
        role = {"organisation": organisation, "role": "administrator"}
        assert client.post(f"/api/v1/people/{mine['id']}/memberships", json=role, headers=of_a).status_code == 404
        new = {"sign_in_name": "new", "name": "new", **role}
        assert client.post("/api/v1/people", json=new, headers=of_a).status_code == 404
        assert client.post("/api/v1/tokens", json={"name": "x", **role}, headers=of_a).status_code == 404
    assert client.post("/api/v1/gateway-tokens", json={"gateway": "g"}, headers=of_a).status_code == 403
    assert client.put("/api/v1/lifts/lift-1/assignment", json={}, headers=of_a).status_code == 403
    wrong = {"organisation": a, "role": "inspector"}
    assert client.post(f"/api/v1/people/{mine['id']}/memberships", json=wrong, headers=of_a).status_code == 422


def test_an_administrator_in_one_district_administers_nothing(two: tuple[Cloud, str, str, dict[str, str]]) -> None:
    client, a, _, _ = two
    body = {"name": "narrow", "organisation": a, "role": "administrator", "district": "3301"}
    narrow = {"authorization": f"Bearer {client.post('/api/v1/tokens', json=body).json()['token']}"}
    person(client, "mine", a)
    assert client.get("/api/v1/people", headers=narrow).status_code == 403
    wide = {"name": "wide", "organisation": a, "role": "administrator"}
    assert client.post("/api/v1/tokens", json=wide, headers=narrow).status_code == 403
    platform = next(o["id"] for o in client.get("/api/v1/organisations").json() if o["kind"] == "platform")
    of_platform = {
        "authorization": f"Bearer {client.post('/api/v1/tokens', json={**body, 'organisation': platform}).json()['token']}"
    }
    assert client.get("/api/v1/lifts", headers=of_platform).status_code == 200
    for path in ("/api/v1/audit", "/api/v1/people", "/api/v1/tokens"):
        assert client.get(path, headers=of_platform).status_code == 403
    assert client.put("/api/v1/lifts/x/assignment", json={}, headers=of_platform).status_code == 403


def test_the_last_administrator_of_the_platform_stays(client: Cloud) -> None:
    (admin,) = client.get("/api/v1/people").json()
    path = f"/api/v1/people/{admin['id']}/memberships/{admin['memberships'][0]['id']}"
    assert client.delete(path).status_code == 409
    person(client, "second", admin["memberships"][0]["organisation"], "administrator")
    assert client.delete(path).status_code == 200


def test_names_are_had_once_and_forms_are_checked(client: Cloud) -> None:
    a = made(client, "contractor", "A")
    person(client, "li.na", a)
    again = {"sign_in_name": "LI.NA", "name": "x", "organisation": a, "role": "viewer"}
    assert client.post("/api/v1/people", json=again).status_code == 409
    assert client.post("/api/v1/people", json={**again, "sign_in_name": "李娜"}).status_code == 422
    assert client.post("/api/v1/organisations", json={"kind": "owner", "name": "A"}).status_code == 409
    assert client.post("/api/v1/organisations", json={"kind": "platform", "name": "P2"}).status_code == 422
    assert (
        client.post("/api/v1/organisations", json={"kind": "owner", "name": "O", "districts": ["33"]}).status_code
        == 422
    )
    assert (
        client.post("/api/v1/organisations", json={"kind": "regulator", "name": "R", "districts": ["3%"]}).status_code
        == 422
    )
    assert client.post("/api/v1/organisations", json={"kind": "owner", "name": "O", "more": 1}).status_code == 422


def test_a_lift_is_assigned_to_organisations_of_the_kind_that_the_place_needs(client: Cloud) -> None:
    with client.websocket_connect("/api/v1/gateways/g-1/link") as socket:
        socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [record()]})
        socket.receive_json()
    owner = made(client, "owner", "O")
    assert [row["lift"] for row in client.get("/api/v1/assignments?unassigned=true").json()] == ["lift-1"]
    path = "/api/v1/lifts/lift-1/assignment"
    for body in ({"contractor": owner}, {"owner": "guessed"}, {"district": "x"}, {"gateway": "Not An Id"}):
        assert client.put(path, json=body).status_code == 422
    contractor = made(client, "contractor", "C")
    answer = client.put(path, json={"contractor": contractor, "owner": owner, "district": "330106"}).json()
    assert (answer["contractor"]["name"], answer["owner"]["name"], answer["manager"]) == ("C", "O", None)
    assert client.get("/api/v1/assignments?unassigned=true").json() == []
    assert client.put("/api/v1/lifts/none/assignment", json={}).status_code == 404


def test_a_regulator_sees_the_lifts_of_his_districts_as_they_change(client: Cloud) -> None:
    with client.websocket_connect("/api/v1/gateways/g-1/link") as socket:
        socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [record("a"), record("b")]})
        socket.receive_json()
        regulator = made(client, "regulator", "R", districts=["3301"])
        headers = token(client, regulator, "inspector")
        client.put("/api/v1/lifts/a/assignment", json={"district": "330106"})
        client.put("/api/v1/lifts/b/assignment", json={"district": "440305"})
        assert [lift["id"] for lift in client.get("/api/v1/lifts", headers=headers).json()] == ["a"]
        client.patch(f"/api/v1/organisations/{regulator}", json={"districts": ["44"]})
        assert [lift["id"] for lift in client.get("/api/v1/lifts", headers=headers).json()] == ["b"]
        assert client.get("/api/v1/lifts/a", headers=headers).status_code == 404
        assert client.get("/api/v1/gateways", headers=headers).json()["gateways"][0]["id"] == "g-1"


def test_a_token_ends_after_its_days(client: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    a = made(client, "contractor", "A")
    answer = client.post("/api/v1/tokens", json={"name": "x", "organisation": a, "role": "viewer", "days": 1}).json()
    headers = {"authorization": f"Bearer {answer['token']}"}
    assert client.get("/api/v1/me", headers=headers).json()["permissions"] == ["lifts.read"]

    async def age(session: Any) -> None:
        from sqlalchemy import update

        from cloud.accounts.models import Token

        await session.execute(update(Token).where(Token.id == answer["id"]).values(ends_at_ms=1))

    client.run(age)
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_the_table_of_roles_is_whole() -> None:
    assert set(ROLES) == set(KINDS)
    assert all("administrator" in roles for roles in ROLES.values())
    assert permissions("contractor", "inspector") == permissions("nothing", "viewer") == ()
    beyond = {p for kind in KINDS if kind != "platform" for role in ROLES[kind] for p in permissions(kind, role)}
    mine = {"people.manage", "tokens.manage", "channels.manage"}
    assert beyond == mine | {"lifts.read", "cases.work", "cases.desk"}


async def test_an_area_event_of_a_gateway_shows_each_his_members_alone(database: str) -> None:
    engine = make_engine(database)
    await migrate(engine)
    members = [{"lift": "lift-1"}, {"lift": "lift-2"}, {"lift": "unknown"}]
    of_gateway = {**incident("area-1"), "lift": "g-1", "members": members}
    async with make_sessions(engine)() as session:
        session.add(Organisation(id="c", kind="contractor", name="C", made_at_ms=0))
        await session.flush()
        for name, contractor in (("lift-1", "c"), ("lift-2", None)):
            session.add(Lift(id=name, gateway="g-1", contractor=contractor, district="", made_at_ms=0))
        await incidents.store(session, "g-1", of_gateway, None)
        mine = Scope(Actor("person"), (Grant("c", "contractor", "viewer"),))
        (listed,) = await incidents.newest(session, mine)
        one = await incidents.one(session, mine, "area-1")
        assert one is not None and one["members"] == listed["members"] == [{"lift": "lift-1"}]
        whole = await incidents.one(session, shell_scope(), "area-1")
        assert whole is not None and whole["members"] == members
        nobodys = Scope(Actor("person"), (Grant("x", "contractor", "viewer"),))
        assert await incidents.newest(session, nobodys) == []
        assert await incidents.one(session, nobodys, "area-1") is None
    await engine.dispose()
