"""Rate limits by actor and by address, in this process's memory."""

import ipaddress
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from cloud.accounts.errors import TooMany
from cloud.settings import Limits


class Limiter:
    """Counts by minute; TooMany beyond the limit."""

    def __init__(self, limits: Limits) -> None:
        self._window = FixedWindowRateLimiter(MemoryStorage())
        self._actor = RateLimitItemPerMinute(limits.actor)
        self._address = RateLimitItemPerMinute(limits.address)
        self._attempts = RateLimitItemPerMinute(limits.attempts)
        self.refused = 0

    async def actor(self, name: str) -> None:
        """A request of somebody who is known."""
        await self._hit(self._actor, "actor", name)

    async def address(self, ip: str) -> None:
        """A request of nobody known."""
        await self._hit(self._address, "address", network_of(ip))

    async def attempt(self, ip: str) -> None:
        """An attempt to get in: a password, a link, a wrong token."""
        await self._hit(self._attempts, "attempt", network_of(ip))

    async def _hit(self, item: RateLimitItemPerMinute, kind: str, name: str) -> None:
        if not await self._window.hit(item, kind, name):
            self.refused += 1
            stats = await self._window.get_window_stats(item, kind, name)
            raise TooMany("too_many", max(1, int(stats.reset_time - time.time()) + 1))


def network_of(ip: str) -> str:
    """Whom an address stands for: itself, or in IPv6 the /64 that one subscriber has."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:45]
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
