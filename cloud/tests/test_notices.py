"""The outbox of notices: who gets a row, once, in the caller's transaction, and bounded."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import sessions as accounts
from cloud.accounts.models import Membership, Organisation, Person
from cloud.accounts.sessions import Client
from cloud.clock import unix_ms
from cloud.database import make_engine, make_sessions
from cloud.notices import channels, service
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.notices.service import Notice, queue
from cloud.tests.conftest import Cloud


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


# -- the API ------------------------------------------------------------------------------------------------------------


def made(client: Cloud, kind: str = "dingtalk", **more: Any) -> dict[str, Any]:
    place = client.post("/api/v1/organisations", json={"kind": "contractor", "name": "安达"}).json()["id"]
    body = {
        "organisation": place, "kind": kind, "name": "抢修群", "secret": "SEC-hidden",
        "settings": {"url": "https://127.0.0.1/robot/send?access_token=hidden"}, **more,
    }  # fmt: skip
    answer = client.post("/api/v1/channels", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_what_is_secret_goes_in_and_never_comes_out(client: Cloud) -> None:
    channel = made(client)
    url = f"/api/v1/channels/{channel['id']}"
    client.patch(url, json={"secret": "SEC-hidden-2", "settings": {"url": "https://127.0.0.1/hook/hidden-in-the-path"}})
    client.patch(url, json={"least_severity": 3})
    seen = client.get(url)
    assert seen.json()["has_secret"] and "secret" not in seen.json()
    assert seen.json()["settings"] == {"url": "https://127.0.0.1/hook/hid…"}
    everything = seen.text + client.get("/api/v1/channels").text + client.get("/api/v1/audit").text
    assert "hidden" not in everything
    stored = client.run(lambda session: session.get(NoticeChannel, channel["id"]))
    assert (stored.secret, stored.settings["url"][-4:]) == ("SEC-hidden-2", "path")  # type: ignore[union-attr]


def test_a_webhook_without_a_secret_gets_one_that_is_shown_once(client: Cloud) -> None:
    channel = made(client, "webhook", secret="")
    assert len(channel["secret"]) >= 40
    url = f"/api/v1/channels/{channel['id']}"
    assert "secret" not in client.get(url).json()
    assert client.patch(url, json={"secret": ""}).status_code == 422
    assert made_again(client, channel)["secret"] is None


def made_again(client: Cloud, channel: dict[str, Any]) -> dict[str, Any]:
    body = {
        "organisation": channel["organisation"],
        "kind": "wecom",
        "name": "n",
        "settings": {"url": "https://x.example/"},
    }
    return dict(client.post("/api/v1/channels", json=body).json())


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("wecom", {"url": "ftp://x.example/"}),
        ("wecom", {"url": "https://name:pw@x.example/"}),
        ("wecom", {"host": "smtp.example", "sender": "a@b.example", "recipients": ["c@d.example"]}),
        ("sms_hook", {"url": "https://x.example/"}),
        ("smtp", {"host": "smtp.example", "sender": "a@b.example", "recipients": []}),
        ("smtp", {"host": "smtp.example", "sender": "a@b.example\r\nBcc: x@y.z", "recipients": ["c@d.example"]}),
        ("pigeon", {"url": "https://x.example/"}),
    ],
)
def test_settings_that_do_not_fit_are_refused(client: Cloud, kind: str, settings: dict[str, Any]) -> None:
    place = client.post("/api/v1/organisations", json={"kind": "owner", "name": "业主"}).json()["id"]
    answer = client.post(
        "/api/v1/channels", json={"organisation": place, "kind": kind, "name": "n", "settings": settings}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_test_goes_through_the_outbox_and_its_receipt_says_what_came_of_it(client: Cloud) -> None:
    channel = made(client)
    url = f"/api/v1/channels/{channel['id']}"
    told = client.post(f"{url}/tests")
    assert (told.status_code, told.json()["state"]) == (202, "waiting")
    for _ in range(200):
        (receipt,) = client.get(f"{url}/notices").json()
        if receipt["state"] != "waiting":
            break
        time.sleep(0.02)
    assert (receipt["id"], receipt["state"], receipt["code"]) == (told.json()["id"], "dead", "forbidden_address")
    assert client.get(url).json()["counts"] == {"waiting": 0, "sent": 0, "dead": 1}
    client.patch(url, json={"active": False})
    assert client.post(f"{url}/tests").status_code == 422
    assert client.delete(url).status_code == 204
    assert client.get(f"{url}/notices").status_code == 404
    actions = [entry["action"] for entry in client.get("/api/v1/audit").json()]
    assert {"channel.made", "channel.tested", "channel.changed", "channel.removed", "notice.dead"} <= set(actions)


def test_receipts_turn_their_page_and_are_found_by_what_became_of_them(client: Cloud) -> None:
    channel = made(client)

    async def fill(session: AsyncSession) -> None:
        for n in range(5):
            row = NoticeRow(
                channel=channel["id"], organisation=channel["organisation"], kind="case_opened", case=f"c-{n}", lift="lift-1",
                dedupe="", severity=4, facts={}, state="sent" if n % 2 else "dead", made_at_ms=n, next_at_ms=n, ends_at_ms=n,
                receipt={},
            )  # fmt: skip
            session.add(row)
            await session.flush()

    client.run(fill)
    url = f"/api/v1/channels/{channel['id']}/notices"
    first = client.get(f"{url}?limit=2").json()
    assert [row["case"] for row in first] == ["c-4", "c-3"]
    assert [row["case"] for row in client.get(f"{url}?limit=9&before={first[-1]['id']}").json()] == [
        "c-2",
        "c-1",
        "c-0",
    ]
    assert [row["case"] for row in client.get(f"{url}?state=sent").json()] == ["c-3", "c-1"]


def test_an_organisation_has_so_many_channels_and_no_more(client: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MOST_CHANNELS", 2)
    channel = made(client)
    made_again(client, channel)
    assert made_again(client, channel)["status"] == 422


def test_an_administrator_sets_a_way_up_tries_it_and_reads_in_his_language_what_came_of_it(client: Cloud) -> None:
    place = client.post("/api/v1/organisations", json={"kind": "contractor", "name": "安达"}).json()["id"]

    async def signed_in(session: AsyncSession) -> str:
        person = Person(sign_in_name="li.na", name="李娜", made_at_ms=0)
        session.add(person)
        await session.flush()
        session.add(Membership(person=person.id, organisation=place, role="administrator"))
        return await accounts.begin(session, unix_ms(), person, "test", Client(), 3_600_000)

    headers = {"cookie": f"liftwatch={client.run(signed_in)}", "sec-fetch-site": "same-origin"}
    del client.headers["authorization"]
    page = client.get("/manage/channels?lang=zh", headers=headers)
    assert "除本页面外不会通知任何人" in page.text
    form = {
        "organisation": place,
        "kind": "webhook",
        "name": "值班",
        "url": "https://127.0.0.1/x?key=hidden",
        "kinds": "case_closed",
    }
    made_page = client.post("/manage/channels", headers=headers, data=form)
    assert made_page.status_code == 200 and "签名密钥" in made_page.text
    id = client.run(lambda session: session.scalar(select(NoticeChannel.id)))
    secret = client.run(lambda session: session.scalar(select(NoticeChannel.secret)))
    assert secret and secret in made_page.text
    url = f"/manage/channels/{id}"
    assert client.post(f"{url}/test", headers=headers).status_code == 303
    for _ in range(200):
        text = client.get(url, headers=headers).text
        if "等待发送" not in text:
            break
        time.sleep(0.02)
    assert "已放弃" in text and "该主机不是公网地址" in text
    assert secret not in text and "hidden" not in text
    changed = {"name": "夜班", "active": "yes", "least_severity": "4", "language": "en", "url": "", "secret": ""}
    assert client.post(url, headers=headers, data=changed).status_code == 303
    row = client.run(lambda session: session.get(NoticeChannel, id))
    assert row is not None
    assert (row.name, row.least_severity, row.kinds, row.secret) == ("夜班", 4, [], secret)
    assert row.settings["url"].endswith("hidden")
    refused = client.post(url, headers=headers, data={**changed, "url": "ftp://x"})
    assert refused.status_code == 422 and "表单有误" in refused.text
    assert client.post(f"{url}/remove", headers=headers).status_code == 303
    assert client.get(url, headers=headers).status_code == 404
