"""A town for tests of cases: a rescue desk, two contractors, a station, a property manager, two lifts, and a clock that can be set on."""

from collections.abc import Awaitable, Callable
from typing import Any, Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import sessions as account_sessions
from cloud.accounts.models import Membership, Organisation, OrganisationDistrict, Person
from cloud.accounts.scope import Assignment, Scope
from cloud.accounts.sessions import Client
from cloud.cases.limits import District, Rescue
from cloud.clock import unix_ms
from cloud.lifts import service as lifts
from cloud.settings import Limits, Settings
from cloud.shell import shell_scope
from cloud.tests.conftest import CHEAP, Cloud, incident, live, record

DISTRICT = "330106"
PEOPLE = {
    "desk": ("96333 西湖", "dispatcher", "李明"),
    "desk2": ("96333 西湖", "dispatcher", "王芳"),
    "technician": ("安达维保", "technician", "张伟"),
    "office": ("安达维保", "dispatcher", "陈静"),
    "viewer": ("安达维保", "viewer", "看客"),
    "station": ("滨湖救援站", "technician", "赵强"),
    "stranger": ("捷安维保", "technician", "孙磊"),
    "manager": ("荷芳物业", "administrator", "周敏"),
}
KINDS = {
    "96333 西湖": "rescue_centre",
    "安达维保": "contractor",
    "滨湖救援站": "contractor",
    "捷安维保": "contractor",
    "荷芳物业": "property_manager",
}
MANY = Limits(actor=10**6, address=10**6, attempts=10**6)


class Clock:
    """Real time, set on."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return unix_ms() + self.ahead_ms


class Town:
    """The cloud and who works with it. Everybody is asked by a session of his own."""

    def __init__(self, database: str, *, station: bool = True) -> None:
        self.clock = Clock()
        district = District(station="滨湖救援站" if station else "")
        self.settings = Settings(passwords=CHEAP, limits=MANY, clock=self.clock, rescue=Rescue(district))
        self.database = database
        self.client = Cloud(database, self.settings)
        self.ids: dict[str, str] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.op = 0

    def __enter__(self) -> Self:
        self.client.__enter__()
        self.gateway = self.client.websocket_connect("/api/v1/gateways/g-1/link")
        self.socket = self.gateway.__enter__()
        if not self.ids:
            self.hello()
            self.client.run(self._settle)
        self.client.look_again()
        return self

    def __exit__(self, *arguments: object) -> None:
        self.gateway.__exit__(None, None, None)
        self.client.__exit__(None, None, None)

    def restart(self) -> None:
        """Another server over the same database."""
        self.__exit__()
        self.client = Cloud(self.database, self.settings)
        self.__enter__()

    def hello(self, *names: str) -> None:
        records = [
            record(name, rescue_code=f"33011{n}", address="西溪路")
            for n, name in enumerate(names or ("lift-1", "lift-2"), 7)
        ]
        self.socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": records})
        while self.socket.receive_json()["type"] != "welcome":
            pass
        self.socket.send_json({"type": "live", "t_ms": 1, "lifts": [live("lift-1", passenger=True), live("lift-2")]})

    async def _settle(self, session: AsyncSession) -> None:
        for name, kind in KINDS.items():
            area = [OrganisationDistrict(code=DISTRICT[:4])] if kind == "rescue_centre" else []
            row = Organisation(kind=kind, name=name, made_at_ms=0, districts=area)
            session.add(row)
            await session.flush()
            self.ids[name] = row.id
        platform = await session.scalar(select(Organisation.id).where(Organisation.kind == "platform"))
        assert platform is not None
        for who, (organisation, role, name) in PEOPLE.items():
            person = Person(sign_in_name=who, name=name, phone="138 0000 0000", made_at_ms=0)
            session.add(person)
            await session.flush()
            session.add(Membership(person=person.id, organisation=self.ids[organisation], role=role))
            await session.flush()
            text = await account_sessions.begin(session, unix_ms(), person, "test", Client(), 10**12)
            self.headers[who] = {"cookie": f"liftwatch={text}", "sec-fetch-site": "same-origin"}
        whose = Assignment(self.ids["安达维保"], "", self.ids["荷芳物业"], DISTRICT)
        await lifts.assign(session, unix_ms(), shell_scope(), "lift-1", whose)
        other = Assignment(self.ids["捷安维保"], "", "", "440305")
        await lifts.assign(session, unix_ms(), shell_scope(), "lift-2", other)

    # -- what happens -------------------------------------------------------------------------------------------------

    def tell(self, name: str = "lift-1-1-1", **more: Any) -> None:
        """The gateway tells of an incident; its case is there then."""
        self.socket.send_json({"type": "incident", "incident": incident(name, **more)})
        while (answer := self.socket.receive_json()).get("type") != "receipt":
            assert answer["type"] == "query", answer
            self.socket.send_json({"type": "answer", "q": answer["q"], "ok": True, "detail": "told"})
        self.turn()

    def turn(self) -> None:
        """What is due is done now."""
        assert self.client.portal is not None
        turn: Callable[[], Awaitable[int | None]] = self.client.app.state.cases_running.loop.turn  # type: ignore[attr-defined]
        self.client.portal.call(turn)

    def wait(self, ms: int) -> None:
        """Time passes."""
        self.clock.ahead_ms += ms
        self.turn()

    def answer(self) -> dict[str, Any]:
        """The gateway is asked, and answers that the car is told."""
        asked: dict[str, Any] = self.socket.receive_json()
        self.socket.send_json({"type": "answer", "q": asked["q"], "ok": True, "detail": "told"})
        return asked

    async def scope(self, who: str) -> Scope:
        """What somebody may see."""
        text = self.headers[who]["cookie"].partition("=")[2]
        async with self.client.app.state.sessions() as session:  # type: ignore[attr-defined]
            found = await account_sessions.scope_of(session, unix_ms(), text, 10**12, Client())
        assert found is not None
        return found

    # -- what people do -----------------------------------------------------------------------------------------------

    def get(self, who: str, path: str, **more: Any) -> Any:
        return self._as(who, "GET", path, **more)

    def say(self, who: str, case: str, step: str, *, op: str = "", status: int = 200, **args: Any) -> dict[str, Any]:
        self.op += 1
        body = {"op": op or f"op-{self.op}", "step": step, **args}
        found = self._as(who, "POST", f"/api/v1/cases/{case}/steps", json=body)
        assert found.status_code == status, found.text
        shown: dict[str, Any] = found.json()
        return shown

    def enter(self, who: str, *, status: int = 201, **body: Any) -> dict[str, Any]:
        self.op += 1
        found = self._as(who, "POST", "/api/v1/cases", json={"op": f"op-{self.op}", **body})
        assert found.status_code == status, found.text
        shown: dict[str, Any] = found.json()
        return shown

    def _as(self, who: str, method: str, path: str, **more: Any) -> Any:
        headers = {**self.headers[who], **more.pop("headers", {})}
        held = self.client.headers.pop("authorization", None)
        try:
            found = self.client.request(method, path, headers=headers, **more)
        finally:
            if held is not None:
                self.client.headers["authorization"] = held
            self.client.cookies.clear()
        return found

    def only(self, who: str = "desk", query: str = "?phase=open") -> dict[str, Any]:
        found = self.get(who, f"/api/v1/cases{query}").json()
        assert len(found) == 1, found
        case: dict[str, Any] = found[0]
        return case

    def rows(self, what: Callable[[AsyncSession], Any]) -> Any:
        return self.client.run(what)
