"""Secrets that are shown once and kept as hashes: of sessions, one-time links, machines; and who a machine's token is."""

import hashlib
import secrets
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from cloud.accounts import changes
from cloud.accounts.errors import NotAllowed, NotThere, Refused
from cloud.accounts.models import Organisation, Token
from cloud.accounts.roles import permissions
from cloud.accounts.scope import Actor, Grant, Scope
from cloud.audit import service as audit

GATEWAY, API = "lwg_", "lwt_"
# How often the time of last use is written.
USED_MS = 60_000


def make_secret(prefix: str = "") -> tuple[str, str]:
    """(a new secret of 256 bits, its hash). The prefix lets people and scanners see what it is."""
    text = prefix + secrets.token_urlsafe(32)
    return text, hash_of(text)


def hash_of(text: str) -> str:
    """What is kept of a secret. They are random and long, so that a fast hash is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


async def make_gateway_token(
    session: AsyncSession, now_ms: int, who: Scope | Actor, gateway: str, name: str = ""
) -> tuple[Token, str]:
    """A token with which `gateway` may dial in, and its text, which is nowhere else."""
    text, hashed = make_secret(GATEWAY)
    token = Token(
        token_hash=hashed, name=audit.clean(name, 120) or f"gateway {gateway}", gateway=gateway, made_at_ms=now_ms
    )
    session.add(token)
    await session.flush()
    await audit.write(session, now_ms, who, "token.made", f"token:{token.id}", gateway=gateway)
    return token, text


async def make_api_token(
    session: AsyncSession,
    now_ms: int,
    who: Scope | Actor,
    organisation: Organisation,
    role: str,
    *,
    name: str,
    district: str = "",
    ends_at_ms: int | None = None,
) -> tuple[Token, str]:
    """A token that acts as `role` of `organisation`, and its text. Nobody makes one that may more than he may himself."""
    wanted = permissions(organisation.kind, role)
    if not wanted:
        raise Refused("no_such_role", f"an organisation of kind {organisation.kind} has no role {role!r:.40}")
    if isinstance(who, Scope) and not all(who.may_in(permission, organisation.id) for permission in wanted):
        raise NotAllowed("not_allowed", "a token cannot do more than who makes it")
    text, hashed = make_secret(API)
    token = Token(
        token_hash=hashed, name=audit.clean(name, 120), organisation=organisation.id, role=role, district=district,
        made_at_ms=now_ms, ends_at_ms=ends_at_ms,
    )  # fmt: skip
    session.add(token)
    await session.flush()
    detail = {"organisation": organisation.id, "role": role, "district": district, "ends_at_ms": ends_at_ms}
    await audit.write(session, now_ms, who, "token.made", f"token:{token.id}", **detail)
    return token, text


async def scope_of(session: AsyncSession, now_ms: int, text: str, actor: dict[str, str]) -> Scope | None:
    """The scope of an API token; None if there is none such."""
    query = select(Token).where(Token.token_hash == hash_of(text), Token.organisation.is_not(None))
    token = await session.scalar(query.options(selectinload(Token.of).selectinload(Organisation.districts)))
    if token is None or token.of is None or (token.ends_at_ms is not None and token.ends_at_ms <= now_ms):
        return None
    await _used(session, now_ms, token)
    area = tuple(district.code for district in token.of.districts)
    grant = Grant(token.of.id, token.of.kind, token.role, area, token.district)
    return Scope(Actor("token", token.id, token.name, **actor), (grant,))


async def is_gateway(session: AsyncSession, now_ms: int, text: str, gateway: str) -> bool:
    """`text` is a token of that gateway."""
    query = select(Token).where(Token.token_hash == hash_of(text), Token.gateway == gateway)
    token = await session.scalar(query)
    if token is None or (token.ends_at_ms is not None and token.ends_at_ms <= now_ms):
        return False
    await _used(session, now_ms, token)
    return True


async def _used(session: AsyncSession, now_ms: int, token: Token) -> None:
    if token.used_at_ms is None or now_ms - token.used_at_ms >= USED_MS:
        await session.execute(update(Token).where(Token.id == token.id).values(used_at_ms=now_ms))
        await session.commit()


def _visible(scope: Scope) -> Any:
    query = select(Token).order_by(Token.made_at_ms, Token.id)
    return query if scope.everywhere else query.where(Token.organisation.in_(scope.organisations("tokens.manage")))


async def listed(session: AsyncSession, scope: Scope, *, after: str = "", limit: int | None = None) -> list[Token]:
    """The tokens of the organisations in which he manages them; with those of gateways for who manages everything.

    In the order of their making; with `limit` by id, `after` that of the last one seen.
    """
    query = _visible(scope)
    if limit is not None:
        query = query.order_by(None).order_by(Token.id).where(Token.id > after).limit(limit)
    return list((await session.scalars(query)).all())


async def revoke(session: AsyncSession, now_ms: int, scope: Scope, name: str) -> None:
    """Delete a token; NotThere if the scope has none of that id."""
    token = await session.scalar(_visible(scope).where(Token.id == name))
    if token is None:
        raise NotThere("not_there")
    await session.execute(delete(Token).where(Token.id == name))
    await changes.access_changed(session)
    await audit.write(session, now_ms, scope, "token.revoked", f"token:{name}", gateway=token.gateway)
