"""The car is told by its gateway's link: what the cloud asks for, and that it always gets an answer."""

import asyncio
from typing import Any

import pytest

from cloud.gateways import links as links_module
from cloud.gateways.commands import CarAnswer, tell_car
from cloud.gateways.links import GatewayLinks, Link
from cloud.live.board import Board


def as_any(value: Any) -> Any:
    """It has all of a socket that is used here."""
    return value


class Socket:
    """A gateway behind its link: `answer` is what it says to a query, None for nothing, an error for a line that has broken."""

    def __init__(self, answer: dict[str, Any] | RuntimeError | None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer = answer
        self.links: GatewayLinks | None = None

    async def send_json(self, message: dict[str, Any]) -> None:
        self.asked.append(message)
        if isinstance(self._answer, RuntimeError):
            raise self._answer
        if self._answer is not None and self.links is not None:
            link = Link("g-1", as_any(self), "")
            answer = {"type": "answer", "q": message["q"], **self._answer}
            asyncio.get_running_loop().create_task(self.links._take(link, answer))


def linked(socket: Socket) -> GatewayLinks:
    nobody: Any = None  # asked for nothing here
    links = socket.links = GatewayLinks(Board(), nobody, nobody, nobody)
    links._links["g-1"] = Link("g-1", as_any(socket), "")
    return links


async def test_the_car_is_told_and_the_nodes_own_words_come_back() -> None:
    socket = Socket({"ok": True, "detail": "coming, 12 min; yellow on, green on"})
    answer = await tell_car(linked(socket), "g-1", "lift-1", "coming", 12)
    assert answer == CarAnswer("done", "coming, 12 min; yellow on, green on") and answer.ok
    (asked,) = socket.asked
    assert {name: asked[name] for name in ("type", "what", "lift", "command", "args")} == {
        "type": "query", "what": "command", "lift": "lift-1", "command": "car", "args": {"alarm": "coming", "eta_min": 12},
    }  # fmt: skip
    await tell_car(linked(socket), "g-1", "lift-1", "arrived", 12)
    assert socket.asked[1]["args"] == {"alarm": "arrived"}


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"ok": False, "unanswered": True, "detail": "lift-1 did not answer within 5 s"}, ("no_node", "lift-1 did not answer within 5 s")),
        ({"ok": False, "detail": "expired"}, ("refused", "expired")),
        ({"error": "KeyError: 'from_ms'"}, ("refused", "KeyError: 'from_ms'")),  # a gateway of an earlier version
        ({"ok": "yes"}, ("refused", "refused without a word")),
        (None, ("no_gateway", "gateway g-1 does not answer")),
        (RuntimeError("closed"), ("no_gateway", "gateway g-1 is not connected")),
    ],
)  # fmt: skip
async def test_whatever_fails_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any] | RuntimeError | None, answer: tuple[str, str]
) -> None:
    monkeypatch.setattr(links_module, "QUERY_S", 0.05)
    found = await tell_car(linked(Socket(said)), "g-1", "lift-1", "heard")
    assert (found.outcome, found.detail, found.ok) == (*answer, False)


async def test_a_gateway_that_is_not_there_is_told_at_once_and_a_word_that_no_car_knows_is_our_mistake() -> None:
    links = linked(Socket(None))
    assert (await tell_car(links, "g-2", "lift-1", "heard")).outcome == "no_gateway"
    with pytest.raises(ValueError, match="sent, heard, coming, arrived"):
        await tell_car(links, "g-1", "lift-1", "open the doors")
