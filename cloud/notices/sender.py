"""The sender of the outbox: each channel in its own order and at its own pace, gravest first; what it was doing survives a kill.

An attempt is written down before it is made, so that one that kills us is counted too. Receivers may see a notice twice, with the
same id: after a kill between their answer and our commit.
"""

import asyncio
import functools
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Organisation
from cloud.audit import service as audit
from cloud.notices.adapters import hooks, mail, robots
from cloud.notices.message import Message, link_of, message
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.notices.outcome import MOST_ATTEMPTS, OUTAGE, Again, Failed, Never, Outcome, Sent
from cloud.notices.outward import SEND_S, Forbidden, Outward, Unreached
from cloud.notices.people import phones_of
from cloud.notices.service import SENDER

_log = logging.getLogger(__name__)

POLL_S = 0.5
# A notice that was being sent when we were killed is tried again then.
CLAIM_MS = int(SEND_S * 1000) + 5_000
# Channels at once; ours. Each holds one connection outward.
MOST_AT_ONCE = 64
MOST_EXPIRED = 200
# What is shorter is no secret and might be part of any word.
SHORTEST_SECRET = 4


@dataclass(frozen=True)
class Taken:
    """A notice that is this process's to send now."""

    number: int
    attempts: int
    failures: int
    message: Message
    kind: str
    settings: dict[str, Any]
    secret: str
    phones: tuple[str, ...]


