"""The scope in memory and the scope in SQL say the same of every lift, whatever the roles and whosever the lift."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from cloud.accounts.models import Organisation
from cloud.accounts.roles import ROLES
from cloud.accounts.scope import NOBODYS, Actor, Assignment, Grant, Scope
from cloud.database import make_engine, make_sessions, migrate
from cloud.lifts.filters import visible
from cloud.lifts.models import Lift

DISTRICTS = ("33", "3301", "330106", "330106007", "330108", "3302", "44")
ORGANISATIONS = [(f"{kind[:14]}-{n}", kind) for kind in ROLES for n in (1, 2)]
OF_KIND = {kind: [name for name, found in ORGANISATIONS if found == kind] for kind in ROLES}

grants = st.sampled_from(ORGANISATIONS).flatmap(
    lambda found: st.builds(
        Grant,
        organisation=st.just(found[0]),
        kind=st.just(found[1]),
        role=st.sampled_from(sorted(ROLES[found[1]])),
        area=st.lists(st.sampled_from(DISTRICTS), max_size=2).map(tuple)
        if found[1] in ("regulator", "rescue_centre")
        else st.just(()),
        district=st.sampled_from(("", "", "3301", "330106")),
    )
)
scopes = st.lists(grants, max_size=3).map(lambda found: Scope(Actor("person", "p"), tuple(found)))
assignments = st.builds(
    Assignment,
    contractor=st.sampled_from(["", *OF_KIND["contractor"]]),
    owner=st.sampled_from(["", *OF_KIND["owner"]]),
    manager=st.sampled_from(["", *OF_KIND["property_manager"]]),
    district=st.sampled_from(("", *DISTRICTS)),
)


def columns(lift: Assignment) -> dict[str, str | None]:
    organisations = {slot: getattr(lift, slot) or None for slot in ("contractor", "owner", "manager")}
    return {**organisations, "district": lift.district}


class World:
    """A database with the organisations, in which each example puts its lifts."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.engine = make_engine(url)
        self.sessions = make_sessions(self.engine)
        self.loop.run_until_complete(self._begin())

    async def _begin(self) -> None:
        await migrate(self.engine)
        async with self.sessions() as session:
            session.add_all(Organisation(id=id, kind=kind, name=id, made_at_ms=0) for id, kind in ORGANISATIONS)
            await session.commit()

    def seen(self, scope: Scope, lifts: list[Assignment]) -> set[str]:
        return self.loop.run_until_complete(self._seen(scope, lifts))

    async def _seen(self, scope: Scope, lifts: list[Assignment]) -> set[str]:
        async with self.sessions() as session:
            await session.execute(delete(Lift))
            for number, lift in enumerate(lifts):
                session.add(Lift(id=f"lift-{number}", gateway="g", made_at_ms=0, **columns(lift)))
            await session.flush()
            found = set((await session.scalars(select(Lift.id).where(visible(scope)))).all())
            await session.rollback()
        return found

    def close(self) -> None:
        self.loop.run_until_complete(self.engine.dispose())
        self.loop.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "sqlite":
        found = World("sqlite+aiosqlite://")
    else:
        found = World(request.getfixturevalue("postgres").migrated())
    yield found
    found.close()


@settings(max_examples=60)
@given(scopes, st.lists(assignments, min_size=1, max_size=8))
def test_memory_and_sql_say_the_same(world: World, scope: Scope, lifts: list[Assignment]) -> None:
    covered = {f"lift-{number}" for number, lift in enumerate(lifts) if scope.covers(lift)}
    assert world.seen(scope, lifts) == covered


@given(scopes)
def test_a_lift_that_is_nobodys_is_for_the_platforms_administrators_alone(scope: Scope) -> None:
    administers = any(grant.kind == "platform" and grant.role == "administrator" for grant in scope.grants)
    assert not scope.covers(NOBODYS) or administers


@given(grants, assignments)
def test_a_district_only_ever_narrows(grant: Grant, lift: Assignment) -> None:
    wide = Grant(grant.organisation, grant.kind, grant.role, grant.area)
    assert wide.covers(lift) or not grant.covers(lift)


def test_a_regulator_without_a_district_sees_nothing_and_no_prefix_matches_a_lift_without_one() -> None:
    nowhere = Grant("r", "regulator", "inspector")
    somewhere = Grant("r", "regulator", "inspector", ("3301",))
    assert not nowhere.covers(Assignment(district="330106"))
    assert somewhere.covers(Assignment(district="330106"))
    assert not somewhere.covers(Assignment(contractor="c"))
    assert not somewhere.covers(Assignment(district="3302"))


def test_an_auditor_reads_the_log_and_no_lift() -> None:
    auditor = Scope(Actor("person", "p"), (Grant("o", "platform", "auditor"),))
    assert auditor.may("audit.read")
    assert not auditor.covers(Assignment(contractor="c", district="3301"))
    assert not auditor.everywhere
