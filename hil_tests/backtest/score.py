"""What replays are worth against labels: hits, misses, false alarms, time to detect, an interval for the rate. Numbers in and out."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hil_tests.backtest.replay import Replay, Told
from protocols.recording import Label

# 365.25 days in 12 parts.
MONTH_MS = 2_629_800_000
# A fault may be confirmed a little after it was mended, and what mending brings (a mode restored) comes then too (ours).
GRACE_MS = 60_000
MISSED = "missed"
CONFIDENCE = 0.95


@dataclass
class FaultScore:
    """Of one fault: its labels, those that were told, how long that took, and what was told of it where no label stands.

    `others`: events within its labels that are neither it nor what the label says to be just as true.
    """

    labels: int = 0
    hits: int = 0
    others: int = 0
    false: int = 0
    since_label_ms: list[int] = field(default_factory=list)
    since_onset_ms: list[int] = field(default_factory=list)

    @property
    def misses(self) -> int:
        """Labels of which nothing was told."""
        return self.labels - self.hits


@dataclass
class Score:
    """Of many recordings. `matrix` {labelled fault: {told kind: times}}, MISSED among the kinds; `false` are events without a label."""

    observed_ms: int = 0
    labelled_ms: int = 0
    holes: int = 0
    samples: int = 0
    faults: dict[str, FaultScore] = field(default_factory=dict)
    matrix: dict[str, Counter[str]] = field(default_factory=dict)
    false: list[Told] = field(default_factory=list)
    near_misses: Counter[str] = field(default_factory=Counter)

    def of(self, fault: str) -> FaultScore:
        """The score of one fault."""
        return self.faults.setdefault(fault, FaultScore())

    def lift_months(self) -> float:
        """Lift-months in which an event can only be false: what was observed outside of labels."""
        return max(0, self.observed_ms - self.labelled_ms) / MONTH_MS

    def add(self, labels: Iterable[Label], replay: Replay) -> None:
        """Take one recording in. An event within a label belongs to it: its own fault, one that is `also` true, or another."""
        self.observed_ms += replay.observed_ms
        self.holes += replay.holes
        self.samples += replay.samples
        self.near_misses.update(replay.near_misses)
        left = list(replay.told)
        for label in sorted(labels, key=lambda label: (label.onset_ms, label.fault)):
            if not label.fault:
                continue  # a note: what is told meanwhile is as false as ever
            self.labelled_ms += label.end_ms - label.onset_ms
            within = [told for told in left if label.onset_ms <= told.detected_ms <= label.end_ms + GRACE_MS]
            self._judge(label, within)
            mine = {id(told) for told in within}
            left = [told for told in left if id(told) not in mine]
        for told in left:
            told.is_false = True
            self.of(told.kind).false += 1
            self.false.append(told)

    def _judge(self, label: Label, within: list[Told]) -> None:
        score = self.of(label.fault)
        score.labels += 1
        row = self.matrix.setdefault(label.fault, Counter())
        for kind in {told.kind for told in within}:
            row[kind] += 1
            score.others += kind != label.fault and kind not in label.also
        own = next((told for told in within if told.kind == label.fault), None)
        if own is None:
            row[MISSED] += 1
            return
        score.hits += 1
        score.since_label_ms.append(own.detected_ms - label.onset_ms)
        score.since_onset_ms.append(own.detected_ms - own.onset_ms)


def poisson_interval(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact (Garwood) interval of the mean of which `count` were seen, both tails alike."""
    tail = (1 - confidence) / 2

    def at_most(mean: float, most: int) -> float:
        return sum(math.exp(seen * math.log(mean) - mean - math.lgamma(seen + 1)) for seen in range(most + 1))

    def where(most: int, wanted: float) -> float:
        """The mean at which so many or fewer are seen with the probability `wanted`."""
        low, high = 1e-12, 2.0 * most + 30
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(middle, most) > wanted else (low, middle)
        return high

    return (where(count - 1, 1 - tail) if count else 0.0), where(count, tail)


def rate(count: int, lift_months: float) -> str:
    """`count` in so many lift-months as a rate with its interval, for a person."""
    if lift_months <= 0:
        return "no time without a label"
    low, high = poisson_interval(count)
    return f"{count / lift_months:.3g} a lift-month (95 %: {low / lift_months:.2g} to {high / lift_months:.2g})"
