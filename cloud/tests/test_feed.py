"""The live feed: a snapshot, alarms at once, replay; each viewer gets what his scope covers, and loses it when that changes."""

import json
from typing import Any

from cloud.accounts.scope import Actor, Assignment, Grant, Scope
from cloud.live.board import Board
from cloud.live.feed import Feed
from cloud.tests.conftest import live, record

EVERYTHING = Scope(Actor("person", "p"), (Grant("o", "platform", "administrator"),))
OF_A = Scope(Actor("person", "a"), (Grant("a", "contractor", "viewer"),))
OF_B = Scope(Actor("person", "b"), (Grant("b", "contractor", "viewer"),))


async def same() -> Scope | None:
    return OF_A


def two_contractors() -> tuple[Board, Feed]:
    board = Board()
    board.hello("g-1", "1", [record("lift-a"), record("lift-b"), record("lift-nobodys")], 0)
    feed = Feed(board)
    feed.access_changed({"lift-a": Assignment(contractor="a"), "lift-b": Assignment(contractor="b")})
    return board, feed


def body(text: str) -> Any:
    return json.loads(text.split("data: ")[1])


async def test_a_snapshot_comes_first_then_alarms_at_once_and_what_was_missed_is_replayed() -> None:
    board = Board()
    board.hello("g-1", "1", [record()], 0)
    feed = Feed(board)
    feed.alarm({"id": "x-1", "lift": "lift-1"})
    feed.alarm({"id": "x-2", "lift": "lift-1"})
    watch = feed.watch(1, EVERYTHING, same)
    first = await anext(watch)
    assert first.startswith("id: 2\nevent: snapshot\n")
    assert body(first)["lifts"][0]["id"] == "lift-1"
    feed.alarm({"id": "x-3", "lift": "lift-1"})
    text = await anext(watch)
    assert "x-1" not in text
    assert text.index("x-2") < text.index("x-3")
    await watch.aclose()
    assert feed.viewers == set()
    assert feed._audiences == {}


async def test_a_viewer_gets_his_lifts_and_alarms_and_no_others() -> None:
    board, feed = two_contractors()
    a, b = feed.watch(None, OF_A, same), feed.watch(None, OF_B, same)
    assert [lift["id"] for lift in body(await anext(a))["lifts"]] == ["lift-a"]
    assert [lift["id"] for lift in body(await anext(b))["lifts"]] == ["lift-b"]
    feed.alarm({"id": "of-b", "lift": "lift-b"})
    feed.alarm({"id": "of-nobody", "lift": "lift-nobodys"})
    feed.alarm({"id": "of-a", "lift": "lift-a"})
    assert body(await anext(a))["id"] == "of-a"
    assert body(await anext(b))["id"] == "of-b"
    feed.changed(board.live("g-1", [live("lift-a"), live("lift-b"), live("lift-nobodys")], 0))
    feed.tick(10)
    assert [lift["id"] for lift in body(await anext(a))["lifts"]] == ["lift-a"]
    assert [lift["id"] for lift in body(await anext(b))["lifts"]] == ["lift-b"]
    await a.aclose()
    await b.aclose()


async def test_what_was_missed_of_others_is_not_replayed() -> None:
    _, feed = two_contractors()
    feed.alarm({"id": "first", "lift": "lift-a"})
    feed.alarm({"id": "of-b", "lift": "lift-b"})
    feed.alarm({"id": "of-a", "lift": "lift-a"})
    watch = feed.watch(1, OF_A, same)
    await anext(watch)
    feed.alarm({"id": "now", "lift": "lift-a"})
    text = await anext(watch)
    assert "of-a" in text and "now" in text and "of-b" not in text and "first" not in text
    await watch.aclose()


