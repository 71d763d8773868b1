"""Pages of the ways in which an organisation is told: made by its administrator, tried with a button, with their last receipts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import service
from cloud.accounts.access import Db, Now, Requires
from cloud.accounts.errors import AccountError
from cloud.accounts.pages import see
from cloud.accounts.roles import ROLES
from cloud.accounts.scope import Scope
from cloud.manage.frame import Field, gone, managed
from cloud.notices import channels
from cloud.notices.schemas import SETTINGS, shown_url
from cloud.notices.service import KINDS
from cloud.notices.texts import CODES, TITLES, said
from cloud.pages.render import language_of

router = APIRouter(prefix="/manage/channels", include_in_schema=False)

Manager = Annotated[Scope, Depends(Requires("channels.manage", page=True))]

HERE = "/manage/channels"
PAGE, RECEIPTS = 100, 30


async def _list(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    *,
    kind: str = "",
    after: str = "",
    status: int = 200,
    problem: str = "",
) -> Response:
    rows = await channels.listed(session, scope, after=after, limit=PAGE)
    known = await service.organisations(session, scope, limit=1000)
    places = [
        (row.id, row.name, list(ROLES[row.kind]))  # type: ignore[index]  # kinds are checked where they are made
        for row in known
        if scope.may_in("channels.manage", row.id)
    ]
    return managed(
        request, scope, "channels.html", HERE, status=status, problem=problem, channels=rows, places=places,
        more=rows[-1].id if len(rows) == PAGE else "",
        counts=await channels.counts(session, [row.id for row in rows]), all_kinds=list(SETTINGS), kind=kind if kind in SETTINGS else "",
        roles=sorted({role for _, _, found in places for role in found}), **_words(request),
    )  # fmt: skip


async def _one(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    channel: str,
    *,
    status: int = 200,
    problem: str = "",
    note: str = "",
    made: str = "",
) -> Response:
    session.expire_all()
    try:
        row = await channels.one(session, scope, channel)
    except AccountError as error:
        return gone(request, error.status, error.key)
    found = await channels.receipts(session, scope, channel, limit=RECEIPTS)
    return managed(
        request, scope, "channel.html", HERE, status=status, problem=problem, note=note, made=made, channel=row,
        url=shown_url(row.settings["url"]) if "url" in row.settings else "", receipts=[notice for notice, _ in found],
        roles=list(ROLES[row.of.kind]),  # type: ignore[index]  # kinds are checked where they are made
        **_words(request),
    )  # fmt: skip


def _words(request: Request) -> dict[str, Any]:
    language = language_of(request)
    return {
        "kinds": [kind for kind in KINDS if kind != "test"],
        "title": lambda kind: said(TITLES[kind], language),
        "receipt": lambda found: _receipt(found, language),
    }


def _receipt(found: dict[str, Any], language: str) -> str:
    """What a receipt says: ours in words, the receiver's as it came."""
    code, detail = str(found.get("code", "")), str(found.get("detail", ""))
    if code in CODES:
        return said(CODES[code], language)
    return " · ".join(part for part in (code, detail) if part)


async def _kinds(request: Request) -> list[str]:
    """The kinds that were chosen in the form; the test is none that one chooses."""
    chosen = (await request.form()).getlist("kinds")
    return [kind for kind in KINDS if kind in chosen and kind != "test"]


def _settings(form: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    """Settings out of the fields of the form; an empty URL leaves the one that is held."""
    if "host" in form:
        return {
            **form,
            "port": int(form["port"]) if form["port"].isdecimal() else 0,
            "recipients": form["recipients"].split(),
        }
    url = {"url": form["url"].strip() or held.get("url", "")}
    return {**url, "roles": form["roles"]} if "roles" in form else url


async def _form(request: Request, kind: str) -> dict[str, Any]:
    """The fields that a channel of that kind has."""
    sent = await request.form()
    names = SETTINGS[kind].model_fields if kind in SETTINGS else {}
    found: dict[str, Any] = {name: str(sent.get(name, ""))[:4000] for name in names if name != "roles"}
    return {**found, "roles": [str(role) for role in sent.getlist("roles")]} if "roles" in names else found


@router.get("")
async def channel_list(request: Request, session: Db, scope: Manager, kind: str = "", after: str = "") -> Response:
    """The ways of one's organisations; with `kind` the form for a new one."""
    return await _list(request, session, scope, kind=kind, after=after)


@router.post("")
async def make(
    request: Request, session: Db, now: Now, scope: Manager,
    organisation: Field = "", kind: Field = "", name: Field = "", language: Field = "zh", least_severity: Field = "2",
    secret: Field = "",
) -> Response:  # fmt: skip
    """A new one; a secret that we made is on the page that answers and nowhere else."""
    try:
        row, made = await channels.make(
            session, now, scope, organisation, kind, _settings(await _form(request, kind), {}) if kind in SETTINGS else {},
            name=name.strip() or kind, language="en" if language == "en" else "zh", least_severity=_severity(least_severity),
            kinds=await _kinds(request), active=True, secret=secret.strip(),
        )  # fmt: skip
    except AccountError as error:
        await session.rollback()
        return await _list(request, session, scope, kind=kind, status=error.status, problem=error.key)
    id = row.id
    await session.commit()
    return see(f"{HERE}/{id}") if made is None else await _one(request, session, scope, id, made=made)


def _severity(text: str) -> int:
    return int(text) if text in ("1", "2", "3", "4") else 2


@router.get("/{channel}")
async def channel_page(request: Request, session: Db, scope: Manager, channel: str, tested: str = "") -> Response:
    """One, with its last receipts."""
    return await _one(request, session, scope, channel, note="channel_tested" if tested else "")


@router.post("/{channel}")
async def change(
    request: Request, session: Db, now: Now, scope: Manager, channel: str,
    name: Field = "", language: Field = "zh", least_severity: Field = "2", active: Field = "", secret: Field = "",
) -> Response:  # fmt: skip
    """Everything but its kind; what the form leaves empty of URL and secret stays."""
    try:
        row = await channels.one(session, scope, channel)
        settings = _settings(await _form(request, row.kind), row.settings)
        wanted: dict[str, Any] = {
            "name": name.strip() or row.name, "language": "en" if language == "en" else "zh", "active": active == "yes",
            "least_severity": _severity(least_severity), "kinds": await _kinds(request), "settings": settings,
            **({"secret": secret.strip()} if secret.strip() else {}),
        }  # fmt: skip
        await channels.change(session, now, scope, channel, wanted)
    except AccountError as error:
        await session.rollback()
        return await _one(request, session, scope, channel, status=error.status, problem=error.key)
    await session.commit()
    return see(f"{HERE}/{channel}")


@router.post("/{channel}/test")
async def test(request: Request, session: Db, now: Now, scope: Manager, channel: str) -> Response:
    """Send a test."""
    try:
        await channels.test(session, now, scope, channel)
    except AccountError as error:
        await session.rollback()
        return await _one(request, session, scope, channel, status=error.status, problem=error.key)
    await session.commit()
    request.app.state.notices.wake()
    return see(f"{HERE}/{channel}?tested=1")


@router.post("/{channel}/remove")
async def remove(request: Request, session: Db, now: Now, scope: Manager, channel: str) -> Response:
    """Remove it."""
    try:
        await channels.remove(session, now, scope, channel)
    except AccountError as error:
        return gone(request, error.status, error.key)
    await session.commit()
    return see(HERE)
