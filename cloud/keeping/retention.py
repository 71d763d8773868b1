"""How long each kind of data is kept: read once from a file, checked, passed down. Days; what it says nothing of has its default."""

import pathlib
import tomllib
from dataclasses import dataclass, fields

# Ours, but for the first: TSG T5002-2017 asks that records of maintenance be kept 4 years, and we keep those of rescues as long.
FOUR_YEARS = 1461
RECORDS = ("cases", "incidents")
MOST_DAYS = 36_525


class RetentionError(Exception):
    """The file cannot be used; the message says what may stand in it."""


@dataclass(frozen=True)
class Retention:
    """Days behind the end of a thing: of a case its closing, of an incident its last change, of a session its end.

    `callers`: names and telephone numbers of who called, which are taken out of a case that stays. `photos` go before their case.
    """

    cases: int = FOUR_YEARS
    incidents: int = FOUR_YEARS
    photos: int = FOUR_YEARS
    callers: int = 180
    notices: int = 365
    sessions: int = 30

    def __post_init__(self) -> None:
        for entry in fields(self):
            days = getattr(self, entry.name)
            if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
                raise RetentionError(f"{entry.name} = {days!r}: whole days, 1 to {MOST_DAYS}")

    def warnings(self) -> list[str]:
        """What an operator should know of his choice."""
        return [
            f"{name} = {getattr(self, name)} days: TSG T5002-2017 asks that records of maintenance be kept 4 years ({FOUR_YEARS} days)"
            for name in RECORDS
            if getattr(self, name) < FOUR_YEARS
        ]


def load_retention(path: pathlib.Path) -> Retention:
    """From a TOML file with a table [days]; RetentionError."""
    names = ", ".join(entry.name for entry in fields(Retention))
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        days = found.pop("days", {})
        if found or not isinstance(days, dict):
            raise RetentionError(f"{path}: there is one table, [days], with {names}")
        return Retention(**days)
    except OSError as error:
        raise RetentionError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise RetentionError(f"{path}: [days] has {names}, and nothing else ({error})") from error
