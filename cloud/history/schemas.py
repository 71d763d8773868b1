"""Shapes of history: change records as their gateway holds them. Units are those of the field table (docs/contract.md)."""

from pydantic import BaseModel

# Time (unix ms by the gateway's clock) and value; null = it became unknown.
Point = tuple[int, bool | int | None]
Series = dict[str, list[Point]]


class Gap(BaseModel):
    """Batches of the node's log that never came: `first` to `last` (null: to the end) of one life of the log."""

    life: int
    first: int
    last: int | None
    reason: str
    booked_ms: int | None = None


class History(BaseModel):
    """Change records of one lift. `before`: the last one before the window of each field that may still hold in it.

    `step_ms` > 1: of each span of this length a few records stay. `truncated`: there is more than was asked for.
    """

    lift: str = ""
    from_ms: int = 0
    to_ms: int = 0
    source: str = "local"
    step_ms: int = 1
    fields: Series
    before: dict[str, Point] = {}
    gaps: list[Gap] = []
    truncated: bool = False


class BlackBox(BaseModel):
    """What was recorded around an incident: since `onset_ms` its evidence held, at `detected_ms` it was told.

    `problems`: what of the recording could not be read, for a person.
    """

    incident: str
    lift: str
    fields: Series
    onset_ms: int | None
    detected_ms: int | None
    problems: list[str] = []
