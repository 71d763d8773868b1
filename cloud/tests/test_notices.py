"""The outbox of notices: who gets a row, once, in the caller's transaction, and bounded."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Organisation
from cloud.database import make_engine, make_sessions
from cloud.notices import service
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.notices.service import Notice, queue


@pytest.fixture
async def sessions(database: str) -> AsyncIterator[Any]:
    engine = make_engine(database)
    yield make_sessions(engine)
    await engine.dispose()


async def organisation(session: AsyncSession, name: str = "维保", kind: str = "contractor") -> str:
    row = Organisation(kind=kind, name=name, made_at_ms=0)
    session.add(row)
    await session.flush()
    return row.id


async def channel(session: AsyncSession, place: str, **more: Any) -> NoticeChannel:
    values = {
        "organisation": place, "kind": "webhook", "name": "hook", "language": "zh", "least_severity": 1, "kinds": [],
        "settings": {"url": "http://127.0.0.1:9/"}, "secret": "s", "made_at_ms": 0, "changed_at_ms": 0, **more,
    }  # fmt: skip
    row = NoticeChannel(**values)
    session.add(row)
    await session.flush()
    return row


def notice(place: str, kind: Any = "case_opened", severity: int = 4, case: str = "c-1", **facts: Any) -> Notice:
    return Notice(kind, case, "lift-1", place, severity, {"rescue_code": "330117", **facts})


@pytest.mark.parametrize(
    ("channels", "told", "rows"),
    [
        ([{}], {}, 1),
        ([{}, {}], {}, 2),
        ([], {}, 0),
        ([{"active": False}], {}, 0),
        ([{"least_severity": 4}], {"severity": 3}, 0),
        ([{"least_severity": 3}], {"severity": 3}, 1),
        ([{"kinds": ["case_closed"]}, {"kinds": ["case_opened", "case_closed"]}], {}, 1),
    ],
)
async def test_each_active_channel_that_wants_a_notice_gets_a_row(
    sessions: Any, channels: list[dict[str, Any]], told: dict[str, Any], rows: int
) -> None:
    async with sessions() as session:
        place, other = await organisation(session), await organisation(session, "另一家")
        for more in channels:
            await channel(session, place, **more)
        await channel(session, other)
        assert await queue(session, 5, [notice(place, **told)]) == rows
        found = (await session.scalars(select(NoticeRow))).all()
        assert [(row.organisation, row.state, row.next_at_ms) for row in found] == [(place, "waiting", 5)] * rows


async def test_the_same_notice_is_told_once_and_another_dedupe_is_another_notice(sessions: Any) -> None:
    async with sessions() as session:
        place = await organisation(session)
        await channel(session, place)
        wanted = [notice(place), notice(place, dedupe=1), notice(place, dedupe=2), notice(place, case="c-2")]
        assert await queue(session, 5, [*wanted, *wanted]) == 4
        await session.commit()
    async with sessions() as session:
        assert await queue(session, 6, wanted) == 0
        facts = (await session.scalars(select(NoticeRow.facts))).all()
        assert all("dedupe" not in found for found in facts)


async def test_what_the_caller_undoes_is_not_told(sessions: Any) -> None:
    async with sessions() as session:
        place = await organisation(session)
        await channel(session, place)
        await session.commit()
        await queue(session, 5, [notice(place)])
        await session.rollback()
        assert (await session.scalars(select(NoticeRow))).all() == []


async def test_a_full_channel_gives_up_its_least_grave_newest_notices_and_says_so(
    sessions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_WAITING", 3)
    async with sessions() as session:
        place = await organisation(session)
        await channel(session, place)
        told = [notice(place, case=f"c-{n}", severity=severity) for n, severity in enumerate((2, 3, 2, 4, 4))]
        assert await queue(session, 7, told) == 5
        rows = (await session.scalars(select(NoticeRow).order_by(NoticeRow.number))).all()
        assert [row.state for row in rows] == ["dead", "waiting", "dead", "waiting", "waiting"]
        assert rows[0].receipt == {"code": "overflow"} and rows[0].done_at_ms == 7
