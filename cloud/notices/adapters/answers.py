"""What receivers' answers mean: one table of their codes. What is not in it is tried again, which is our own caution."""

import json
from typing import Any

from cloud.notices.outcome import TOO_MANY_MS, Again, Never, Outcome, Sent
from cloud.notices.outward import Answer

MOST_DETAIL = 200

# errcode of the group robots: (what it means, whether ever again, and if so not before). The numbers are public; that the first four
# are worth waiting a minute for, and that an unknown one is tried again, is ours.
ROBOT_CODES: dict[str, dict[int, Outcome]] = {
    "wecom": {
        45009: Again("45009", "too many messages a minute", TOO_MANY_MS),
        45033: Again("45033", "too many at once", TOO_MANY_MS),
        93000: Never("93000", "there is no such robot; its URL is wrong"),
        93004: Never("93004", "the robot was removed from its group"),
        40058: Never("40058", "the robot does not understand the message"),
    },
    "dingtalk": {
        130101: Again("130101", "too many messages a minute", TOO_MANY_MS),
        410100: Again("410100", "too many messages a minute", TOO_MANY_MS),
        660026: Again("660026", "too many messages a minute", TOO_MANY_MS),
        90030: Again("90030", "over the robot's limit", TOO_MANY_MS),
        300001: Never("300001", "there is no such robot; its token is wrong"),
        300005: Never("300005", "there is no such robot; its token is wrong"),
    },
}


def parsed(answer: Answer) -> dict[str, Any] | None:
    """The JSON object that was answered, None if it was none."""
    try:
        found = json.loads(answer.body) if answer.whole else None
    except ValueError:  # also bytes that are no UTF-8
        return None
    return found if isinstance(found, dict) else None


def refused(answer: Answer) -> Outcome | None:
    """What an HTTP status that is not 2xx says; None if it is."""
    status = answer.status
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Again(str(status), "it points elsewhere, where we do not go: put the right URL in")
    after_ms = min(answer.retry_after_s, 3600) * 1000 if answer.retry_after_s is not None else 0
    return Again(str(status), _words(answer), after_ms or (TOO_MANY_MS if status == 429 else 0))


def of_robot(kind: str, answer: Answer) -> Outcome:
    """What a group robot says: 200 alone means nothing, its errcode does."""
    failed = refused(answer)
    if failed is not None:
        return failed
    found = parsed(answer)
    code = None if found is None else found.get("errcode")
    if not isinstance(code, int) or isinstance(code, bool):
        return Again("no_errcode", _words(answer))
    if code == 0:
        return Sent("0", detail=str((found or {}).get("errmsg", ""))[:MOST_DETAIL])
    return ROBOT_CODES[kind].get(code) or Again(str(code), str((found or {}).get("errmsg", ""))[:MOST_DETAIL])


def _words(answer: Answer) -> str:
    return answer.body[:MOST_DETAIL].decode("utf-8", "replace")
