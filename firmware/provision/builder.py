"""A node's settings put together, and checked by the node's own code. No file, board or clock: data and now in, settings out."""

import difflib
from collections.abc import Callable, Iterator
from typing import Any

from firmware.node.console import LEVELS
from firmware.node.settings import BOOT_S, BOOTS_BEGIN_S, Settings
from protocols.detector import Settings as DetectorSettings
from protocols.errors import SettingsError

Data = dict[str, Any]
LoadProfile = Callable[[str], Data]

SECRETS = ("broker.password", "wifi.key")
# What the node hands on whole: each of these says itself what may be in it.
WHOLE = {
    "confirm_ms": None,  # names of faults: the detector's settings know them
    "inputs": ("address", "bit", "active"),
    "wifi": ("ssid", "key"),
}
# IEEE 802.11: an SSID has up to 32 bytes, a WPA passphrase 8 to 63 characters.
MOST_SSID_BYTES = 32
KEY_LENGTHS = range(8, 64)
# Ours: what lies between two landings, entrances on half a floor and express zones included.
PITCHES_MM = range(500, 60_001)
# A predecessor's time may lie a little ahead: of two that were provisioned within BOOT_S the second one's does.
CLOCK_SLACK_S = 86400
# Enough that the node asks for every entry there is.
SAMPLE: Data = {
    "site": "s", "lift": "l", "broker": {"host": "h", "tls": {"ca": "c"}}, "profile": "",
    "car": {"stops": 2, "rated_speed_mm_s": 1000, "travel_mm": 3000}, "bus": {}, "voice": {}, "pins": {},
}  # fmt: skip


class _Asked(dict[str, Any]):
    """Settings that note by their full names which entries the node asks for."""

    def __init__(self, data: Data, asked: set[str], within: str = "") -> None:
        super().__init__(data)
        self._asked = asked
        self._within = within

    def get(self, name: str, default: Any = None) -> Any:
        path = self._within + name
        self._asked.add(path)
        value = super().get(name, default)
        return _Asked(value, self._asked, path + ".") if type(value) is dict and path not in WHOLE else value


def put(data: Data, path: str, value: Any) -> None:
    """Set the entry `path`, as "broker.host"; SettingsError where something on the way holds no entries."""
    *parents, name = path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise SettingsError(f"{path}: {parent} is {data!r}, which has no entries")
    if not name:
        raise SettingsError(f"{path!r} names no entry")
    data[name] = value


def find(data: Data, path: str) -> Any:
    """The entry `path`; None if it is not there."""
    found: Any = data
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def entries(profile: Data) -> list[str]:
    """Every entry that a node asks for, whatever its profile."""
    asked: set[str] = set()
    Settings(_Asked(SAMPLE, asked), lambda name: profile)
    asked |= {f"{whole}.{name}" for whole, names in WHOLE.items() for name in names or () if whole != "inputs"}
    return sorted(asked - {path.rsplit(".", 1)[0] for path in asked if "." in path})


def checked(data: Data, load_profile: LoadProfile) -> Settings:
    """The settings as the node will read them. SettingsError names the entry, what was found, and what is allowed.

    It refuses more than a node does, which goes on with what it knows: entries that no node asks for, and values that it would
    pass over.
    """
    asked: set[str] = set()
    settings = Settings(_Asked(data, asked), load_profile)
    DetectorSettings(
        settings.rated_speed_mm_s, settings.travel_mm, settings.doors, settings.confirm_ms, settings.profile.name
    )
    if settings.log_level not in LEVELS:
        raise SettingsError(f"log_level is {settings.log_level!r}; one of {', '.join(LEVELS)}")
    for path in _paths(data):
        if path not in asked and not _is_within(path):
            near = difflib.get_close_matches(path, entries(load_profile(settings.profile.name)), 1)
            hint = f"did you mean {near[0]}?" if near else "liftwatch provision --list names them all"
            raise SettingsError(f"{path}: a node has no such entry; {hint}")
    if not settings.host or any(letter in settings.host for letter in " /:"):
        raise SettingsError(f"broker.host is {settings.host!r}; a name or an IPv4 address is needed, and nothing else")
    pitch_mm = settings.travel_mm // (settings.stops - 1)
    if pitch_mm not in PITCHES_MM:
        raise SettingsError(
            f"car.travel_mm is {settings.travel_mm}: with {settings.stops} stops that is {pitch_mm} mm from one to the next"
        )
    _check_wifi(settings.wifi)
    _check_pins(settings)
    return settings


def _paths(data: Data, within: str = "") -> Iterator[str]:
    """The full names of all that is not a group of entries itself."""
    for name, value in data.items():
        if isinstance(value, dict) and value:
            yield from _paths(value, f"{within}{name}.")
        else:
            yield within + name


def _is_within(path: str) -> bool:
    """Does it belong to what the node hands on whole, and has it a name that is known there?"""
    whole, _, rest = path.partition(".")
    names = WHOLE.get(whole, ())
    return bool(rest) and (names is None or rest.rsplit(".", 1)[-1] in names)


def _check_wifi(wifi: Data) -> None:
    if not wifi:
        return
    ssid, key = wifi.get("ssid"), wifi.get("key", "")
    if not isinstance(ssid, str) or not 1 <= len(ssid.encode()) <= MOST_SSID_BYTES:
        raise SettingsError(f"wifi.ssid is {ssid!r}; a text of 1 to {MOST_SSID_BYTES} bytes is needed")
    if not isinstance(key, str) or (key and len(key) not in KEY_LENGTHS):
        raise SettingsError("wifi.key: 8 to 63 characters, or none for an open network")


def _check_pins(settings: Settings) -> None:
    """Two things on one pin: the node would read the one as the other. Its own pins count, where nothing is set."""
    used: dict[int, str] = {}
    pins = {f"pins.{name}": pin for name, pin in settings.pins.items()}
    for path, pin in {**pins, "bus.direction_pin": settings.direction_pin}.items():
        if pin is not None and used.setdefault(pin, path) != path:
            raise SettingsError(f"{path} and {used[pin]} are both {pin}; each needs a pin of its own")


def time_floor(now_s: int, predecessor: Data | None, *, replaces: bool) -> int:
    """The `time_floor_s` of a node that is provisioned at unix `now_s`. One that `replaces` begins its boots beyond its predecessor.

    `predecessor` are the settings that it takes over, if any.
    """
    if now_s < BOOTS_BEGIN_S:
        raise SettingsError("the clock of this machine is years behind; set it: a node counts its boots from that time")
    before_s = (predecessor or {}).get("time_floor_s", 0)
    if type(before_s) is not int:
        raise SettingsError(f"time_floor_s is {before_s!r}; a number is needed")
    if now_s < before_s - CLOCK_SLACK_S:
        raise SettingsError(
            f"the clock of this machine is {before_s - now_s} s behind the time at which those settings were made; set it"
        )
    return max(now_s, before_s + BOOT_S if replaces else before_s)
