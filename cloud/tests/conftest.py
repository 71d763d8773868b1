"""A gateway that says what it is told over a real WebSocket, and the app with a database of its own."""

import asyncio
import functools
import pathlib
import secrets
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Self, TypeVar

import pytest
from fastapi.testclient import TestClient
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import signing_in, tokens
from cloud.accounts.models import Organisation
from cloud.accounts.passwords import Passwords
from cloud.accounts.scope import Actor
from cloud.app import create_app
from cloud.clock import unix_ms
from cloud.database import make_engine, migrate
from cloud.settings import Settings
from cloud.tests import chromium
from hil_tests import services


def migrate_now(url: str) -> None:
    """Bring a database up to date, wherever a test is: in a thread of its own, which has no loop yet."""

    async def run() -> None:
        engine = make_engine(url)
        await migrate(engine)
        await engine.dispose()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()


class Server(services.Postgres):
    """A PostgreSQL that gives each test a database of its own."""

    _template = ""

    def fresh(self, template: str = "template0") -> str:
        """The URL of a new database: an empty one, or a copy."""
        name = f"t{secrets.token_hex(6)}"
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        engine.dispose()
        return self.url(name)

    def migrated(self) -> str:
        """The URL of a new database with the newest schema; that is made once and copied."""
        if not self._template:
            url = self.fresh()
            migrate_now(url)
            self._template = url.rsplit("/", 1)[1]
        return self.fresh(self._template)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    try:
        found = Server()
    except services.StartError as error:
        pytest.skip(str(error))
    yield found
    found.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "cloud.db"
    migrate_now(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of a database with the newest schema and nothing in it."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        return server.migrated()
    path = tmp_path / "cloud.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.started() as found:
        yield found


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[chromium.Site]:
    """A cloud as a process of its own, set up by its command."""
    site = chromium.Site(tmp_path)
    yield site
    site.stop()


# What argon2 costs is not what is tested.
CHEAP = Passwords(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))
T = TypeVar("T")


class Cloud(TestClient):
    """The app from outside. Without other headers it is asked by a token of the platform's administrator.

    Gateways' links get the token of the gateway in their path, made when it is first needed.
    """

    def __init__(self, database: str, settings: Settings | None = None) -> None:
        super().__init__(create_app(database, settings or Settings(passwords=CHEAP)), follow_redirects=False)
        self._gateways: dict[str, str] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        self.headers["authorization"] = f"Bearer {self.run(_administrators_token)}"
        return self

    def run(self, what: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `what` with a database session in the app's own loop, and commit."""

        async def committed() -> T:
            async with self.app.state.sessions() as session:  # type: ignore[attr-defined]
                found = await what(session)
                await session.commit()
            return found

        assert self.portal is not None
        return self.portal.call(committed)

    def look_again(self) -> None:
        """Let the app find out now that access has changed, not within a second."""

        async def look() -> None:
            await self.app.state.access_changed()  # type: ignore[attr-defined]

        assert self.portal is not None
        self.portal.call(look)

    def gateway_token(self, gateway: str = "g-1") -> str:
        """A token of that gateway."""
        if gateway not in self._gateways:
            make = functools.partial(tokens.make_gateway_token, now_ms=unix_ms(), who=SHELL, gateway=gateway)
            self._gateways[gateway] = self.run(make)[1]
        return self._gateways[gateway]

    def websocket_connect(self, url: str, *arguments: Any, **more: Any) -> Any:
        """A gateway dials in, with its own token unless the test brings headers."""
        more.setdefault("headers", {"authorization": f"Bearer {self.gateway_token(url.split('/')[4])}"})
        return super().websocket_connect(url, *arguments, **more)


SHELL = Actor("shell", "", "test")


async def _administrators_token(session: AsyncSession) -> str:
    await signing_in.first_start(session, unix_ms(), 1000)
    platform = (await session.scalars(select(Organisation).where(Organisation.kind == "platform"))).one()
    _, text = await tokens.make_api_token(session, unix_ms(), SHELL, platform, "administrator", name="test")
    return text


@pytest.fixture
def client(database: str) -> Iterator[Cloud]:
    with Cloud(database) as found:
        yield found


def record(name: str = "lift-1", **more: Any) -> dict[str, Any]:
    return {
        "id": name, "site": "s", "name": f"梯 {name}", "address": "西溪路", "rescue_code": "330117", "registration_code": "",
        "stops": 6, "doors": 1, "rated_speed_mm_s": 1000, **more,
    }  # fmt: skip


def live(name: str = "lift-1", quality: str = "good", **state: Any) -> dict[str, Any]:
    known = {
        "service_mode": 1, "car_status": 0, "direction": 0, "door_zone": True, "floor": 3, "doors": [2], "passenger": False,
        "speed_mm_s": 0, "position_mm": 5800, "mains": True, "faults": [], **state,
    }  # fmt: skip
    return {
        "id": name, "quality": quality, "age_ms": 40, "link_age_ms": 20, "since_ms": 1, "period_ms": 1000, "boot": 1,
        "stops": 6, "rated_speed_mm_s": 1000, "state": known, "last_known": None,
    }  # fmt: skip


def incident(
    name: str = "lift-1-1-1", version: int = 1, phase: str = "open", opened: int = 1000, **more: Any
) -> dict[str, Any]:
    rev = 1 if phase == "open" else 2
    stages = {
        "onset": opened,
        "detected": opened + 1,
        "published": opened + 2,
        "received": opened + 3,
        "committed": opened + 4,
    }
    revisions = [{"rev": n, "phase": "open" if n == 1 else phase, "stages": stages} for n in range(1, rev + 1)]
    return {
        "id": name, "rev": rev, "version": version, "lift": "lift-1", "kind": "trapped_between_floors", "code": None,
        "class": "alarm", "severity": 4, "phase": phase, "cause": "passenger", "presses": 0, "opened_at_ms": opened,
        "closed_at_ms": None, "snapshot": {"floor": 2}, "last_known": {}, "last_known_at_ms": None, "evidence": [["stopped", opened]], "stages": stages, "deliveries": [],
        "offset_err_ms": 5, "revisions": revisions, **more,
    }  # fmt: skip
