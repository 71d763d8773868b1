"""Shapes of cases in the API. All times are unix ms by the cloud's clock, but for `said_at_ms`."""

from typing import Any, Literal

from pydantic import BaseModel

from cloud.cases.state import ClockName, Kind, LegState, Outcome, Phase, Source

Level = Literal[1, 2, 3]


class ByWhom(BaseModel):
    """Who said it, and when."""

    by: str
    name: str
    organisation: str
    organisation_id: str
    at_ms: int


class Shelved(ByWhom):
    """Put aside until then; it comes back by itself."""

    until_ms: int
    reason: str


class PersonsInside(BaseModel):
    """Those in the car; null = not known."""

    count: int | None
    injured: int | None
    checked_at_ms: int


class CallerShown(BaseModel):
    """Who telephoned; the number is among the contacts."""

    name: str
    has_phone: bool


class LegShown(BaseModel):
    """One level of the ladder: 1 contract unit, 2 grid rescue station, 3 fire service. `organisation`: who was sent, or would be; null: by telephone.

    `missed`: which of its clocks ran out. `steps_allowed`: what who asks can say of it.
    """

    level: Level
    state: LegState
    organisation: str | None
    organisation_id: str
    responder: str
    ordered_at_ms: int | None
    answered_at_ms: int | None
    on_the_way_at_ms: int | None
    arrived_at_ms: int | None
    ended_at_ms: int | None
    answer_due_ms: int | None
    arrive_due_ms: int | None
    free_due_ms: int | None
    call_due_ms: int | None
    eta_ms: int | None
    missed: list[str]
    steps_allowed: list[str]


class ClockShown(BaseModel):
    """One that runs."""

    name: ClockName
    due_ms: int
    level: int | None


class Owner(BaseModel):
    """Whose it is now: who has acknowledged, or whose it is to. `role`: desk, contractors, manager, platform, or acknowledged."""

    organisation: str
    organisation_id: str
    name: str
    role: str


class CallBackShown(ByWhom):
    """The call afterwards, or why there was none."""

    done: bool
    note: str


class EndOfAlarmShown(BaseModel):
    """The end of the alarm on its way to the car: `over` when it was told, given up, or there is no car."""

    asked_at_ms: int
    competent: str
    told_at_ms: int | None
    over: bool
    tries: int
    detail: str


class TimelineEntry(BaseModel):
    """One line. `by` empty: the system. `said_at_ms`: by the clock of who said it without a line to us."""

    id: int
    at_ms: int
    said_at_ms: int | None
    by: str
    name: str
    organisation: str
    step: str
    detail: dict[str, Any]


class PhotoShown(BaseModel):
    """A photo; its picture is at /api/v1/cases/{case}/photos/{id}."""

    id: str
    media_type: str
    size_bytes: int
    at_ms: int
    by: str
    name: str


class Case(BaseModel):
    """A case: people's work on the incidents of a lift, on a silent gateway, or on a call.

    Two facts are kept apart: `active` (what it is about goes on) and `acknowledged` (somebody has it). `phase`: open, follow_up
    (nobody is shut in any more, or it is mended, and something is left to do), closed. `steps_allowed` is for who asks, with the
    level where a step is about one (`accept:1`); in the stream it is for his role. `since_ms`: when it began at the lift, before its opening. `at_risk`: lifts last seen occupied or moving.
    `timeline` has the newest lines, `timeline_total` counts all.
    """

    id: str
    number: int
    rev: int
    lift: str
    lift_name: str
    gateway: str
    district: str
    rescue_code: str
    kind: Kind
    source: Source
    severity: int
    incidents: list[str]
    areas: list[str]
    active: bool
    phase: Phase
    acknowledged: ByWhom | None
    reminders: int
    shelved: Shelved | None
    persons: PersonsInside | None
    caller: CallerShown | None
    place: str
    comfort: list[str]
    opened_at_ms: int
    since_ms: int
    released_at_ms: int | None
    closed_at_ms: int | None
    owner: Owner | None
    legs: list[LegShown]
    clocks: list[ClockShown]
    next_due_ms: int | None
    outcome: Outcome | None
    cause: str
    cause_note: str
    call_back: CallBackShown | None
    end_of_alarm: EndOfAlarmShown | None
    at_risk: list[str]
    silent_since_ms: int | None
    heard_at_ms: int | None
    photos: list[PhotoShown]
    timeline: list[TimelineEntry]
    timeline_total: int
    steps_allowed: list[str]


class Contact(BaseModel):
    """Somebody to call. `party`: caller, contractor, manager, owner, station or desk; `level` of who was sent."""

    party: str
    level: int | None
    organisation: str
    name: str
    role: str
    phone: str
    here: bool


class CodeFound(BaseModel):
    """The lift that a rescue code names, and its case that is not closed."""

    lift: str
    name: str
    address: str
    site: str
    rescue_code: str
    registration_code: str
    gateway: str
    district: str
    contractor: str
    latitude_deg: float | None
    longitude_deg: float | None
    case: str | None


class StepRefusal(BaseModel):
    """Why a step was refused: `reason` is a key, `text` says what to do. `kept`: it stands in the timeline as said late."""

    reason: str
    text: str
    possible: list[str]
    kept: bool
    case: Case


class CaseProblem(BaseModel):
    """The problem document of a refused step; `detail` is null where an op was used twice."""

    type: str = "about:blank"
    title: str
    status: int
    detail: StepRefusal | None = None
