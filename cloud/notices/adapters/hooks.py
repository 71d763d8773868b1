"""Hooks of ours: a signed webhook for other programs, and the hook of an SMS gateway. docs/operation.md shows both to who writes the other end."""

import hashlib
import hmac
import json
from typing import Any

from cloud.notices.adapters.answers import MOST_DETAIL, parsed, refused
from cloud.notices.message import Message, masked
from cloud.notices.outcome import Outcome, Sent
from cloud.notices.outward import Answer, Outward

_JSON = {"content-type": "application/json; charset=utf-8"}
# Under one of these names receivers give their own id of the message.
_IDS = ("message_id", "id", "msgid")


def signature(secret: str, now_ms: int, body: bytes) -> str:
    """What `Liftwatch-Signature` holds: HMAC-SHA256 over the timestamp, a full stop and the body, in hex behind its version."""
    return "v1=" + hmac.new(secret.encode(), f"{now_ms}.".encode() + body, hashlib.sha256).hexdigest()


async def webhook(outward: Outward, settings: dict[str, Any], secret: str, found: Message, now_ms: int) -> Outcome:
    """The notice as JSON, signed. Any 2xx is the receipt; `Liftwatch-Id` is the same in each attempt."""
    body = json.dumps(
        {
            "id": found.id, "kind": found.kind, "case": found.case, "lift": found.lift, "severity": found.severity,
            "at_ms": found.made_at_ms, "facts": found.facts, "title": found.title, "text": found.short, "link": found.link,
        },
        ensure_ascii=False,
    ).encode()  # fmt: skip
    headers = {
        **_JSON, "liftwatch-id": found.id, "liftwatch-timestamp": str(now_ms),
        "liftwatch-signature": signature(secret, now_ms, body),
    }  # fmt: skip
    return _taken(await outward.post(settings["url"], headers, body))


async def sms(
    outward: Outward, settings: dict[str, Any], secret: str, found: Message, now_ms: int, phones: tuple[str, ...]
) -> Outcome:
    """One text for several telephones, to a program that hands it to an SMS gateway. Any 2xx is the receipt: it took the job."""
    body = json.dumps({"id": found.id, "to": list(phones), "text": found.short}, ensure_ascii=False).encode()
    headers = {**_JSON, "liftwatch-id": found.id}
    if secret:
        headers["authorization"] = f"Bearer {secret}"
    return _taken(await outward.post(settings["url"], headers, body), tuple(masked(phone) for phone in phones))


def _taken(answer: Answer, to: tuple[str, ...] = ()) -> Outcome:
    failed = refused(answer)
    if failed is not None:
        return failed
    told = parsed(answer) or {}
    given = next((str(told[name]) for name in _IDS if isinstance(told.get(name), str | int)), "")
    return Sent(str(answer.status), given[:MOST_DETAIL], to=to)
