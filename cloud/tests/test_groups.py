"""Dirty groups: whatever happens in whatever order, and however slow a page is, it ends with what the board shows of its lifts."""

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.accounts.scope import Assignment
from cloud.live.board import GATEWAY_STALE_MS, UNKNOWN, Board
from cloud.live.feed import HEARTBEAT_MS
from cloud.live.groups import KEPT, MAX_LIFTS
from cloud.tests import conftest
from cloud.tests.conftest import record
from cloud.tests.test_feed import OF_A, OF_B, Fed, begun

LIFTS = ("l-0", "l-1", "l-2", "l-3")
OWNERS = ("", "a", "b")
AGES = ("age_ms", "link_age_ms")


def live(name: str, **state: Any) -> dict[str, Any]:
    """A live state with every field, as `LiveStates` gives it to the board."""
    found = conftest.live(name, "good", **state)
    return {**found, "state": {**UNKNOWN, **found["state"]}}


class Page:
    """A page as the browser's: it takes events, and reads on only when it gets round to it."""

    def __init__(self, feed: Fed, scope: Any, picked: frozenset[str] | None = None) -> None:
        async def again() -> Any:
            return scope

        self.lifts: dict[str, dict[str, Any]] = {}
        self.silent: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self._events = feed.page(None, scope, again, picked)
        self._next: asyncio.Task[str] | None = None

    async def read(self) -> None:
        """All that there is."""
        while True:
            self._next = self._next or asyncio.ensure_future(anext(self._events))
            for _ in range(8):
                await asyncio.sleep(0)
            if not self._next.done():
                return
            self.texts.append(self._next.result())
            self._next = None
            for event in self.texts[-1].strip().split("\n\n"):
                kind = next(line[7:] for line in event.split("\n") if line.startswith("event: "))
                self._take(kind, json.loads(event.split("data: ")[1]))

    def _take(self, kind: str, body: dict[str, Any]) -> None:
        if kind in ("snapshot", "access"):
            self.lifts = {}
        self.silent = body.get("silent_gateways", self.silent)
        for found in body.get("lifts", []):
            state = self.lifts.get(found["id"], {}).get("state", {}) if kind == "changes" else {}
            before = self.lifts[found["id"]] if kind == "changes" else {}
            self.lifts[found["id"]] = {**before, **found, "state": {**state, **found.get("state", {})}}

    async def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._events.aclose()


def ageless(lift: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in lift.items() if name not in AGES}


lift_names = st.sampled_from(LIFTS)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("live"), lift_names, st.integers(1, 3), st.booleans()),
        st.tuples(st.just("assign"), lift_names, st.sampled_from(OWNERS)),
        st.tuples(st.just("pass"), st.sampled_from((0, 100, 5000, 20_000))),
        st.tuples(st.just("tick")),
        st.tuples(st.just("ticks")),
        st.tuples(st.just("hello")),
        st.tuples(st.just("lost")),
        st.tuples(st.just("read"), st.integers(0, 2)),
        st.tuples(st.just("open")),
    ),
    max_size=25,
)


class World:
    """A gateway, a cloud and pages."""

    async def begin(self) -> None:
        self.board = Board()
        self.feed = await begun(self.board)
        self.owners: dict[str, Assignment] = {}
        self.pages: list[tuple[str, frozenset[str] | None, Page]] = []
        self._hello()
        self.open()

    def open(self) -> None:
        for owner, scope, picked in (("a", OF_A, None), ("b", OF_B, None), ("a", OF_A, frozenset(("l-1", "l-2")))):
            self.pages.append((owner, picked, Page(self.feed, scope, picked)))

    def _hello(self) -> None:
        self.board.hello("g-1", "1", [record(name) for name in LIFTS[:3]], self.feed.now_ms)
        self.feed.changed(list(LIFTS[:3]))

    async def step(self, what: str, *rest: Any) -> None:
        now = self.feed.now_ms
        if what == "live":
            name, floor, more = rest
            found = live(name, floor=floor, service_mode=5 if more else 1)
            self.board.heard("g-1", now)
            self.feed.changed(self.board.live("g-1", [found], now))
        elif what == "assign":
            self.owners = {**self.owners, rest[0]: Assignment(contractor=rest[1])}
            self.feed.access_changed(self.owners)
        elif what == "pass":
            self.feed.now_ms += rest[0]
        elif what == "hello":
            self._hello()
        elif what == "lost":
            self.board.lost("g-1")
        elif what == "read":
            await self.pages[rest[0]][2].read()
        elif what == "open":
            if len(self.pages) < 6:
                self.open()
        else:
            for _ in range(KEPT + 2 if what == "ticks" else 1):
                self.feed.tick(self.feed.now_ms)
                if what == "ticks":
                    await self.step("live", "l-1", 1, True)

    async def check(self) -> None:
        self.feed.tick(self.feed.now_ms)
        for owner, picked, page in self.pages:
            await page.read()
            mine = {
                name
                for name in self.board.lifts
                if self.owners.get(name, Assignment()).contractor == owner and (picked is None or name in picked)
            }
            assert {name: ageless(lift) for name, lift in page.lifts.items()} == {
                name: ageless(json.loads(json.dumps(self.board.view(name, self.feed.now_ms)))) for name in mine
            }
            await page.close()
        assert self.feed.viewers == set()
        assert self.feed._audiences == {}


@settings(max_examples=150, deadline=None)
@given(steps)
def test_a_page_ends_with_what_the_board_shows_of_its_lifts(done: list[Any]) -> None:
    async def run() -> None:
        world = World()
        await world.begin()
        for step in done:
            await world.step(*step)
        await world.check()

    asyncio.run(run())


async def scope_a() -> Any:
    return OF_A


