"""The dead man: a gateway that is not heard for a minute is paged like an alarm, also when the cloud itself was away meanwhile."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases.limits import Rescue
from cloud.cases.models import GatewayWatch
from cloud.cases.service import Cases
from cloud.clock import mono_ms
from cloud.live.board import Board
from cloud.turns import Turns

_log = logging.getLogger(__name__)

LOOK_S = 1.0
# So often it is noted down when a gateway was heard; its lifts at risk sooner, when they have changed.
NOTE_MS = 10_000
RISK_MS = 2_000


class DeadMan:
    """All gateways that were ever heard. A silence is paged once, and noted when it ends."""

    def __init__(
        self, sessions: Any, board: Board, cases: Cases, rescue: Rescue, clock: Callable[[], int], turns: Turns
    ) -> None:
        self._sessions, self._board, self._cases, self._clock = sessions, board, cases, clock
        self._turns = turns
        self._silent_ms = rescue.default.limits.gateway_silent_ms
        self._noted_ms = 0
        self._risk_ms = 0

    async def run(self) -> None:
        """For ever."""
        while True:
            async with self._turns.turn():
                await self.look(mono_ms())
            await asyncio.sleep(LOOK_S)

    async def look(self, mono: int) -> None:
        """Once. `mono`: the clock that the board is told by; since our start counts for who was not heard since."""
        heard = {gateway.id: mono - gateway.heard_ms for gateway in self._board.gateways.values()}
        silent = [name for name, ago in heard.items() if ago >= self._silent_ms]
        if mono - self._risk_ms >= RISK_MS:
            self._risk_ms = mono
            await self._note(mono, {name: ago for name, ago in heard.items() if ago < self._silent_ms})
        for name in silent:
            await self._page(name, heard[name])
        await self._back({name for name, ago in heard.items() if ago < self._silent_ms})

    async def _note(self, mono: int, heard: dict[str, int]) -> None:
        """Write down what a restart must know; only what has changed."""
        now = self._clock()
        all_of_them = mono - self._noted_ms >= NOTE_MS
        if all_of_them:
            self._noted_ms = mono
        async with self._sessions() as session:
            rows = {row.gateway: row for row in (await session.scalars(select(GatewayWatch))).all()}
            for name, ago in heard.items():
                if not self._board.gateways[name].connected:
                    continue  # not heard since our start: what was noted before holds
                row, risk = rows.get(name), self._at_risk(name)
                if row is None:
                    session.add(GatewayWatch(gateway=name, last_heard_ms=now - ago, at_risk=risk))
                elif all_of_them or row.at_risk != risk:
                    # Another process may have heard it later; a time that lies ahead is of a clock that was set back since.
                    row.last_heard_ms, row.at_risk = max(_past(row.last_heard_ms, now), now - ago), risk
            await session.commit()

    async def _page(self, name: str, ago_ms: int) -> None:
        now = self._clock()
        async with self._sessions() as session:
            row = await self._row(session, name, now - ago_ms)
            since = _past(row.last_heard_ms, now) or now - ago_ms
            # Another process of ours may hold its link.
            if row.paged_at_ms is not None or now - since < self._silent_ms:
                return
            known = sorted(set(row.at_risk) | set(self._at_risk(name)))
        _log.warning(
            "gateway %s: silent for %d s; at risk: %s", name, (now - since) // 1000, ", ".join(known) or "none"
        )
        await self._cases.silent(name, since, known)
        async with self._sessions() as session:
            row = await self._row(session, name, since)
            row.paged_at_ms = now
            await session.commit()

    async def _back(self, heard: set[str]) -> None:
        """Those that are paged and heard again: by us, or by another process that notes it down."""
        now = self._clock()
        async with self._sessions() as session:
            paged = (await session.scalars(select(GatewayWatch).where(GatewayWatch.paged_at_ms.is_not(None)))).all()
        for row in paged:
            gateway = self._board.gateways.get(row.gateway)
            ours = row.gateway in heard and gateway is not None and gateway.connected
            if not ours and now - _past(row.last_heard_ms, now) >= self._silent_ms:
                continue
            await self._cases.heard(row.gateway)
            async with self._sessions() as session:
                held = await self._row(session, row.gateway, now)
                held.paged_at_ms = None
                if ours:
                    held.last_heard_ms = now
                await session.commit()

    def _at_risk(self, gateway: str) -> list[str]:
        return self._board.at_risk(gateway, lambda lift: True)

    @staticmethod
    async def _row(session: AsyncSession, name: str, heard_ms: int) -> GatewayWatch:
        row = await session.get(GatewayWatch, name)
        if row is None:
            row = GatewayWatch(gateway=name, last_heard_ms=heard_ms, at_risk=[])
            session.add(row)
        return row


def _past(at_ms: int, now_ms: int) -> int:
    """The time, or 0 if it lies ahead: what was noted by a clock that was set back since tells nothing."""
    return at_ms if at_ms <= now_ms else 0
