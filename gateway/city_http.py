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


def session() -> aiohttp.ClientSession:
    """The session for cities: each connection carries one request.

    A platform that answers twice would have its second answer read as the receipt of the next alarm; and on a connection
    that lay idle since the last alarm, days ago, the first try is lost to whoever forgot it meanwhile.
    """
    # We close it ourselves and do not ask the platform to: after an answer that says "close" aiohttp's parser refuses
    # whatever else came with it, and a second answer in the same packet would cost us the first.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True), headers={aiohttp.hdrs.CONNECTION: "keep-alive"}
    )


def may_pass(code: int) -> bool:
    """True if an HTTP status or a business code speaks of the platform, the way to it or our account, not of this message."""
    return code in (401, 403, 404, 405, 407, 408, 410, 421, 423, 425, 426, 429) or 300 <= code < 400 or code >= 500


def business_code(text: bytes) -> tuple[int, str]:
    """(code, message) of a platform's answer; NotDelivered if it has none. Only a number is one: `false` is no 0."""
    try:
        answer = json.loads(text)
        code = answer["code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotDelivered(f"an answer without a business code: {text[:80]!r}") from error
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int):
        raise NotDelivered(f"an answer whose business code is no number: {text[:80]!r}")
    return code, str(answer.get("message", ""))


class HttpCity:
    """Sends to one city. A receipt is what its file says: HTTP 2xx, or 2xx with the business code 0."""

    def __init__(self, city: City, url: str, session: aiohttp.ClientSession) -> None:
        """`session` is one of `session()`."""
        self._city = city
        self._url = url.rstrip("/") + city.alarm_path
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=city.timeout_ms / 1000)

    async def send(self, lift: Lift, event: dict[str, Any]) -> str:
        """POST one revision; the receipt's text, or NotDelivered/Refused."""
        text = body(self._city, lift, event)
        try:
            # A redirect is not followed: it would become a GET, and the page of a login is no receipt.
            async with self._session.post(
                self._url, json=text, timeout=self._timeout, allow_redirects=False
            ) as response:
                return self._judge(response.status, await self._whole(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotDelivered(f"{type(error).__name__} {error}") from error

    @staticmethod
    async def _whole(response: aiohttp.ClientResponse) -> bytes:
        """The whole body, which may come in pieces; NotDelivered if it is longer than any answer of a platform."""
        text = b""
        async for piece in response.content.iter_any():
            text += piece
            if len(text) > MAX_ANSWER:
                raise NotDelivered(f"HTTP {response.status} with an answer of more than {MAX_ANSWER} bytes")
        return text

    def _judge(self, status: int, text: bytes) -> str:
        if not 200 <= status < 300:
            if may_pass(status):
                raise NotDelivered(f"HTTP {status}")
            raise Refused(f"HTTP {status}: {text[:200]!r}")
        if self._city.receipt == "http_2xx":
            return "http_2xx"
        code, message = business_code(text)
        if code == 0:
            return "business_code 0"
        if may_pass(code):
            raise NotDelivered(f"business code {code}: {message[:200]}")
        raise Refused(f"business code {code}: {message[:200]}")
