"""The sender of the outbox on both databases: order, pace, bounds, and going on after a kill. Receivers are told answers in memory."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, update

from cloud.accounts.models import Membership, Person
from cloud.audit.models import AuditEntry
from cloud.clock import unix_ms
from cloud.database import make_engine, make_sessions
from cloud.lifts.models import Lift
from cloud.notices import channels, sender
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.notices.outcome import MOST_ATTEMPTS, Again, Never, Outcome, Sent
from cloud.notices.outward import Outward
from cloud.notices.sender import CLAIM_MS, Sender, Taken
from cloud.notices.service import Notice, queue
from cloud.settings import Settings
from cloud.shell import shell_scope
from cloud.tests.conftest import CHEAP, Cloud, incident, record
from cloud.tests.receivers import Receiver, Request, answer, receiving
from cloud.tests.test_notices import channel, notice, organisation


@dataclass
class Outbox:
    """A sender whose clock and receivers are the test's: `says` by the name of a channel's URL."""

    sessions: Any
    now_ms: int = 1000
    says: dict[str, Callable[[Taken], Outcome]] = field(default_factory=dict)
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sender = self.another()

    def another(self) -> Sender:
        """As after a restart."""
        return Sender(self.sessions, None, lambda: self.now_ms, "https://x.example", lambda: 0.5)  # type: ignore[arg-type]

    async def adapter(self, outward: Any, taken: Taken, now_ms: int) -> Outcome:
        name = taken.settings["url"]
        self.sent.append((name, taken.message.case, taken.message.id))
        await asyncio.sleep(0)
        return self.says[name](taken) if name in self.says else Sent("200")

    async def look(self, ms: int = 0) -> list[tuple[str, str]]:
        """Let time pass, let the sender look once, and see what was tried by it: (channel, case)."""
        self.now_ms += ms
        self.sent.clear()
        await self.sender.look()
        await self.sender.settled()
        return [(name, case) for name, case, _ in self.sent]

    async def rows(self) -> list[NoticeRow]:
        async with self.sessions() as session:
            return list((await session.scalars(select(NoticeRow).order_by(NoticeRow.number))).all())

    async def audited(self) -> list[str]:
        async with self.sessions() as session:
            return list((await session.scalars(select(AuditEntry.action).order_by(AuditEntry.number))).all())


@pytest.fixture
async def box(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outbox]:
    engine = make_engine(database)
    found = Outbox(make_sessions(engine))
    monkeypatch.setitem(sender.ADAPTERS, "webhook", found.adapter)
    yield found
    await engine.dispose()


async def prepared(box: Outbox, *names: str, cases: tuple[tuple[str, int], ...] = (("c-1", 4),)) -> str:
    """Channels of one organisation with these URLs, and a notice of each case for all of them."""
    async with box.sessions() as session:
        place = await organisation(session)
        for name in names:
            await channel(session, place, settings={"url": name}, name=name)
        await queue(session, box.now_ms, [notice(place, case=case, severity=severity) for case, severity in cases])
        await session.commit()
    return place


async def test_the_gravest_goes_first_and_then_the_oldest(box: Outbox) -> None:
    await prepared(box, "a", cases=(("low", 2), ("first", 4), ("mid", 3), ("second", 4)))
    assert await box.look() == [("a", "first"), ("a", "second"), ("a", "mid"), ("a", "low")]
    assert {row.state for row in await box.rows()} == {"sent"}
    assert await box.look(10_000) == []


async def test_a_channel_that_hangs_delays_no_other(box: Outbox) -> None:
    await prepared(box, "dead", "well")
    forever = asyncio.Event()

    async def hangs(outward: Any, taken: Taken, now_ms: int) -> Outcome:
        if taken.settings["url"] == "dead":
            await forever.wait()
        return await Outbox.adapter(box, outward, taken, now_ms)

    sender.ADAPTERS["webhook"] = hangs
    await box.sender.look()
    async with asyncio.timeout(10):
        while len(box.sender._tasks) > 1:  # noqa: ASYNC110  tasks of its own have no event
            await asyncio.sleep(0.01)
    assert [name for name, _, _ in box.sent] == ["well"]
    await box.sender.stop()


async def test_a_dead_channel_is_asked_less_and_less_and_gives_up_within_the_hour_and_says_so(box: Outbox) -> None:
    await prepared(box, "dead")
    box.says["dead"] = lambda _: Again("timeout")
    times, begun = [], box.now_ms
    while (row := (await box.rows())[0]).state == "waiting":
        assert await box.look(row.next_at_ms - box.now_ms - 1) == []
        assert await box.look(1) == [("dead", "c-1")]
        times.append((box.now_ms - begun) // 1000)
    assert len(times) == MOST_ATTEMPTS
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == [2, 4, 16, 60, 120, 180, 300, 360, 660, 660, 660]
    assert times[-1] < 3600
    (row,) = await box.rows()
    assert (row.state, row.attempts, row.receipt["code"]) == ("dead", MOST_ATTEMPTS, "timeout")
    assert await box.audited() == ["notice.dead"]


async def test_after_an_outage_what_waited_goes_in_its_order(box: Outbox) -> None:
    await prepared(box, "a", cases=(("c-1", 4), ("c-2", 4), ("c-3", 3)))
    box.says["a"] = lambda _: Again("no_connection")
    for _ in range(8):
        await box.look(60_000)
    box.says.clear()
    # The first is what was due next; behind it c-3, which was tried least, comes last all the same.
    assert [case for _, case in await box.look(60_000)] == ["c-2", "c-1", "c-3"]
    assert {row.state for row in await box.rows()} == {"sent"}


async def test_a_notice_that_the_receiver_chokes_on_does_not_stop_those_behind_it(box: Outbox) -> None:
    await prepared(box, "a", cases=(("poison", 4), ("c-2", 4), ("c-3", 2)))
    box.says["a"] = lambda taken: Again("500") if taken.message.case == "poison" else Sent("200")
    tried = [case for _ in range(30) for _, case in await box.look(1000)]
    assert tried[:5] == ["poison", "poison", "poison", "c-2", "c-3"]
    states = {row.case: row.state for row in await box.rows()}
    assert states == {"poison": "waiting", "c-2": "sent", "c-3": "sent"}


async def test_too_many_means_a_minute_for_the_whole_channel(box: Outbox) -> None:
    await prepared(box, "a", cases=(("c-1", 4), ("c-2", 4)))
    box.says["a"] = lambda _: Again("45009", "", 60_000)
    assert len(await box.look()) == 1
    assert await box.look(59_000) == []
    box.says.clear()
    assert await box.look(10_000) == [("a", "c-1"), ("a", "c-2")]


async def test_what_will_never_go_well_is_dead_at_once_and_the_next_one_is_tried(box: Outbox) -> None:
    await prepared(box, "a", cases=(("c-1", 4), ("c-2", 4)))
    box.says["a"] = lambda taken: Never("93000") if taken.message.case == "c-1" else Sent("0")
    assert [case for _, case in await box.look()] == ["c-1", "c-2"]
    assert [row.state for row in await box.rows()] == ["dead", "sent"]


async def test_what_was_not_sent_in_its_time_is_dead(box: Outbox) -> None:
    await prepared(box, "a")
    async with box.sessions() as session:
        await session.execute(update(NoticeChannel).values(active=False))
        await session.commit()
    assert await box.look(3_599_999) == []
    assert [row.state for row in await box.rows()] == ["waiting"]
    assert await box.look(1) == []
    assert [(row.state, row.receipt["detail"]) for row in await box.rows()] == [("dead", "not sent in its time")]


async def test_after_a_kill_in_the_middle_of_sending_it_is_sent_again_with_the_same_id(box: Outbox) -> None:
    await prepared(box, "a")

    async def killed(outward: Any, taken: Taken, now_ms: int) -> Outcome:
        await Outbox.adapter(box, outward, taken, now_ms)
        raise asyncio.CancelledError

    sender.ADAPTERS["webhook"] = killed
    await box.sender.look()
    await asyncio.gather(*box.sender._tasks.values(), return_exceptions=True)
    ((_, _, id),) = box.sent
    sender.ADAPTERS["webhook"] = box.adapter
    box.sender = box.another()
    await box.sender.take_up()
    claimed = 0 if "sqlite" in str(box.sessions.kw["bind"].url) else CLAIM_MS
    if claimed:
        assert await box.look(claimed - 1) == []
    assert await box.look(min(claimed, 1)) == [("a", "c-1")]
    assert box.sent[0][2] == id
    (row,) = await box.rows()
    assert (row.state, row.attempts) == ("sent", 2)


async def test_two_senders_on_one_database_send_each_notice_once(box: Outbox) -> None:
    await prepared(box, "a", "b", cases=tuple((f"c-{n}", 4) for n in range(10)))
    senders = [box.another() for _ in range(3)]
    for _ in range(4):
        await asyncio.gather(*(found.look() for found in senders))
        await asyncio.gather(*(found.settled() for found in senders))
    assert len(box.sent) == len(set(box.sent)) == 20
    assert {row.state for row in await box.rows()} == {"sent"}


async def test_an_adapter_that_breaks_is_counted_and_stops_nothing(box: Outbox) -> None:
    await prepared(box, "broken", "well")

    def breaks(taken: Taken) -> Outcome:
        raise ZeroDivisionError

    box.says["broken"] = breaks
    await box.look()
    assert sorted(row.state for row in await box.rows()) == ["sent", "waiting"]
    assert box.sender.counts["error"] == 1
    assert await box.look(CLAIM_MS) == [("broken", "c-1")]


async def test_a_channel_that_is_switched_off_gives_up_what_waits_and_a_removed_one_loses_it(box: Outbox) -> None:
    await prepared(box, "a", "b")
    box.says |= {"a": lambda _: Again("500"), "b": lambda _: Again("500")}
    await box.look()
    async with box.sessions() as session:
        a, b = (await session.scalars(select(NoticeChannel).order_by(NoticeChannel.name))).all()
        await channels.change(session, box.now_ms, shell_scope(), a.id, {"active": False})
        await channels.remove(session, box.now_ms, shell_scope(), b.id)
        await session.commit()
    assert [row.receipt["code"] for row in await box.rows()] == ["switched_off"]
    assert await box.look(60_000) == []


async def test_an_sms_rings_active_people_with_the_role_whose_district_is_the_lifts(database: str) -> None:
    engine = make_engine(database)
    sessions = make_sessions(engine)
    async with receiving(answer({"id": "m1"})) as receiver:
        async with sessions() as session:
            place = await organisation(session)
            session.add(Lift(id="lift-1", gateway="g-1", district="330106", made_at_ms=0))
            people = (
                ("1380001", "technician", "", True),
                ("1380002", "technician", "3301", True),
                ("1380003", "technician", "4403", True),
                ("1380004", "viewer", "", True),
                ("1380005", "technician", "", False),
                ("", "technician", "", True),
            )
            for n, (phone, role, district, active) in enumerate(people):
                person = Person(sign_in_name=f"p{n}", name="p", phone=phone, active=active, made_at_ms=0)
                session.add(person)
                await session.flush()
                session.add(Membership(person=person.id, organisation=place, role=role, district=district))
            await channel(session, place, kind="sms_hook", settings={"url": receiver.url, "roles": ["technician"]})
            nobody = await organisation(session, "无人")
            await channel(session, nobody, kind="sms_hook", settings={"url": receiver.url, "roles": ["technician"]})
            await queue(session, 5, [notice(place), Notice("case_opened", "c-1", "lift-1", nobody, 4)])
            await session.commit()
        outward = Outward(("127.0.0.1",))
        found = Sender(sessions, outward, lambda: 5)
        await found.look()
        await found.settled()
        await outward.close()
    assert [sorted(request.json()["to"]) for request in receiver.requests] == [["1380001", "1380002"]]
    async with sessions() as session:
        rows = {row.organisation: row for row in (await session.scalars(select(NoticeRow))).all()}
    assert (rows[place].state, sorted(rows[place].receipt["to"])) == ("sent", ["138****01", "138****02"])
    assert "1380001" not in str(rows[place].receipt)
    assert (rows[nobody].state, rows[nobody].receipt["code"]) == ("dead", "nobody")
    await engine.dispose()


async def test_a_receiver_that_says_back_what_it_was_sent_gives_no_secret_away(box: Outbox) -> None:
    await prepared(box, "https://x.example/hook?access_token=t0ken&n=1")
    box.says["https://x.example/hook?access_token=t0ken&n=1"] = lambda taken: Again(
        "404", f"no {taken.settings['url']}, no t0ken, {taken.secret}"
    )
    async with box.sessions() as session:
        await session.execute(update(NoticeChannel).values(secret="hidden"))
        await session.commit()
    await box.look()
    assert [row.receipt["detail"] for row in await box.rows()] == ["no …, no …, …"]


def test_a_trapped_passenger_is_told_to_contractor_manager_and_desk_at_once(database: str) -> None:
    """From the gateway's incident through the case and the outbox to three receivers, and back to who may see their receipts."""
    settings = Settings(passwords=CHEAP, notice_hosts=("127.0.0.1",), public_url="https://x.example")
    with Cloud(database, settings) as client:
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(receiving(answer({"id": "m1"}))) as receiver:
            places = {}
            for kind, name in (("contractor", "维保"), ("property_manager", "物业"), ("rescue_centre", "96333")):
                body = {"kind": kind, "name": name, "districts": ["3301"] if kind == "rescue_centre" else []}
                places[kind] = client.post("/api/v1/organisations", json=body).json()["id"]
                way = {
                    "organisation": places[kind], "kind": "webhook", "name": name, "least_severity": 4,
                    "settings": {"url": f"{receiver.url}&who={kind}"}, "language": "en" if kind == "rescue_centre" else "zh",
                }  # fmt: skip
                assert client.post("/api/v1/channels", json=way).status_code == 201
            with client.websocket_connect("/api/v1/gateways/g-1/link") as socket:
                socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [record()]})
                socket.receive_json()
                whose = {
                    "contractor": places["contractor"],
                    "manager": places["property_manager"],
                    "district": "330106",
                }
                assert client.put("/api/v1/lifts/lift-1/assignment", json=whose).status_code == 200
                socket.send_json({"type": "incident", "incident": incident(opened=unix_ms())})
                socket.receive_json()
                told = opened(receiver, 3)
        assert {who: request.json()["title"] for who, request in told.items()} == {
            "contractor": "困人·新警情", "property_manager": "困人·新警情", "rescue_centre": "TRAPPED · New case",
        }  # fmt: skip
        (case,) = client.get("/api/v1/cases").json()
        assert {who: request.json()["link"] for who, request in told.items()} == {
            "contractor": f"https://x.example/phone/{case['id']}", "property_manager": "https://x.example/lift/lift-1",
            "rescue_centre": f"https://x.example/desk/{case['id']}",
        }  # fmt: skip
        facts = told["contractor"].json()["facts"]
        assert (facts["rescue_code"], facts["event"], facts["place"]) == ("330117", "trapped_between_floors", "西溪路")
        receipts = client.get(f"/api/v1/cases/{case['id']}/notices").json()
        sent = {
            (entry["organisation"], entry["state"], entry["message_id"])
            for entry in receipts
            if entry["kind"] == "case_opened"
        }
        assert sent == {(place, "sent", "m1") for place in places.values()}


def opened(receiver: Receiver, many: int) -> dict[str, Request]:
    """What was told of the opening, by the receiver's name in the URL, when so many have come."""
    for _ in range(500):
        found = {
            request.line.partition("&who=")[2].split(" ")[0]: request
            for request in list(receiver.requests)
            if request.json()["kind"] == "case_opened"
        }
        if len(found) == many:
            return found
        time.sleep(0.02)
    raise AssertionError([request.json() for request in receiver.requests])
