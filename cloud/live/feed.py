"""The live feed: a tick encodes each changed lift once, viewers hold what they have not seen of theirs. Alarms go at once."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from cloud.accounts.scope import NOBODYS, Assignment, Grant, Scope
from cloud.clock import mono_ms, unix_ms
from cloud.incidents.members import of_members
from cloud.live.board import Board

TICK_S = 0.22
HEARTBEAT_S = 5.0
# An open stream looks so often whether its session is still alive; it does so at once when anybody's access changes.
REAUTHORISE_MS = 60_000
# Incidents kept for a viewer who comes back with Last-Event-ID; older ones he reads from the list.
REPLAY = 500
MAX_VIEWERS = 2000

Again = Callable[[], Awaitable[Scope | None]]


class Audience:
    """Viewers with the same grants: what they may see is found out once for all of them."""

    def __init__(self, grants: frozenset[Grant]) -> None:
        self.grants = grants
        self.viewers: set[Viewer] = set()
        self._covered: dict[Assignment, bool] = {}

    def covers(self, lift: Assignment) -> bool:
        """They may see lifts of this assignment."""
        found = self._covered.get(lift)
        if found is None:
            found = self._covered[lift] = any(grant.covers(lift) for grant in self.grants)
        return found


class Alarm:
    """An incident on its way to the viewers, encoded once; one with members anew for who sees only some of them."""

    def __init__(self, seq: int, incident: dict[str, Any]) -> None:
        self.seq = seq
        self.lift = str(incident["lift"])
        self._text = json.dumps(incident, ensure_ascii=False)
        self._incident = incident if incident.get("members") else None

    def text_for(self, sees: Callable[[str], bool]) -> str:
        """As it is shown to who `sees`."""
        if self._incident is None:
            return self._text
        shown = of_members(self._incident, sees)
        return self._text if shown is self._incident else json.dumps(shown, ensure_ascii=False)


class Viewer:
    """One open page: lifts it has not seen, alarms it must see, in order."""

    def __init__(self) -> None:
        self.dirty: set[str] = set()
        self.alarm_seq = 0
        self.wake = asyncio.Event()
        self.authorised_ms = mono_ms()
        self.recheck = False


class Feed:
    """Fans the board out to viewers, to each what his scope covers."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.viewers: set[Viewer] = set()
        self.refused = 0
        self._assignments: dict[str, Assignment] = {}
        self._audiences: dict[frozenset[Grant], Audience] = {}
        self._changed: set[str] = set()
        self._alarms: deque[Alarm] = deque(maxlen=REPLAY)
        self._alarm_seq = 0
        self._qualities: dict[str, str] = {}

    # -- what is told -------------------------------------------------------------------------------------------------

    def changed(self, names: list[str]) -> None:
        """These lifts have a newer state: shown at the next tick."""
        self._changed.update(names)

    def alarm(self, incident: dict[str, Any]) -> None:
        """A stored incident: every viewer who may see its lift is woken at once."""
        self._alarm_seq += 1
        alarm = Alarm(self._alarm_seq, incident)
        self._alarms.append(alarm)
        for audience in self._audiences.values():
            if self._sees_alarm(audience, alarm.lift):
                for viewer in audience.viewers:
                    viewer.wake.set()

    def access_changed(self, assignments: dict[str, Assignment]) -> None:
        """Roles, sessions or whose a lift is have changed: every stream proves anew what it may show. The dict is kept as it is."""
        self._assignments = assignments
        for viewer in self.viewers:
            viewer.recheck = True
            viewer.wake.set()

    # -- who sees what ------------------------------------------------------------------------------------------------

    def sees(self, scope: Scope) -> Callable[[str], bool]:
        """Whether a scope covers a lift, for lists of lifts."""
        return self._seen_by(Audience(scope.audience))

    def _seen_by(self, audience: Audience) -> Callable[[str], bool]:
        return lambda name: audience.covers(self._assignments.get(name, NOBODYS))

    def _sees_alarm(self, audience: Audience, name: str) -> bool:
        """An incident of a gateway itself has the gateway's id for its lift: seen by who sees a lift of it."""
        if name in self._assignments or name not in self.board.gateways:
            return audience.covers(self._assignments.get(name, NOBODYS))
        sees = self._seen_by(audience)
        return any(sees(lift) for lift in self.board.lifts_of(name)) or audience.covers(NOBODYS)

    def _join(self, viewer: Viewer, scope: Scope) -> Audience:
        audience = self._audiences.setdefault(scope.audience, Audience(scope.audience))
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
            groups.setdefault(self._assignments.get(name, NOBODYS), set()).add(name)
        self._changed = set()
        for audience in self._audiences.values():
            dirty = {name for group, names in groups.items() if audience.covers(group) for name in names}
            if dirty:
                for viewer in audience.viewers:
                    viewer.dirty |= dirty
                    viewer.wake.set()

    # -- one stream ---------------------------------------------------------------------------------------------------

    async def watch(self, last_event_id: int | None, scope: Scope, again: Again) -> AsyncGenerator[str, None]:
        """Server-sent events for one viewer: a snapshot, then what changes. Ends when the viewer goes, or may see no more.

        `again` finds his scope anew, None when his session has ended. When he sees other lifts than before, `access` says
        that all shown so far is void, and a snapshot follows.
        """
        viewer = Viewer()
        audience = self._join(viewer, scope)
        self.viewers.add(viewer)
        try:
            viewer.alarm_seq = self._resume(last_event_id)
            assignments = self._assignments
            yield self._snapshot(audience)
            while True:
                if viewer.recheck or mono_ms() - viewer.authorised_ms >= REAUTHORISE_MS:
                    shown = self._names(audience, assignments)
                    viewer.recheck, viewer.authorised_ms = False, mono_ms()
                    fresh = await again()
                    if fresh is None:
                        yield self._event("ended", "{}")
                        return
                    self._leave(viewer, audience)
                    audience = self._join(viewer, fresh)
                    assignments = self._assignments
                    if self._names(audience, assignments) != shown:
                        yield self._event("access", "{}") + self._snapshot(audience)
                try:
                    await asyncio.wait_for(viewer.wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield self._event("heartbeat", json.dumps({"t_ms": unix_ms()}))
                    continue
                viewer.wake.clear()
                text = "" if viewer.recheck else "".join(self._news(viewer, audience))
                if text:
                    yield text
        finally:
            self._leave(viewer, audience)
            self.viewers.discard(viewer)

    def _resume(self, last_event_id: int | None) -> int:
        first = self._alarms[0].seq if self._alarms else self._alarm_seq + 1
        if last_event_id is not None and first - 1 <= last_event_id <= self._alarm_seq:
            return last_event_id
        return self._alarm_seq

    def _names(self, audience: Audience, assignments: dict[str, Assignment]) -> list[str]:
        return [name for name in sorted(self.board.lifts) if audience.covers(assignments.get(name, NOBODYS))]

    def _silent(self, audience: Audience, now_ms: int) -> list[dict[str, Any]]:
        return self.board.silent_gateways(now_ms, self._seen_by(audience))

    def _snapshot(self, audience: Audience) -> str:
        now = mono_ms()
        lifts = [self.board.view(name, now) for name in self._names(audience, self._assignments)]
        body = {"lifts": lifts, "silent_gateways": self._silent(audience, now)}
        return self._event("snapshot", json.dumps(body, ensure_ascii=False), self._alarm_seq)

    def _news(self, viewer: Viewer, audience: Audience) -> list[str]:
        out = []
        for alarm in self._alarms:
            if alarm.seq > viewer.alarm_seq:
                viewer.alarm_seq = alarm.seq
                if self._sees_alarm(audience, alarm.lift):
                    out.append(self._event("incident", alarm.text_for(self._seen_by(audience)), alarm.seq))
        if viewer.dirty:
            now = mono_ms()
            sees = self._seen_by(audience)
            lifts = ",".join(self.board.encoded(name, now) for name in sorted(viewer.dirty) if sees(name))
            viewer.dirty = set()
            silent = json.dumps(self._silent(audience, now))
            out.append(self._event("lifts", f'{{"lifts":[{lifts}],"silent_gateways":{silent}}}'))
        return out

    @staticmethod
    def _event(kind: str, data: str, seq: int | None = None) -> str:
        head = f"id: {seq}\n" if seq is not None else ""
        return f"{head}event: {kind}\ndata: {data}\n\n"
