"""What has been kept long enough goes, in batches that are audited; what is still open or young stays; the audit log stays whole."""

import pathlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

import liftwatch
from cloud.accounts.models import OneTimeLink, Person, Session
from cloud.audit import service as audit
from cloud.audit.models import AuditEntry
from cloud.cases.models import CaseEntry, CaseIncident, CasePhoto, CaseRow, CaseStep, CaseUnit
from cloud.database import make_engine, make_sessions
from cloud.incidents.models import Incident
from cloud.keeping.retention import FOUR_YEARS, Retention, RetentionError, load_retention
from cloud.keeping.sweep import DAY_MS, RULES, Swept, sweep, would_sweep
from cloud.notices.models import NoticeRow
from cloud.tests.test_notices import channel, organisation

NOW = 1_790_000_000_000


def ago(days: float) -> int:
    return NOW - int(days * DAY_MS)


@pytest.fixture
async def sessions(database: str) -> AsyncIterator[Any]:
    engine = make_engine(database)
    yield make_sessions(engine)
    await engine.dispose()


async def fill(sessions: Any) -> None:
    async with sessions() as session:
        place = await organisation(session)
        way = await channel(session, place)
        person = Person(sign_in_name="p", name="p", made_at_ms=0)
        session.add(person)
        await session.flush()
        for n, (phase, changed) in enumerate(
            [("closed", FOUR_YEARS + 1), ("closed", FOUR_YEARS - 1), ("open", FOUR_YEARS + 1)]
        ):
            session.add(
                Incident(
                    id=f"i-{n}", gateway="g", lift="l", version=1, phase=phase, opened_at_ms=0, changed_at_ms=ago(changed),
                    body={}, receipts=[],
                )
            )  # fmt: skip
        for n, (state, made) in enumerate([("sent", 366), ("dead", 366), ("sent", 364), ("waiting", 366)]):
            session.add(
                NoticeRow(
                    channel=way.id, organisation=place, kind="case_opened", case=f"c-{n}", lift="l", dedupe="", severity=4,
                    facts={}, state=state, made_at_ms=ago(made), next_at_ms=0, ends_at_ms=0, receipt={},
                )
            )  # fmt: skip
        for n, ended in enumerate((31, 29, -1)):
            session.add(
                Session(
                    token_hash=f"s{n}", person=person.id, method="m", ip="", agent="", begun_at_ms=0, used_at_ms=0,
                    ends_at_ms=ago(ended),
                )
            )  # fmt: skip
            session.add(
                OneTimeLink(token_hash=f"l{n}", person=person.id, purpose="p", made_at_ms=0, ends_at_ms=ago(ended))
            )
        for n, (phase, ended) in enumerate(
            [("closed", FOUR_YEARS + 1), ("closed", 181), ("closed", 179), ("open", FOUR_YEARS + 1)]
        ):
            case = CaseRow(
                id=f"k-{n}", subject=f"lift:{n}", lift="l", gateway="g", district="", kind="fault", severity=2, phase=phase,
                outcome="", cause="", opened_at_ms=ago(FOUR_YEARS + 2), changed_at_ms=0, state={}, caller_name="王", caller_phone="138",
                closed_at_ms=ago(ended) if phase == "closed" else None,
            )  # fmt: skip
            session.add(case)
            await session.flush()
            session.add_all(
                [
                    CaseEntry(case=case.id, at_ms=0, by="", name="", organisation="", step="opened", detail={}),
                    CaseStep(case=case.id, op="o", by="", at_ms=0, digest=""),
                    CaseUnit(case=case.id, organisation=place),
                    CasePhoto(
                        case=case.id, sha256="", media_type="image/png", size_bytes=1, at_ms=0, by="", name="", body=b"x"
                    ),
                    CaseIncident(incident=f"i-of-{n}", case=case.id, rev=1, version=1),
                    Incident(
                        id=f"i-of-{n}", gateway="g", lift="l", version=1, phase="closed", opened_at_ms=0,
                        changed_at_ms=ago(FOUR_YEARS + 1), body={}, receipts=[],
                    ),
                ]
            )  # fmt: skip
        await session.commit()


async def left(sessions: Any) -> dict[str, list[str]]:
    async with sessions() as session:
        return {
            "incidents": sorted((await session.scalars(select(Incident.id))).all()),
            "notices": sorted((await session.scalars(select(NoticeRow.case))).all()),
            "sessions": sorted((await session.scalars(select(Session.token_hash))).all()),
            "cases": sorted((await session.scalars(select(CaseRow.id))).all()),
            "callers": sorted((await session.scalars(select(CaseRow.id).where(CaseRow.caller_phone != ""))).all()),
            "parts": sorted(
                {*(await session.scalars(select(CaseEntry.case))), *(await session.scalars(select(CaseStep.case)))}
            ),
            "photos": sorted((await session.scalars(select(CasePhoto.case))).all()),
            "links": sorted((await session.scalars(select(OneTimeLink.token_hash))).all()),
        }


