"""Commands to nodes: published once, answered in time or not at all. The closed list is the contract's, and none of it moves a lift."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from gateway.clock import unix_ms
from gateway.errors import ConfigError, NotDelivered
from gateway.lifts import Lifts
from protocols import codes, messages
from protocols.codes import ALARM_STEPS
from protocols.errors import ContractError
from protocols.identity import topic

# The contract's time for an answer. A node that is away for longer must not carry out later what was meant for now.
ANSWER_S = 5.0
# On their way at once; a person sends one at a time.
MOST_WAITING = 64


# What the cloud may ask a node for. Who stands in front of the gateway may do more: restart it, or give it other settings.
FROM_CLOUD = ("car", "identify", "self_test", "watch")


class Commands:
    """`publish(topic, payload)` sends. In the loop, but for `on_reply`, which comes from a lane's thread."""

    def __init__(self, lifts: Lifts, publish: Callable[[str, bytes], None]) -> None:
        self._lifts, self._publish = lifts, publish
        self._loop = asyncio.get_running_loop()
        # Set by the wiring: ends what the gateway holds for a lift whose terminal does not detect; how many, None: its node does it.
        self.end_alarm: Callable[[str], int | None] = lambda lift: None
        self._waiting: dict[tuple[str, str], asyncio.Future[dict[str, Any]]] = {}
        self.counters = {"sent": 0, "answered": 0, "refused": 0, "unanswered": 0, "strange_replies": 0}

    async def send(self, lift: str, what: str, args: dict[str, Any]) -> dict[str, Any]:
        """The node's reply {ok, detail, …}. ConfigError: no such lift or command; NotDelivered: no answer, or too many wait."""
        end = self._lifts.known(lift)
        if end is None:
            raise ConfigError(f"no lift {lift[:40]!r} is known here")
        if what not in codes.COMMANDS:
            raise ConfigError(f"no command {what[:40]!r}; there is {', '.join(codes.COMMANDS)}")
        if len(self._waiting) >= MOST_WAITING:
            raise NotDelivered(f"{MOST_WAITING} commands wait for their answers already")
        name = secrets.token_hex(8)
        values = {"id": name, "expires_ms": unix_ms() + int(ANSWER_S * 1000), "what": what, "args": args}
        try:
            payload = messages.encode("cmd", values)
        except ContractError as error:
            raise ConfigError(str(error)) from error
        ended = self.end_alarm(lift) if (what, args.get("alarm")) == ("car", ALARM_STEPS[0]) else None
        answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._waiting[lift, name] = answer
        self.counters["sent"] += 1
        try:
            self._publish(topic(end.record.site, lift, "cmd"), payload)
            async with asyncio.timeout(ANSWER_S):
                reply = await answer
        except TimeoutError:
            self.counters["unanswered"] += 1
            if ended is not None:
                detail = f"the gateway ended {ended} alarms, for it detects here; the terminal does not answer"
                return {"ok": True, "detail": detail}
            raise NotDelivered(f"{lift} did not answer within {ANSWER_S:g} s; is its node online?") from None
        finally:
            del self._waiting[lift, name]
        self.counters["answered" if reply["ok"] else "refused"] += 1
        return reply

    async def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """The cloud's query {lift, command, args}: {ok, detail}, and `unanswered` where the node says nothing. Sent only if FROM_CLOUD."""
        lift, what, args = str(query["lift"]), query.get("command"), query.get("args") or {}
        if what not in FROM_CLOUD or not isinstance(args, dict):
            return {"ok": False, "detail": f"the cloud may send {', '.join(FROM_CLOUD)}, with args as an object"}
        try:
            reply = await self.send(lift, what, args)
        except NotDelivered as error:
            return {"ok": False, "unanswered": True, "detail": str(error)}
        except ConfigError as error:
            return {"ok": False, "detail": str(error)}
        return {"ok": reply["ok"], "detail": reply["detail"]}

    def on_reply(self, lift: str, values: dict[str, Any]) -> None:
        """From any thread: a node's decoded `reply`."""
        self._loop.call_soon_threadsafe(self._settle, lift, values)

    def _settle(self, lift: str, values: dict[str, Any]) -> None:
        answer = self._waiting.get((lift, values["id"]))
        if answer is None or answer.done():
            self.counters["strange_replies"] += 1  # too late, a second one, or of a command that is not ours
        else:
            answer.set_result(values)
