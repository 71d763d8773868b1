"""The hook that tells a person when a city gives no receipt: one POST, which a service turns into an SMS or a pager's ring.

It is no city: its answer is no receipt of the alarm, and no event waits for it.
"""

from typing import Any

import aiohttp

from gateway.city_http import may_pass
from gateway.config import Hook, Lift
from gateway.errors import NotDelivered, Refused

# The name under which the journal books what was told.
DESTINATION = "hook"


def message(lift: Lift, event: dict[str, Any]) -> dict[str, Any]:
    """What the hook gets: enough to act on without asking anything else."""
    place = " ".join(part for part in (lift.name or lift.id, lift.address) if part)
    return {
        "id": event["id"],
        "rev": event["rev"],
        "kind": event["kind"],
        "phase": event["phase"],
        "severity": event["severity"],
        "lift": lift.id,
        "rescue_code": lift.rescue_code,
        "onset_ms": event["stages"]["onset"],
        "text": f"{place}: {event['kind']} {event['phase']}; the city has not answered. / 平台未确认,请人工处置。",
    }


class HookSender:
    """Sends to the hook; HTTP 2xx is its receipt."""

    def __init__(self, hook: Hook, session: aiohttp.ClientSession) -> None:
        self._url = hook.url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=hook.timeout_ms / 1000)

    async def send(self, lift: Lift, event: dict[str, Any]) -> str:
        """POST one revision; the receipt's text, or NotDelivered/Refused."""
        text = message(lift, event)
        try:
            async with self._session.post(
                self._url, json=text, timeout=self._timeout, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotDelivered(f"{type(error).__name__} {error}") from error
        if 200 <= status < 300:
            return f"HTTP {status}"
        if may_pass(status):
            raise NotDelivered(f"HTTP {status}")
        raise Refused(f"HTTP {status}")
