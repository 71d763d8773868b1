"""Channels of organisations: made, changed, tried and removed by their administrators, and audited without their secrets."""

import secrets
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, delete, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from cloud.accounts.errors import NotThere, Refused
from cloud.accounts.models import Organisation, new_id
from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.notices.outward import Forbidden, place_of
from cloud.notices.schemas import SETTINGS, shown
from cloud.notices.service import MAX_LIST, Notice, add

# Of one organisation; ours.
MOST_CHANNELS = 20


def _managed(scope: Scope) -> ColumnElement[bool]:
    return true() if scope.everywhere else NoticeChannel.organisation.in_(scope.organisations("channels.manage"))


async def listed(session: AsyncSession, scope: Scope, *, after: str = "", limit: int = 100) -> list[NoticeChannel]:
    """Channels of the organisations in which he manages them, by id; `after` = id of the last one seen."""
    query = select(NoticeChannel).where(_managed(scope), NoticeChannel.id > after).order_by(NoticeChannel.id)
    return list(
        (await session.scalars(query.limit(min(limit, MAX_LIST)).options(selectinload(NoticeChannel.of)))).all()
    )


async def one(session: AsyncSession, scope: Scope, id: str) -> NoticeChannel:
    """One; NotThere where he does not manage it."""
    query = select(NoticeChannel).where(_managed(scope), NoticeChannel.id == id)
    found = await session.scalar(query.options(selectinload(NoticeChannel.of)))
    if found is None:
        raise NotThere("not_there", f"there is no channel {id[:40]!r}; GET /api/v1/channels lists them")
    return found


async def counts(session: AsyncSession, ids: list[str]) -> dict[str, dict[str, int]]:
    """{channel: {state: number}} of the notices that are still kept."""
    query = select(NoticeRow.channel, NoticeRow.state, func.count()).where(NoticeRow.channel.in_(ids))
    out: dict[str, dict[str, int]] = {id: {} for id in ids}
    for channel, state, number in await session.execute(query.group_by(NoticeRow.channel, NoticeRow.state)):
        out[channel][state] = number
    return out


