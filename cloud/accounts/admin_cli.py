"""The command `liftwatch cloud admin`: makes organisations, people, links and tokens from a shell on the server.

Several may follow one another in one line. What is printed of a token or a link is nowhere else.
"""

import os
import pathlib
from collections.abc import Awaitable, Callable
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import changes, oidc, service, signing_in, tokens
from cloud.accounts.errors import AccountError
from cloud.accounts.models import Organisation, Person
from cloud.accounts.roles import KINDS
from cloud.accounts.scope import Assignment, Scope
from cloud.clock import unix_ms
from cloud.lifts import service as lifts
from cloud.settings import Settings
from cloud.shell import database_option, in_database, shell_scope
from protocols.identity import is_id

Step = Callable[[AsyncSession, Scope, int], Awaitable[None]]
DAY_MS = 86_400_000


@click.group(chain=True)
@database_option
def admin(database: str) -> None:
    """Set the cloud up from a shell on its server, whether it runs or not.

    Several commands may follow one another, each with its options before its arguments.

    \b
    Examples:
      liftwatch cloud admin link admin
      liftwatch cloud admin organisation contractor 安达维保 person li.na 李娜 安达维保 technician
      liftwatch cloud admin gateway-token --file /etc/liftwatch/cloud.token hefang-yuan
    """  # noqa: D301  click's mark for text that keeps its lines


@admin.result_callback()
def _run(steps: list[Step], database: str) -> None:
    async def all_steps(session: AsyncSession) -> None:
        now_ms = unix_ms()
        await signing_in.ensure_administrator(session, now_ms)
        for step in steps:
            await step(session, shell_scope(), now_ms)
        await changes.access_changed(session)

    try:
        in_database(database, all_steps)
    except AccountError as error:
        raise click.ClickException(f"{error}; nothing of this line was done") from error


async def _organisation(session: AsyncSession, name: str) -> Organisation:
    """By its id or its name."""
    query = select(Organisation.id).where((Organisation.id == name) | (Organisation.name == name))
    found = await session.scalar(query)
    if found is None:
        raise click.ClickException(f"there is no organisation {name!r}; `liftwatch cloud admin list` lists them")
    return await service.organisation(session, shell_scope(), found)


async def _person(session: AsyncSession, name: str) -> Person:
    found = await session.scalar(select(Person).where(Person.sign_in_name == name.lower()))
    if found is None:
        raise click.ClickException(f"nobody has the sign-in name {name!r}; `liftwatch cloud admin list` lists them")
    return found


def _give(secret: str, kind: str, name: str, file: pathlib.Path | None) -> None:
    """Print a secret, or write it to a file that its owner alone can read."""
    if file is None:
        click.echo(f"{kind} {name} {secret}")
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(secret + "\n")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"{kind} {name} written to {file}")


FILE = click.option("--file", type=click.Path(path_type=pathlib.Path), help="write it there, readable by you alone")


@admin.command("list")
def list_command() -> Step:
    """Organisations and people."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        for row in await service.organisations(session, scope, limit=10_000):
            codes = " ".join(district.code for district in row.districts)
            click.echo(f"organisation {row.id} {row.kind:16s} {row.name} {codes}".rstrip())
        for person in await service.people(session, scope, limit=10_000):
            roles = ", ".join(f"{m.role} of {m.of.name}" for m in person.memberships)
            click.echo(f"person {person.id} {person.sign_in_name} {person.name}: {roles or 'no role'}")

    return step


@admin.command("organisation")
@click.argument("kind", type=click.Choice(KINDS[1:]))
@click.argument("name")
@click.option("--district", multiple=True, help="of a regulator or a rescue centre: a code such as 3301")
def organisation_command(kind: str, name: str, district: tuple[str, ...]) -> Step:
    """Make an organisation of KIND."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        row = await service.make_organisation(session, now_ms, scope, kind, name, list(district))
        click.echo(f"organisation {row.id} {row.name}")

    return step


