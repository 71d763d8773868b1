"""Live state of all lifts: the newest wins, every value has an age, and what is too old is unknown. No I/O, no clock.

Offline is decided here and nowhere else: will + 10 s, or 30 s without a message.
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.config import Lift
from gateway.triage import Whereabouts
from protocols.fields import NAMES
from protocols.link_cost import per_month

OFFLINE_AFTER_WILL_MS = 10_000
OFFLINE_AFTER_SILENCE_MS = 30_000
# For a node that is known from before our start, and whose period is not: three of the longest that is usual (90 s, metered
# and parked), and some (ours). One whose will the broker keeps is told sooner.
OFFLINE_UNHEARD_MS = 300_000
STALE_PERIODS = 3
# The bus is silent if its last valid sample is so old: two polls at the slowest rate, and the message's way (ours).
BUS_SILENT_MS = 3000

# A month is told from no less: a handshake alone would make a gigabyte of the first seconds (ours).
COST_FROM_MS = 600_000

CAR_FIELDS = ("car_status", "door_zone", "floor")
API_FIELDS = tuple(name for name in NAMES if name not in ("door_1", "door_2"))


def unknown_state() -> dict[str, Any]:
    """A state of which nothing is known, in the API's form."""
    return {**dict.fromkeys(API_FIELDS), "doors": [], "faults": [], "withheld": []}


