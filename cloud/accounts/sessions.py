"""Server-side sessions: a random token in a cookie, its hash here. Revocable, with an idle and an absolute end."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from cloud.accounts import changes
from cloud.accounts.models import Membership, Organisation, Person, Session
from cloud.accounts.scope import Actor, Grant, Scope
from cloud.accounts.tokens import USED_MS, hash_of, make_secret
from cloud.audit import service as audit


@dataclass(frozen=True)
class Client:
    """Where a request comes from."""

    ip: str = ""
    agent: str = ""
    request: str = ""


def grants_of(person: Person) -> tuple[Grant, ...]:
    """What the loaded memberships of a person give."""
    return tuple(
        Grant(m.organisation, m.of.kind, m.role, tuple(found.code for found in m.of.districts), m.district)
        for m in person.memberships
    )


WITH_GRANTS = selectinload(Person.memberships).selectinload(Membership.of).selectinload(Organisation.districts)


async def begin(
    session: AsyncSession, now_ms: int, person: Person, method: str, client: Client, absolute_ms: int
) -> str:
    """Sign `person` in; the token for the cookie. Sessions that have ended are forgotten meanwhile."""
    text, hashed = make_secret()
    row = Session(
        token_hash=hashed, person=person.id, method=method, ip=audit.clean(client.ip, 45),
        agent=audit.clean(client.agent, 200), begun_at_ms=now_ms, used_at_ms=now_ms, ends_at_ms=now_ms + absolute_ms,
    )  # fmt: skip
    await session.execute(delete(Session).where(Session.ends_at_ms <= now_ms))
    session.add(row)
    actor = Actor("person", person.id, person.name, client.ip, client.request)
    await audit.write(session, now_ms, actor, "signed_in", f"person:{person.id}", method=method)
    return text


async def scope_of(session: AsyncSession, now_ms: int, text: str, idle_ms: int, client: Client) -> Scope | None:
    """The scope of who holds this token; None when it was revoked, has ended, or the person may no longer come in."""
    query = select(Session, Person).join(Person, Person.id == Session.person).options(WITH_GRANTS)
    found = (await session.execute(query.where(Session.token_hash == hash_of(text)))).one_or_none()
    if found is None:
        return None
    row, person = found
    if now_ms >= row.ends_at_ms or now_ms - row.used_at_ms >= idle_ms or not person.active:
        return None
    if now_ms - row.used_at_ms >= USED_MS:
        await session.execute(update(Session).where(Session.id == row.id).values(used_at_ms=now_ms))
        await session.commit()
    return Scope(Actor("person", person.id, person.name, client.ip, client.request), grants_of(person), row.id)


async def of_person(session: AsyncSession, now_ms: int, person: str, idle_ms: int) -> list[Session]:
    """His sessions that are alive, newest first."""
    query = select(Session).where(
        Session.person == person, Session.ends_at_ms > now_ms, Session.used_at_ms > now_ms - idle_ms
    )
    return list((await session.scalars(query.order_by(Session.begun_at_ms.desc()))).all())


async def end(session: AsyncSession, person: str, *, only: str | None = None, but: str | None = None) -> int:
    """Sign a person out everywhere, of one session `only`, or everywhere `but` one; how many that were."""
    query = delete(Session).where(Session.person == person)
    if only is not None:
        query = query.where(Session.id == only)
    if but is not None:
        query = query.where(Session.id != but)
    ended = (await session.execute(query.returning(Session.id))).all()
    if ended:
        await changes.access_changed(session)
    return len(ended)