class Sender:
    """`sessions` of the database; `outward` to the receivers; `origin` of our pages for links; `spread` is the jitter, in 0…1."""

    def __init__(
        self, sessions: Any, outward: Outward, clock: Callable[[], int], origin: str = "", spread: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._sessions, self._outward, self._clock, self._origin, self._spread = (
            sessions,
            outward,
            clock,
            origin,
            spread,
        )
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._woken = asyncio.Event()
        self.counts: Counter[str] = Counter()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._woken.set()

    async def run(self) -> None:
        """For ever."""
        await self.take_up()
        try:
            while True:
                self._woken.clear()
                await self.look()
                try:
                    async with asyncio.timeout(POLL_S):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            await self.stop()

    async def take_up(self) -> None:
        """What a process before this one was sending goes at once. On PostgreSQL another may still be at it: there its claim has to end."""
        async with self._sessions() as session:
            if session.get_bind().dialect.name == "sqlite":
                now_ms = self._clock()
                held = update(NoticeRow).where(NoticeRow.state == "waiting", NoticeRow.next_at_ms > now_ms)
                await session.execute(held.values(next_at_ms=now_ms))
                await session.commit()

    async def stop(self) -> None:
        """End what is being sent; it is tried again after its claim."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """All that was due at the last look was tried."""
        await asyncio.gather(*list(self._tasks.values()))

    async def look(self) -> None:
        """Give up what is too late, and set each channel going that has something due."""
        now_ms = self._clock()
        async with self._sessions() as session:
            await _expire(session, now_ms, self.counts)
            due = select(NoticeRow.channel).join(NoticeChannel, NoticeChannel.id == NoticeRow.channel).where(
                NoticeRow.state == "waiting", NoticeRow.next_at_ms <= now_ms, NoticeChannel.active,
                NoticeChannel.pause_until_ms <= now_ms,
            )  # fmt: skip
            channels = (await session.scalars(due.distinct())).all()
        for channel in channels:
            if channel not in self._tasks:
                task = asyncio.create_task(self._drain(channel))
                self._tasks[channel] = task
                task.add_done_callback(functools.partial(self._ended, channel))

    def _ended(self, channel: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(channel, None)

    async def _drain(self, channel: str) -> None:
        """Send what is due on one channel until nothing is, or one fails. Whatever happens here is this channel's alone."""
        try:
            async with self._places:
                while await self._next(channel):
                    pass
        except Exception:  # the top of the channel's loop
            self.counts["error"] += 1
            _log.exception("channel %s failed; its notice is tried again", channel)

    async def _next(self, channel: str) -> bool:
        """Try the gravest oldest one; True if the channel may go on at once."""
        async with self._sessions() as session:
            taken = await self._claim(session, channel)
        if taken is None:
            return False
        outcome = await self._send(taken)
        async with self._sessions() as session:
            await self._settle(session, channel, taken, outcome)
            await session.commit()
        return not isinstance(outcome, Again)

    async def _claim(self, session: AsyncSession, channel: str) -> Taken | None:
        now_ms = self._clock()
        place = await session.get_one(NoticeChannel, channel)
        due = select(NoticeRow).where(
            NoticeRow.channel == channel, NoticeRow.state == "waiting", NoticeRow.next_at_ms <= now_ms
        )  # fmt: skip
        row = await session.scalar(due.order_by(NoticeRow.severity.desc(), NoticeRow.number).limit(1))
        if row is None or not place.active or place.pause_until_ms > now_ms:
            return None
        mine = update(NoticeRow).where(
            NoticeRow.number == row.number, NoticeRow.state == "waiting", NoticeRow.attempts == row.attempts,
            NoticeRow.next_at_ms == row.next_at_ms,
        ).values(attempts=row.attempts + 1, next_at_ms=now_ms + CLAIM_MS)  # fmt: skip
        claimed = await session.execute(
            mine.returning(NoticeRow.attempts), execution_options={"synchronize_session": False}
        )
        attempts = claimed.scalar()
        if attempts is None:
            return None  # another process has it
        kind = await session.scalar(select(Organisation.kind).where(Organisation.id == place.organisation)) or ""
        phones = await phones_of(session, place, row.lift) if place.kind == "sms_hook" else ()
        await session.commit()
        words = message(
            id=row.id, kind=row.kind, case=row.case, lift=row.lift, severity=row.severity, made_at_ms=row.made_at_ms,
            facts=row.facts, language=place.language, link=link_of(self._origin, kind, row.case, row.lift),
        )  # fmt: skip
        return Taken(row.number, attempts, place.failures, words, place.kind, place.settings, place.secret, phones)

    async def _send(self, taken: Taken) -> Outcome:
        if taken.kind == "sms_hook" and not taken.phones:
            return Never("nobody", "nobody with these roles has a telephone number")
        try:
            return await ADAPTERS[taken.kind](self._outward, taken, self._clock())
        except Forbidden as error:
            return Never(error.code, error.detail)
        except Unreached as error:
            return Again(error.code, error.detail)

    async def _settle(self, session: AsyncSession, channel: str, taken: Taken, outcome: Outcome) -> None:
        now_ms = self._clock()
        place = await session.get(NoticeChannel, channel)
        row = await session.get(NoticeRow, taken.number)
        if place is None or row is None or row.state != "waiting":
            return  # removed, or given up for want of room meanwhile
        row.receipt = {"code": outcome.code, "detail": audit.clean(hidden(taken, outcome.detail), 300)}
        if isinstance(outcome, Sent):
            row.receipt |= {"message_id": audit.clean(outcome.message_id, 200), "to": list(outcome.to)}
            row.state, row.done_at_ms = "sent", now_ms
            await self._well_again(session, now_ms, place)
        elif isinstance(outcome, Again):
            place.failures += 1
            waits = Failed(row.attempts, place.failures, outcome.after_ms, self._spread()).waits(now_ms)
            place.pause_until_ms, row.next_at_ms = waits.channel_ms, waits.notice_ms
            if row.attempts >= MOST_ATTEMPTS or row.next_at_ms >= row.ends_at_ms:
                await _dead(session, now_ms, row)
        else:
            await _dead(session, now_ms, row)
        self.counts[row.state if row.state != "waiting" else "again"] += 1

    async def _well_again(self, session: AsyncSession, now_ms: int, place: NoticeChannel) -> None:
        """After an outage what waited goes in its order, not by how often it was tried."""
        if place.failures >= OUTAGE:
            later = update(NoticeRow).where(
                NoticeRow.channel == place.id, NoticeRow.state == "waiting", NoticeRow.next_at_ms > now_ms
            )  # fmt: skip
            await session.execute(later.values(next_at_ms=now_ms), execution_options={"synchronize_session": False})
        place.failures, place.pause_until_ms = 0, 0


def hidden(taken: Taken, text: str) -> str:
    """The text without what is secret of the channel: some receivers say back what they were sent."""
    url = str(taken.settings.get("url", ""))
    for secret in (taken.secret, url, url.partition("?")[2], *(value for _, value in parse_qsl(url.partition("?")[2]))):
        text = text.replace(secret, "…") if len(secret) >= SHORTEST_SECRET else text
    return text


async def _dead(session: AsyncSession, now_ms: int, row: NoticeRow) -> None:
    row.state, row.done_at_ms = "dead", now_ms
    await session.flush()
    await audit.write(
        session, now_ms, SENDER, "notice.dead", f"channel:{row.channel}", notice=row.id, kind=row.kind, case=row.case,
        attempts=row.attempts, receipt=row.receipt,
    )  # fmt: skip


async def _expire(session: AsyncSession, now_ms: int, counts: Counter[str]) -> None:
    """What was not sent in its time is dead; MOST_EXPIRED a look."""
    late = select(NoticeRow).where(
        NoticeRow.state == "waiting", NoticeRow.ends_at_ms <= now_ms, NoticeRow.next_at_ms <= now_ms
    )  # fmt: skip
    rows = (await session.scalars(late.limit(MOST_EXPIRED))).all()
    for row in rows:
        row.receipt = {**row.receipt, "code": row.receipt.get("code", ""), "detail": "not sent in its time"}
        await _dead(session, now_ms, row)
        counts["dead"] += 1
    if rows:
        await session.commit()


async def _sms(outward: Outward, taken: Taken, now_ms: int) -> Outcome:
    return await hooks.sms(outward, taken.settings, taken.secret, taken.message, now_ms, taken.phones)


def _plain(send: Callable[..., Awaitable[Outcome]]) -> Callable[[Outward, Taken, int], Awaitable[Outcome]]:
    async def sending(outward: Outward, taken: Taken, now_ms: int) -> Outcome:
        return await send(outward, taken.settings, taken.secret, taken.message, now_ms)

    return sending


ADAPTERS: dict[str, Callable[[Outward, Taken, int], Awaitable[Outcome]]] = {
    "sms_hook": _sms,
    "wecom": _plain(robots.wecom),
    "dingtalk": _plain(robots.dingtalk),
    "smtp": _plain(mail.smtp),
    "webhook": _plain(hooks.webhook),
}