async def test_what_was_kept_long_enough_goes_and_what_is_open_or_young_stays(sessions: Any) -> None:
    await fill(sessions)
    before = await left(sessions)
    async with sessions() as session:
        told = await would_sweep(session, NOW, Retention())
    assert await left(sessions) == before
    swept = await sweep(sessions, NOW, Retention(photos=180), batch=1)
    of_gone_case = Swept("incidents", "incident", 2)
    assert swept == [*_with_photos(told), of_gone_case]
    assert await left(sessions) == {
        "cases": ["k-1", "k-2", "k-3"], "callers": ["k-2", "k-3"], "parts": ["k-1", "k-2", "k-3"], "photos": ["k-2", "k-3"],
        "incidents": ["i-1", "i-2", "i-of-1", "i-of-2", "i-of-3"], "notices": ["c-2", "c-3"], "sessions": ["s1", "s2"], "links": ["l1", "l2"],
    }  # fmt: skip
    assert {entry.rows for entry in await sweep(sessions, NOW, Retention())} == {0}
    async with sessions() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.number))).all()
        assert [(entry.action, entry.object, entry.detail["rows"]) for entry in entries] == [
            ("retention.swept", "session", 1),
            ("retention.swept", "one_time_link", 1),
            ("retention.swept", "notice", 1),
            ("retention.swept", "notice", 1),
            ("retention.swept", "rescue_case_photo", 1),
            ("retention.swept", "rescue_case_photo", 1),
            ("retention.cleared", "rescue_case", 1),
            ("retention.cleared", "rescue_case", 1),
            ("retention.swept", "rescue_case", 1),
            ("retention.swept", "incident", 1),
            ("retention.swept", "incident", 1),
        ]
        assert entries[0].actor_kind == "cloud"
        assert (await audit.verify(session)).broken is None


def _with_photos(told: list[Swept]) -> list[Swept]:
    """What was told with photos kept as long as their cases, but for them and the incidents."""
    return [
        Swept("photos", entry.table, 2) if entry.kind == "photos" else entry
        for entry in told
        if entry.kind != "incidents"
    ]


async def test_the_audit_log_is_never_swept(sessions: Any) -> None:
    assert not any(rule.table.startswith("audit") for rule in RULES)
    async with sessions() as session:
        await audit.write(session, 1, _nobody(), "tried")
        await session.commit()
    await sweep(sessions, NOW, Retention())
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 1


def _nobody() -> Any:
    from cloud.accounts.scope import Actor

    return Actor("nobody")


def test_every_kind_of_data_has_its_days_and_every_rule_a_kind() -> None:
    for rule in RULES:
        assert getattr(Retention(), rule.kind) >= 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[days]\ncases = 0\n", "1 to"),
        ("[days]\ncases = 1.5\n", "whole days"),
        ("[days]\ncases = true\n", "whole days"),
        ("[days]\nvideos = 3\n", "nothing else"),
        ("days = 3\n", "one table"),
        ("[hours]\ncases = 3\n", "one table"),
        ("[days\n", "nothing else"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_may_stand_in_it(tmp_path: pathlib.Path, text: str, told: str) -> None:
    path = tmp_path / "retention.toml"
    path.write_text(text)
    with pytest.raises(RetentionError, match=told):
        load_retention(path)


def test_records_that_are_kept_too_short_are_warned_of(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "retention.toml"
    path.write_text("[days]\nincidents = 365\ncallers = 90\n")
    found = load_retention(path)
    assert (found.incidents, found.callers, found.cases) == (365, 90, FOUR_YEARS)
    assert len(found.warnings()) == 1 and "TSG T5002" in found.warnings()[0]
    assert Retention().warnings() == []


def test_the_command_says_what_it_would_take_and_then_takes_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "retention.toml"
    path.write_text("[days]\nincidents = 365\n")
    database = f"sqlite+aiosqlite:///{tmp_path / 'c.db'}"
    run = ["cloud", "sweep", "--database", database, "--retention", str(path)]
    dry = CliRunner().invoke(liftwatch.main, [*run, "--dry-run"])
    assert dry.exit_code == 0 and "would take 0 of incident (incidents: 365 days)" in dry.output
    assert "warning: incidents" in dry.output
    assert "took 0 of incident" in CliRunner().invoke(liftwatch.main, run).output
    path.write_text("[days]\nx = 1\n")
    assert CliRunner().invoke(liftwatch.main, run).exit_code == 1
