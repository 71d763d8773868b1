"""The settings file of one node: read once, checked whole, errors that say what to do. No defaults that could be a wrong lift.

The file is JSON: {"site", "lift", "broker": {"host", "port", "user", "password", "tls": {...}}, "profile", "bus": {...}, …}
"""

import json

from protocols.delivery.log import FLUSH_MS
from protocols.errors import SettingsError
from protocols.identity import check_id
from protocols.profiles.profile import Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REQUIRED = object()
# Terminals and their pins; None = there is none. `battery` is of a supply that tells when it is low, `work_key` a technician's switch;
# `yellow` and `green` are lamps in the car.
PINS = (
    ("button", 25), ("mains", 26), ("presence", 27), ("led", 2), ("battery", None), ("work_key", None), ("yellow", None), ("green", None),
)  # fmt: skip
# A node is provisioned at the boot that it would have reached with one boot each ten minutes since 2026 (ours): no node boots as
# often over its life, so one that comes later begins higher than its predecessor ended. 31 bits last long.
BOOTS_BEGIN_S = 1767225600
BOOT_S = 600


def _get(data, path, kind, default, low=None, high=None) -> "Any":
    value = data
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        if default is REQUIRED:
            raise SettingsError("%s is missing" % path)
        return default
    if kind is int and (value is True or value is False):
        value = None
    if not isinstance(value, kind):
        raise SettingsError("%s is %r; a %s is needed" % (path, value, kind.__name__))
    if low is not None and high is not None and not low <= value <= high:
        raise SettingsError("%s is %r; %d to %d" % (path, value, low, high))
    return value


class Settings:
    """All that a node must be told. Raises SettingsError naming the entry, what was found and what is allowed."""

    def __init__(self, data, load_profile):
        """`load_profile(name)` returns the parsed JSON of a register profile, or raises OSError."""
        self.site = check_id(_get(data, "site", str, REQUIRED), "site")
        self.lift = check_id(_get(data, "lift", str, REQUIRED), "lift")
        self.host = _get(data, "broker.host", str, REQUIRED)
        self.tls = _get(data, "broker.tls", dict, None) is not None
        # The ports that MQTT has at IANA.
        self.port = _get(data, "broker.port", int, 8883 if self.tls else 1883, 1, 65535)
        self._read_tls(data)
        self.user = _get(data, "broker.user", str, None)
        self.password = _get(data, "broker.password", str, None)
        self.uart = _get(data, "bus.uart", int, 1, 0, 2)
        self.baud = _get(data, "bus.baud", int, 9600, 1200, 115200)
        self.unit = _get(data, "bus.unit", int, 1, 1, 247)
        self.direction_pin = _get(data, "bus.direction_pin", int, None, 0, 48)
        # A module in the car that speaks: it gets a line of text for each step of an alarm.
        self.voice_uart = _get(data, "voice.uart", int, None, 0, 2)
        self.voice_baud = _get(data, "voice.baud", int, 9600, 1200, 115200)
        if self.voice_uart == self.uart:
            raise SettingsError("voice.uart and bus.uart are both %d; each needs its own" % self.uart)
        self.stops = _get(data, "car.stops", int, REQUIRED, 2, 128)
        self.doors = _get(data, "car.doors", int, 1, 1, 2)
        self.rated_speed_mm_s = _get(data, "car.rated_speed_mm_s", int, REQUIRED, 100, 20000)
        self.travel_mm = _get(data, "car.travel_mm", int, REQUIRED, 1000, 500000)
        self.confirm_ms = _get(data, "confirm_ms", dict, {})
        self.pins = {name: _get(data, "pins." + name, int, pin, 0, 48) for name, pin in PINS}
        self.button_filter = _get(data, "button_filter", bool, False)
        self.presence_hold_ms = _get(data, "presence_hold_ms", int, 3000, 0, 600000)
        self._read_pace(data)
        self.log_bytes = _get(data, "log_bytes", int, 700000, 32768, 4000000)
        self.log_level = _get(data, "log_level", str, "info")
        self.wifi = _get(data, "wifi", dict, {})
        self.profile = self._profile(data, load_profile)

    def _read_pace(self, data):
        """How often is sent what can wait. `metered` links pay for each byte: docs/delivery.md says what that comes to."""
        self.metered = _get(data, "metered", bool, False)
        # Words 90 s apart keep a mobile operator's NAT open (ours); an alarm without a receipt tests the line itself.
        self.keepalive_ms = 1000 * _get(data, "broker.keepalive_s", int, 240 if self.metered else 15, 4, 600)
        self.period_ms = _get(data, "period_ms", int, 10000 if self.metered else 1000, 200, 60000)
        self.parked_ms = _get(data, "parked_ms", int, 90000 if self.metered else self.period_ms, 200, 600000)
        self.flush_ms = _get(data, "log_flush_ms", int, 60000 if self.metered else FLUSH_MS, 1000, 600000)

    def _read_tls(self, data):
        """Paths of PEM or DER files on flash: the authority that signed the broker's certificate, and our own, if it wants one."""
        self.ca = _get(data, "broker.tls.ca", str, REQUIRED if self.tls else None)
        self.server_name = _get(data, "broker.tls.server_name", str, self.host)
        self.certificate = _get(data, "broker.tls.certificate", str, None)
        self.key = _get(data, "broker.tls.key", str, None)
        if (self.certificate is None) != (self.key is None):
            raise SettingsError("broker.tls.certificate and broker.tls.key go together; there is only one of them")
        # Unix seconds of the provisioning: without any time of its own the node knows that it is later.
        self.time_floor_s = _get(data, "time_floor_s", int, 0, 0, 1 << 32)
        self.first_boot = max(0, self.time_floor_s - BOOTS_BEGIN_S) // BOOT_S + 1

    @staticmethod
    def _profile(data, load_profile):
        name = _get(data, "profile", str, REQUIRED)
        try:
            return Profile(load_profile(name), _get(data, "inputs", dict, {}))
        except OSError:
            raise SettingsError("profile: there is no profile named %r" % name)


def load(path, load_profile):
    """The Settings in the file at `path`; SettingsError if it is missing, no JSON or wrong."""
    try:
        with open(path) as file:
            data = json.load(file)
    except OSError:
        raise SettingsError("%s cannot be read; provision the node" % path)
    except ValueError:
        raise SettingsError("%s is no JSON; provision the node again" % path)
    if not isinstance(data, dict):
        raise SettingsError("%s is no JSON object; provision the node again" % path)
    return Settings(data, load_profile)
