"""Every route for every role, with own and with foreign objects: generated from the app, so that a new route is in it at once.

Nothing of another organisation may be read or changed by anybody but who administers the platform: not by a list, not by an
id that was guessed, not by one in a body.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import ASGIApp

from cloud.accounts import sessions, signing_in, tokens
from cloud.accounts.access import Public, Requires, check_rules, rule_of
from cloud.accounts.models import (
    ExternalIdentity,
    Membership,
    Organisation,
    OrganisationDistrict,
    Passkey,
    Person,
    Session,
    Token,
)
from cloud.accounts.roles import BY_DISTRICT, ROLES, permissions
from cloud.accounts.scope import Assignment, Grant
from cloud.accounts.sessions import Client
from cloud.app import create_app
from cloud.cases.limits import District, Rescue
from cloud.cases.limits import Limits as RescueLimits
from cloud.cases.models import CaseEntry, CasePhoto, CaseRow
from cloud.cases.state import Case, to_json
from cloud.clock import unix_ms
from cloud.lifts import service as lifts
from cloud.lifts.models import Lift
from cloud.notices import channels
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.notices.sender import Sender
from cloud.settings import Limits, OidcProvider, Settings
from cloud.shell import shell_scope
from cloud.tests.conftest import CHEAP, SHELL, Cloud, incident, live, record
from cloud.tests.health_told import health

MARK = "FOREIGN"
SIDES = ("own", "foreign")
CODE = {"own": "330117", "foreign": "440317"}
AREA = {"own": "330106", "foreign": "440305"}
ADMINISTRATOR = ("platform", "administrator")
# Who may do everything comes last: what the others did can be looked at before.
ACTORS = [
    *((kind, role) for kind, roles in ROLES.items() for role in roles if (kind, role) != ADMINISTRATOR),
    ADMINISTRATOR,
]
NUMBERS = itertools.count(1)
ISSUER = "http://127.0.0.1:9/"
PASSWORD = "seven lifts go up at dawn"
# Notices are not sent there: it is no public address.
NOWHERE = "https://127.0.0.1:9/"

# What a route is sent: own and foreign ids stand in `ids`. A route that takes a body and is not here fails the test.
Ids = dict[str, str]
BODIES: dict[tuple[str, str], Callable[[Ids], dict[str, Any]]] = {
    ("POST", "/api/v1/organisations"): lambda ids: {"kind": "contractor", "name": f"new {next(NUMBERS)}"},
    ("PATCH", "/api/v1/organisations/{organisation}"): lambda ids: {"districts": []},
    ("POST", "/api/v1/people"): lambda ids: {
        "sign_in_name": f"new{next(NUMBERS)}", "name": "new", "organisation": ids["organisation"], "role": "viewer",
    },
    ("PATCH", "/api/v1/people/{person}"): lambda ids: {"phone": "1"},
    ("POST", "/api/v1/people/{person}/links"): lambda ids: {},
    ("POST", "/api/v1/people/{person}/memberships"): lambda ids: {
        "organisation": ids["organisation"], "role": "viewer", "district": "33",
    },
    ("POST", "/api/v1/people/{person}/identities"): lambda ids: {"issuer": ISSUER, "subject": f"s{next(NUMBERS)}"},
    ("POST", "/api/v1/tokens"): lambda ids: {"name": "new", "organisation": ids["organisation"], "role": "viewer"},
    ("POST", "/api/v1/gateway-tokens"): lambda ids: {"gateway": "g-new"},
    ("POST", "/api/v1/cases"): lambda ids: {"op": f"op-{next(NUMBERS)}", "kind": "other", "lift": ids["lift"]},
    ("POST", "/api/v1/cases/{case}/steps"): lambda ids: {"op": f"op-{next(NUMBERS)}", "step": "note", "note": "x"},
    ("PUT", "/api/v1/lifts/{lift}/assignment"): lambda ids: {"district": "33"},
    ("POST", "/api/v1/channels"): lambda ids: {
        "organisation": ids["organisation"], "kind": "webhook", "name": "new", "settings": {"url": NOWHERE},
    },
    ("PATCH", "/api/v1/channels/{channel}"): lambda ids: {"name": "other"},
    ("POST", "/api/v1/channels/{channel}/tests"): lambda ids: {},
    ("POST", "/account/passkeys/begin"): lambda ids: {},
    ("POST", "/account/passkeys"): lambda ids: {"ceremony": "x", "credential": {}},
    ("POST", "/sign-in/passkey/begin"): lambda ids: {},
    ("POST", "/sign-in/passkey"): lambda ids: {"ceremony": "x", "credential": {}},
}  # fmt: skip
QUERIES: dict[str, Callable[[Ids], str]] = {
    "/api/v1/people/{person}/identities": lambda ids: f"?issuer=i&subject={ids['identity']}"
}
FORMS: dict[str, Callable[[Ids], dict[str, str]]] = {
    "/sign-in": lambda ids: {"name": "nobody", "password": "x"},
    "/sign-out": lambda ids: {},
    "/link/{token}": lambda ids: {"password": PASSWORD, "again": PASSWORD},
    "/account/password": lambda ids: {"password": PASSWORD, "again": PASSWORD},
    "/account/language": lambda ids: {"language": "en"},
    "/account/sessions/{name}/end": lambda ids: {},
    "/account/passkeys/{key}/remove": lambda ids: {},
    "/manage/people": lambda ids: {
        "sign_in_name": f"new{next(NUMBERS)}", "name": "new", "place": f"{ids['organisation']} viewer",
    },
    "/manage/people/{person}": lambda ids: {"name": "new", "phone": "2", "active": "no"},
    "/manage/people/{person}/link": lambda ids: {},
    "/manage/people/{person}/sign-out": lambda ids: {},
    "/manage/people/{person}/roles": lambda ids: {"place": f"{ids['organisation']} viewer", "district": "33"},
    "/manage/people/{person}/roles/{membership}/take": lambda ids: {},
    "/manage/organisations": lambda ids: {"kind": "contractor", "name": f"new {next(NUMBERS)}"},
    "/manage/organisations/{organisation}": lambda ids: {"name": f"new {next(NUMBERS)}"},
    "/manage/lifts/{lift}": lambda ids: {"district": "33"},
    "/manage/tokens": lambda ids: {"name": "new", "place": f"{ids['organisation']} viewer"},
    "/manage/tokens/{token}/revoke": lambda ids: {},
    "/manage/channels": lambda ids: {
        "organisation": ids["organisation"], "kind": "wecom", "name": "new", "url": NOWHERE,
    },
    "/manage/channels/{channel}": lambda ids: {"name": "new", "active": "yes", "least_severity": "3"},
    "/manage/channels/{channel}/test": lambda ids: {},
    "/manage/channels/{channel}/remove": lambda ids: {},
}  # fmt: skip
# Own objects that are there but cannot answer in this test.
UNAVAILABLE = {
    "/api/v1/lifts/{lift}/history": {503}, "/api/v1/incidents/{incident}/black-box": {503}, "/api/v1/lifts/{lift}/health/days": {503}, "/account/passkeys": {422},
}  # fmt: skip
# One document for all, whatever its path names: it reads by the API what may be seen.
DOCUMENT = ("/lift/{name}", "/desk/{name}", "/phone/{name}")
# What platform viewers see of others too: lifts that are anybody's.
OF_LIFTS = ("lift", "incident", "case", "code")
PICTURE = b"\x89PNG\r\n\x1a\n" + b"x" * 99
# Routes that are sent something else than JSON or a form.
RAW = {("POST", "/api/v1/cases/{case}/photos"): PICTURE}


def routes_of(app: FastAPI) -> list[APIRoute]:
    found = [context.original_route for context in iter_route_contexts(app.routes)]
    return [route for route in found if isinstance(route, APIRoute)]


APP = create_app("sqlite+aiosqlite://")
CASES = sorted(
    ((method, route.path) for route in routes_of(APP) for method in route.methods or ()),
    key=lambda case: (case[1], case[0]),
)


@dataclasses.dataclass
class World:
    """Two worlds that must not meet, in one cloud."""

    client: Cloud
    by_token: bool
    organisations: dict[tuple[str, str], str]
    ids: dict[str, Ids]
    actors: dict[tuple[str, str], tuple[dict[str, str], Ids]] = dataclasses.field(default_factory=dict)

    def actor(self, kind: str, role: str, *, fresh: bool) -> dict[str, str]:
        """The headers of somebody with that role in his organisation, and in `ids` objects of it; `fresh`: not used up by calls before."""
        if fresh or (kind, role) not in self.actors:
            self._prepare(kind)
            headers = self.client.run(lambda session: self._headers(session, kind, role))
            self.actors[kind, role] = headers, dict(self.ids["own"])
        headers, ids = self.actors[kind, role]
        self.ids["own"] = dict(ids)
        return headers

    async def _headers(self, session: AsyncSession, kind: str, role: str) -> dict[str, str]:
        place = await session.get_one(Organisation, self.organisations["own", kind])
        if self.by_token:
            _, text = await tokens.make_api_token(session, unix_ms(), SHELL, place, role, name="machine")
            return {"authorization": f"Bearer {text}"}
        person = await _person(session, place.id, role)
        self.ids["own"]["name"] = (await _session(session, person))[1]
        text, id = await _session(session, person)
        self.ids["own"]["this"] = id
        return {"cookie": f"liftwatch={text}", "sec-fetch-site": "same-origin"}

    def _prepare(self, kind: str) -> None:
        async def make(session: AsyncSession) -> None:
            own, place = self.ids["own"], self.organisations["own", kind]
            own["organisation"] = place
            own |= await _objects(session, place, "own")
            await _assign(session, self.organisations, "own")

        self.client.run(make)

    def renew_foreign(self) -> None:
        """Foreign objects that no administrator of the platform has used up in an earlier test."""
        place = self.organisations["foreign", "contractor"]
        self.ids["foreign"] |= self.client.run(lambda session: _objects(session, place, "foreign"))

    def foreign(self) -> list[Any]:
        """All rows of the foreign world, to be compared."""

        async def read(session: AsyncSession) -> list[Any]:
            out: list[Any] = []
            theirs = {id for (side, _), id in self.organisations.items() if side == "foreign"}
            people = select(Membership.person).where(Membership.organisation.in_(theirs))
            for table, mine in (
                (Organisation, Organisation.id.in_(theirs)),
                (OrganisationDistrict, OrganisationDistrict.organisation.in_(theirs)),
                (Person, Person.id.in_(people)),
                (Membership, Membership.organisation.in_(theirs)),
                (Session, Session.person.in_(people)),
                (Token, Token.organisation.in_(theirs)),
                (ExternalIdentity, ExternalIdentity.person.in_(people)),
                (Passkey, Passkey.person.in_(people)),
                (NoticeChannel, NoticeChannel.organisation.in_(theirs)),
                (NoticeRow, NoticeRow.case == "c-foreign"),
                (Lift, Lift.id == "lift-foreign"),
                (CaseRow, CaseRow.id == "c-foreign"),
                (CaseEntry, CaseEntry.case == "c-foreign"),
                (CasePhoto, CasePhoto.case == "c-foreign"),
            ):
                rows = await session.execute(select(*table.__table__.columns).where(mine))
                out.append(sorted(str(tuple(row)) for row in rows))
            return out

        return self.client.run(read)


async def _person(session: AsyncSession, organisation: str, role: str, name: str = "own") -> Person:
    person = Person(sign_in_name=f"p{next(NUMBERS)}", name=name, made_at_ms=0)
    session.add(person)
    await session.flush()
    session.add(Membership(person=person.id, organisation=organisation, role=role))
    return person


async def _session(session: AsyncSession, person: Person) -> tuple[str, str]:
    text = await sessions.begin(session, unix_ms(), person, "test", Client(), 3_600_000)
    return text, (await session.scalars(select(Session.id).where(Session.token_hash == tokens.hash_of(text)))).one()


def text_bytes() -> bytes:
    return f"credential {next(NUMBERS)}".encode()


async def _objects(session: AsyncSession, organisation: str, side: str) -> Ids:
    person = await _person(session, organisation, "viewer", MARK if side == "foreign" else "own")
    await session.flush()
    membership = (await session.scalars(select(Membership.id).where(Membership.person == person.id))).one()
    place = await session.get_one(Organisation, organisation)
    token, _ = await tokens.make_api_token(session, unix_ms(), SHELL, place, "viewer", name=person.name)
    link = await signing_in.make_link(session, unix_ms(), SHELL, person, "set_password", 3_600_000)
    _, name = await _session(session, person)
    key = Passkey(person=person.id, credential=text_bytes(), public_key=b"x", sign_count=0, name="k", made_at_ms=0)
    session.add(key)
    await session.flush()
    identity = ExternalIdentity(issuer="i", subject=f"of {person.id}", person=person.id, made_at_ms=0)
    session.add(identity)
    channel = NoticeChannel(
        organisation=organisation, kind="webhook", name=person.name, language="zh", least_severity=1, kinds=[],
        settings={"url": NOWHERE}, secret="s", made_at_ms=0, changed_at_ms=0,
    )  # fmt: skip
    session.add(channel)
    await session.flush()
    session.add(
        NoticeRow(
            channel=channel.id, organisation=organisation, kind="case_opened", case=f"c-{side}", lift=f"lift-{side}", dedupe="",
            severity=4, facts={"place": person.name}, state="sent", made_at_ms=0, next_at_ms=0, ends_at_ms=0, receipt={},
        )
    )  # fmt: skip
    return {
        "channel": channel.id,
        "key": key.id,
        "identity": identity.subject,
        "person": person.id,
        "membership": membership,
        "token": token.id,
        "link": link,
        "name": name,
    }


async def _assign(session: AsyncSession, organisations: dict[tuple[str, str], str], side: str) -> None:
    of = {kind: id for (found, kind), id in organisations.items() if found == side}
    wanted = Assignment(of["contractor"], of["owner"], of["property_manager"], AREA[side])
    await lifts.assign(session, unix_ms(), shell_scope(), f"lift-{side}", wanted)


async def _case(session: AsyncSession, side: str) -> None:
    """A closed one: its clocks change nothing meanwhile. Notes and photos may be added to it."""
    name = MARK if side == "foreign" else "own"
    case = Case(
        "fault",
        "incident",
        2,
        1,
        lift=f"lift-{side}",
        gateway=f"g-{side}",
        place=name,
        phase="closed",
        outcome="mended",
    )
    session.add(
        CaseRow(
            id=f"c-{side}", subject=f"lift:lift-{side}", lift=case.lift, gateway=case.gateway, district=AREA[side], kind="fault",
            severity=2, phase="closed", outcome="mended", cause="control", opened_at_ms=1, changed_at_ms=1, state=to_json(case),
        )
    )  # fmt: skip
    await session.flush()
    photo = CasePhoto(id=f"p-{side}", case=f"c-{side}", sha256=side, media_type="image/png", size_bytes=1, at_ms=1)
    photo.by, photo.name, photo.body = "", name, name.encode()
    session.add(photo)


async def _nothing(_: Sender) -> None: ...


@pytest.fixture(scope="module")
def quiet_channels() -> Iterator[None]:
    """An organisation may have as many as there are routes times roles, and nothing is sent while rows are compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels, "MOST_CHANNELS", 10**6)
        patch.setattr(Sender, "look", _nothing)
        yield