async def make(
    session: AsyncSession, now_ms: int, scope: Scope, organisation: str, kind: str, settings: dict[str, Any], *,
    name: str, language: str, least_severity: int, kinds: list[str], active: bool, secret: str,
) -> tuple[NoticeChannel, str | None]:  # fmt: skip
    """(a new channel, the secret that was made for it if it needs one and none was given)."""
    if not scope.may_in("channels.manage", organisation):
        raise NotThere("not_there", "there is no such organisation")
    place = await session.get(Organisation, organisation)
    if place is None:
        raise NotThere("not_there", "there is no such organisation")
    held = select(func.count()).select_from(NoticeChannel).where(NoticeChannel.organisation == organisation)
    if (await session.scalar(held) or 0) >= MOST_CHANNELS:
        raise Refused("channels_many", f"an organisation has {MOST_CHANNELS} channels at most; remove one first")
    made = secrets.token_urlsafe(32) if kind == "webhook" and not secret else None
    row = NoticeChannel(
        organisation=organisation, kind=kind, name=audit.clean(name.strip(), 120), language=language,
        least_severity=least_severity, kinds=list(dict.fromkeys(kinds)), active=active, settings=checked(kind, settings),
        secret=made or secret, made_at_ms=now_ms, changed_at_ms=now_ms,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await audit.write(
        session, now_ms, scope, "channel.made", f"channel:{row.id}", organisation=organisation, kind=kind,
        settings=shown(row.settings),
    )  # fmt: skip
    return await one(session, scope, row.id), made


def checked(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as that kind wants them; Refused says what is wrong. Where a host leads is looked at when it is sent to."""
    form = SETTINGS.get(kind)
    if form is None:
        raise Refused("no_such_channel", f"kind {kind!r:.40}: there are {', '.join(SETTINGS)}")
    try:
        found = form.model_validate(settings).model_dump()
        if "url" in found:
            place_of(found["url"])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Refused("channel_settings", f"settings of a {kind} channel: {place}: {first['msg']}") from error
    except Forbidden as error:
        raise Refused("channel_settings", f"url: {error.detail}") from error
    return found


async def change(session: AsyncSession, now_ms: int, scope: Scope, id: str, wanted: dict[str, Any]) -> NoticeChannel:
    """`wanted`: some of name, language, least_severity, kinds, active, settings, secret. What waits on one that is switched off is dead."""
    row = await one(session, scope, id)
    if "settings" in wanted:
        wanted["settings"] = checked(row.kind, wanted["settings"])
    if row.kind == "webhook" and wanted.get("secret") == "":
        raise Refused("channel_secret_empty", "a webhook is signed: its secret cannot be empty")
    before = {name: getattr(row, name) for name in wanted}
    for name, value in wanted.items():
        setattr(row, name, value)
    row.changed_at_ms, row.failures, row.pause_until_ms = now_ms, 0, 0
    if wanted.get("active") is False:
        off = update(NoticeRow).where(NoticeRow.channel == id, NoticeRow.state == "waiting")
        await session.execute(off.values(state="dead", done_at_ms=now_ms, receipt={"code": "switched_off"}))
    await session.flush()
    await audit.write(
        session, now_ms, scope, "channel.changed", f"channel:{id}", before=_told(before), after=_told(wanted)
    )
    return row


def _told(values: dict[str, Any]) -> dict[str, Any]:
    told = {**values, "secret": "…"} if "secret" in values else dict(values)
    return {**told, "settings": shown(told["settings"])} if "settings" in told else told


async def remove(session: AsyncSession, now_ms: int, scope: Scope, id: str) -> None:
    """Remove it, with its receipts and what waited on it."""
    row = await one(session, scope, id)
    await session.execute(delete(NoticeRow).where(NoticeRow.channel == id))
    await session.execute(delete(NoticeChannel).where(NoticeChannel.id == id))
    await audit.write(
        session,
        now_ms,
        scope,
        "channel.removed",
        f"channel:{id}",
        organisation=row.organisation,
        kind=row.kind,
        name=row.name,
    )


async def test(session: AsyncSession, now_ms: int, scope: Scope, id: str) -> NoticeRow:
    """Put a test notice on it, whatever it wants to be told; Refused while it is switched off."""
    row = await one(session, scope, id)
    if not row.active:
        raise Refused("channel_off", "the channel is switched off; switch it on first")
    # By hand, after something was mended: what failed before does not count.
    row.failures, row.pause_until_ms = 0, 0
    dedupe = new_id()
    notice = Notice("test", "", "", row.organisation, 4, {"by": scope.actor.name, "dedupe": dedupe})
    await add(session, now_ms, row, notice)
    await audit.write(session, now_ms, scope, "channel.tested", f"channel:{id}")
    query = select(NoticeRow).where(NoticeRow.channel == id, NoticeRow.kind == "test", NoticeRow.dedupe == dedupe)
    return (await session.scalars(query)).one()


async def receipts(
    session: AsyncSession, scope: Scope, id: str, *, before: str = "", state: str | None = None, limit: int = 50
) -> list[tuple[NoticeRow, NoticeChannel]]:
    """Notices of a channel, newest first; `before` = id of the last one seen turns the page."""
    channel = await one(session, scope, id)
    query = select(NoticeRow).where(NoticeRow.channel == id).order_by(NoticeRow.number.desc())
    if before:
        last = select(NoticeRow.number).where(NoticeRow.id == before, NoticeRow.channel == id).scalar_subquery()
        query = query.where(NoticeRow.number < last)
    if state is not None:
        query = query.where(NoticeRow.state == state)
    rows = await session.scalars(query.limit(min(limit, MAX_LIST)))
    return [(row, channel) for row in rows.all()]