async def test_a_lift_that_becomes_another_ones_leaves_the_page_at_once() -> None:
    _, feed = two_contractors()
    watch = feed.watch(None, OF_A, same)
    await anext(watch)
    feed.access_changed({"lift-a": Assignment(contractor="b"), "lift-b": Assignment(contractor="b")})
    access, snapshot = (await anext(watch)).split("\n\n", 1)
    assert access.startswith("event: access")
    assert body(snapshot)["lifts"] == []
    feed.alarm({"id": "of-b", "lift": "lift-a"})
    feed.access_changed({"lift-a": Assignment(contractor="a")})
    assert [lift["id"] for lift in body((await anext(watch)).split("\n\n", 1)[1])["lifts"]] == ["lift-a"]
    await watch.aclose()


async def test_a_stream_follows_its_scope_and_ends_with_its_session() -> None:
    _, feed = two_contractors()
    found: list[Scope | None] = [OF_B, None]

    async def again() -> Scope | None:
        return found.pop(0)

    watch = feed.watch(None, OF_A, again)
    await anext(watch)
    assignments = {"lift-a": Assignment(contractor="a"), "lift-b": Assignment(contractor="b")}
    feed.access_changed(assignments)
    assert [lift["id"] for lift in body((await anext(watch)).split("\n\n", 1)[1])["lifts"]] == ["lift-b"]
    feed.access_changed(assignments)
    assert await anext(watch) == "event: ended\ndata: {}\n\n"
    assert [text async for text in watch] == []
    assert feed.viewers == set()


async def test_nothing_is_said_when_a_change_of_access_concerns_others() -> None:
    board, feed = two_contractors()
    watch = feed.watch(None, OF_A, same)
    await anext(watch)
    feed.access_changed({"lift-a": Assignment(contractor="a"), "lift-b": Assignment(contractor="c")})
    feed.changed(board.live("g-1", [live("lift-a")], 0))
    feed.tick(10)
    assert (await anext(watch)).startswith("event: lifts")
    await watch.aclose()


async def test_a_silent_gateway_is_told_to_who_sees_a_lift_of_it_with_his_lifts_alone() -> None:
    board, _ = two_contractors()
    board.live("g-1", [live("lift-a", passenger=True), live("lift-b", passenger=True)], 0)
    board.hello("g-2", "1", [record("lift-c")], 0)
    assert board.silent_gateways(60_000, lambda name: name == "lift-a") == [
        {"gateway": "g-1", "silent_ms": 60_000, "lifts_at_risk": ["lift-a"]}
    ]
    assert board.silent_gateways(60_000, lambda name: False) == []


async def test_what_a_gateway_tells_of_itself_goes_to_who_sees_a_lift_of_it() -> None:
    board, feed = two_contractors()
    board.hello("g-2", "1", [record("lift-c")], 0)
    feed.access_changed(
        {"lift-a": Assignment(contractor="a"), "lift-c": Assignment(contractor="b"), "lift-b": Assignment()}
    )
    a, b = feed.watch(None, OF_A, same), feed.watch(None, OF_B, same)
    await anext(a)
    await anext(b)
    feed.alarm({"id": "store-1", "lift": "g-1"})
    feed.alarm({"id": "store-2", "lift": "g-2"})
    assert body(await anext(a))["id"] == "store-1"
    assert body(await anext(b))["id"] == "store-2"
    await a.aclose()
    await b.aclose()


async def test_an_area_event_shows_each_viewer_his_members_alone() -> None:
    _, feed = two_contractors()
    a, all_of_it = feed.watch(None, OF_A, same), feed.watch(None, EVERYTHING, same)
    await anext(a)
    await anext(all_of_it)
    feed.alarm({"id": "area-1", "lift": "g-1", "members": [{"lift": "lift-b"}, {"lift": "lift-a"}, {"lift": "gone"}]})
    assert body(await anext(a))["members"] == [{"lift": "lift-a"}]
    assert len(body(await anext(all_of_it))["members"]) == 3
    await a.aclose()
    await all_of_it.aclose()