@pytest.fixture(scope="module", params=["sqlite, cookies", "postgresql, tokens"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    by_token = "tokens" in request.param
    database = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('routes')}/c.db"
    if by_token:
        database = request.getfixturevalue("postgres").migrated()
    request.getfixturevalue("quiet_channels")
    many = Limits(actor=10**6, address=10**6, attempts=10**6)
    # The gateways hang up at once: that they are silent is not what is looked at here, and would be told while rows are compared.
    patient = Rescue(District(limits=RescueLimits(gateway_silent_ms=10**12)))
    oidc = (OidcProvider("op", "OP", ISSUER, "c", "s"),)
    with Cloud(database, Settings(passwords=CHEAP, limits=many, oidc=oidc, rescue=patient)) as client:
        for side in SIDES:
            # Of severity 1: no case that runs by its own clocks comes of it.
            told = {
                **incident(f"i-{side}"),
                "severity": 1,
                "lift": f"lift-{side}",
                "cause": MARK if side == "foreign" else "own",
            }
            with client.websocket_connect(f"/api/v1/gateways/g-{side}/link") as socket:
                name = MARK if side == "foreign" else "own"
                lift = {**record(f"lift-{side}"), "name": name, "address": name, "rescue_code": CODE[side]}
                socket.send_json({"type": "hello", "gateway": f"g-{side}", "version": "1", "lifts": [lift]})
                socket.receive_json()
                socket.send_json({"type": "live", "t_ms": 1, "lifts": [live(f"lift-{side}")]})
                socket.send_json({"type": "health", "t_ms": 1, "lifts": [health(f"lift-{side}")]})
                socket.send_json({"type": "incident", "incident": told})
                socket.receive_json()

        async def make(session: AsyncSession) -> dict[tuple[str, str], str]:
            platform = (await session.scalars(select(Organisation.id).where(Organisation.kind == "platform"))).one()
            found = {("own", "platform"): platform}
            for side, kind in itertools.product(SIDES, ROLES):
                if kind == "platform":
                    continue
                name = f"{MARK if side == 'foreign' else 'own'} {kind}"
                area = [OrganisationDistrict(code=AREA[side][:4])] if kind in BY_DISTRICT else []
                row = Organisation(kind=kind, name=name, made_at_ms=0, districts=area)
                session.add(row)
                await session.flush()
                found[side, kind] = row.id
            for side in SIDES:
                await _assign(session, found, side)
                await _case(session, side)
            return found

        organisations = client.run(make)
        ids: dict[str, Ids] = {
            side: {
                "lift": f"lift-{side}",
                "incident": f"i-{side}",
                "case": f"c-{side}",
                "photo": f"p-{side}",
                "code": CODE[side],
            }
            for side in SIDES
        }
        ids["foreign"]["organisation"] = organisations["foreign", "contractor"]
        ids["foreign"] |= client.run(
            lambda session: _objects(session, organisations["foreign", "contractor"], "foreign")
        )
        client.look_again()
        del client.headers["authorization"]
        yield World(client, by_token, organisations, ids)


def url_of(path: str, ids: Ids) -> str:
    """The path with ids in it; what has no id fails, so that a new kind of object is thought of."""
    known = {**ids, "token": ids["link"]} if path.startswith("/link/") else ids
    return path.format_map({**known, "provider": "op"}) + (QUERIES[path](ids) if path in QUERIES else "")


def has_sides(method: str, path: str) -> bool:
    """Own and foreign ids make a difference to it."""
    body = BODIES.get((method, path)) or (FORMS.get(path) if method == "POST" else None)
    return ("{" in path and not path.startswith("/link/") and path not in DOCUMENT) or (
        body is not None and "organisation" in str(body(IDS))
    )


IDS: Ids = dict.fromkeys(("organisation", "person", "lift"), "organisation")


async def first_chunk(app: ASGIApp, headers: dict[str, str], until: bytes = b"") -> tuple[int, bytes]:
    """Status and text of the live stream, its first or until `until` is in it; then its reader goes."""
    seen: dict[str, Any] = {"status": 0, "text": b""}
    gone = anyio.Event()

    async def receive() -> dict[str, Any]:
        if seen["status"] == 0 and not seen.get("asked"):
            seen["asked"] = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen["status"] = message["status"]
        elif message.get("body"):
            seen["text"] += message["body"]
            if until in seen["text"]:
                gone.set()

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/api/v1/live", "raw_path": b"/api/v1/live", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"testserver"), *raw], "client": ("testclient", 1), "server": ("testserver", 80),
    }  # fmt: skip
    with anyio.fail_after(10):
        await app(scope, receive, send)
    return seen["status"], seen["text"]


