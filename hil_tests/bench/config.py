"""bench.toml: which lifts stand on the bench. Read once, checked whole; errors name the entry and what it may be."""

import pathlib
import re
import tomllib
from typing import Annotated, Literal

import msgspec

from hil_tests.bench.ageing import Ageing
from hil_tests.bench.lift import LiftSpec

BAUDS = (9600, 19200, 38400, 57600, 115200)
Id = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")]


class ConfigError(Exception):
    """bench.toml cannot be used; the message says why."""


class LiftEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One [[lift]] table. A `simple` one needs no node: the bench itself plays its terminal, which does not detect."""

    id: Id
    stops: Annotated[int, msgspec.Meta(ge=2, le=48)] = 6
    doors: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    floor_pitch_mm: Annotated[int, msgspec.Meta(ge=2000, le=6000)] = 2900
    rated_speed_mm_s: Annotated[int, msgspec.Meta(ge=250, le=4000)] = 1000
    curve: Literal["brisk", "factory"] = "brisk"
    door_ms: Annotated[int, msgspec.Meta(ge=1000, le=8000)] = 2600
    starts_per_day: Annotated[float, msgspec.Meta(ge=0.1, le=3000)] = 100.0
    traffic_factor: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 1.0
    seed: int = 1
    ageing: Ageing = msgspec.field(default_factory=Ageing)
    utc_offset_h: Annotated[int, msgspec.Meta(ge=-12, le=14)] = 8
    baud: int = 9600
    bits: Annotated[int, msgspec.Meta(ge=10, le=11)] = 10
    simple: bool = False

    def spec(self) -> LiftSpec:
        """The twin's part of it."""
        return LiftSpec(**{name: getattr(self, name) for name in LiftSpec.__dataclass_fields__})


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lift: Annotated[list[LiftEntry], msgspec.Meta(min_length=1, max_length=100)]


def load(path: pathlib.Path) -> list[LiftEntry]:
    """The lifts in the file; ConfigError if it cannot be used."""
    try:
        entries = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).lift
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); it needs one [[lift]] table a lift") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {_plain(str(error))}") from error
    seen: set[str] = set()
    for entry in entries:
        if entry.baud not in BAUDS:
            raise ConfigError(f"{path}: lift {entry.id}: baud is {entry.baud}; use one of {', '.join(map(str, BAUDS))}")
        if entry.id in seen:
            raise ConfigError(f"{path}: two lifts are called {entry.id}")
        seen.add(entry.id)
    return entries


def _plain(text: str) -> str:
    """`$.lift[0].stops` as `lift 1: stops`."""
    return re.sub(r"`\$\.lift\[(\d+)\]\.?(\w*)`", lambda m: f"lift {int(m[1]) + 1} {m[2]}".rstrip(), text)
