"""The live feed: a snapshot, alarms at once, replay; each viewer gets what his scope covers, and loses it when that changes."""

import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

from cloud.accounts.scope import Actor, Assignment, Grant, Scope
from cloud.live.alarms import HELD, PAGE, Told
from cloud.live.board import Board
from cloud.live.feed import Again, Feed
from cloud.tests.conftest import live, record

EVERYTHING = Scope(Actor("person", "p"), (Grant("o", "platform", "administrator"),))
OF_A = Scope(Actor("person", "a"), (Grant("a", "contractor", "viewer"),))
OF_B = Scope(Actor("person", "b"), (Grant("b", "contractor", "viewer"),))


async def same() -> Scope | None:
    return OF_A


class Log:
    """A channel in memory, and what its entries are about."""

    def __init__(self) -> None:
        self.entries: list[Told] = []
        self.stored: dict[tuple[str, str], dict[str, Any]] = {}

    def put(self, body: dict[str, Any]) -> int:
        self.stored["incident", body["id"]] = body
        self.entries.append(Told(self.next, "incident", body["id"], body["lift"]))
        return self.next - 1

    @property
    def next(self) -> int:
        return self.entries[-1].seq + 1 if self.entries else 1

    async def bounds(self) -> tuple[int, int]:
        return (self.entries[0].seq, self.entries[-1].seq) if self.entries else (0, 0)

    async def after(self, seq: int, limit: int) -> list[Told]:
        return [told for told in self.entries if told.seq > seq][:limit]

    async def newest_of_each(self, after: int, upto: int, limit: int) -> list[Told]:
        last = {told.object_id: told for told in self.entries if after < told.seq <= upto}
        return sorted(last.values())[:limit]

    async def bodies(self, found: list[Told]) -> dict[tuple[str, str], dict[str, Any]]:
        return {(told.event, told.object_id): self.stored[told.event, told.object_id] for told in found}

    async def trim(self, now_ms: int) -> int:
        return 0


class Fed(Feed):
    """A feed with a channel in memory."""

    def __init__(self, board: Board) -> None:
        self.now_ms = 0
        super().__init__(board, clock=lambda: self.now_ms)
        self.log = Log()

    async def page(
        self, seq: int | None, scope: Scope, again: Again, picked: frozenset[str] | None = None
    ) -> AsyncGenerator[str, None]:
        async with contextlib.aclosing(self.watch(seq, scope, again, picked)) as events:
            async for text in events:
                yield text.decode()

    async def tell(self, *bodies: dict[str, Any]) -> None:
        """Each is committed, then pushed, and carried on."""
        for body in bodies:
            self.push(self.log.put(body), "incident", body["lift"], body)
        await self.look()


async def begun(board: Board) -> Fed:
    feed = Fed(board)
    await feed.begin(feed.log)
    feed.changed(list(board.lifts))
    return feed


async def two_contractors() -> tuple[Board, Fed]:
    board = Board()
    board.hello("g-1", "1", [record("lift-a"), record("lift-b"), record("lift-nobodys")], 0)
    feed = await begun(board)
    feed.access_changed({"lift-a": Assignment(contractor="a"), "lift-b": Assignment(contractor="b")})
    return board, feed


def body(text: str) -> Any:
    return json.loads(text.split("data: ")[1])


async def test_a_snapshot_comes_first_then_alarms_at_once_and_what_was_missed_is_replayed() -> None:
    board = Board()
    board.hello("g-1", "1", [record()], 0)
    feed = await begun(board)
    await feed.tell({"id": "x-1", "lift": "lift-1"}, {"id": "x-2", "lift": "lift-1"})
    watch = feed.page(1, EVERYTHING, same)
    first = await anext(watch)
    assert first.startswith("id: 1\nevent: snapshot\n")
    assert body(first)["lifts"][0]["id"] == "lift-1"
    await feed.tell({"id": "x-3", "lift": "lift-1"})
    text = await anext(watch)
    assert "x-1" not in text
    assert text.index("x-2") < text.index("x-3")
    await watch.aclose()
    assert feed.viewers == set()
    assert feed._audiences == {}


