"""Shapes of a lift's health in the API, and of what a gateway tells of it. Null = not known, never 0 and never good."""

from typing import Literal

from pydantic import BaseModel, Field

from cloud.live.schemas import Bilingual

Level = Literal["good", "watch", "act"]
MAX_PARTS = 50
MAX_DAYS = 400


class ToldReason(BaseModel):
    """Why something is not known, as a gateway tells it."""

    key: str
    have: float = 0
    need: float = 0
    fields: list[str] = []
    step: int = 0


class Trend(BaseModel):
    """Change a week, the interval that holds it with 95 %, and the days that it rests on. `weeks_to_bad`: when the limit would be reached."""

    per_week: float
    low: float
    high: float
    days: int
    direction: Literal["worse", "better", "steady", "more", "less"]
    weeks_to_bad: int | None = None


class ToldPart(BaseModel):
    """One part, as a gateway tells it."""

    name: str
    value: float | None
    mark: int | None = Field(ge=0, le=100)
    reason: ToldReason | None = None
    baseline: float | None
    baseline_days: int
    trend: Trend | None = None
    spread: float | None
    count: int
    days: int


class ToldUsage(BaseModel):
    """How much the lift is used, as a gateway tells it: on an ordinary day of late, in its first days, and since ever."""

    name: str
    per_day: float | None
    baseline: float | None
    trend: Trend | None = None
    total: float | None


class ToldHealth(BaseModel):
    """The health of one lift, as a gateway tells it. `known`: percent of the weight; `date`: the lift's local day."""

    lift: str
    at_ms: int
    date: str
    days: int
    first: str | None
    score: int | None = Field(ge=0, le=100)
    known: int = Field(ge=0, le=100)
    lowest: str | None
    reason: ToldReason | None = None
    parts: list[ToldPart] = Field(max_length=MAX_PARTS)
    usage: list[ToldUsage] = Field(max_length=MAX_PARTS)
    today: dict[str, float]


class Limits(BaseModel):
    """What the mark is made by, all ours: 100 up to `good`, 0 from `bad` on; the same for the value over its `baseline` by the ratios."""

    good: float
    bad: float
    quick: float | None
    good_ratio: float | None
    bad_ratio: float | None


class HealthPart(BaseModel):
    """One part: what it is, what it was and where it goes, its mark or why there is none, what it means and what to do."""

    name: str
    title: Bilingual
    meaning: Bilingual
    action: Bilingual
    unit: str
    weight: int
    limits: Limits
    value: float | None
    mark: int | None
    level: Level | None
    reason: Bilingual | None
    baseline: float | None
    baseline_days: int
    trend: Trend | None
    spread: float | None
    count: int
    of: Bilingual
    days: int


class HealthUsage(BaseModel):
    """How much the lift is used: no mark, for more is neither better nor worse."""

    name: str
    title: Bilingual
    unit: str
    per_day: float | None
    baseline: float | None
    trend: Trend | None
    total: float | None


class Health(BaseModel):
    """A score with its parts. Without a score `reason` says why; `known` is the percent of the weight that is known."""

    lift: str
    at_ms: int
    date: str
    days: int
    first: str | None
    score: int | None
    level: Level | None
    known: int
    lowest: str | None
    reason: Bilingual | None
    parts: list[HealthPart]
    usage: list[HealthUsage]
    today: dict[str, float]


class HealthDay(BaseModel):
    """One local day: each part as it was on it alone. `over`: false for the day that goes on."""

    date: str
    over: bool
    observed_hours: float
    parts: dict[str, float | None]
    usage: dict[str, float]


class HealthDays(BaseModel):
    """Days in order; those of which nothing is recorded are not there."""

    lift: str
    days: list[HealthDay] = Field(max_length=MAX_DAYS + 1)