def ask(world: World, method: str, path: str, ids: Ids, headers: dict[str, str]) -> tuple[int, str]:
    """The status and the text of the answer."""
    if path == "/api/v1/live":
        assert world.client.portal is not None
        status, text = world.client.portal.call(functools.partial(first_chunk, world.client.app, headers))
        return status, text.decode()
    more: dict[str, Any] = {}
    if (method, path) in RAW:
        more = {"content": RAW[method, path]}
    elif method not in ("GET", "DELETE"):
        body = BODIES.get((method, path))
        assert body is not None or path in FORMS, f"say in BODIES or FORMS what {method} {path} is sent"
        more = {"data": FORMS[path](ids)} if body is None else {"json": body(ids)}
    answer = world.client.request(method, url_of(path, ids), headers=headers, **more)
    world.client.cookies.clear()
    return answer.status_code, answer.text + str(answer.headers.get("location", ""))


@pytest.mark.parametrize(("method", "path"), CASES, ids=lambda value: value)
def test_a_route_gives_each_role_what_is_its_own(world: World, method: str, path: str) -> None:
    (route,) = [found for found in routes_of(APP) if found.path == path and method in (found.methods or ())]
    rule = rule_of(route)
    world.actor("contractor", "viewer", fresh=True)
    if method != "GET" or "{" in path:
        world.renew_foreign()
    before = world.foreign()
    status, text = ask(world, method, path, world.ids["own"], {"sec-fetch-site": "same-origin"})
    assert MARK not in text
    if isinstance(rule, Public):
        assert status not in (403, 500)
        return
    assert isinstance(rule, Requires)
    assert status == (303 if rule.page else 401)
    for kind, role in ACTORS:
        allowed = rule.permission == "signed_in" or rule.permission in permissions(kind, role)
        everything = (kind, role) == ADMINISTRATOR and not path.startswith(("/api/v1/me/", "/account/"))
        if (kind, role) == ADMINISTRATOR:
            assert world.foreign() == before
        allowed = allowed and not (rule.people and world.by_token)
        for side in SIDES if allowed and has_sides(method, path) else ("own",):
            headers = world.actor(kind, role, fresh=allowed and method != "GET")
            status, text = ask(world, method, path, world.ids[side], headers)
            if allowed and method != "GET":
                del world.actors[kind, role]  # he may have signed himself out
            place = f"{method} {path} for {role} of {kind}, {side}: {status} {text[:300]}"
            if not allowed:
                assert status == 403, place
                assert MARK not in text, place
                continue
            seen = everything or (kind, role) == ("platform", "viewer")
            if side == "own" or everything or (seen and any(f"{{{name}}}" in path for name in OF_LIFTS)):
                assert status < 400 or status in UNAVAILABLE.get(path, set()), place
            elif path.startswith("/account/"):
                assert status == 303, place  # and nothing of it is done: the foreign rows are compared
            else:
                assert status == 404, place
            if not seen and kind != "platform":
                assert MARK not in text, place


