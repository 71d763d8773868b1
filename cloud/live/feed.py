"""The live feed: a tick encodes each changed lift once, viewers hold what they have not seen of theirs. Alarms go at once, in the order of their channel."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping
from typing import Any

from cloud.accounts.scope import NOBODYS, Assignment, Grant, Scope
from cloud.clock import mono_ms, unix_ms
from cloud.incidents.members import shown_to
from cloud.live.alarms import TRIM_S, Alarms, Log, Shown
from cloud.live.board import Board

TICK_S = 0.22
HEARTBEAT_S = 5.0
# An open stream looks so often whether its session is still alive; it does so at once when anybody's access changes.
REAUTHORISE_MS = 60_000
MAX_VIEWERS = 2000

Again = Callable[[], Awaitable[Scope | None]]


class Audience:
    """Viewers with the same grants: what they may see is found out once for all of them."""

    def __init__(self, grants: frozenset[Grant], places: "Places") -> None:
        self.grants, self._places = grants, places
        self.viewers: set[Viewer] = set()
        self._covered: dict[Assignment, bool] = {}

    @property
    def key(self) -> Hashable:
        """Who has the same one sees the same, until whose a lift is changes."""
        return self.grants, self._places.number

    def covers(self, lift: Assignment) -> bool:
        """They may see lifts of this assignment."""
        found = self._covered.get(lift)
        if found is None:
            found = self._covered[lift] = any(grant.covers(lift) for grant in self.grants)
        return found

    def sees(self, lift: str) -> bool:
        """They may see this lift."""
        return self.covers(self._places.of(lift))

    def sees_place(self, lift: str) -> bool:
        """They may see this lift, or if it is a gateway's id, a lift of that gateway; one without lifts is for who sees what is nobody's."""
        gateway = self._places.gateway(lift)
        if gateway is None:
            return self.sees(lift)
        return any(self.sees(name) for name in gateway) or self.covers(NOBODYS)


class Places:
    """Whose each lift is, as it was when access changed last."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.assignments: dict[str, Assignment] = {}
        self.number = 0

    def change(self, assignments: dict[str, Assignment]) -> None:
        """It is otherwise now."""
        self.assignments = assignments
        self.number += 1

    def of(self, lift: str) -> Assignment:
        """Whose it is; nobody's if it was never assigned."""
        return self.assignments.get(lift, NOBODYS)

    def gateway(self, name: str) -> list[str] | None:
        """The lifts of the gateway of that name; None if there is none, or a lift is called so."""
        if name in self.assignments or name not in self._board.gateways:
            return None
        return self._board.lifts_of(name)


class Viewer:
    """One open page: lifts it has not seen, alarms it must see, in order."""

    def __init__(self) -> None:
        self.dirty: set[str] = set()
        self.seq = 0
        self.told_seq = 0
        self.wake = asyncio.Event()
        self.authorised_ms = mono_ms()
        self.recheck = False


