"""Passkeys of people."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Passkey


async def of_person(session: AsyncSession, person: str) -> list[Passkey]:
    """His passkeys, oldest first."""
    return list(
        (await session.scalars(select(Passkey).where(Passkey.person == person).order_by(Passkey.made_at_ms))).all()
    )
