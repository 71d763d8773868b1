"""The ways in that need no other party: password with lock-out, one-time links, and the administrator of the first start."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import passwords, sessions
from cloud.accounts.errors import NotThere, Refused
from cloud.accounts.models import Membership, OneTimeLink, Organisation, Passkey, Person
from cloud.accounts.passwords import Passwords
from cloud.accounts.scope import Actor, Scope
from cloud.accounts.sessions import Client
from cloud.accounts.tokens import hash_of, make_secret
from cloud.audit import service as audit

# Ours: so many wrong passwords in a row, then a pause that doubles. Passkeys and open sessions go on meanwhile.
FREE_FAILURES = 5
FIRST_LOCK_MS = 60_000
LONGEST_LOCK_MS = 3_600_000
PLATFORM = "Platform"
FIRST_NAME = "admin"
FIRST_START = Actor("shell", "", "first start")


async def by_password(
    session: AsyncSession, now_ms: int, hasher: Passwords, name: str, password: str, client: Client
) -> Person:
    """The person whose name and password these are. Refused says neither which was wrong nor whether there is such a person.

    The attempt is counted and committed before the password is looked at, so that many at once get no more than one after
    the other.
    """
    nobody = Actor("nobody", "", name, client.ip, client.request)
    person = await session.scalar(select(Person).where(Person.sign_in_name == name.strip().lower()[:64]))
    if person is None or not person.active:
        await hasher.verify(password, None)
        await audit.write(session, now_ms, nobody, "sign_in.refused", "", why="unknown or inactive")
        await session.commit()
        raise Refused("sign_in_wrong")
    counted = update(Person).where(Person.id == person.id, Person.locked_until_ms <= now_ms)
    failures = await session.scalar(counted.values(failures=Person.failures + 1).returning(Person.failures))
    if failures is None:
        await hasher.verify(password, None)
        await audit.write(session, now_ms, nobody, "sign_in.refused", f"person:{person.id}", why="locked out")
        await session.commit()
        raise Refused("sign_in_wrong")
    if failures >= FREE_FAILURES:
        pause = min(LONGEST_LOCK_MS, FIRST_LOCK_MS << min(failures - FREE_FAILURES, 10))
        await session.execute(update(Person).where(Person.id == person.id).values(locked_until_ms=now_ms + pause))
    await session.commit()
    right, fresh = await hasher.verify(password, person.password_hash)
    if not right:
        locked = failures >= FREE_FAILURES
        why = "wrong password, locked out" if locked else "wrong password"
        await audit.write(session, now_ms, nobody, "sign_in.refused", f"person:{person.id}", why=why)
        await session.commit()
        raise Refused("sign_in_wrong")
    held = {"password_hash": fresh} if fresh else {}
    await session.execute(update(Person).where(Person.id == person.id).values(failures=0, locked_until_ms=0, **held))
    return person


async def make_link(
    session: AsyncSession, now_ms: int, who: Scope | Actor, person: Person, purpose: str, life_ms: int
) -> str:
    """The token of a link that works once, in place of earlier ones of its kind. `purpose`: set_password or sign_in."""
    await session.execute(delete(OneTimeLink).where(OneTimeLink.person == person.id, OneTimeLink.purpose == purpose))
    text, hashed = make_secret()
    session.add(
        OneTimeLink(
            token_hash=hashed, person=person.id, purpose=purpose, made_at_ms=now_ms, ends_at_ms=now_ms + life_ms
        )
    )
    await audit.write(session, now_ms, who, "link.made", f"person:{person.id}", purpose=purpose)
    return text


async def look_at_link(session: AsyncSession, now_ms: int, text: str) -> tuple[OneTimeLink, Person]:
    """The link and its person, without using it; NotThere if it was used, has ended, or never was."""
    query = select(OneTimeLink, Person).join(Person, Person.id == OneTimeLink.person)
    found = (await session.execute(query.where(OneTimeLink.token_hash == hash_of(text)))).one_or_none()
    if found is None or found[0].ends_at_ms <= now_ms or not found[1].active:
        raise NotThere("link_gone")
    return found[0], found[1]


async def use_link(session: AsyncSession, now_ms: int, text: str, purpose: str) -> Person:
    """Use the link up; the person who is in by it."""
    await look_at_link(session, now_ms, text)
    query = delete(OneTimeLink).where(OneTimeLink.token_hash == hash_of(text), OneTimeLink.purpose == purpose)
    used = await session.scalar(query.returning(OneTimeLink.person))
    person = None if used is None else await session.get(Person, used)
    if person is None:
        raise NotThere("link_gone")
    return person


async def hashed(hasher: Passwords, person: Person, password: str) -> str:
    """What is kept of a new password; Refused where it does not do.

    To be called before anything is written: it takes long, and SQLite has one writer, whom alarms wait for.
    """
    passwords.check(password, person.sign_in_name)
    return await hasher.hash(password)


async def set_password(
    session: AsyncSession, now_ms: int, person: Person, hashed: str, who: Scope | Actor, *, keep: str | None = None
) -> None:
    """Set it, lift a lock-out, and sign out everywhere but in the session `keep`."""
    await session.execute(
        update(Person).where(Person.id == person.id).values(password_hash=hashed, failures=0, locked_until_ms=0)
    )
    await sessions.end(session, person.id, but=keep)
    await session.execute(delete(OneTimeLink).where(OneTimeLink.person == person.id))
    await audit.write(session, now_ms, who, "password.set", f"person:{person.id}")


async def first_start(session: AsyncSession, now_ms: int, life_ms: int) -> str | None:
    """The token of the administrator's one-time link as long as nobody has come in; None ever after.

    Makes the platform's organisation and the person `admin` where there is nobody at all. There is no password.
    """
    await ensure_administrator(session, now_ms)
    people = (await session.scalars(select(Person).limit(2))).all()
    keys = await session.scalar(select(func.count()).select_from(Passkey))
    if len(people) > 1 or keys or people[0].password_hash is not None or people[0].sign_in_name != FIRST_NAME:
        return None
    token = await make_link(session, now_ms, FIRST_START, people[0], "set_password", life_ms)
    await session.commit()
    return token


async def ensure_administrator(session: AsyncSession, now_ms: int) -> None:
    """The platform's organisation and its administrator, where there is nobody at all."""
    if await session.scalar(select(Person.id).limit(1)) is not None:
        return
    organisation = Organisation(kind="platform", name=PLATFORM, made_at_ms=now_ms)
    person = Person(sign_in_name=FIRST_NAME, name="Administrator", made_at_ms=now_ms)
    session.add_all([organisation, person])
    await session.flush()
    session.add(Membership(person=person.id, organisation=organisation.id, role="administrator"))
    role = {"organisation": organisation.id, "role": "administrator"}
    await audit.write(session, now_ms, FIRST_START, "person.made", f"person:{person.id}", **role)
