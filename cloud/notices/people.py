"""Whose telephones an SMS channel rings: looked up at each send and kept nowhere else."""

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.models import Membership, Person
from cloud.lifts.models import Lift
from cloud.notices.models import NoticeChannel

# Of one notice; ours. More at once is no alarm but a circular.
MOST_PHONES = 50


async def phones_of(session: AsyncSession, channel: NoticeChannel, lift: str) -> tuple[str, ...]:
    """Numbers of active people with one of the channel's roles in its organisation, whose district, if any, is the lift's."""
    query = (
        select(Person.phone, Membership.district)
        .join(Membership, Membership.person == Person.id)
        .where(
            Membership.organisation == channel.organisation, Membership.role.in_(channel.settings["roles"]),
            Person.active, Person.phone != "",
        )
        .order_by(Person.id)
    )  # fmt: skip
    rows = (await session.execute(query)).all()
    districts = (await session.scalars(select(Lift.district).where(or_(Lift.id == lift, Lift.gateway == lift)))).all()
    found = [
        phone for phone, district in rows if not lift or not district or any(d.startswith(district) for d in districts)
    ]
    return tuple(dict.fromkeys(found))[:MOST_PHONES]