def test_every_read_of_personal_data_is_in_the_audit_log(world: World) -> None:
    personal = [route for route in routes_of(APP) if isinstance(rule_of(route), Requires) and rule_of(route).personal]  # type: ignore[union-attr]
    assert {route.path for route in personal} >= {"/api/v1/people", "/api/v1/people/{person}", "/api/v1/audit"}
    for route in personal:
        headers = world.actor(*ADMINISTRATOR, fresh=True)
        path = url_of(route.path, world.ids["own"])
        if world.by_token and "/manage/" in path:
            continue  # pages are for people
        assert world.client.get(path, headers=headers).status_code == 200
        entries = world.client.get("/api/v1/audit?limit=2", headers=headers).json()
        assert ("personal.read", f"GET {path}") in [(entry["action"], entry["object"]) for entry in entries]


def test_an_app_with_a_route_that_declares_no_rule_does_not_start() -> None:
    app = create_app("sqlite+aiosqlite://")

    @app.get("/api/v1/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="/api/v1/forgotten"):
        check_rules(app)


def test_what_is_in_the_matrix_is_all_there_is() -> None:
    """So that a renamed route does not leave its row behind."""
    assert set(BODIES) | set(RAW) <= set(CASES)
    assert {("POST", path) for path in FORMS} <= set(CASES)
    assert Grant("o", "contractor", "technician").may("lifts.read")
