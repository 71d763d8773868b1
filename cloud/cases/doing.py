"""What a step works on: the case, the time, and what comes of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud.cases.limits import Limits
from cloud.cases.state import DANGER, Case, Who

REMINDER_STEPS = 5  # reminders of the same thing come later and later, up to so many times their first wait


@dataclass(frozen=True)
class Tell:
    """A notice to be queued. `to`: names of parties (`contractors`, `desk`, …), or `leg:2` for who was sent on a level."""

    kind: str
    to: tuple[str, ...]
    facts: Mapping[str, str | int]


@dataclass(frozen=True)
class Car:
    """The car is to be told: `heard`, `coming`, `arrived` or `ended`."""

    alarm: str
    eta_min: int | None = None


@dataclass(frozen=True)
class Order:
    """An organisation was sent on a level: it may see the case from now on."""

    level: int
    organisation: str


Effect = Tell | Car | Order


@dataclass(frozen=True)
class Entry:
    """One line of the timeline."""

    step: str
    who: Who
    detail: Mapping[str, Any]


@dataclass
class Doing:
    """One step or one clock at work: changes `case`, which is a copy, and collects entries and effects."""

    case: Case
    limits: Limits
    now_ms: int
    who: Who
    args: dict[str, Any] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def note(self, step: str, **detail: Any) -> None:
        """A line of the timeline; what is None or empty is left out."""
        kept = {key: value for key, value in detail.items() if value not in (None, "", [])}
        self.entries.append(Entry(step, self.who, kept))

    def tell(self, kind: str, *to: str, dedupe: str = "", **facts: str | int) -> None:
        """A notice. `dedupe` makes it another one than the last of its kind."""
        self.effects.append(Tell(kind, to, {**facts, "dedupe": dedupe or str(self.now_ms)}))

    def car(self, alarm: str, eta_min: int | None = None) -> None:
        """Tell the car, where there is one and somebody may sit in it."""
        if self.case.has_car and self.case.kind == "trapped":
            self.effects.append(Car(alarm, eta_min))

    def touched(self) -> None:
        """Somebody did something: the wait for the next review begins anew."""
        trapped = self.case.kind in ("trapped", "gateway_silent")
        self.case.reviews = 0
        self.case.review_due_ms = self.now_ms + (self.limits.review_ms if trapped else self.limits.fault_review_ms)

    @property
    def acknowledge_ms(self) -> int:
        """How long it may stay unacknowledged."""
        urgent = self.case.kind in ("trapped", "gateway_silent") or self.case.severity >= DANGER
        return self.limits.acknowledge_ms if urgent else self.limits.fault_acknowledge_ms


def chain(case: Case) -> list[str]:
    """Whose a case is, as names of parties: the first is its owner until somebody has acknowledged, the next ones are told after him."""
    order = {
        "trapped": ("desk", "contractors", "platform"),
        "fault": ("contractors", "manager", "platform"),
        "gateway_silent": ("contractors", "platform"),
        "other": ("desk", "contractors", "platform"),
    }[case.kind]
    return [name for name in order if name == "platform" or getattr(case.parties, name)]


def is_desks(case: Case) -> str:
    """The party that does the desk's work: the rescue desk, or without one the contractor, or the platform."""
    return chain(case)[0] if case.kind in ("trapped", "other") else "desk" if case.parties.desk else "platform"
