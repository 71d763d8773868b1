"""The count of changes of who may see what: whatever holds a scope open looks at it, in this process and in others."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import AccessChange


async def access_changed(session: AsyncSession) -> None:
    """Who may see what has changed: open streams will look again, those of other processes too."""
    await session.execute(update(AccessChange).where(AccessChange.id == 1).values(number=AccessChange.number + 1))


async def access_number(session: AsyncSession) -> int:
    """The number of changes so far."""
    return await session.scalar(select(AccessChange.number).where(AccessChange.id == 1)) or 0
