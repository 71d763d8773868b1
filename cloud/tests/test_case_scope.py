"""Who sees which cases: memory, SQL and the stream say the same; and the file of districts."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.accounts.scope import Assignment, Grant, Scope
from cloud.cases import filters
from cloud.cases.limits import ARRIVE_ELSEWHERE_MS, MINUTE_MS, Limits, RescueError, load_rescue
from cloud.cases.models import CaseRow, CaseUnit
from cloud.cases.reading import Whole, shown_to
from cloud.cases.state import By, Case, Parties
from cloud.cases.whose import Whose, sees, who
from cloud.lifts.models import Lift
from cloud.tests import test_scope
from cloud.tests.test_scope import DISTRICTS, OF_KIND, assignments, columns, scopes

UNITS = [*OF_KIND["contractor"], *OF_KIND["rescue_centre"]]


@dataclasses.dataclass(frozen=True)
class Made:
    """One case as an example wants it: of a lift, of a gateway with lifts, or of a call."""

    kind: str
    lifts: tuple[Assignment, ...]
    district: str
    units: frozenset[str]

    @property
    def whose(self) -> Whose:
        return Whose(self.lifts, self.district, self.kind == "call", self.units)


units = st.frozensets(st.sampled_from(UNITS), max_size=1)
of_lifts = st.builds(Made, st.just("lift"), st.tuples(assignments), st.just(""), units)
of_gateways = st.builds(
    Made, st.just("gateway"), st.lists(assignments, min_size=1, max_size=3).map(tuple), st.just(""), units
)
of_calls = st.builds(Made, st.just("call"), st.just(()), st.sampled_from(("", *DISTRICTS)), units)
cases = st.one_of(of_lifts, of_gateways, of_calls)


class World(test_scope.World):
    """The same, with cases."""

    def seen_cases(self, scope: Scope, made: list[Made]) -> list[set[str]]:
        return self.loop.run_until_complete(self._seen_cases(scope, made))

    async def _seen_cases(self, scope: Scope, made: list[Made]) -> list[set[str]]:
        async with self.sessions() as session:
            for number, case in enumerate(made):
                row = CaseRow(
                    id=f"c-{number}", subject="", lift="", gateway="", district=case.district, kind="fault", severity=2
                )
                row.phase, row.outcome, row.cause, row.opened_at_ms, row.changed_at_ms, row.state = (
                    "open",
                    "",
                    "",
                    1,
                    1,
                    {},
                )
                row.lift = f"l-{number}-0" if case.kind == "lift" else ""
                row.gateway = "" if case.kind == "call" else f"g-{number}"
                session.add(row)
                for of, lift in enumerate(case.lifts):
                    session.add(Lift(id=f"l-{number}-{of}", gateway=f"g-{number}", made_at_ms=0, **columns(lift)))
                await session.flush()
                session.add_all(CaseUnit(case=row.id, organisation=unit) for unit in case.units)
            await session.flush()
            out = []
            for condition in (filters.visible(scope), await filters.visible_in_lists(session, scope)):
                out.append(set((await session.scalars(select(CaseRow.id).where(condition))).all()))
            await session.rollback()
        return out


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    found = World(
        "sqlite+aiosqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres").migrated()
    )
    yield found
    found.close()


@settings(max_examples=50, deadline=None)
@given(scopes, st.lists(cases, min_size=1, max_size=6))
def test_memory_and_sql_say_the_same_of_cases(world: World, scope: Scope, made: list[Made]) -> None:
    covered = {f"c-{number}" for number, case in enumerate(made) if scope.everywhere or sees(scope.grants, case.whose)}
    assert world.seen_cases(scope, made) == [covered, covered]


class Eyes:
    """Viewers of the stream, who see what their roles cover."""

    def __init__(self, scope: Scope, made: Made) -> None:
        self.grants, self._made = scope.audience, made

    @property
    def key(self) -> Any:
        return self.grants

    def sees(self, lift: str) -> bool:
        return any(grant.covers(self._made.lifts[int(lift)]) for grant in self.grants)

    def sees_place(self, lift: str) -> bool:
        return any(grant.covers(found) for found in self._made.lifts for grant in self.grants)


@settings(max_examples=150)
@given(scopes, cases)
def test_the_stream_shows_the_same_cases_and_no_lift_at_risk_that_is_anothers(scope: Scope, made: Made) -> None:
    at_risk = [str(number) for number, _ in enumerate(made.lifts)] if made.kind == "gateway" else []
    case = Case("fault", "incident", 2, 0, at_risk=at_risk)
    case.lift, case.gateway = "0" if made.kind == "lift" else "", "" if made.kind == "call" else "g"
    eyes = Eyes(scope, made)
    shown = shown_to({"case": Whole({"legs": []}, case, made.whose)}, eyes)
    assert (shown is not None) == (scope.everywhere or sees(scope.grants, made.whose))
    if shown is not None:
        assert shown["at_risk"] == [lift for lift in at_risk if eyes.sees(lift)]


def test_a_role_narrowed_to_a_district_works_there_and_nowhere_else() -> None:
    case = Case("trapped", "incident", 4, 0, parties=Parties(["con"], desk="desk"))
    near, far = (Whose((Assignment("con", district=code),)) for code in ("330106", "330108"))
    office = Grant("con", "contractor", "dispatcher", district="330106")
    desk = Grant("desk", "rescue_centre", "dispatcher", ("33",), "330106")
    assert who([office], By("p"), case, near).responds == {"con"}
    assert not who([office], By("p"), case, far).responds
    assert who([desk], By("p"), case, near).desk
    assert not who([desk], By("p"), case, far).desk
    # Its organisation is sent to all of its lifts by itself: that widens no role.
    sent = dataclasses.replace(far, district="330108", units=frozenset(["con"]))
    assert not sees([office], sent) and not who([office], By("p"), case, sent).responds
    assert sees([dataclasses.replace(office, district="3301")], sent)


@pytest.mark.parametrize(("desk", "does"), [("", True), ("desk", False)])
def test_without_a_rescue_desk_the_contractors_office_does_its_work_and_no_technician(desk: str, does: bool) -> None:
    case = Case("trapped", "incident", 4, 0, parties=Parties(["con"], desk=desk))
    whose = Whose((Assignment("con", district="330106"),))
    assert who([Grant("con", "contractor", "dispatcher")], By("p"), case, whose).desk is does
    assert not who([Grant("con", "contractor", "technician")], By("p"), case, whose).desk
    assert not who([Grant("con", "contractor", "technician")], By("t"), case, whose, person=False).competent


# -- the file of districts ---------------------------------------------------------------------------------------------


def test_the_longest_code_holds_and_takes_from_the_default_what_it_does_not_say(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "rescue.toml"
    path.write_text(
        '[default]\nanswer_s = 120\nstation = "S"\n[district.3301]\ndesk = "D"\n[district.330127]\nbuilt_up = false\n'
    )
    found = load_rescue(path)
    assert (found.of("330106").desk, found.of("330106").station, found.of("44").desk) == ("D", "S", "")
    assert found.of("330106").limits == Limits(answer_ms=2 * MINUTE_MS)
    assert found.of("330127").limits.arrive_ms == ARRIVE_ELSEWHERE_MS
    assert found.of("").limits.arrive_ms == 30 * MINUTE_MS


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[default]\nanswer_ms = 5", "answer_ms"),
        ("[default]\nanswer_s = 0", "limits in seconds"),
        ("[default]\nanswer_s = true", "answer_s"),
        ("[default]\nbuilt_up = 1", "built_up"),
        ("[district.West]\n", "2 to 12 digits"),
        ("[defaults]\n", "only \\[default\\]"),
        ("[district]\n3301 = 5", "a table is needed"),
        ("x", "Expected"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path: pathlib.Path, text: str, told: str) -> None:
    path = tmp_path / "rescue.toml"
    path.write_text(text)
    with pytest.raises(RescueError, match=told) as found:
        load_rescue(path)
    assert str(path) in str(found.value)
