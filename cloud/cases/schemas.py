"""Shapes of cases in the API. All times are unix ms by the cloud's clock, but for `said_at_ms`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from cloud.accounts.schemas import Body, District
from cloud.cases.state import ClockName, Kind, LegState, Outcome, Phase, Source

Note = Annotated[str, Field(max_length=1000, examples=["监控确认轿厢内两人，情绪稳定"])]
Name = Annotated[str, Field(max_length=120, examples=["张伟"])]
Place = Annotated[str, Field(max_length=200, examples=["荷芳苑 3 幢 2 单元"])]
PhoneNumber = Annotated[str, Field(max_length=32, pattern=r"^[0-9+ ()-]*$", examples=["138 0000 2210"])]
Level = Literal[1, 2, 3]
Count = Annotated[int, Field(ge=0, le=200)]
Minutes = Annotated[int, Field(ge=0, le=720, description="minutes until there", examples=[8])]
CauseName = Annotated[str, Field(max_length=24, examples=["door_system"])]


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
    """One level of the ladder: 1 contract unit, 2 grid rescue station, 3 fire service. `organisation` null: by telephone.

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
    level where a step is about one (`accept:1`); in the stream it is for his role. `at_risk`: lifts last seen occupied or moving.
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


class CaseCreate(Body):
    """A call by telephone. With `lift` or `rescue_code` it is about that lift, and joins its open case; else `place` is needed."""

    op: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="an id that the client makes; the same one again makes no second case",
        ),
    ]
    kind: Literal["trapped", "fault", "other"] = "trapped"
    lift: Annotated[str, Field(max_length=32)] = ""
    rescue_code: Annotated[str, Field(pattern=r"^([0-9]{6})?$", examples=["330117"])] = ""
    place: Place = ""
    district: District = ""
    caller: Name = ""
    phone: PhoneNumber = ""
    persons: Count | None = None
    injured: Count | None = None
    note: Note = ""


class StepSaid(Body):
    """What all steps have. `said_at_ms`: when it was said by the client's own clock, if that was without a line to us."""

    op: Annotated[
        str,
        Field(
            min_length=1, max_length=64, description="an id that the client makes; the same one again changes nothing"
        ),
    ]
    said_at_ms: Annotated[int, Field(ge=0, le=1 << 53)] | None = None


class Acknowledge(StepSaid):
    """I have it."""

    step: Literal["acknowledge"]


class TakeOver(StepSaid):
    """I have it in place of who had it."""

    step: Literal["take_over"]
    note: Note = ""


class ShelveStep(StepSaid):
    """Put it aside."""

    step: Literal["shelve"]
    until_ms: int
    reason: Note


class Unshelve(StepSaid):
    """Take it up again."""

    step: Literal["unshelve"]


class PersonsStep(StepSaid):
    """How many are inside, and how many are hurt."""

    step: Literal["persons"]
    count: Count | None = None
    injured: Count | None = None


class ComfortStep(StepSaid):
    """Parts of the script that were said."""

    step: Literal["comfort"]
    keys: Annotated[list[Annotated[str, Field(max_length=24)]], Field(max_length=20)]


class NoteStep(StepSaid):
    """A line of the timeline, also of a closed case."""

    step: Literal["note"]
    note: Note


class CallerStep(StepSaid):
    """Who telephoned, and from where."""

    step: Literal["caller"]
    name: Name = ""
    phone: PhoneNumber = ""
    place: Place = ""


class LinkStep(StepSaid):
    """The lift that a call is about. If it has an open case, this one ends in that."""

    step: Literal["link"]
    lift: Annotated[str, Field(min_length=1, max_length=32)]


class RaiseStep(StepSaid):
    """Somebody is shut in."""

    step: Literal["raise"]
    note: Note


class OrderStep(StepSaid):
    """Send a level now; `organisation` in place of the usual one."""

    step: Literal["order"]
    level: Level
    organisation: Annotated[str, Field(max_length=16)] = ""
    note: Note = ""


class StandDown(StepSaid):
    """Call a level off."""

    step: Literal["stand_down"]
    level: Level
    note: Note = ""


class Called(StepSaid):
    """The telephone call was made; `note` says what was answered."""

    step: Literal["called_station", "called_119"]
    note: Note


class LegStep(StepSaid):
    """Of one level; left out it is that of one's own organisation."""

    level: Level | None = None


class Coming(LegStep):
    """They take it, or are on the way."""

    step: Literal["accept", "on_the_way"]
    eta_min: Minutes | None = None


class Arrived(LegStep):
    """They are there."""

    step: Literal["arrived"]


class RefuseStep(LegStep):
    """They do not come."""

    step: Literal["refuse"]
    reason: Note


class Released(LegStep):
    """Nobody is shut in any more: ends the alarm. Who is not there himself says in `competent` by whose word."""

    step: Literal["released"]
    outcome: Literal["released", "self_released"] = "released"
    competent: Name = ""
    count: Count | None = None
    injured: Count | None = None
    note: Note = ""


class Mended(LegStep):
    """The fault is gone, or there was none."""

    step: Literal["mended"]
    outcome: Literal["mended", "no_fault_found"] = "mended"
    cause: CauseName = ""
    note: Note = ""


class NoRescue(LegStep):
    """Nobody was to be let out; `note` says how that is known."""

    step: Literal["no_rescue"]
    outcome: Literal["nobody_inside", "false_alarm", "test_or_drill"]
    note: Note
    competent: Name = ""


class EndAlarm(LegStep):
    """Ask the car once more to end its alarm."""

    step: Literal["end_alarm"]
    competent: Name = ""


class CauseStep(StepSaid):
    """The cause report."""

    step: Literal["cause"]
    cause: CauseName
    note: Note = ""


class CallBackStep(StepSaid):
    """The call afterwards was made; if not, `note` says why."""

    step: Literal["call_back"]
    done: bool = True
    note: Note = ""


class CloseStep(StepSaid):
    """It is over."""

    step: Literal["close"]
    outcome: Outcome | None = None
    cause: CauseName = ""
    note: Note = ""


CaseStep = Annotated[
    Acknowledge | TakeOver | ShelveStep | Unshelve | PersonsStep | ComfortStep | NoteStep | CallerStep | LinkStep | RaiseStep
    | OrderStep | StandDown | Called | Coming | Arrived | RefuseStep | Released | Mended | NoRescue | EndAlarm | CauseStep
    | CallBackStep | CloseStep,
    Field(discriminator="step", examples=[{"op": "7f3a", "step": "on_the_way", "eta_min": 8}]),
]  # fmt: skip


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
