"""The HTTP-JSON shape of a city platform (Shanghai-like): one canonical event to one POST. Codes come from the city file."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aiohttp

from gateway.config import City, Lift
from gateway.errors import NotDelivered, Refused

# City platforms of the mainland write local time.
CHINA = timezone(timedelta(hours=8))
STATUS = {"open": 0, "closed": 1, "updated": 2}
MAX_ANSWER = 64 * 1024


def local_time(unix_ms: int) -> str:
    """`yyyy-MM-dd HH:mm:ss` at UTC+8, as the adapters write it."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def body(city: City, lift: Lift, event: dict[str, Any]) -> dict[str, Any]:
    """The request body of one revision. `alarmId` with `revision` is the key; `occurTime` is the event's, not the sending's."""
    snapshot = event["snapshot"]
    return {
        "alarmId": f"{city.vendor_prefix}-{event['id']}",
        "revision": event["rev"],
        "alarmChannel": "S04",
        "faultStatus": STATUS[event["phase"]],
        "registerNumber": lift.registration_code,
        "rescueCode": lift.rescue_code,
        "liftId": lift.id,
        "failureCode": city.codes[event["kind"]],
        "faultName": event["kind"],
        "occurTime": local_time(event["stages"]["onset"]),
        "occurTimeMs": event["stages"]["onset"],
        "closeTime": local_time(event["closed_at_ms"]) if event["closed_at_ms"] else "",
        "eventDesc": event["cause"],
        "statusDetails": [
            {"paramCode": name, "paramName": name, "paramValue": str(value)} for name, value in sorted(snapshot.items())
        ],
    }


class HttpCity:
    """Sends to one city. A receipt is what its file says: HTTP 2xx, or 2xx with the business code 0."""

    def __init__(self, city: City, url: str, session: aiohttp.ClientSession) -> None:
        self._city = city
        self._url = url.rstrip("/") + city.alarm_path
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=city.timeout_ms / 1000)

    async def send(self, lift: Lift, event: dict[str, Any]) -> str:
        """POST one revision; the receipt's text, or NotDelivered/Refused."""
        try:
            async with self._session.post(
                self._url, json=body(self._city, lift, event), timeout=self._timeout
            ) as response:
                text = await response.content.read(MAX_ANSWER)
                return self._judge(response.status, text)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotDelivered(f"{type(error).__name__} {error}") from error

    def _judge(self, status: int, text: bytes) -> str:
        if status in (408, 425, 429) or status >= 500:
            raise NotDelivered(f"HTTP {status}")
        if status >= 400:
            raise Refused(f"HTTP {status}: {text[:200]!r}")
        if status >= 300:
            raise NotDelivered(f"HTTP {status}")
        if self._city.receipt == "http_2xx":
            return "http_2xx"
        try:
            answer = json.loads(text)
            code = int(answer["code"])
        except (ValueError, KeyError, TypeError) as error:
            raise NotDelivered(f"an answer without a business code: {text[:80]!r}") from error
        if code == 0:
            return "business_code 0"
        # 5xx of business codes are the platform's own trouble; others refuse this very message.
        if 500 <= code < 600:
            raise NotDelivered(f"business code {code}")
        raise Refused(f"business code {code}: {str(answer.get('message', ''))[:200]}")
