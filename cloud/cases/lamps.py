"""Cars that show less than they were told: a node forgets it at a reset, a gateway without a link never heard it. They are told again."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from cloud.cases import facts
from cloud.cases.cars import Cars
from cloud.cases.models import CaseRow, state_of
from cloud.cases.service import Cases
from cloud.cases.state import Case
from cloud.clock import mono_ms
from cloud.live.board import Board
from cloud.turns import Turns
from protocols.codes import ALARM_STEPS

LOOK_S = 2.0
# The first repetition comes so long after the last word; each further one of the same case after twice as long.
FIRST_MS, MOST_MS = 10_000, 600_000


class Lamps:
    """Compares what open cases have come to with what their cars say that they show (field `alarm_shown`)."""

    def __init__(
        self, sessions: Any, board: Board, cases: Cases, cars: Cars, clock: Callable[[], int], turns: Turns
    ) -> None:
        self._sessions, self._board, self._cases, self._cars, self._clock = sessions, board, cases, cars, clock
        self._turns = turns
        self._next: dict[str, tuple[int, int]] = {}  # case: when it may be told again, and the wait after that
        self._live: dict[str, bool] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            async with self._turns.turn():
                await self.look(mono_ms())
            await asyncio.sleep(LOOK_S)

    async def look(self, mono: int) -> None:
        """Once. `mono`: the clock that the board is told by."""
        query = select(CaseRow).where(CaseRow.phase != "closed", CaseRow.kind == "trapped", CaseRow.lift != "")
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        live = {row.id: self._is_live(row.lift, mono) for row in rows}
        for row in rows:
            if live[row.id]:
                await self._one(row.id, state_of(row), came_back=not self._live.get(row.id, False), mono=mono)
        self._live = live
        self._next = {name: found for name, found in self._next.items() if name in live}

    def _is_live(self, lift: str, mono: int) -> bool:
        return lift in self._board.lifts and self._board.view(lift, mono)["quality"] == "good"

    async def _one(self, id: str, case: Case, *, came_back: bool, mono: int) -> None:
        if came_back:
            await self._cases.change(id, facts.back)
        word = facts.word_for(case, self._clock())
        shown = self._board.view(case.lift, mono)["state"].get("alarm_shown")
        if word is None or shown is None or shown >= ALARM_STEPS.index(word.alarm):
            self._next.pop(id, None)
            return
        due, wait = self._next.get(id, (mono + FIRST_MS, FIRST_MS * 2))
        if mono < due:
            self._next[id] = due, wait
            return
        self._next[id] = mono + wait, min(wait * 2, MOST_MS)
        self._cars.tell(id, case.lift, case.gateway, word)
