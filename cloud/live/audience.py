"""Who sees what on the live stream: viewers with the same grants are one audience. Pure."""

from collections.abc import Hashable
from typing import Any

from cloud.accounts.scope import NOBODYS, Assignment, Grant
from cloud.live.board import Board


class Places:
    """Whose each lift is, as it was when access changed last."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._assignments: dict[str, Assignment] = {}
        self.number = 0

    def change(self, assignments: dict[str, Assignment]) -> None:
        """It is otherwise now."""
        self._assignments = assignments
        self.number += 1

    def of(self, lift: str) -> Assignment:
        """Whose it is; nobody's if it was never assigned."""
        return self._assignments.get(lift, NOBODYS)

    def gateway(self, name: str) -> list[str] | None:
        """The lifts of the gateway of that name; None if there is none, or a lift is called so."""
        if name in self._assignments or name not in self._board.gateways:
            return None
        return self._board.lifts_of(name)


class Audience:
    """Viewers with the same grants: what they may see is found out once for all of them. `number` counts the changes of that."""

    def __init__(self, grants: frozenset[Grant], places: Places) -> None:
        self.grants, self._places = grants, places
        self.viewers: set[Any] = set()
        self.number = 0
        self.silent: tuple[Hashable, bytes] = (None, b"")
        self._covered: dict[Assignment, bool] = {}

    @property
    def key(self) -> Hashable:
        """Who has the same one sees the same, until whose a lift is changes."""
        return self.grants, self._places.number

    def covers(self, lift: Assignment) -> bool:
        """They may see lifts of this assignment."""
        found = self._covered.get(lift)
        if found is None:
            found = self._covered[lift] = any(grant.covers(lift) for grant in self.grants)
        return found

    def sees(self, lift: str) -> bool:
        """They may see this lift."""
        return self.covers(self._places.of(lift))

    def sees_place(self, lift: str) -> bool:
        """They may see this lift, or if it is a gateway's id, a lift of that gateway; one without lifts is for who sees what is nobody's."""
        gateway = self._places.gateway(lift)
        if gateway is None:
            return self.sees(lift)
        return any(self.sees(name) for name in gateway) or self.covers(NOBODYS)
