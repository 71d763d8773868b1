"""The live feed: a tick encodes each changed group of lifts once, viewers hold which groups they have not seen. Alarms go at once."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from cloud.accounts.scope import Assignment, Grant, Scope
from cloud.clock import mono_ms, unix_ms
from cloud.incidents.members import shown_to
from cloud.live.alarms import TRIM_S, Alarms, Log, Shown
from cloud.live.audience import Audience, Places
from cloud.live.board import Board
from cloud.live.groups import Group, Groups

TICK_S = 0.22
# A stream on which nothing was said for so long says that it is alive.
HEARTBEAT_MS = 5000
BEAT_MS = 1000
# Who takes nothing for so long is gone, whatever his connection says; a page that was asleep comes back by itself.
STUCK_MS = 60_000
# An open stream looks so often whether its session is still alive; it does so at once when anybody's access changes.
REAUTHORISE_MS = 60_000
MAX_VIEWERS = 2000
# Lifts that a page may pick: far more than it has room for in detail.
MAX_PICKED = 200

Again = Callable[[], Awaitable[Scope | None]]


class Viewer:
    """One open page: how far it has come in the alarm channel and in each group, and which groups have more for it."""

    def __init__(self, picked: frozenset[str] | None, now_ms: int) -> None:
        self.picked = picked
        self.dirty: set[Group] = set()
        self.seen: dict[Group, int] = {}
        self.silent = False
        self.seq = 0
        self.told_seq = -1
        self.wake = asyncio.Event()
        self.task = asyncio.current_task()
        self.sent_ms = self.authorised_ms = now_ms
        self.sending_ms: int | None = now_ms
        self.recheck = False
        self.number = 0

    def head(self) -> bytes:
        """How far it has come, where no alarm has said so: it comes back from there."""
        if self.told_seq == self.seq:
            return b""
        self.told_seq = self.seq
        return b"id: %d\n" % self.seq


class Feed:
    """Fans the board out to viewers, to each what his scope covers. `shown` of each event of the alarm channel beside `incident`."""

    def __init__(
        self, board: Board, shown: Mapping[str, Shown] | None = None, clock: Callable[[], int] = mono_ms
    ) -> None:
        self.board, self._clock = board, clock
        self.viewers: set[Viewer] = set()
        self.refused = self.stuck = 0
        self.alarms = Alarms({"incident": shown_to, **(shown or {})})
        self._places = Places(board)
        self._groups = Groups(board)
        self._audiences: dict[frozenset[Grant], Audience] = {}
        self._watching: dict[Group, list[Audience]] | None = None
        self._silent: frozenset[str] = frozenset()
        self._beat_ms = 0

    # -- what is told -------------------------------------------------------------------------------------------------

    def changed(self, names: list[str]) -> None:
        """These lifts have a newer state: shown at the next tick."""
        for name in names:
            if not self._groups.mark(name):
                self._groups.place(name, self._places.of(name))
                self._watching = None

    def push(self, seq: int, event: str, lift: str, body: dict[str, Any]) -> None:
        """An entry of the alarm channel was committed: every viewer who may see it is told at once, in the channel's order."""
        self.alarms.push(seq, body)

    def access_changed(self, assignments: dict[str, Assignment]) -> None:
        """Roles, sessions or whose a lift is have changed: every stream proves anew what it may show. The dict is kept as it is."""
        self._places.change(assignments)
        self._watching = None
        moved = self._groups.arrange(assignments)
        for audience in self._audiences.values():
            audience.number += any(audience.covers(before) != audience.covers(after) for before, after in moved)
        for viewer in self.viewers:
            viewer.recheck = True
            viewer.wake.set()

    # -- who sees what ------------------------------------------------------------------------------------------------

    def sees(self, scope: Scope) -> Callable[[str], bool]:
        """Whether a scope covers a lift, for lists of lifts."""
        return Audience(scope.audience, self._places).sees

    def _join(self, viewer: Viewer, scope: Scope) -> Audience:
        audience = self._audiences.get(scope.audience)
        if audience is None:
            audience = self._audiences[scope.audience] = Audience(scope.audience, self._places)
            self._watching = None
        audience.viewers.add(viewer)
        viewer.number = audience.number
        return audience

    def _leave(self, viewer: Viewer, audience: Audience) -> None:
        audience.viewers.discard(viewer)
        if not audience.viewers:
            self._audiences.pop(audience.grants, None)
            self._watching = None

    def _watchers(self, group: Group) -> list[Audience]:
        if self._watching is None:
            self._watching = {
                group: [audience for audience in self._audiences.values() if audience.covers(group.assignment)]
                for group in self._groups.all
            }
        return self._watching.get(group, [])

    # -- the tick -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Tick for ever. What a tick takes is not added to its time; ticks that were missed are not made up for."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            self.tick(self._clock())

    def tick(self, now_ms: int) -> None:
        """Let the viewers know what has changed of that which they may see."""
        for name in self.board.turned(now_ms):
            self._groups.mark(name)
        dirty, self._groups.dirty = self._groups.dirty, set()
        for group in dirty:
            self._advance(group, now_ms)
        if self.board.silent != self._silent:
            self._silent = frozenset(self.board.silent)
            for viewer in self.viewers:
                viewer.silent = True
                viewer.wake.set()
        if now_ms - self._beat_ms >= BEAT_MS:
            self._beat_ms = now_ms
            for viewer in self.viewers:
                self._beat(viewer, now_ms)

    def _beat(self, viewer: Viewer, now_ms: int) -> None:
        if viewer.sending_ms is not None and now_ms - viewer.sending_ms >= STUCK_MS:
            if viewer.task is not None:
                self.stuck += 1
                viewer.task.cancel()
                viewer.task = None
        elif now_ms - viewer.sent_ms >= HEARTBEAT_MS or now_ms - viewer.authorised_ms >= REAUTHORISE_MS:
            viewer.wake.set()

    def _advance(self, group: Group, now_ms: int) -> None:
        watchers = self._watchers(group)
        if not watchers:
            group.sleep()
        elif group.tick(now_ms):
            for audience in watchers:
                for viewer in audience.viewers:
                    viewer.dirty.add(group)
                    viewer.wake.set()

    # -- alarms -------------------------------------------------------------------------------------------------------

    async def begin(self, log: Log) -> None:
        """Take the alarm channel up where it is."""
        await self.alarms.begin(log)

    async def carry(self) -> None:
        """Carry alarms to the viewers for ever."""
        trim_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if loop.time() >= trim_at:
                trim_at = loop.time() + TRIM_S
                await self.alarms.trim(unix_ms())
            await self.look()
            await self.alarms.next()

    async def look(self) -> None:
        """Carry on what is new in the channel."""
        if await self.alarms.look():
            for viewer in self.viewers:
                viewer.wake.set()

    # -- one stream ---------------------------------------------------------------------------------------------------

    async def watch(
        self, last_event_id: int | None, scope: Scope, again: Again, picked: frozenset[str] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Server-sent events for one viewer: a snapshot, then what changes. Ends when the viewer goes, or may see no more.

        Behind `last_event_id` come the alarms since; where that is too long ago, `reset` says that lists must be read anew.
        `again` finds his scope anew, None when his session has ended. When he sees other lifts than before, `access` says
        that all shown so far is void, and a snapshot follows. `picked`: he wants these lifts alone, and all alarms.
        """
        viewer = Viewer(picked, self._clock())
        audience = self._join(viewer, scope)
        self.viewers.add(viewer)
        try:
            yield await self._begin(viewer, last_event_id) + self._snapshot(viewer, audience)
            while True:
                viewer.sending_ms = None
                await viewer.wake.wait()
                viewer.wake.clear()
                if viewer.recheck or self._clock() - viewer.authorised_ms >= REAUTHORISE_MS:
                    viewer.recheck, viewer.authorised_ms = False, self._clock()
                    fresh = await again()
                    if fresh is None:
                        yield _event("ended", {})
                        return
                    viewer.wake.set()
                    before, number = audience, viewer.number
                    # Joined before the other is left: one that stays is not made anew.
                    audience = self._join(viewer, fresh)
                    if audience is not before:
                        self._leave(viewer, before)
                    if audience is not before or audience.number != number:
                        viewer.sending_ms = self._clock()
                        yield _event("access", {}) + self._snapshot(viewer, audience)
                    continue
                news = await self._alarms_for(viewer, audience)
                # Whose a lift is may have changed while the channel was read: nothing is shown then before that is looked at.
                if not viewer.recheck:
                    news += self._lifts_for(viewer, audience)
                    if not news and self._clock() - viewer.sent_ms >= HEARTBEAT_MS:
                        news = viewer.head() + _event("heartbeat", {"t_ms": unix_ms()})
                    if news:
                        viewer.sending_ms = self._clock()
                        yield news
                        viewer.sent_ms = self._clock()
        finally:
            self._leave(viewer, audience)
            self.viewers.discard(viewer)

    async def _begin(self, viewer: Viewer, last_event_id: int | None) -> bytes:
        viewer.seq = self.alarms.seq
        if last_event_id is None:
            return b""
        if await self.alarms.can_resume(last_event_id):
            viewer.seq = last_event_id
            viewer.wake.set()
            return b""
        return _event("reset", {})

    def _snapshot(self, viewer: Viewer, audience: Audience) -> bytes:
        now = self._clock()
        lifts: list[bytes] = []
        viewer.seen = {}
        for group in self._groups.all:
            if audience.covers(group.assignment):
                if group.dirty:
                    self._advance(group, now)
                found = group.whole(now)
                viewer.seen[group] = group.seq
                lifts += [text for name, text in found.items() if viewer.picked is None or name in viewer.picked]
        viewer.dirty, viewer.silent, viewer.told_seq = set(), False, -1
        silent = json.dumps(self.board.silent_gateways(now, audience.sees)).encode()
        return b"".join((
            viewer.head(), b'event: snapshot\ndata: {"t_ms":%d,"silent_gateways":' % unix_ms(), silent, b',"lifts":[',
            b",".join(lifts), b"]}\n\n",
        ))  # fmt: skip

    async def _alarms_for(self, viewer: Viewer, audience: Audience) -> bytes:
        if viewer.seq >= self.alarms.seq:
            return b""
        found = await self.alarms.behind(viewer.seq)
        if not found or viewer.recheck:
            return b""
        texts = [alarm.text_for(audience) for alarm in found]
        viewer.seq = found[-1].seq
        if texts[-1]:
            viewer.told_seq = viewer.seq
        if viewer.seq < self.alarms.seq:
            viewer.wake.set()
        return b"".join(texts)

    def _lifts_for(self, viewer: Viewer, audience: Audience) -> bytes:
        now = self._clock()
        out = []
        if viewer.silent:
            viewer.silent = False
            out.append(self._silent_for(audience, now))
        dirty, viewer.dirty = viewer.dirty, set()
        for group in dirty:
            seen = viewer.seen.get(group, -1)
            if group.dirty and not group.has(seen):
                self._advance(group, now)
            out.append(group.since(seen, now) if viewer.picked is None else group.some_since(seen, viewer.picked, now))
            viewer.seen[group] = group.seq
            viewer.dirty.discard(group)
        news = b"".join(out)
        return viewer.head() + news if news else b""

    def _silent_for(self, audience: Audience, now_ms: int) -> bytes:
        key = self._silent, self._places.number
        if audience.silent[0] != key:
            found = self.board.silent_gateways(now_ms, audience.sees)
            audience.silent = key, _event("silent", {"silent_gateways": found})
        return audience.silent[1]


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
