"""Commands by the cloud: only those that it may send reach a node, and each gets an answer. And what an ack says to the car's lamp."""

from typing import Any

import pytest

from gateway import commands as commands_module
from gateway.commands import FROM_CLOUD, Commands
from gateway.config import CityRef, Config, Gateway, Lift
from gateway.lifts import Lifts
from protocols import codes, messages


class House:
    """A lift whose node answers with `ok` and `detail`, or not at all."""

    def __init__(self, ok: bool | None, detail: str = "") -> None:
        lifts = Lifts(Config(Gateway("g", "d"), lift=[Lift("lift-1", "s")]), "store", {}, {}, lambda *_: None)
        self.commands = Commands(lifts, self._publish)
        self._ok, self._detail = ok, detail
        self.heard: list[dict[str, Any]] = []

    def _publish(self, topic: str, payload: bytes) -> None:
        assert topic == "lift/1/s/lift-1/cmd"
        cmd = messages.decode("cmd", payload)
        self.heard.append(cmd)
        if self._ok is not None:
            self.commands.on_reply("lift-1", {"id": cmd["id"], "ok": self._ok, "detail": self._detail})


def asked(**more: Any) -> dict[str, Any]:
    return {"what": "command", "lift": "lift-1", "command": "car", "args": {"alarm": "heard"}, **more}


async def test_the_cloud_has_a_car_told_and_hears_what_the_node_says() -> None:
    house = House(True, "heard; yellow on, green on")
    assert await house.commands.answer(asked()) == {"ok": True, "detail": "heard; yellow on, green on"}
    assert (house.heard[0]["what"], house.heard[0]["args"]) == ("car", {"alarm": "heard"})
    refusing = House(False, "expired")
    assert await refusing.commands.answer(asked()) == {"ok": False, "detail": "expired"}


@pytest.mark.parametrize("what", [*codes.COMMANDS, "move_up", None, ["car"]])
async def test_the_cloud_reaches_a_node_with_a_few_commands_only(what: Any) -> None:
    house = House(True)
    answer = await house.commands.answer(asked(command=what))
    assert answer["ok"] == bool(house.heard) == (what in FROM_CLOUD)
    assert answer["ok"] or "the cloud may send car" in answer["detail"]


@pytest.mark.parametrize(
    "query", [asked(args=["heard"]), asked(args={"alarm": "x" * 5000}), asked(lift="lift-9"), {**asked(), "command": "restart"}]
)  # fmt: skip
async def test_nonsense_is_an_answer_and_reaches_nobody(query: dict[str, Any]) -> None:
    house = House(True)
    answer = await house.commands.answer(query)
    assert answer["ok"] is False and answer["detail"] and not house.heard


async def test_a_silent_node_is_told_apart_from_one_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands_module, "ANSWER_S", 0.05)
    house = House(None)
    answer = await house.commands.answer(asked())
    assert answer["unanswered"] is True and "did not answer" in answer["detail"]
    assert house.commands.counters["unanswered"] == 1


@pytest.mark.parametrize(
    ("cities", "told"),
    [([CityRef("f", "u")], True), ([CityRef("f", "u", required=False)], False), ([], False)],
)
def test_a_gateway_that_must_ask_no_city_says_so_with_its_receipts(cities: list[CityRef], told: bool) -> None:
    lifts = Lifts(Config(Gateway("g", "d"), city=cities, lift=[Lift("lift-1", "s")]), "store", {}, {}, lambda *_: None)
    end = lifts.known("lift-1")
    assert end is not None
    assert messages.decode("ack", lifts.ack_payload(end))["told"] is True  # it says nothing of any event
    end.intake.committed("lift-1-1-1", 1, codes.DONE)
    ack = messages.decode("ack", lifts.ack_payload(end))
    assert (ack["events"], ack["told"]) == ([("lift-1-1-1", 1, codes.DONE)], told)
