"""Shapes of what is said of cases: calls by telephone, and all steps as one union by their name. What they may say is the machine's."""

from typing import Annotated, Literal

from pydantic import Field

from cloud.accounts.schemas import Body, District
from cloud.cases.state import Outcome

Note = Annotated[str, Field(max_length=1000, examples=["监控确认轿厢内两人，情绪稳定"])]
Name = Annotated[str, Field(max_length=120, examples=["张伟"])]
Place = Annotated[str, Field(max_length=200, examples=["荷芳苑 3 幢 2 单元"])]
PhoneNumber = Annotated[str, Field(max_length=32, pattern=r"^[0-9+ ()-]*$", examples=["138 0000 2210"])]
Level = Annotated[Literal[1, 2, 3], Field(examples=[2])]
Count = Annotated[int, Field(ge=0, le=200)]
Minutes = Annotated[int, Field(ge=0, le=720, description="minutes until there", examples=[8])]
CauseName = Annotated[str, Field(max_length=24, examples=["door_system"])]


class CaseCreate(Body):
    """A call by telephone. With `lift` or `rescue_code` it is about that lift, and joins its open case; else `place` is needed."""

    op: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="an id that the client makes; the same one again makes no second case",
            examples=["9f1c2b7e-1"],
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
            min_length=1,
            max_length=64,
            description="an id that the client makes; the same one again changes nothing",
            examples=["9f1c2b7e-2"],
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
    until_ms: Annotated[int, Field(examples=[1_795_800_000_000])]
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
    keys: Annotated[
        list[Annotated[str, Field(max_length=24)]], Field(max_length=20, examples=[["heard", "keep_off_door"]])
    ]


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
    lift: Annotated[str, Field(min_length=1, max_length=32, examples=["lift-1"])]


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

    step: Annotated[Literal["called_station", "called_119"], Field(examples=["called_119"])]
    note: Note


class LegStep(StepSaid):
    """Of one level; left out it is that of one's own organisation."""

    level: Level | None = None


class Coming(LegStep):
    """They take it, or are on the way."""

    step: Annotated[Literal["accept", "on_the_way"], Field(examples=["on_the_way"])]
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
    outcome: Annotated[Literal["nobody_inside", "false_alarm", "test_or_drill"], Field(examples=["false_alarm"])]
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
