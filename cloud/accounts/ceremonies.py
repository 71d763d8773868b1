"""Sign-ins that are half done: what has to come back is kept here, is good for minutes, and is used once."""

from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Ceremony
from cloud.accounts.tokens import hash_of, make_secret

LIFE_MS = 300_000


@dataclass(frozen=True)
class Begun:
    """What was kept of one."""

    secret: str
    person: str | None


async def begin(session: AsyncSession, now_ms: int, kind: str, secret: str, person: str | None = None) -> str:
    """Keep `secret`; the token by which it is found again. Those that nobody came back for are forgotten meanwhile."""
    text, hashed = make_secret()
    await session.execute(delete(Ceremony).where(Ceremony.ends_at_ms <= now_ms))
    session.add(Ceremony(token_hash=hashed, kind=kind, secret=secret, person=person, ends_at_ms=now_ms + LIFE_MS))
    return text


async def use(session: AsyncSession, now_ms: int, kind: str, text: str) -> Begun | None:
    """What was kept, once; None if there is none of that kind any more."""
    query = delete(Ceremony).where(Ceremony.token_hash == hash_of(text), Ceremony.kind == kind)
    found = (
        await session.execute(query.returning(Ceremony.secret, Ceremony.person, Ceremony.ends_at_ms))
    ).one_or_none()
    if found is None or found.ends_at_ms <= now_ms:
        return None
    return Begun(found.secret, found.person)