@admin.command("person")
@click.argument("sign_in_name")
@click.argument("name")
@click.argument("organisation")
@click.argument("role")
@click.option("--district", default="", help="narrows the role")
@click.option("--phone", default="")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh")
def person_command(
    sign_in_name: str, name: str, organisation: str, role: str, district: str, phone: str, language: str
) -> Step:
    """Make a person with a ROLE in an ORGANISATION (its name or id). `link` lets him in."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        place = await _organisation(session, organisation)
        row = await service.make_person(
            session, now_ms, scope, sign_in_name=sign_in_name, name=name, phone=phone, language=language,
            organisation_id=place.id, role=role, district=district,
        )  # fmt: skip
        click.echo(f"person {row.id} {row.sign_in_name}")

    return step


@admin.command("link")
@click.argument("sign_in_name")
@click.option("--sign-in", is_flag=True, help="to sign in once; without it, to set a password")
@click.option("--url", default="http://127.0.0.1:8080", help="where the cloud is reached")
@FILE
def link_command(sign_in_name: str, sign_in: bool, url: str, file: pathlib.Path | None) -> Step:
    """Make a one-time link for a person, good for a day."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        person = await _person(session, sign_in_name)
        purpose = "sign_in" if sign_in else "set_password"
        text = await signing_in.make_link(session, now_ms, scope, person, purpose, Settings.link_ms)
        _give(f"{url.rstrip('/')}/link/{text}", "link", sign_in_name, file)

    return step


@admin.command("identity")
@click.argument("sign_in_name")
@click.argument("issuer")
@click.argument("subject")
def identity_command(sign_in_name: str, issuer: str, subject: str) -> Step:
    """Let a person in by the SUBJECT of an OpenID provider. The audit log tells both of who was refused."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        await oidc.link(session, now_ms, scope, await _person(session, sign_in_name), issuer, subject)
        click.echo(f"identity {sign_in_name} {issuer} {subject}")

    return step


@admin.command("gateway-token")
@click.argument("gateway")
@FILE
def gateway_token_command(gateway: str, file: pathlib.Path | None) -> Step:
    """Make a token for GATEWAY: its [cloud] token_file."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        if not is_id(gateway):
            raise click.ClickException(f"{gateway!r}: a gateway's id is 1 to 32 of a-z, 0-9 and '-'")
        _, text = await tokens.make_gateway_token(session, now_ms, scope, gateway)
        _give(text, "gateway-token", gateway, file)

    return step


@admin.command("api-token")
@click.argument("name")
@click.argument("organisation")
@click.argument("role")
@click.option("--district", default="", help="narrows the role")
@click.option("--days", default=365, type=click.IntRange(1, 3650), help="its life")
@FILE
def api_token_command(
    name: str, organisation: str, role: str, district: str, days: int, file: pathlib.Path | None
) -> Step:
    """Make a token for the API that may do what a ROLE of an ORGANISATION (its name or id) may."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        place = await _organisation(session, organisation)
        service.check_district(district)
        _, text = await tokens.make_api_token(
            session, now_ms, scope, place, role, name=name, district=district, ends_at_ms=now_ms + days * DAY_MS
        )
        _give(text, "api-token", name, file)

    return step


@admin.command("assign")
@click.argument("lift")
@click.option("--contractor", default="", help="name or id")
@click.option("--owner", default="", help="name or id")
@click.option("--manager", default="", help="name or id")
@click.option("--district", default="")
def assign_command(lift: str, district: str, **slots: Any) -> Step:
    """Say whose LIFT is; what is left out is nobody's."""

    async def step(session: AsyncSession, scope: Scope, now_ms: int) -> None:
        ids = {slot: (await _organisation(session, name)).id if name else "" for slot, name in slots.items()}
        await lifts.assign(session, now_ms, scope, lift, Assignment(**ids, district=district))
        click.echo(f"lift {lift} assigned")

    return step
