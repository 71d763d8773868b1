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
    """Why an event stands, and what would end it: any group of `clears` that holds for `clear_ms`."""

    cause: Bilingual | None
    held: list[Condition]
    clears: list[list[Condition]]
    clear_ms: int | None


class Incident(BaseModel):
    """One incident in its newest revision; `stages` are those of the revision received first."""

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
    presses: int = 0
    withheld: Literal["", "work", "filter"] = ""
    opened_at_ms: int | None
    closed_at_ms: int | None
    profile: str | None = None
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
