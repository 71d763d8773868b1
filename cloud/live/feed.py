"""The live feed: a tick encodes each changed lift once, viewers hold what they have not seen. Alarms go at once."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

from cloud.clock import mono_ms, unix_ms
from cloud.live.board import Board

TICK_S = 0.22
HEARTBEAT_S = 5.0
# Incidents kept for a viewer who comes back with Last-Event-ID; older ones he reads from the list.
REPLAY = 500
MAX_VIEWERS = 2000


class Viewer:
    """One open page: lifts it has not seen, alarms it must see, in order."""

    def __init__(self) -> None:
        self.dirty: set[str] = set()
        self.alarm_seq = 0
        self.wake = asyncio.Event()


class Feed:
    """Fans the board out to viewers."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.viewers: set[Viewer] = set()
        self.refused = 0
        self._changed: set[str] = set()
        self._alarms: deque[tuple[int, str]] = deque(maxlen=REPLAY)
        self._alarm_seq = 0
        self._qualities: dict[str, str] = {}

    def changed(self, names: list[str]) -> None:
        """These lifts have a newer state: shown at the next tick."""
        self._changed.update(names)

    def alarm(self, incident: dict[str, Any]) -> None:
        """A stored incident: every viewer is woken at once."""
        self._alarm_seq += 1
        self._alarms.append((self._alarm_seq, json.dumps(incident, ensure_ascii=False)))
        for viewer in self.viewers:
            viewer.wake.set()

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            now = mono_ms()
            for name in self.board.lifts:
                quality = self.board.view(name, now)["quality"]
                if self._qualities.get(name) != quality:
                    self._qualities[name] = quality
                    self.board.touch(name)
                    self._changed.add(name)
            if self._changed:
                for viewer in self.viewers:
                    viewer.dirty |= self._changed
                    viewer.wake.set()
                self._changed = set()

    async def watch(self, last_event_id: int | None) -> AsyncGenerator[str, None]:
        """Server-sent events for one viewer: a snapshot, then what changes. Ends when the viewer goes."""
        viewer = Viewer()
        self.viewers.add(viewer)
        try:
            first = self._alarms[0][0] if self._alarms else self._alarm_seq + 1
            viewer.alarm_seq = self._alarm_seq
            if last_event_id is not None and first - 1 <= last_event_id <= self._alarm_seq:
                viewer.alarm_seq = last_event_id
            yield self._event("snapshot", json.dumps(self._snapshot(), ensure_ascii=False), self._alarm_seq)
            while True:
                try:
                    await asyncio.wait_for(viewer.wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield self._event("heartbeat", json.dumps({"t_ms": unix_ms()}))
                    continue
                viewer.wake.clear()
                text = "".join(self._news(viewer))
                if text:
                    yield text
        finally:
            self.viewers.discard(viewer)

    def _snapshot(self) -> dict[str, Any]:
        now = mono_ms()
        return {"lifts": self.board.all(now), "silent_gateways": self.board.silent_gateways(now)}

    def _news(self, viewer: Viewer) -> list[str]:
        out = []
        for seq, text in self._alarms:
            if seq > viewer.alarm_seq:
                viewer.alarm_seq = seq
                out.append(self._event("incident", text, seq))
        if viewer.dirty:
            now = mono_ms()
            lifts = ",".join(self.board.encoded(name, now) for name in sorted(viewer.dirty))
            viewer.dirty = set()
            silent = json.dumps(self.board.silent_gateways(now))
            out.append(self._event("lifts", f'{{"lifts":[{lifts}],"silent_gateways":{silent}}}'))
        return out

    @staticmethod
    def _event(kind: str, data: str, seq: int | None = None) -> str:
        head = f"id: {seq}\n" if seq is not None else ""
        return f"{head}event: {kind}\ndata: {data}\n\n"