class Feed:
    """Fans the board out to viewers, to each what his scope covers."""

    def __init__(self, board: Board, shown: Mapping[str, Shown] | None = None) -> None:
        self.board = board
        self.viewers: set[Viewer] = set()
        self.refused = 0
        self.alarms = Alarms({"incident": shown_to, **(shown or {})})
        self._places = Places(board)
        self._audiences: dict[frozenset[Grant], Audience] = {}
        self._changed: set[str] = set()
        self._qualities: dict[str, str] = {}

    # -- what is told -------------------------------------------------------------------------------------------------

    def changed(self, names: list[str]) -> None:
        """These lifts have a newer state: shown at the next tick."""
        self._changed.update(names)

    def push(self, seq: int, event: str, lift: str, body: dict[str, Any]) -> None:
        """An entry of the alarm channel was committed: every viewer who may see it is told at once, in the channel's order."""
        self.alarms.push(seq, body)

    def access_changed(self, assignments: dict[str, Assignment]) -> None:
        """Roles, sessions or whose a lift is have changed: every stream proves anew what it may show. The dict is kept as it is."""
        self._places.change(assignments)
        for viewer in self.viewers:
            viewer.recheck = True
            viewer.wake.set()

    # -- who sees what ------------------------------------------------------------------------------------------------

    def sees(self, scope: Scope) -> Callable[[str], bool]:
        """Whether a scope covers a lift, for lists of lifts."""
        return Audience(scope.audience, self._places).sees

    def _join(self, viewer: Viewer, scope: Scope) -> Audience:
        audience = self._audiences.setdefault(scope.audience, Audience(scope.audience, self._places))
        audience.viewers.add(viewer)
        return audience

    def _leave(self, viewer: Viewer, audience: Audience) -> None:
        audience.viewers.discard(viewer)
        if not audience.viewers:
            self._audiences.pop(audience.grants, None)

    # -- the tick -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick(mono_ms())

    def tick(self, now_ms: int) -> None:
        """Hand what changed to the viewers who may see it."""
        for name in self.board.lifts:
            quality = self.board.view(name, now_ms)["quality"]
            if self._qualities.get(name) != quality:
                self._qualities[name] = quality
                self.board.touch(name)
                self._changed.add(name)
        groups: dict[Assignment, set[str]] = {}
        for name in self._changed:
            groups.setdefault(self._places.of(name), set()).add(name)
        self._changed = set()
        for audience in self._audiences.values():
            dirty = {name for group, names in groups.items() if audience.covers(group) for name in names}
            if dirty:
                for viewer in audience.viewers:
                    viewer.dirty |= dirty
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

    async def watch(self, last_event_id: int | None, scope: Scope, again: Again) -> AsyncGenerator[str, None]:
        """Server-sent events for one viewer: a snapshot, then what changes. Ends when the viewer goes, or may see no more.

        Behind `last_event_id` come the alarms since; where that is too long ago, `reset` says that lists must be read anew.
        `again` finds his scope anew, None when his session has ended. When he sees other lifts than before, `access` says
        that all shown so far is void, and a snapshot follows.
        """
        viewer = Viewer()
        audience = self._join(viewer, scope)
        self.viewers.add(viewer)
        try:
            viewer.seq = self.alarms.seq
            reset = ""
            if last_event_id is not None:
                if await self.alarms.can_resume(last_event_id):
                    viewer.seq = last_event_id
                    viewer.wake.set()
                else:
                    reset = self._event("reset", "{}")
            assignments = self._places.assignments
            yield reset + self._snapshot(viewer, audience)
            while True:
                if viewer.recheck or mono_ms() - viewer.authorised_ms >= REAUTHORISE_MS:
                    shown = self._names(audience, assignments)
                    viewer.recheck, viewer.authorised_ms = False, mono_ms()
                    viewer.wake.set()
                    fresh = await again()
                    if fresh is None:
                        yield self._event("ended", "{}")
                        return
                    self._leave(viewer, audience)
                    audience = self._join(viewer, fresh)
                    assignments = self._places.assignments
                    if self._names(audience, assignments) != shown:
                        yield self._event("access", "{}") + self._snapshot(viewer, audience)
                try:
                    await asyncio.wait_for(viewer.wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield self._event("heartbeat", json.dumps({"t_ms": unix_ms()}), viewer)
                    continue
                viewer.wake.clear()
                text = "" if viewer.recheck else await self._alarms_for(viewer, audience)
                # Whose a lift is may have changed while the channel was read: nothing is shown then before that is looked at.
                text = "" if viewer.recheck else text + self._lifts_for(viewer, audience)
                if text:
                    yield text
        finally:
            self._leave(viewer, audience)
            self.viewers.discard(viewer)

    def _names(self, audience: Audience, assignments: dict[str, Assignment]) -> list[str]:
        return [name for name in sorted(self.board.lifts) if audience.covers(assignments.get(name, NOBODYS))]

    def _silent(self, audience: Audience, now_ms: int) -> list[dict[str, Any]]:
        return self.board.silent_gateways(now_ms, audience.sees)

    def _snapshot(self, viewer: Viewer, audience: Audience) -> str:
        now = mono_ms()
        viewer.dirty = set()
        lifts = [self.board.view(name, now) for name in self._names(audience, self._places.assignments)]
        body = {"lifts": lifts, "silent_gateways": self._silent(audience, now)}
        viewer.told_seq = -1
        return self._event("snapshot", json.dumps(body, ensure_ascii=False), viewer)

    async def _alarms_for(self, viewer: Viewer, audience: Audience) -> str:
        found = await self.alarms.behind(viewer.seq)
        text = "".join(alarm.text_for(audience) for alarm in found)
        if not found or viewer.recheck:
            return ""
        viewer.seq = found[-1].seq
        if text:
            viewer.told_seq = viewer.seq
        if viewer.seq < self.alarms.seq:
            viewer.wake.set()
        return text

    def _lifts_for(self, viewer: Viewer, audience: Audience) -> str:
        if not viewer.dirty:
            return ""
        now = mono_ms()
        lifts = ",".join(self.board.encoded(name, now) for name in sorted(viewer.dirty) if audience.sees(name))
        viewer.dirty = set()
        silent = json.dumps(self._silent(audience, now))
        return self._event("lifts", f'{{"lifts":[{lifts}],"silent_gateways":{silent}}}', viewer)

    @staticmethod
    def _event(kind: str, data: str, viewer: Viewer | None = None) -> str:
        """With `viewer` it also says how far he has come, where no alarm of his has said so: he comes back from there."""
        head = ""
        if viewer is not None and viewer.told_seq != viewer.seq:
            viewer.told_seq = viewer.seq
            head = f"id: {viewer.seq}\n"
        return f"{head}event: {kind}\ndata: {data}\n\n"
