"""What runs of cases beside the routes: put together for the app, which starts and stops it."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select

from cloud.cases.cars import Cars
from cloud.cases.lamps import Lamps
from cloud.cases.limits import Rescue
from cloud.cases.loop import CaseLoop
from cloud.cases.models import CaseRow
from cloud.cases.parties import unknown_names
from cloud.cases.service import Cases
from cloud.cases.watch import DeadMan
from cloud.gateways.commands import CarAnswer, tell_car
from cloud.gateways.links import GatewayLinks
from cloud.lifts.models import Lift
from cloud.live.board import Board
from cloud.live.feed import Feed
from cloud.settings import Settings
from cloud.turns import Turns

_log = logging.getLogger(__name__)


class CasesRunning:
    """Cases, their clocks, the dead man, and the words to cars."""

    def __init__(self, sessions: Any, board: Board, feed: Feed, links: GatewayLinks, settings: Settings) -> None:
        self._sessions, self._links = sessions, links
        self.turns = Turns()
        self.cars = Cars(self._tell_car, self.turns)
        self.cases = Cases(sessions, feed, settings.rescue, settings.clock, self.cars.tell)
        self.cars.change = self.cases.change
        self.loop = CaseLoop(sessions, self.cases, settings.clock, self.turns)
        self.dead_man = DeadMan(sessions, board, self.cases, settings.rescue, settings.clock, self.turns)
        self.lamps = Lamps(sessions, board, self.cases, self.cars, settings.clock, self.turns)
        links.incident_stored = self.loop.told

    async def _tell_car(self, gateway: str, lift: str, alarm: str, eta_min: int | None) -> CarAnswer:
        """By the gateway that tells of the lift now. The end of an older alarm is kept from who is shut in there meanwhile."""
        async with self._sessions() as session:
            anew = select(CaseRow.number).where(
                CaseRow.lift == lift, CaseRow.kind == "trapped", CaseRow.phase == "open"
            )  # fmt: skip
            number = await session.scalar(anew.limit(1)) if alarm == "ended" else None
            moved = await session.scalar(select(Lift.gateway).where(Lift.id == lift))
        if number is not None:
            return CarAnswer("refused", f"somebody is shut in there anew, by case {number}")
        return await tell_car(self._links, moved or gateway, lift, alarm, eta_min)

    def counts(self) -> dict[str, int]:
        """What an operator may want to know went not as it should."""
        return {
            "late": self.cases.late, "collisions": self.cases.collisions, "failures": self.loop.failures,
            "cars_dropped": self.cars.dropped,
        }  # fmt: skip

    async def check(self, sessions: Any, rescue: Rescue) -> None:
        """Say at the start which names of the file nobody has."""
        async with sessions() as session:
            names = await unknown_names(session, rescue)
        if names:
            _log.warning("rescue file: no organisation is called %s; it is as if none were named", ", ".join(names))

    def loops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """What runs for ever, by name."""
        return [
            ("the clocks of cases", self.loop.run),
            ("the watch on gateways", self.dead_man.run),
            ("the lamps of cars", self.lamps.run),
        ]
