"""Tells cars how far help has come, and puts into the case what they answered. Of each case the newest word is what counts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cloud.cases import facts
from cloud.cases.doing import Car
from cloud.cases.limits import Limits
from cloud.cases.machine import Result
from cloud.cases.state import Case
from cloud.gateways.commands import CarAnswer
from cloud.turns import Turns

_log = logging.getLogger(__name__)

MOST_CASES = 500

Ask = Callable[[str, str, str, int | None], Awaitable[CarAnswer]]  # gateway, lift, alarm, eta_min
Change = Callable[[str, Callable[[Case, Limits, int], Result | None]], Awaitable[None]]


class Cars:
    """One question at a time for each case. The end of an alarm that is dropped here is asked again by its clock."""

    def __init__(self, ask: Ask, turns: Turns) -> None:
        self._ask, self._turns = ask, turns
        self.change: Change | None = None
        self._words: dict[str, tuple[str, str, Car]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.dropped = 0

    def tell(self, case: str, lift: str, gateway: str, word: Car) -> None:
        """Soon."""
        if case not in self._tasks and len(self._tasks) >= MOST_CASES:
            self.dropped += 1
            return
        self._words[case] = (gateway, lift, word)
        if case not in self._tasks:
            self._tasks[case] = asyncio.create_task(self._run(case))

    async def stop(self) -> None:
        """Leave what is not answered yet."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, case: str) -> None:
        try:
            while case in self._words:
                gateway, lift, word = self._words.pop(case)
                answer = await self._ask(gateway, lift, word.alarm, word.eta_min)
                await self._report(case, word, answer)
        except Exception:  # the top of the task
            _log.exception("case %s, lift %s: the car could not be told", case, lift)
        finally:
            del self._tasks[case]

    async def _report(self, case: str, word: Car, answer: CarAnswer) -> None:
        assert self.change is not None
        detail = f"{answer.outcome}: {answer.detail}"[:300]
        async with self._turns.turn():
            await self.change(
                case,
                lambda held, limits, now: facts.car_told(held, limits, now, word.alarm, ok=answer.ok, detail=detail),
            )
