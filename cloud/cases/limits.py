"""Limits of rescue work and where they differ: by default, and by district from the file given to `liftwatch cloud --rescue`."""

import dataclasses
import pathlib
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS


class RescueError(Exception):
    """The file of limits cannot be used; the message says what is allowed."""


@dataclass(frozen=True)
class Limits:
    """How long each thing may take, ms.

    `answer_ms` 3 min and `arrive_ms` 30 min in a built-up area, 60 min elsewhere, are the figures that rescue centres publish
    (three-minute response, thirty-minute arrival) and that TSG T5002-2017 is quoted with for the arrival. All others are ours.
    """

    acknowledge_ms: int = MINUTE_MS
    answer_ms: int = 3 * MINUTE_MS
    arrive_ms: int = 30 * MINUTE_MS
    free_ms: int = 30 * MINUTE_MS
    call_ms: int = MINUTE_MS  # a telephone call that a person has to make, until he says that he has
    fault_acknowledge_ms: int = 15 * MINUTE_MS
    fault_answer_ms: int = 30 * MINUTE_MS
    mend_ms: int = 24 * HOUR_MS
    shelf_ms: int = 7 * 24 * HOUR_MS
    call_back_ms: int = 30 * MINUTE_MS
    cause_ms: int = 24 * HOUR_MS
    review_ms: int = 10 * MINUTE_MS  # a case with no other clock
    fault_review_ms: int = 24 * HOUR_MS
    end_retry_ms: int = 5 * SECOND_MS  # doubles up to a minute
    end_give_up_ms: int = 10 * MINUTE_MS
    gateway_silent_ms: int = MINUTE_MS


# What each is for, and whose figure the default is; docs/cases.md is made of it.
LIMIT_TEXTS = {
    "acknowledge_ms": ("trapped, or severity 4: until somebody has it", "ours"),
    "answer_ms": ("a level: until it answers", "published by rescue centres as the three-minute response"),
    "arrive_ms": (
        "a level: from its order until it is there; 60 min where `built_up = false`",
        "TSG T5002-2017 as it is quoted, and published as the thirty-minute arrival",
    ),
    "free_ms": ("a level: from its arrival until they are out", "ours"),
    "call_ms": ("until a telephone call was made", "ours"),
    "fault_acknowledge_ms": ("another fault: until somebody has it", "ours"),
    "fault_answer_ms": ("a fault: until its contractor answers", "ours"),
    "mend_ms": ("a fault: until it is mended", "ours"),
    "shelf_ms": ("longest time on the shelf", "ours"),
    "call_back_ms": ("from the release to the call afterwards", "ours"),
    "cause_ms": ("from the release to the cause report", "ours"),
    "review_ms": ("a trapped case or a silent gateway with no other clock", "ours"),
    "fault_review_ms": ("another case with no other clock", "ours"),
    "end_retry_ms": ("the end of the alarm: first repetition, doubling to a minute", "ours"),
    "end_give_up_ms": ("the end of the alarm: given up", "ours"),
    "gateway_silent_ms": ("a gateway is paged; of `[default]` alone", "ours"),
}

ARRIVE_ELSEWHERE_MS = 60 * MINUTE_MS
_IN_S = {f.name.removesuffix("_ms") + "_s": f.name for f in dataclasses.fields(Limits)}
_CODE = re.compile(r"^[0-9]{2,12}$")


@dataclass(frozen=True)
class District:
    """How rescue works in a district and all below it. `desk`, `station`: names of organisations; empty = found by district, none."""

    built_up: bool = True
    desk: str = ""
    station: str = ""
    limits: Limits = Limits()


@dataclass(frozen=True)
class Rescue:
    """All districts that the file tells of; the longest code that a lift's district begins with holds."""

    default: District = District()
    districts: dict[str, District] = field(default_factory=dict)

    def of(self, district: str) -> District:
        """What holds in `district`."""
        for end in range(len(district), 1, -1):
            found = self.districts.get(district[:end])
            if found is not None:
                return found
        return self.default


def load_rescue(path: pathlib.Path) -> Rescue:
    """The districts of a TOML file: `[default]` and `[district.330106]`, limits in seconds; RescueError.

    A district takes from `[default]` what it does not say itself.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except OSError as error:
        raise RescueError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RescueError(f"{path}: {error}") from error
    own = _table(f"{path}: default", found.pop("default", {}))
    districts = _table(f"{path}: district", found.pop("district", {}))
    if found:
        raise RescueError(f"{path}: only [default] and [district.CODE] are known, not {', '.join(found)}")
    for code in districts:
        if not _CODE.match(code):
            raise RescueError(f"{path}: district {code!r}: 2 to 12 digits of the national list of divisions")
    read = {}
    for code, entry in districts.items():
        place = f"{path}: district {code}"
        read[code] = _district(place, {**own, **_table(place, entry)})
    return Rescue(_district(f"{path}: default", own), read)


def _table(place: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise RescueError(f"{place}: a table is needed")
    return found


def _district(place: str, entry: dict[str, Any]) -> District:
    limits: dict[str, int] = {}
    built_up, names = True, {"desk": "", "station": ""}
    for key, value in entry.items():
        if key == "built_up" and isinstance(value, bool):
            built_up = value
        elif key in names and isinstance(value, str):
            names[key] = value
        elif key in _IN_S and isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 30 * 86400:
            limits[_IN_S[key]] = value * SECOND_MS
        else:
            known = ", ".join(("built_up", *names, *_IN_S))
            raise RescueError(f"{place}: {key} = {value!r}: known are {known}; limits in seconds, 1 to 30 days")
    if not built_up:
        limits.setdefault("arrive_ms", ARRIVE_ELSEWHERE_MS)
    return District(built_up, names["desk"], names["station"], Limits(**limits))
