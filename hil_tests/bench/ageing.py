"""What years do to a lift, by degrees: slow doors, stops beside the level, worn switches and sensors. Seeded; it knows no fault."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

DAY_MS = 86_400_000
# How long a worn part misbehaves at a time: a zone switch until it is shaken again, a radar in rain or sun, a sensor that
# hangs until its supply is switched (ours).
SPELLS_MS = {
    "zone_flickers": (3000, 45_000),
    "presence_noisy": (30_000, 1_800_000),
    "presence_stuck": (600_000, 7_200_000),
}
# Beyond this an aged drive does not miss its level: the next worse is a fault of its own (ours).
WORST_STOP_MM = 40.0


@dataclass(frozen=True)
class Ageing:
    """All zero = as new.

    `door_slower`: share by which a leaf takes longer. `stop_error_mm`: standard deviation of where the car stops. The rest are
    mean numbers of spells a day of a flickering zone switch, of a presence sensor that misses people and sees ghosts, and of
    one that hangs seeing somebody; and for how many ms the alarm button's contact bounces.
    """

    door_slower: float = 0.0
    stop_error_mm: float = 0.0
    zone_flickers: float = 0.0
    presence_noisy: float = 0.0
    presence_stuck: float = 0.0
    button_bounce_ms: int = 0

    def part(self, share: float) -> "Ageing":
        """So much of it: 0 is as new, 1 is all."""
        return Ageing(
            self.door_slower * share, self.stop_error_mm * share, self.zone_flickers * share, self.presence_noisy * share,
            self.presence_stuck * share, round(self.button_bounce_ms * share),
        )  # fmt: skip


class Ages(Protocol):
    """What wear needs of a lift."""

    flaws: set[str]

    def later(self, ms: int, act: Callable[[], None]) -> None:
        """Let `act` happen `ms` from now."""


class Wear:
    """The wear of one lift: spells come as Poisson streams, each ends by itself."""

    def __init__(self, ageing: Ageing, seed: int) -> None:
        self._ageing = ageing
        self._rng = random.Random(seed ^ 0xA6ED)
        self._times = 0  # that it was worn further: spells that were awaited by then do not come

    def begin(self, lift: Ages) -> None:
        """Let the spells of its worn parts come over `lift` from now on."""
        for name in SPELLS_MS:
            per_day = getattr(self._ageing, name)
            if per_day > 0:
                self._await(lift, name, per_day, self._times)

    def go_on(self, lift: Ages, ageing: Ageing) -> None:
        """From now on `lift` is worn so; a spell that it has ends by itself."""
        self._ageing = ageing
        self._times += 1
        self.begin(lift)

    def _await(self, lift: Ages, name: str, per_day: float, times: int) -> None:
        def start() -> None:
            if times == self._times:
                lift.flaws.add(name)
                lift.later(self._rng.randint(*SPELLS_MS[name]), end)

        def end() -> None:
            lift.flaws.discard(name)
            if times == self._times:
                self._await(lift, name, per_day, times)

        lift.later(max(1, int(self._rng.expovariate(per_day / DAY_MS))), start)

    def stop_error_mm(self) -> float:
        """How far from level the next run ends."""
        if not self._ageing.stop_error_mm:
            return 0.0
        return max(-WORST_STOP_MM, min(WORST_STOP_MM, self._rng.gauss(0.0, self._ageing.stop_error_mm)))

    def bounces_ms(self) -> list[int]:
        """When, after an edge of the button, its contact opens and closes again, in turn; empty for a good one."""
        longest = self._ageing.button_bounce_ms
        if not longest:
            return []
        times = sorted(self._rng.sample(range(1, longest + 1), min(longest, 2 * self._rng.randint(1, 4))))
        return times[: len(times) // 2 * 2]
