"""The state of a case: values that go to JSON and back, known to no database, no route and no clock."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from pydantic import TypeAdapter

Kind = Literal["trapped", "fault", "gateway_silent", "other"]
Source = Literal["incident", "telephone", "dead_man"]
Phase = Literal["open", "follow_up", "closed"]
LegState = Literal["standby", "ordered", "accepted", "on_the_way", "arrived", "released", "refused", "stood_down"]
ClockName = Literal[
    "acknowledge", "answer", "arrive", "free", "call", "mend", "shelf", "end_of_alarm", "call_back", "cause", "review"
]
Outcome = Literal[
    "released", "self_released", "nobody_inside", "false_alarm", "test_or_drill",
    "mended", "no_fault_found", "gateway_back", "settled", "joined",
]  # fmt: skip

KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS = (1, 2, 3)
# A leg in one of these is somebody's work now.
UNDER_WAY: frozenset[LegState] = frozenset(("ordered", "accepted", "on_the_way", "arrived"))
DANGER = 4  # the severity of people in danger
LEAST_SEVERITY = 2  # of an incident that is work for people


@dataclass
class By:
    """Who said it; an empty id is the system's."""

    id: str = ""
    name: str = ""
    organisation: str = ""
    organisation_name: str = ""
    at_ms: int = 0


@dataclass
class Parties:
    """Ids of the organisations that a case concerns; empty = there is none. A gateway may have several contractors."""

    contractors: list[str] = field(default_factory=list)
    desk: str = ""
    station: str = ""
    manager: str = ""
    owner: str = ""
    platform: str = ""


@dataclass
class Fact:
    """One incident of the case, in its newest revision. `trapped`: somebody is shut in or calls; `presses` are those of the button.

    `since_ms`: when it began at the lift, by its gateway's clock.
    """

    kind: str
    severity: int
    open: bool
    trapped: bool = False
    presses: int = 0
    area: str | None = None
    since_ms: int | None = None


@dataclass
class Leg:
    """One level of the ladder. Without an organisation somebody has to telephone, and `call_due_ms` reminds of it."""

    level: int
    state: LegState = "standby"
    organisation: str = ""
    responder: By | None = None
    ordered_at_ms: int | None = None
    answered_at_ms: int | None = None
    on_the_way_at_ms: int | None = None
    arrived_at_ms: int | None = None
    ended_at_ms: int | None = None
    answer_due_ms: int | None = None
    arrive_due_ms: int | None = None
    free_due_ms: int | None = None
    call_due_ms: int | None = None
    eta_ms: int | None = None
    calls: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def under_way(self) -> bool:
        """Somebody was sent, and is neither back nor called off."""
        return self.state in UNDER_WAY


@dataclass
class Persons:
    """Those in the car; None = not known."""

    count: int | None = None
    injured: int | None = None
    checked_at_ms: int = 0


@dataclass
class Caller:
    """Who telephoned."""

    name: str = ""
    phone: str = ""


@dataclass
class Shelf:
    """Put aside until then."""

    until_ms: int
    reason: str
    by: By


@dataclass
class CallBack:
    """The call to who was in the car, or to the house, afterwards; one that was not made has its reason in `note`."""

    done: bool
    note: str
    by: By


@dataclass
class EndOfAlarm:
    """The end of the alarm, said by a competent person on site, on its way to the car. `over`: told, or given up, or no car."""

    asked_at_ms: int
    competent: str
    next_ms: int
    tries: int = 0
    told_at_ms: int | None = None
    over: bool = False
    detail: str = ""


@dataclass
class Case:
    """People's work on the incidents of one lift, on a silent gateway, or on a call."""

    kind: Kind
    source: Source
    severity: int
    opened_at_ms: int
    lift: str = ""
    gateway: str = ""
    district: str = ""
    place: str = ""
    phase: Phase = "open"
    parties: Parties = field(default_factory=Parties)
    incidents: dict[str, Fact] = field(default_factory=dict)
    acknowledged: By | None = None
    ack_due_ms: int = 0
    reminders: int = 0
    shelved: Shelf | None = None
    persons: Persons | None = None
    caller: Caller | None = None
    comfort: list[str] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=lambda: [Leg(level) for level in LEVELS])
    mend_due_ms: int | None = None
    review_due_ms: int = 0
    reviews: int = 0
    raised_at_ms: int | None = None
    released_at_ms: int | None = None
    closed_at_ms: int | None = None
    outcome: Outcome | None = None
    cause: str = ""
    cause_note: str = ""
    cause_due_ms: int | None = None
    call_back: CallBack | None = None
    call_back_due_ms: int | None = None
    end_of_alarm: EndOfAlarm | None = None
    at_risk: list[str] = field(default_factory=list)
    silent_since_ms: int | None = None
    heard_at_ms: int | None = None

    @property
    def active(self) -> bool:
        """What it is about goes on: an incident is open, or the gateway is still silent."""
        return any(fact.open for fact in self.incidents.values()) or (
            self.silent_since_ms is not None and self.heard_at_ms is None
        )

    @property
    def since_ms(self) -> int:
        """Since when somebody is shut in, or what it is about goes on: before its opening, which waits for evidence."""
        if self.silent_since_ms is not None:
            return self.silent_since_ms
        trapped = self.kind == "trapped"
        own = self.raised_at_ms or self.opened_at_ms if trapped else self.opened_at_ms
        begun = [fact.since_ms for fact in self.incidents.values() if fact.trapped or not trapped]
        return min([own, *(at_ms for at_ms in begun if at_ms is not None)])

    @property
    def has_car(self) -> bool:
        """There is a car that can be told something."""
        return bool(self.lift and self.gateway)

    def leg(self, level: int) -> Leg:
        """One level."""
        return self.legs[level - 1]


_ADAPTER = TypeAdapter(Case)


def to_json(case: Case) -> dict[str, Any]:
    """As it is stored."""
    return asdict(case)


def from_json(found: Mapping[str, Any]) -> Case:
    """From what was stored; fields that came later have their defaults."""
    return _ADAPTER.validate_python(found)


@dataclass(frozen=True)
class Who:
    """Who says a step, as the machine needs to know it. `desk`: he does the rescue desk's work for this case.

    `responds`: organisations whose legs he may speak for; `competent`: he may end an alarm by his own word once he is there.
    """

    by: By
    desk: bool = False
    responds: frozenset[str] = frozenset()
    competent: bool = False


SYSTEM = Who(By())