async def test_a_viewer_gets_his_lifts_and_alarms_and_no_others() -> None:
    board, feed = await two_contractors()
    a, b = feed.page(None, OF_A, same), feed.page(None, OF_B, same)
    assert [lift["id"] for lift in body(await anext(a))["lifts"]] == ["lift-a"]
    assert [lift["id"] for lift in body(await anext(b))["lifts"]] == ["lift-b"]
    await feed.tell({"id": "of-b", "lift": "lift-b"})
    await feed.tell({"id": "of-nobody", "lift": "lift-nobodys"})
    await feed.tell({"id": "of-a", "lift": "lift-a"})
    assert body(await anext(a))["id"] == "of-a"
    assert body(await anext(b))["id"] == "of-b"
    feed.changed(board.live("g-1", [live("lift-a"), live("lift-b"), live("lift-nobodys")], 0))
    feed.tick(10)
    assert [lift["id"] for lift in body(await anext(a))["lifts"]] == ["lift-a"]
    assert [lift["id"] for lift in body(await anext(b))["lifts"]] == ["lift-b"]
    await a.aclose()
    await b.aclose()


async def test_what_was_missed_of_others_is_not_replayed() -> None:
    _, feed = await two_contractors()
    await feed.tell(
        *({"id": name, "lift": lift} for name, lift in (("first", "lift-a"), ("of-b", "lift-b"), ("of-a", "lift-a")))
    )
    watch = feed.page(1, OF_A, same)
    await anext(watch)
    await feed.tell({"id": "now", "lift": "lift-a"})
    text = await anext(watch)
    assert "of-a" in text and "now" in text and "of-b" not in text and "first" not in text
    await watch.aclose()


async def test_a_lift_that_becomes_another_ones_leaves_the_page_at_once() -> None:
    _, feed = await two_contractors()
    watch = feed.page(None, OF_A, same)
    await anext(watch)
    feed.access_changed({"lift-a": Assignment(contractor="b"), "lift-b": Assignment(contractor="b")})
    access, snapshot = (await anext(watch)).split("\n\n", 1)
    assert access.startswith("event: access")
    assert body(snapshot)["lifts"] == []
    await feed.tell({"id": "of-b", "lift": "lift-a"})
    feed.access_changed({"lift-a": Assignment(contractor="a")})
    assert [lift["id"] for lift in body((await anext(watch)).split("\n\n", 1)[1])["lifts"]] == ["lift-a"]
    await watch.aclose()


async def test_a_stream_follows_its_scope_and_ends_with_its_session() -> None:
    _, feed = await two_contractors()
    found: list[Scope | None] = [OF_B, None]

    async def again() -> Scope | None:
        return found.pop(0)

    watch = feed.page(None, OF_A, again)
    await anext(watch)
    assignments = {"lift-a": Assignment(contractor="a"), "lift-b": Assignment(contractor="b")}
    feed.access_changed(assignments)
    assert [lift["id"] for lift in body((await anext(watch)).split("\n\n", 1)[1])["lifts"]] == ["lift-b"]
    feed.access_changed(assignments)
    assert await anext(watch) == "event: ended\ndata: {}\n\n"
    assert [text async for text in watch] == []
    assert feed.viewers == set()


async def test_nothing_is_said_when_a_change_of_access_concerns_others() -> None:
    board, feed = await two_contractors()
    watch = feed.page(None, OF_A, same)
    await anext(watch)
    feed.access_changed({"lift-a": Assignment(contractor="a"), "lift-b": Assignment(contractor="c")})
    feed.changed(board.live("g-1", [live("lift-a")], 0))
    feed.tick(10)
    assert (await anext(watch)).startswith("event: changes")
    await watch.aclose()


async def test_a_silent_gateway_is_told_to_who_sees_a_lift_of_it_with_his_lifts_alone() -> None:
    board, _ = await two_contractors()
    board.live("g-1", [live("lift-a", passenger=True), live("lift-b", passenger=True)], 0)
    board.hello("g-2", "1", [record("lift-c")], 0)
    assert board.silent_gateways(60_000, lambda name: name == "lift-a") == [
        {"gateway": "g-1", "silent_ms": 60_000, "lifts_at_risk": ["lift-a"]}
    ]
    assert board.silent_gateways(60_000, lambda name: False) == []


