"""Shapes of incidents in the API. All times are unix ms by the gateway's clock."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud.live.schemas import Bilingual, FaultWord


class Stages(BaseModel):
    """When a revision passed each stage."""

    onset: int | None
    detected: int | None
    published: int | None
    received: int
    committed: int


class Delivery(BaseModel):
    """One revision on its way to one destination."""

    destination: str
    rev: int
    phase: str
    sent: int | None
    receipted: int | None
    attempts: int
    state: str | None = None
    detail: str | None = None


class Revision(BaseModel):
    """One revision and its stages."""

    rev: int
    phase: str
    stages: Stages


class Condition(BaseModel):
    """One condition of the fault table in words; `since_ms` where it is known since when it held."""

    condition: str
    en: str
    zh: str
    since_ms: int | None = None


class Explanation(BaseModel):
    """Why an event stands, and what would end it: any group of `clears` that holds for `clear_ms`. `ended`: what has."""

    cause: Bilingual | None
    held: list[Condition]
    clears: list[list[Condition]]
    clear_ms: int | None
    ended: Bilingual | None = None


class Member(BaseModel):
    """One lift of an area event. Members stand in the order in which they are to be looked after: by class, then by waiting time.

    `incident` is what made it a member, `incidents` are all of its own that are of the area, the newest few. `passenger` and
    the car are as its node told them at `passenger_at_ms` and `car_at_ms`: what was known last, unless it is `live`, which says
    that the node was heard when the revision was told.
    """

    model_config = ConfigDict(populate_by_name=True)

    lift: str
    site: str
    incident: str
    incidents: list[str]
    triage_class: Literal["alarm", "occupied", "unknown", "moving", "empty", "ended"] = Field(alias="class")
    reason: str
    since_ms: int
    ended_ms: int | None
    passenger: bool | None
    passenger_at_ms: int | None
    floor: int | None
    running: bool | None
    in_zone: bool | None
    car_at_ms: int | None
    live: bool


class Incident(BaseModel):
    """One incident in its newest revision; `stages` are those of the revision received first.

    `area`: the area event that it is a member of. An area event itself has `members`, at most 250 of those looked after first;
    its `snapshot` counts all of them, and it is about the gateway in place of a lift.
    """

    model_config = ConfigDict(populate_by_name=True)

    id: str
    rev: int
    version: int
    lift: str
    gateway: str
    kind: str
    code: int | None
    event_class: str = Field(alias="class")
    severity: int
    phase: Literal["open", "updated", "closed"]
    cause: str
    end_cause: str = ""
    presses: int = 0
    withheld: Literal["", "work", "filter"] = ""
    opened_at_ms: int | None
    closed_at_ms: int | None
    profile: str | None = None
    area: str | None = None
    members: list[Member] = []
    snapshot: dict[str, Any]
    last_known: dict[str, Any]
    last_known_at_ms: int | None
    controller_fault: FaultWord | None = None
    evidence: list[list[Any]]
    explanation: Explanation
    stages: Stages
    deliveries: list[Delivery]
    offset_err_ms: int | None
    revisions: list[Revision]
