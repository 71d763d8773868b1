"""Alarms on their way to the viewers: read from the stored channel in its order, held for those who are a little behind.

Knows no database: the channel is given. A push only says that there is something; what is shown comes in the channel's order.
"""

import asyncio
import contextlib
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple, Protocol

from cloud.accounts.scope import Grant

# Entries held in memory; who is further behind reads the channel itself.
HELD = 500
# Bodies pushed and not yet carried on; what is not here is read from its store.
PUSHED = 1000
PAGE = 200
# Other processes write to the channel too, and push nothing here.
POLL_S = 1.0
TRIM_S = 3600.0


class Told(NamedTuple):
    """One entry of the channel."""

    seq: int
    event: str
    object_id: str
    lift: str


class Eyes(Protocol):
    """Viewers who see the same."""

    grants: frozenset[Grant]

    @property
    def key(self) -> Hashable:
        """Who has the same one sees the same now."""

    def sees(self, lift: str) -> bool:
        """They may see this lift."""

    def sees_place(self, lift: str) -> bool:
        """They may see this lift, or if it is a gateway's id, a lift of that gateway."""


# A body as `Eyes` may see it: itself, a copy with less in it, or None.
Shown = Callable[[dict[str, Any], Eyes], dict[str, Any] | None]


class Log(Protocol):
    """The stored channel."""

    async def bounds(self) -> tuple[int, int]:
        """Numbers of the oldest and of the newest entry, 0 if there is none."""

    async def after(self, seq: int, limit: int) -> list[Told]:
        """Entries behind `seq`, in order."""

    async def newest_of_each(self, after: int, upto: int, limit: int) -> list[Told]:
        """The last entry of each object behind `after` up to `upto`, in order."""

    async def bodies(self, found: list[Told]) -> dict[tuple[str, str], dict[str, Any]]:
        """{(event, id): body} as the stores have them now."""

    async def trim(self, now_ms: int) -> int:
        """Forget what is too old."""


class Alarm:
    """One entry with its body, encoded once for all who may see the whole of it."""

    def __init__(self, told: Told, body: dict[str, Any] | None, shown: Shown) -> None:
        self.seq, self.about = told.seq, (told.event, told.object_id)
        self._event, self._body, self._shown = told.event, body, shown
        self._whole = b""
        self._parts: dict[Hashable, bytes] = {}

    def text_for(self, eyes: Eyes) -> bytes:
        """The event for these viewers; empty if it is not for them."""
        found = self._parts.get(eyes.key)
        if found is None:
            found = self._parts[eyes.key] = self._made_for(eyes)
        return found

    def _made_for(self, eyes: Eyes) -> bytes:
        shown = None if self._body is None else self._shown(self._body, eyes)
        if shown is None:
            return b""
        if shown is self._body:
            self._whole = self._whole or self._text(shown)
            return self._whole
        return self._text(shown)

    def _text(self, body: dict[str, Any]) -> bytes:
        return f"id: {self.seq}\nevent: {self._event}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


class Alarms:
    """The channel's newest entries, in order; `seq` is where it is read up to."""

    def __init__(self, shown: Mapping[str, Shown]) -> None:
        self._shown = shown
        self._log: Log | None = None
        self.seq = 0
        self._held: deque[Alarm] = deque()
        self._floor = 0
        self._pushed: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()

    async def begin(self, log: Log) -> None:
        """Go on where the channel is now."""
        self._log = log
        _, self.seq = await log.bounds()
        self._floor = self.seq

    def push(self, seq: int, body: dict[str, Any]) -> None:
        """An entry was committed."""
        if seq > self.seq:
            self._pushed[seq] = body
            if len(self._pushed) > PUSHED:
                self._pushed.popitem(last=False)
        self._wake.set()

    async def next(self) -> None:
        """Until there may be something new: a push, or POLL_S."""
        # Not by wait_for: that of Python 3.11 swallows an end that comes together with a push, and the loop never ends.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        self._wake.clear()

    async def look(self) -> bool:
        """Read on; whether there was something."""
        async with self._looking:
            begun = self.seq
            while True:
                found = await self._stored.after(self.seq, PAGE)
                unknown = [told for told in found if told.seq not in self._pushed]
                read = await self._stored.bodies(unknown) if unknown else {}
                for told in found:
                    body = self._pushed.pop(told.seq, None) or read.get((told.event, told.object_id))
                    self._hold(Alarm(told, body, self._shown[told.event]))
                if len(found) < PAGE:
                    return self.seq > begun

    def _hold(self, alarm: Alarm) -> None:
        self._held.append(alarm)
        self.seq = alarm.seq
        if len(self._held) > HELD:
            self._floor = self._held.popleft().seq

    async def can_resume(self, seq: int) -> bool:
        """Everything behind `seq` is still in the channel; False also of a number that it never gave."""
        if seq > self.seq:
            await self.look()
        oldest, _ = await self._stored.bounds()
        return oldest - 1 <= seq <= self.seq

    async def behind(self, seq: int) -> list[Alarm]:
        """The next ones behind `seq`, each object once in its newest form; empty if there are none."""
        while seq < self._floor:
            floor = self._floor
            found = await self._stored.newest_of_each(seq, floor, PAGE)
            if found:
                read = await self._stored.bodies(found)
                return [Alarm(told, read.get((told.event, told.object_id)), self._shown[told.event]) for told in found]
            seq = floor
        newest = {alarm.about: alarm for alarm in self._held if alarm.seq > seq}
        return sorted(newest.values(), key=lambda alarm: alarm.seq)

    async def trim(self, now_ms: int) -> None:
        """Forget what is too old."""
        await self._stored.trim(now_ms)

    @property
    def _stored(self) -> Log:
        assert self._log is not None, "begin() first"
        return self._log