async def of_many(count: int) -> tuple[Board, Fed]:
    board = Board()
    board.hello("g-1", "1", [record(f"lift-{number}") for number in range(count)], 0)
    feed = await begun(board)
    feed.access_changed({f"lift-{number}": Assignment(contractor="a") for number in range(count)})
    return board, feed


async def test_a_slow_page_holds_no_queue_and_is_told_the_newest_state_in_one_go() -> None:
    board, feed = await of_many(2 * MAX_LIFTS + 1)
    slow, quick = Page(feed, OF_A), Page(feed, OF_A)
    await slow.read()
    await quick.read()
    for number in range(50):
        feed.now_ms += 220
        feed.changed(
            board.live("g-1", [live(f"lift-{n}", floor=number % 6) for n in range(2 * MAX_LIFTS + 1)], feed.now_ms)
        )
        feed.tick(feed.now_ms)
        await quick.read()
    (viewer,) = [found for found in feed.viewers if found.wake.is_set()]
    assert len(viewer.dirty) == 3
    told = len(slow.texts)
    await slow.read()
    # What was on its way when it fell asleep, and then all the rest at once.
    assert len(slow.texts) == told + 2
    # As much as a page begins with, however much was told in between.
    assert len(slow.texts[-1]) < 1.3 * len(slow.texts[0]) < 0.5 * sum(map(len, quick.texts[1:]))
    assert {name: ageless(lift) for name, lift in slow.lifts.items()} == {
        name: ageless(lift) for name, lift in quick.lifts.items()
    }
    for page in (slow, quick):
        await page.close()


async def test_the_bytes_of_a_group_are_shared_and_nothing_is_encoded_for_nobody() -> None:
    board, feed = await of_many(3)
    pages = [Page(feed, OF_A) for _ in range(3)]
    for page in pages:
        await page.read()
    (group,) = feed._groups.all
    feed.changed(board.live("g-1", [live("lift-1")], 0))
    feed.tick(10)
    assert group.since(group.seq - 1, 10).startswith(b"event: changes")
    assert group._changes[-1].text is group._changes[-1].text
    for page in pages:
        await page.read()
        await page.close()
    assert len({page.texts[-1] for page in pages}) == 1
    seq = group.seq
    feed.changed(board.live("g-1", [live("lift-1")], 0))
    feed.tick(20)
    feed.changed(board.live("g-1", [live("lift-1")], 0))
    feed.tick(30)
    assert (group.seq, group._told, len(group._changes)) == (seq + 1, {}, 0)


async def test_a_quiet_stream_says_every_five_seconds_that_it_is_alive() -> None:
    _, feed = await of_many(1)
    page = Page(feed, OF_A)
    await page.read()
    for _ in range(12):
        feed.now_ms += 1000
        feed.tick(feed.now_ms)
        await page.read()
    assert ["heartbeat" in text for text in page.texts][-2:] == [True, True]
    assert sum("heartbeat" in text for text in page.texts) == 2
    assert HEARTBEAT_MS == 5000
    await page.close()


async def test_who_takes_nothing_for_a_minute_is_let_go() -> None:
    _, feed = await of_many(1)
    stalled = asyncio.Event()

    async def send() -> None:
        async for _ in feed.watch(None, OF_A, scope_a):
            stalled.set()
            await asyncio.Event().wait()  # its window is shut

    task = asyncio.ensure_future(send())
    page = Page(feed, OF_A)
    await stalled.wait()
    for _ in range(61):
        feed.now_ms += 1000
        feed.tick(feed.now_ms)
        await page.read()
    assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is asyncio.CancelledError
    assert feed.stuck == 1
    await page.close()


async def test_a_gateways_silence_is_told_once_and_so_is_its_return() -> None:
    board, feed = await of_many(2)
    feed.changed(board.live("g-1", [live("lift-1", passenger=True)], 0))
    page = Page(feed, OF_A)
    await page.read()
    for _ in range(70):
        feed.now_ms += 1000
        feed.tick(feed.now_ms)
        await page.read()
    assert page.silent == [{"gateway": "g-1", "silent_ms": 60_000, "lifts_at_risk": ["lift-1"]}]
    assert page.lifts["lift-1"]["quality"] == "stale"
    board.heard("g-1", feed.now_ms)
    feed.tick(feed.now_ms + 1)
    await page.read()
    assert page.silent == []
    assert sum("event: silent" in text for text in page.texts) == 2
    await page.close()


@given(
    st.lists(
        st.tuples(st.sampled_from(("live", "heard", "hello", "lost", "pass")), st.integers(0, 30_000)), max_size=30
    )
)
def test_time_turns_each_lift_when_its_view_turns(done: list[tuple[str, int]]) -> None:
    """What is found by due times is what looking at every lift each time would find."""
    board, now = Board(), 0
    board.hello("g-1", "1", [record("a"), record("b")], 0)
    shown: dict[str, str] = {}
    for what, number in done:
        now += number if what == "pass" else 0
        told = set()
        if what == "live":
            told = set(board.live("g-1", [live("a" if number % 2 else "b")], now))
        elif what == "heard":
            board.heard("g-1", now)
        elif what == "hello":
            board.hello("g-1", "1", [record("a"), record("b")], now)
        elif what == "lost":
            board.lost("g-1")
        turned = board.turned(now) | told
        for name in ("a", "b"):
            quality = board.view(name, now)["quality"]
            assert quality == shown.get(name, quality) or name in turned
            shown[name] = quality
    gateway = board.gateways["g-1"]
    board.turned(now + GATEWAY_STALE_MS * 5 + 1)
    assert board.silent == {"g-1"} and now - gateway.heard_ms >= 0
