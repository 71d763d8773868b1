"""Group robots of 企业微信 and 钉钉: a Markdown message to the URL that the group's owner copied from the robot."""

import base64
import hashlib
import hmac
import json
import urllib.parse
from typing import Any

from cloud.notices.adapters.answers import of_robot
from cloud.notices.message import Message, markdown, one_line
from cloud.notices.outcome import Outcome
from cloud.notices.outward import Outward

# Of the Markdown: 企业微信 cuts at 4,096 bytes; 钉钉 takes 20,000, and nobody reads them.
WECOM_BYTES = 4096
DINGTALK_BYTES = 8000
_JSON = {"content-type": "application/json; charset=utf-8"}


def _body(found: dict[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False).encode()


async def wecom(outward: Outward, settings: dict[str, Any], secret: str, found: Message, now_ms: int) -> Outcome:
    """To a robot of 企业微信. The key is in its URL."""
    body = _body({"msgtype": "markdown", "markdown": {"content": markdown(found, WECOM_BYTES)}})
    return of_robot("wecom", await outward.post(settings["url"], _JSON, body))


async def dingtalk(outward: Outward, settings: dict[str, Any], secret: str, found: Message, now_ms: int) -> Outcome:
    """To a robot of 钉钉. Its token is in its URL; `secret` is that of the signature, empty where the robot wants none."""
    text = {"title": one_line(found.title), "text": markdown(found, DINGTALK_BYTES)}
    body = _body({"msgtype": "markdown", "markdown": text})
    return of_robot("dingtalk", await outward.post(signed(settings["url"], secret, now_ms), _JSON, body))


def signed(url: str, key: str, now_ms: int) -> str:
    """The URL with timestamp and sign, as 钉钉 wants them; as it is without a key. Its clock and ours may be an hour apart."""
    if not key:
        return url
    digest = hmac.new(key.encode(), f"{now_ms}\n{key}".encode(), hashlib.sha256).digest()
    more = urllib.parse.urlencode({"timestamp": now_ms, "sign": base64.b64encode(digest).decode()})
    return f"{url}{'&' if '?' in url else '?'}{more}"
