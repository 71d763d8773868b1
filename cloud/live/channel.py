"""The stored alarm channel: what was told to viewers, in order, for those who come back. The bodies are in their own stores.

No entry is ever missed: who reads what is behind a number finds all that was committed and will be below the newest one found.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.live.alarms import Told
from cloud.live.models import ChannelEntry

DAY_MS = 86_400_000
# So long an entry is kept (ours): whoever was away for longer reads his lists anew.
KEEP_MS = 7 * DAY_MS
ORDER_LOCK = 0x11F8  # ours; any number that nobody else takes in this database

Read = Callable[[AsyncSession, list[str]], Awaitable[dict[str, dict[str, Any]]]]


async def append(
    session: AsyncSession, event: Literal["incident", "case"], object_id: str, lift: str, now_ms: int
) -> int:
    """Put an entry into the caller's transaction; its number, for `feed.push` after the commit. Let it be the last statement before that.

    PostgreSQL gives numbers when a row is made, not when it is committed: a reader might see 8 before 7, and take 7 as read. So
    who appends holds a lock to the end of his transaction, and numbers are committed in their order. Whatever comes after it in
    the transaction makes others wait. SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})
    entry = ChannelEntry(event=event, object_id=object_id, lift=lift, at_ms=now_ms)
    session.add(entry)
    await session.flush()
    return entry.seq


async def trim(session: AsyncSession, now_ms: int) -> int:
    """Forget what is older than KEEP_MS, how many; never the newest one, which says where the channel is."""
    newest = select(func.max(ChannelEntry.seq)).scalar_subquery()
    old = delete(ChannelEntry).where(ChannelEntry.at_ms < now_ms - KEEP_MS, ChannelEntry.seq < newest)
    gone = (await session.scalars(old.returning(ChannelEntry.seq))).all()
    await session.commit()
    return len(gone)


class Channel:
    """The channel as the live feed reads it. `read` of each event: {id: newest body} of those that there still are."""

    def __init__(self, sessions: Any, read: Mapping[str, Read]) -> None:
        self._sessions, self._read = sessions, read

    async def bounds(self) -> tuple[int, int]:
        """Numbers of the oldest and of the newest entry, 0 if there is none."""
        async with self._sessions() as session:
            found = await session.execute(select(func.min(ChannelEntry.seq), func.max(ChannelEntry.seq)))
            oldest, newest = found.one()
        return oldest or 0, newest or 0

    async def after(self, seq: int, limit: int) -> list[Told]:
        """Entries behind `seq`, in order."""
        query = select(ChannelEntry).where(ChannelEntry.seq > seq).order_by(ChannelEntry.seq).limit(limit)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [Told(row.seq, row.event, row.object_id, row.lift) for row in rows]

    async def newest_of_each(self, after: int, upto: int, limit: int) -> list[Told]:
        """The last entry of each object behind `after` up to `upto`, in order."""
        last = func.max(ChannelEntry.seq)
        query = (
            select(last, ChannelEntry.event, ChannelEntry.object_id, func.max(ChannelEntry.lift))
            .where(ChannelEntry.seq > after, ChannelEntry.seq <= upto)
            .group_by(ChannelEntry.event, ChannelEntry.object_id)
            .order_by(last)
            .limit(limit)
        )
        async with self._sessions() as session:
            return [Told(*row) for row in (await session.execute(query)).all()]

    async def bodies(self, found: list[Told]) -> dict[tuple[str, str], dict[str, Any]]:
        """{(event, id): body} as the stores have them now."""
        out: dict[tuple[str, str], dict[str, Any]] = {}
        async with self._sessions() as session:
            for event, read in self._read.items():
                names = list(dict.fromkeys(told.object_id for told in found if told.event == event))
                if names:
                    out |= {(event, name): body for name, body in (await read(session, names)).items()}
        return out

    async def trim(self, now_ms: int) -> int:
        """Forget what is too old."""
        async with self._sessions() as session:
            return await trim(session, now_ms)
