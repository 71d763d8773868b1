"""The gateway's configuration: gateway.toml and the city files, read once and checked. Nothing else reads files of settings."""

import datetime as dt
import itertools
import pathlib
import ssl
import urllib.parse
from typing import Annotated, Literal, TypeVar

import msgspec

from gateway.errors import ConfigError
from protocols.detector import Settings
from protocols.errors import SettingsError
from protocols.health import ROPE_LIFE_BENDS
from protocols.identity import is_id

T = TypeVar("T")
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
# The highest position that the contract's field has.
MAX_LEVEL_MM = 500_000
MAX_FLOOR_NAME = 8


class Gateway(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The gateway itself: its id, where it keeps its stores and how much. `budget_ms` is measured, it cuts nothing off.

    `journal_days`: finished incidents stay so long; `reserve_megabytes`: room for alarms when the disk is full.
    """

    id: str
    data_dir: str
    journal_days: Positive = 90
    log_megabytes: Positive = 2000
    reserve_megabytes: Positive = 64
    max_lifts: Positive = 10_000
    budget_ms: Positive = 250


class Tls(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """PEM files: the authority that signed the broker's certificate, and our own certificate and key where it wants one."""

    ca: str
    certificate: str | None = None
    key: str | None = None


class Broker(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where the nodes publish. With `tls` its certificate must be of `host`."""

    host: str = "127.0.0.1"
    port: Port = 1883
    user: str | None = None
    password: str | None = None
    tls: Tls | None = None


class Cloud(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The cloud that the gateway dials, and the token by which it is known there: in a file, or here."""

    url: str
    token: str | None = None
    token_file: str | None = None


class Influx(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An InfluxDB to copy the log to; without this section the local log is all the history there is.

    `api` "v1" writes to /write of 1.x; "v2" to /api/v2/write of 1.8, 2.x, 3.x and VictoriaMetrics, `database` being the bucket.
    `records_per_s` bounds a backlog, so that alarms keep their budget meanwhile; it must exceed what the lifts bring.
    `written_after_s` is for a server that answers before it has written: so long the cursor waits behind its answer.
    """

    url: str
    database: str = "liftwatch"
    api: Literal["v1", "v2"] = "v1"
    org: str = ""
    token: str | None = None
    records_per_s: Positive = 20_000
    written_after_s: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0


class CityRef(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A city to report to: its file and its URL. An event is done when every `required` city has answered.

    Without a receipt for `escalate_ms` the next of `other_urls` is tried too, each after as long again.
    """

    file: str
    url: str
    required: bool = True
    other_urls: list[str] = []
    escalate_ms: Positive = 10_000


class Hook(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whom to tell when a city gives no receipt: a URL that sends an SMS or rings a pager."""

    url: str
    timeout_ms: Positive = 5000


class Metrics(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Port of /metrics and /healthz on loopback; 0 takes a free one."""

    port: Port = 0


class Health(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How the lifts' health is followed. `utc_offset_minutes`: when a lift's day begins; China has one zone.

    `days` of each lift are kept; `records_per_s` bounds what it takes of the processor, and must exceed what the lifts bring.
    A lift that has news is reported to the cloud again after `again_s`.
    """

    utc_offset_minutes: Annotated[int, msgspec.Meta(ge=-720, le=840)] = 480
    days: Annotated[int, msgspec.Meta(ge=90, le=3660)] = 400
    records_per_s: Positive = 5000
    again_s: Positive = 60


class LiftHealth(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What health must know of one lift beside its record.

    `baseline_from`: the local date from which it is compared with itself, set anew after works on doors, drive or shaft. Ropes: how many
    sheaves they run over is by `roping`, or `sheaves` where it was counted; `rope_life_bends` is ours, and the
    maker's figure is better; `ropes_at_starts` is what the counter of starts showed when they were changed.
    """

    baseline_from: dt.date | None = None
    roping: Literal["1:1", "2:1"] = "2:1"
    sheaves: Annotated[int, msgspec.Meta(ge=1, le=20)] | None = None
    rope_life_bends: Positive = ROPE_LIFE_BENDS
    ropes_at_starts: Annotated[int, msgspec.Meta(ge=0)] = 0


class Lift(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The lift record; its codes are attributes, none of them names a topic or a history.

    Where it stands is WGS-84, as a phone tells it; a point picked on a Chinese map (GCJ-02) lies some hundred metres beside it.
    `floor_levels_mm` are the heights of its stops over the lowest, where they are not `floor_pitch_mm` apart each;
    `floor_names` what the car's panel calls them ("-1", "1"). Both begin with the lowest.
    `confirm_ms` {fault: ms} and `button_filter` are for a lift whose terminal does not detect; a node has them in its own settings.
    """

    id: str
    site: str
    name: str = ""
    address: str = ""
    rescue_code: str = ""
    registration_code: str = ""
    stops: Positive = 6
    doors: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    rated_speed_mm_s: Positive = 1000
    floor_pitch_mm: Positive = 2900
    floor_levels_mm: list[Annotated[int, msgspec.Meta(ge=0, le=MAX_LEVEL_MM)]] = []
    floor_names: list[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_FLOOR_NAME)]] = []
    latitude_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    confirm_ms: dict[str, int] = {}
    button_filter: bool = False
    health: LiftHealth = LiftHealth()

    def travel_mm(self, stops: int | None = None) -> int:
        """From the lowest stop to the highest; `stops` if somebody knows better than the record."""
        return self.level_mm(stops or self.stops)

    def level_mm(self, stop: int) -> int:
        """The height of a stop (lowest 1) over the lowest; beyond the levels known each is a pitch from the next."""
        known = self.floor_levels_mm or [0]
        if stop <= len(known):
            return known[max(stop, 1) - 1]
        return known[-1] + (stop - len(known)) * self.floor_pitch_mm


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole gateway.toml."""

    gateway: Gateway
    broker: Broker = Broker()
    cloud: Cloud | None = None
    influx: Influx | None = None
    city: list[CityRef] = []
    hook: Hook | None = None
    metrics: Metrics = Metrics()
    health: Health = Health()
    lift: list[Lift] = []


class City(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One city's interface as data. `receipt` names what counts as its answer; evidence and screens repeat it.

    `codes` are its numbers of our faults; those in `kept` are stored and not pushed to it.
    """

    name: str
    shape: str
    modelled_on: str
    alarm_path: str
    receipt: str
    codes: dict[str, str]
    kept: list[str] = []
    timeout_ms: Positive = 5000
    each_phase: bool = True
    vendor_prefix: str = "LW"


SHAPES = ("http_json",)
RECEIPTS = ("business_code", "http_2xx")
CITIES = pathlib.Path(__file__).parent / "cities"


def load(path: pathlib.Path) -> Config:
    """The checked gateway.toml at `path`; ConfigError names the entry that is wrong and what is allowed."""
    config = _read(path, Config)
    seen: set[str] = set()
    for lift in config.lift:
        if not is_id(lift.id) or not is_id(lift.site):
            raise ConfigError(f"{path}: lift {lift.id!r} at site {lift.site!r}: ids are 1 to 32 of a-z, 0-9 and '-'")
        if lift.id in seen:
            raise ConfigError(f"{path}: lift {lift.id} stands there twice; ids are unique in an installation")
        seen.add(lift.id)
        try:
            Settings(confirm_ms=lift.confirm_ms)
            _check_place(lift)
        except (SettingsError, ConfigError) as error:
            raise ConfigError(f"{path}: lift {lift.id}: {error}") from error
    if not is_id(config.gateway.id):
        raise ConfigError(f"{path}: gateway.id {config.gateway.id!r}: 1 to 32 of a-z, 0-9 and '-'")
    if config.gateway.id in seen:
        raise ConfigError(f"{path}: gateway.id {config.gateway.id} is a lift's too; give the gateway an id of its own")
    try:
        if config.broker.tls is not None:
            tls_context(config.broker.tls)
        if config.cloud is not None:
            _check_cloud(config.cloud)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return config


def _check_place(lift: Lift) -> None:
    if (lift.latitude_deg is None) != (lift.longitude_deg is None):
        raise ConfigError("latitude_deg and longitude_deg go together; there is only one of them")
    levels, names = lift.floor_levels_mm, lift.floor_names
    for name, found in (("floor_levels_mm", len(levels)), ("floor_names", len(names))):
        if found not in (0, lift.stops):
            raise ConfigError(
                f"{name} has {found} entries and the lift {lift.stops} stops; give one for each, lowest first"
            )
    if levels and (levels[0] != 0 or any(low >= high for low, high in itertools.pairwise(levels))):
        raise ConfigError(
            f"floor_levels_mm {levels}: heights over the lowest stop, so 0 first and each above the one before"
        )
    if len(set(names)) < len(names):
        raise ConfigError(f"floor_names {names}: one name stands there twice")


def _check_cloud(cloud: Cloud) -> None:
    if (cloud.token is None) == (cloud.token_file is None):
        raise ConfigError("cloud: give one of token_file and token; `liftwatch cloud admin gateway-token ID` makes one")
    url = urllib.parse.urlsplit(cloud.url)
    if url.scheme != "https" and url.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ConfigError(f"cloud.url {cloud.url!r}: the token would travel in the clear; use https://")


def cloud_token(cloud: Cloud) -> str:
    """The token for the cloud, from its file or as it stands there; ConfigError where it cannot be used."""
    token = cloud.token
    if cloud.token_file is not None:
        try:
            token = pathlib.Path(cloud.token_file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cloud.token_file {cloud.token_file} cannot be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError("the token of the cloud is empty, or is not one line of plain characters")
    return token


def tls_context(tls: Tls) -> ssl.SSLContext:
    """A context that trusts `tls.ca` alone and checks the host's name; ConfigError names the entry that cannot be used."""
    if (tls.certificate is None) != (tls.key is None):
        raise ConfigError("broker.tls.certificate and broker.tls.key go together; there is only one of them")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    entry = "broker.tls.ca"
    try:
        context.load_verify_locations(tls.ca)
        entry = "broker.tls.certificate or broker.tls.key"
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except OSError as error:  # also what ssl raises for rubbish
        raise ConfigError(f"{entry} cannot be used: {error}") from error
    return context


def load_city(name: str) -> City:
    """A city file by its path, or by the name of one that comes with the gateway."""
    path = pathlib.Path(name)
    if not path.exists():
        path = CITIES / name
    city = _read(path, City)
    if city.shape not in SHAPES:
        raise ConfigError(f"{path}: shape {city.shape!r}; there is {', '.join(SHAPES)}")
    if city.receipt not in RECEIPTS:
        raise ConfigError(f"{path}: receipt {city.receipt!r}; there is {', '.join(RECEIPTS)}")
    return city


def _read(path: pathlib.Path, kind: type[T]) -> T:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path}: {error}") from error