async def test_what_a_gateway_tells_of_itself_goes_to_who_sees_a_lift_of_it() -> None:
    board, feed = await two_contractors()
    board.hello("g-2", "1", [record("lift-c")], 0)
    feed.access_changed(
        {"lift-a": Assignment(contractor="a"), "lift-c": Assignment(contractor="b"), "lift-b": Assignment()}
    )
    a, b = feed.page(None, OF_A, same), feed.page(None, OF_B, same)
    await anext(a)
    await anext(b)
    await feed.tell({"id": "store-1", "lift": "g-1"})
    await feed.tell({"id": "store-2", "lift": "g-2"})
    assert body(await anext(a))["id"] == "store-1"
    assert body(await anext(b))["id"] == "store-2"
    await a.aclose()
    await b.aclose()


async def test_an_area_event_shows_each_viewer_his_members_alone() -> None:
    _, feed = await two_contractors()
    a, all_of_it = feed.page(None, OF_A, same), feed.page(None, EVERYTHING, same)
    await anext(a)
    await anext(all_of_it)
    await feed.tell(
        {"id": "area-1", "lift": "g-1", "members": [{"lift": "lift-b"}, {"lift": "lift-a"}, {"lift": "gone"}]}
    )
    assert body(await anext(a))["members"] == [{"lift": "lift-a"}]
    assert len(body(await anext(all_of_it))["members"]) == 3
    await a.aclose()
    await all_of_it.aclose()


async def test_who_was_away_for_longer_than_memory_gets_each_object_once_in_its_newest_form() -> None:
    _, feed = await two_contractors()
    many = HELD + 2 * PAGE
    for number in range(many):
        await feed.tell({"id": f"x-{number % (many - 100)}", "lift": "lift-a", "rev": number})
    watch = feed.page(0, OF_A, same)
    await anext(watch)
    revs: dict[str, list[int]] = {}
    while len(revs) < many - 100 or max(found[-1] for found in revs.values()) < many - 1:
        for event in (await anext(watch)).strip().split("\n\n"):
            found = json.loads(event.split("data: ")[1])
            revs.setdefault(found["id"], []).append(found["rev"])
    assert {name: found[-1] for name, found in revs.items()} == {
        name: body["rev"] for (_, name), body in feed.log.stored.items()
    }
    await watch.aclose()


async def test_a_viewer_who_comes_back_from_before_the_channel_begins_or_from_another_one_is_told_to_read_anew() -> (
    None
):
    _, feed = await two_contractors()
    await feed.tell(*({"id": f"x-{number}", "lift": "lift-a"} for number in range(5)))
    del feed.log.entries[:3]
    for seq, reset in ((2, True), (3, False), (5, False), (6, True)):
        watch = feed.page(seq, OF_A, same)
        first = await anext(watch)
        assert first.startswith("event: reset\ndata: {}\n\n") == reset
        assert f"id: {5 if reset else seq}\nevent: snapshot" in first
        await watch.aclose()


async def test_an_alarm_pushed_before_an_earlier_one_waits_for_nothing_and_hides_nothing() -> None:
    """Two tasks commit one after the other, and push the other way round; a third process pushes nothing."""
    _, feed = await two_contractors()
    watch = feed.page(None, OF_A, same)
    await anext(watch)
    first, second, _ = [feed.log.put({"id": name, "lift": "lift-a"}) for name in ("first", "second", "others")]
    feed.push(second, "incident", "lift-a", {"id": "second", "lift": "lift-a"})
    await feed.look()
    feed.push(first, "incident", "lift-a", {"id": "first", "lift": "lift-a"})
    await feed.look()
    text = await anext(watch)
    assert text.index('"first"') < text.index('"second"') < text.index('"others"')
    await watch.aclose()


async def test_a_page_that_saw_no_alarm_of_its_own_still_comes_back_from_where_it_was() -> None:
    board, feed = await two_contractors()
    watch = feed.page(None, OF_A, same)
    assert (await anext(watch)).startswith("id: 0\n")
    await feed.tell({"id": "of-b", "lift": "lift-b"})
    feed.changed(board.live("g-1", [live("lift-a")], 0))
    feed.tick(10)
    assert (await anext(watch)).startswith("id: 1\nevent: changes\n")
    feed.changed(board.live("g-1", [live("lift-a")], 0))
    feed.tick(20)
    assert (await anext(watch)).startswith("event: changes\n")
    await watch.aclose()
