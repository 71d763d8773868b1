"""The command `liftwatch audit`: checks the chain of the audit log."""

import sys

import click
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.audit import service
from cloud.audit.chain import Verifier
from cloud.shell import database_option, in_database


@click.group()
def audit() -> None:
    """The audit log. Example: liftwatch audit verify"""


@audit.command("verify")
@database_option
@click.option(
    "--expect", default="", help="NUMBER:HASH as an earlier run printed it: a log that was written anew is found too"
)
def verify_command(database: str, expect: str) -> None:
    """Walk the whole log; name the first entry that is missing or changed, and end with 1.

    Note down what it prints, away from the database: with --expect the next run proves that nothing before was rewritten.
    """
    number, _, hash = expect.partition(":")
    if expect and not (number.isdigit() and len(hash) == 64):
        raise click.UsageError("--expect NUMBER:HASH, as this command printed it")

    async def verify(session: AsyncSession) -> Verifier:
        return await service.verify(session, {int(number): hash} if expect else {})

    found = in_database(database, verify)
    if found.broken is not None:
        click.echo(f"BROKEN at entry {found.broken.number}: {found.broken.why}", err=True)
        sys.exit(1)
    click.echo(f"whole: {found.number} entries; note down {found.number}:{found.hash}")
