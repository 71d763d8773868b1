"""Shapes of live lifts in the API. Null = unknown; ages in ms; units are in the names."""

from typing import Literal

from pydantic import BaseModel


class Bilingual(BaseModel):
    """One text in both languages."""

    en: str
    zh: str


class FaultWord(BaseModel):
    """What the controller says of itself: its maker's number, in words where a table names it. `code`: the national one."""

    word: int
    known: bool
    code: int | None
    cause: Bilingual
    remedy: Bilingual


Quality = Literal["good", "stale", "bus_silent", "offline", "unknown"]


class State(BaseModel):
    """What is known of a lift now. Enumerations are numbers of the 2017 list, doors those of the 2023 items."""

    service_mode: int | None = None
    car_status: int | None = None
    direction: int | None = None
    door_zone: bool | None = None
    floor: int | None = None
    doors: list[int] = []
    passenger: bool | None = None
    speed_mm_s: int | None = None
    position_mm: int | None = None
    load_permille: int | None = None
    safety_circuit: bool | None = None
    door_lock: bool | None = None
    mains: bool | None = None
    button: bool | None = None
    light_curtain: bool | None = None
    overload: bool | None = None
    controller_link: bool | None = None
    controller_fault: int | None = None
    run_hours: int | None = None
    starts: int | None = None
    door_cycles: int | None = None
    battery_low: bool | None = None
    work_mode: int | None = None
    alarm_shown: int | None = None
    faults: list[str] = []
    withheld: list[str] = []


class LastKnown(BaseModel):
    """What was known before it became too old to be shown as current."""

    state: State
    at_ms: int | None


class Lift(BaseModel):
    """One lift: its record and its state, with age and quality.

    Where it stands is WGS-84. `floor_levels_mm` are the heights of its stops over the lowest and `floor_names` what the car's
    panel calls them, the lowest first; empty = not known: then they are `floor_pitch_mm` apart, and called by their number.
    """

    id: str
    name: str
    site: str
    address: str
    rescue_code: str
    registration_code: str
    gateway: str
    stops: int
    doors: int
    rated_speed_mm_s: int
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    floor_pitch_mm: int = 2900
    floor_levels_mm: list[int] = []
    floor_names: list[str] = []
    quality: Quality
    age_ms: int | None
    link_age_ms: int | None
    since_ms: int | None
    period_ms: int
    boot: int = 0
    firmware: str | None = None
    profile: str | None = None
    rtt_ms: int | None = None
    rssi_dbm: int | None = None
    link_bytes_month: int | None = None
    near_misses: dict[str, int] = {}
    suppressed: dict[str, int] = {}
    state: State
    controller_fault: FaultWord | None = None
    last_known: LastKnown | None


class Gateway(BaseModel):
    """A gateway as the cloud knows it. `silent_ms`: since it was heard last, or since the cloud's start."""

    id: str
    version: str
    connected: bool
    silent_ms: int


class SilentGateway(BaseModel):
    """A gateway not heard for a minute, and its lifts last seen occupied or moving."""

    gateway: str
    silent_ms: int
    lifts_at_risk: list[str]


class Gateways(BaseModel):
    """A page of gateways, and all that are silent."""

    gateways: list[Gateway]
    silent: list[SilentGateway]


class Alive(BaseModel):
    """The cloud answers. `viewers`: open streams; `malformed`: messages and fields of gateways that could not be used.

    Of cases: `late` steps that came too late for the table, `collisions` of two that changed the same one, `failures` of changes, and
    `cars_dropped`, words to cars that had no room.
    """

    ok: bool
    viewers: int
    malformed: int
    cases: dict[str, int]