@dataclass
class LiveLift:
    """What is known of one lift. Times are the gateway's monotonic ms unless they say unix."""

    record: Lift
    boot: int = 0
    conn: int = 0
    seq: int = -1
    watched_ms: int | None = None  # known from before our start, and waited for since then
    heard_ms: int | None = None
    state_ms: int | None = None
    sample_ms: int | None = None
    will_ms: int | None = None
    period_ms: int = 1000
    state: dict[str, Any] = field(default_factory=unknown_state)
    link: dict[str, Any] = field(default_factory=dict)
    link_bytes_month: int | None = None  # at the rate of this boot, as the node counts it
    rtt_ms: int | None = None  # the node's shortest round trip on this connection
    rssi_dbm: int | None = None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # near misses and suppressions of this boot
    state_unix_ms: int | None = None
    # What the controller told last of its car, and when: it is mute in a power cut.
    car: dict[str, Any] = field(default_factory=dict)
    car_unix_ms: int | None = None
    since_unix_ms: int | None = None
    shown_quality: str = ""
    dirty: bool = True

    def is_late(self, values: dict[str, Any]) -> bool:
        """Is this decoded state older than what we have, or the same?"""
        return bool((values["boot"], values["seq"]) <= (self.boot, self.seq))

    def on_state(self, values: dict[str, Any], now_ms: int, unix_ms: int) -> bool:
        """Take one decoded state; False if it is older than what we have."""
        if self.is_late(values):
            return False
        if values["boot"] != self.boot:
            self.counts, self.rssi_dbm = {}, None
        self.rtt_ms = values["rtt_ms"]
        self.boot, self.seq = values["boot"], values["seq"]
        # Told when they changed: a state without them says nothing of them.
        for name in ("near_misses", "suppressed"):
            if values[name]:
                self.counts[name] = values[name]
        known = values["state"].known()
        self.state = {**unknown_state(), **known, "faults": values["faults"], "withheld": values["withheld"]}
        self.period_ms = values["period_ms"]
        self.heard_ms = self.state_ms = now_ms
        self.state_unix_ms = unix_ms
        if "car_status" in known:
            self.car, self.car_unix_ms = {name: known.get(name) for name in CAR_FIELDS}, unix_ms
        if values["sample_up_ms"] is not None:
            self.sample_ms = now_ms - max(0, values["up_ms"] - values["sample_up_ms"])
        if values["link_bytes"] is not None:
            told = values["up_ms"] >= COST_FROM_MS
            self.link_bytes_month = per_month(values["link_bytes"], values["up_ms"]) if told else None
            self.rssi_dbm = values["rssi_dbm"]
        self.will_ms = None
        self.dirty = True
        return True

    def on_link(self, values: dict[str, Any], now_ms: int, retained: bool) -> bool:
        """Take a birth or will; what belongs to an older boot or connection is ignored."""
        if (values["boot"], values["conn"]) < (self.boot, self.conn):
            return False
        if values["boot"] > self.boot:
            self.seq = -1
            self.counts = {}
        self.boot, self.conn = values["boot"], values["conn"]
        if values["online"]:
            self.link = values
            self.will_ms = None
            if not retained:
                self.heard_ms = now_ms
        else:
            self.will_ms = now_ms
        self.dirty = True
        return True

    def quality(self, now_ms: int) -> str:
        """good, stale, bus_silent, offline or unknown."""
        gone = self.will_ms is not None and now_ms - self.will_ms >= OFFLINE_AFTER_WILL_MS
        if self.heard_ms is None:
            missed = self.watched_ms is not None and now_ms - self.watched_ms >= OFFLINE_UNHEARD_MS
            return "offline" if gone or missed else "unknown"
        silent_ms = now_ms - self.heard_ms
        if gone or silent_ms >= max(OFFLINE_AFTER_SILENCE_MS, STALE_PERIODS * self.period_ms):
            return "offline"
        if self.state_ms is None or now_ms - self.state_ms >= STALE_PERIODS * self.period_ms:
            return "stale"
        if self.sample_ms is None or now_ms - self.sample_ms >= BUS_SILENT_MS + self.period_ms:
            return "bus_silent"
        return "good"

    def silent_ms(self, now_ms: int) -> int:
        """Since when nothing was heard: its last message, or what we have waited for the first."""
        begin_ms = next((at for at in (self.heard_ms, self.watched_ms, self.will_ms) if at is not None), now_ms)
        return now_ms - begin_ms

    def told_last(self) -> dict[str, Any]:
        """{name: value} of what its last state told, and of the car what was told last; empty without any state."""
        if self.state_ms is None:
            return {}
        found = {**self.car, **{name: value for name, value in self.state.items() if value is not None}}
        return {name: value for name, value in found.items() if name != "faults" and value not in (None, [])}

    def whereabouts(self, now_ms: int) -> Whereabouts:
        """What is known of its car and of who is in it. An unknown passenger is unknown, whatever was told before."""
        status = self.car.get("car_status")
        return Whereabouts(
            self.state["passenger"], self.state_unix_ms, None if status is None else status == 1,
            self.car.get("door_zone"), self.car.get("floor"), self.car_unix_ms,
            self.quality(now_ms) in ("good", "bus_silent"),
        )  # fmt: skip

    def view(self, now_ms: int, unix_ms: int) -> dict[str, Any]:
        """What the cloud is told. Unless the quality is good or the bus alone is silent, no value is shown as current."""
        quality = self.quality(now_ms)
        if quality != self.shown_quality:
            self.shown_quality = quality
            self.since_unix_ms = unix_ms if quality == "good" else (self.state_unix_ms or unix_ms)
        record = self.record
        # The node itself makes the bus fields unknown when the bus is silent; its own inputs are still true.
        current = quality in ("good", "bus_silent")
        return {
            "id": record.id,
            "quality": quality,
            "age_ms": None if self.sample_ms is None else now_ms - self.sample_ms,
            "link_age_ms": None if self.heard_ms is None else now_ms - self.heard_ms,
            "since_ms": self.since_unix_ms,
            "period_ms": self.period_ms,
            "boot": self.boot,
            "firmware": self.link.get("fw") or None,
            "rtt_ms": self.rtt_ms,
            "rssi_dbm": self.rssi_dbm,
            "link_bytes_month": self.link_bytes_month,
            "profile": self.link.get("profile"),
            "near_misses": self.counts.get("near_misses", {}),
            "suppressed": self.counts.get("suppressed", {}),
            "stops": self.link.get("stops") or record.stops,
            "rated_speed_mm_s": self.link.get("rated_speed_mm_s") or record.rated_speed_mm_s,
            "state": self.state if current else unknown_state(),
            "last_known": None
            if current or self.state_ms is None
            else {"state": self.state, "at_ms": self.state_unix_ms},
        }
