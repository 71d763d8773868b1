"""Writes the audit log in the transaction of what it tells of, and reads and verifies it."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.scope import Actor, Scope
from cloud.audit.chain import BODY, Verifier, link
from cloud.audit.models import AuditEntry, AuditHead

PAGE = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def clean(text: str, most: int) -> str:
    """Text as a column can keep it: no control characters, no longer than that."""
    return _CONTROL.sub("�", text)[:most]


def _cleaned(value: Any) -> Any:
    """The same without what JSON or a database would not give back as it was."""
    if isinstance(value, str):
        return clean(value, 1000)
    if isinstance(value, dict):
        return {clean(str(key), 120): _cleaned(held) for key, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(held) for held in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value


async def write(
    session: AsyncSession, now_ms: int, who: Scope | Actor, action: str, object: str = "", /, **detail: Any
) -> AuditEntry:
    """Add an entry; it is there when the caller commits. From here to the commit no other process writes to the log."""
    actor = who.actor if isinstance(who, Scope) else who
    organisations = sorted({grant.organisation for grant in who.grants}) if isinstance(who, Scope) else []
    taken = update(AuditHead).where(AuditHead.id == 1).values(number=AuditHead.number + 1)
    number, previous = (await session.execute(taken.returning(AuditHead.number, AuditHead.hash))).one()
    body = {
        "number": number, "at_ms": now_ms, "actor_kind": actor.kind, "actor": actor.id,
        "actor_name": clean(actor.name, 120), "organisation": ",".join(organisations)[:200], "action": action,
        "object": clean(object, 120), "detail": _cleaned(detail), "ip": clean(actor.ip, 45), "request": clean(actor.request, 32),
    }  # fmt: skip
    entry = AuditEntry(**body, previous=previous, hash=link(previous, body))
    session.add(entry)
    await session.execute(update(AuditHead).where(AuditHead.id == 1).values(hash=entry.hash))
    await session.flush()
    return entry


async def newest(
    session: AsyncSession,
    *,
    before: int | None = None,
    actor: str | None = None,
    object: str | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Entries, newest first; `before` = number of the last one seen turns the page."""
    query = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(min(limit, PAGE))
    if before is not None:
        query = query.where(AuditEntry.number < before)
    if actor is not None:
        query = query.where(AuditEntry.actor == actor)
    if object is not None:
        query = query.where(AuditEntry.object == object)
    return list((await session.scalars(query)).all())


async def verify(session: AsyncSession, expected: Mapping[int, str] | None = None) -> Verifier:
    """Walk the whole chain, page by page; what is broken is in the result. `expected`: {number: hash} noted down before."""
    found = Verifier(expected)
    last, head = 0, None
    while found.broken is None:
        query = select(AuditEntry).where(AuditEntry.number > last).order_by(AuditEntry.number).limit(PAGE)
        rows = (await session.scalars(query)).all()
        if not rows and head is not None and head.number <= last:
            break
        found.take({name: getattr(row, name) for name in (*BODY, "previous", "hash")} for row in rows)
        session.expunge_all()
        if not rows and head is not None:
            break  # the head was read before them, and names one that is not there
        last = rows[-1].number if rows else last
        head = await session.get(AuditHead, 1)
        if head is None:
            found.end(-1, "")
    if head is not None:
        found.end(head.number, head.hash)
    return found
