"""The board: newest state of every lift, what of it is old, and which gateways are silent. Values in, values out; the clock is given.

What time alone changes is found by due times in a heap, so that a moment costs what changes in it, however many lifts there are.
"""

import bisect
import heapq
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloud.live import trouble
from cloud.live.trouble import Trouble
from protocols.controller_fault_texts import told
from protocols.fields import NAMES

STALE_PERIODS = 3
# Beyond three periods: a gateway tells all its lifts anew every 5 s only, and that needs half a second (ours).
TOLD_AGAIN_MS = 5500
GATEWAY_SILENT_MS = 60_000
GATEWAY_STALE_MS = 15_000
CURRENT = ("good", "bus_silent")
# A state of which nothing is known, in the API's form. Shared, and never changed.
UNKNOWN: dict[str, Any] = {name: None for name in NAMES if name not in ("door_1", "door_2")} | {
    "doors": [], "faults": [], "withheld": [],
}  # fmt: skip


@dataclass
class GatewayView:
    """One gateway as the cloud knows it; times are the cloud's monotonic ms. One not heard since our start counts as heard then."""

    id: str
    heard_ms: int
    version: str = ""
    connected: bool = True

    def cut_off(self, now_ms: int) -> bool:
        """What it told is not current any more."""
        return not self.connected or now_ms - self.heard_ms >= GATEWAY_STALE_MS


class Board:
    """All lifts of all gateways."""

    def __init__(self) -> None:
        self.lifts: dict[str, dict[str, Any]] = {}
        self.names: list[str] = []  # of the lifts, in order
        self.gateways: dict[str, GatewayView] = {}
        self.silent: set[str] = set()
        self._arrived: dict[str, int] = {}
        self._of: dict[str, set[str]] = {}
        self._touched: set[str] = set()
        self._cut_off: set[str] = set()
        # (due, id), each id at most once: what was heard meanwhile is found out when it is due.
        self._due: list[tuple[int, str]] = []
        self._waiting: set[str] = set()
        self._gateways_due: list[tuple[int, str]] = []

    # -- what is told -------------------------------------------------------------------------------------------------

    def known(self, lifts: list[tuple[str, dict[str, Any]]], now_ms: int) -> None:
        """(gateway, record) of what was known before our start: unknown until it is told anew."""
        for gateway, record in lifts:
            if gateway not in self.gateways:
                self._take_gateway(GatewayView(gateway, now_ms, connected=False))
            self._put(record["id"], gateway, record)

    def hello(self, gateway: str, version: str, records: list[dict[str, Any]], now_ms: int) -> None:
        """A gateway connected and tells its lift records."""
        self._take_gateway(GatewayView(gateway, now_ms, version))
        for record in records:
            self._put(record["id"], gateway, {**record, "name": record["name"] or record["id"]})
            self._arrived.setdefault(record["id"], now_ms)
        self._heard_again(gateway)

    def heard(self, gateway: str, now_ms: int) -> None:
        """Anything came from `gateway`."""
        if gateway in self.gateways:
            self.gateways[gateway].heard_ms = now_ms
            if gateway in self._cut_off or gateway in self.silent:
                self._heard_again(gateway)

    def live(self, gateway: str, lifts: list[dict[str, Any]], now_ms: int) -> list[str]:
        """Take live states; the ids that changed."""
        changed = []
        for found in lifts:
            name = str(found["id"])
            self._put(name, gateway, found)
            self._arrived[name] = now_ms
            if name not in self._waiting:
                self._waiting.add(name)
                heapq.heappush(self._due, (self._stale_at(name), name))
            changed.append(name)
        return changed

    def lost(self, gateway: str) -> None:
        """The link to `gateway` broke."""
        if gateway in self.gateways:
            self.gateways[gateway].connected = False
            self._cut_off.add(gateway)
            self._touched |= self._of.get(gateway, set())

    def _put(self, name: str, gateway: str, found: dict[str, Any]) -> None:
        lift = self.lifts.get(name)
        if lift is None:
            lift = self.lifts[name] = _blank(name)
            bisect.insort(self.names, name)
        if lift["gateway"] != gateway:
            self._of.get(lift["gateway"], set()).discard(name)
            self._of.setdefault(gateway, set()).add(name)
        lift |= found
        lift["gateway"] = gateway

    def _take_gateway(self, found: GatewayView) -> None:
        if found.id not in self.gateways:
            heapq.heappush(self._gateways_due, (found.heard_ms + GATEWAY_STALE_MS, found.id))
        self.gateways[found.id] = found

    def _heard_again(self, gateway: str) -> None:
        self._cut_off.discard(gateway)
        self.silent.discard(gateway)
        self._touched |= self._of.get(gateway, set())

    # -- what time changes --------------------------------------------------------------------------------------------

    def turned(self, now_ms: int) -> set[str]:
        """Lifts of which another thing is shown than before although nothing was told of them: too old, cut off, or heard again."""
        self._look_at_gateways(now_ms)
        while self._due and self._due[0][0] <= now_ms:
            _, name = heapq.heappop(self._due)
            due = self._stale_at(name)
            if due > now_ms:
                heapq.heappush(self._due, (due, name))
            else:
                self._waiting.discard(name)
                self._touched.add(name)
        found, self._touched = self._touched, set()
        return found

    def _look_at_gateways(self, now_ms: int) -> None:
        while self._gateways_due and self._gateways_due[0][0] <= now_ms:
            _, name = heapq.heappop(self._gateways_due)
            heapq.heappush(self._gateways_due, (self._gateway_turns(self.gateways[name], now_ms), name))

    def _gateway_turns(self, gateway: GatewayView, now_ms: int) -> int:
        """When to look at it again; what it has become is taken note of."""
        silent_ms = now_ms - gateway.heard_ms
        if silent_ms < GATEWAY_STALE_MS:
            return gateway.heard_ms + GATEWAY_STALE_MS
        if gateway.id not in self._cut_off:
            self._cut_off.add(gateway.id)
            self._touched |= self._of.get(gateway.id, set())
        if silent_ms >= GATEWAY_SILENT_MS:
            self.silent.add(gateway.id)
            return now_ms + GATEWAY_STALE_MS
        # Heard again at once, it could be too old as soon as that.
        return min(gateway.heard_ms + GATEWAY_SILENT_MS, now_ms + GATEWAY_STALE_MS)

    def _stale_at(self, name: str) -> int:
        lift = self.lifts[name]
        told_ms: int = self._arrived[name] - (lift["link_age_ms"] or 0)
        return told_ms + STALE_PERIODS * int(lift["period_ms"]) + TOLD_AGAIN_MS

    # -- what is shown ------------------------------------------------------------------------------------------------

    def view(self, name: str, now_ms: int) -> dict[str, Any]:
        """One lift as the API shows it now: ages grow here too, and what is old or cut off is not shown as current."""
        lift = self.lifts[name]
        out = lift.copy()
        out["age_ms"], out["link_age_ms"] = self.ages(name, now_ms)
        quality = self._quality(lift, now_ms)
        if quality != lift["quality"]:
            out["quality"] = quality
            out["last_known"] = {"state": lift["state"], "at_ms": None}
            out["state"] = UNKNOWN
        word = out["state"].get("controller_fault")
        out["controller_fault"] = told(word, lift["profile"]) if word else None
        return out

    def ages(self, name: str, now_ms: int) -> tuple[int | None, int | None]:
        """Of its last valid sample, and of its node's last message."""
        lift = self.lifts[name]
        passed = now_ms - self._arrived.get(name, now_ms)
        age, link_age = lift["age_ms"], lift["link_age_ms"]
        return None if age is None else age + passed, None if link_age is None else link_age + passed

    def outline(self, name: str, now_ms: int) -> tuple[Any, ...]:
        """What its view follows from beside its ages: as long as this is equal, so is all else that is shown."""
        lift = self.lifts[name]
        return self._quality(lift, now_ms), _steady(lift)

    def _quality(self, lift: dict[str, Any], now_ms: int) -> str:
        quality: str = lift["quality"]
        if quality in CURRENT:
            gateway = self.gateways.get(lift["gateway"])
            if gateway is None or gateway.cut_off(now_ms):
                return "stale"
            if lift["link_age_ms"] is not None and now_ms >= self._stale_at(lift["id"]):
                return "stale"
        return quality

    def trouble(self, name: str, now_ms: int) -> Trouble:
        """In a word what is the matter with it."""
        lift = self.lifts[name]
        return trouble.of(self._quality(lift, now_ms), lift["state"])

    def lifts_of(self, gateway: str) -> list[str]:
        """Ids of the lifts that `gateway` tells of."""
        return sorted(self._of.get(gateway, ()))

    def gateways_of(self, sees: Callable[[str], bool]) -> list[GatewayView]:
        """Gateways with a lift that `sees`; one without any lift is for who sees what is nobody's."""
        return [gateway for gateway in self.gateways.values() if self._is_seen(gateway.id, sees)]

    def _is_seen(self, gateway: str, sees: Callable[[str], bool]) -> bool:
        lifts = self._of.get(gateway)
        return any(sees(name) for name in lifts) if lifts else sees("")

    def silent_gateways(self, now_ms: int, sees: Callable[[str], bool]) -> list[dict[str, Any]]:
        """Gateways not heard for a minute, with their lifts last seen occupied or moving: like an alarm. Of what `sees` alone."""
        self._look_at_gateways(now_ms)
        return [
            {"gateway": name, "silent_ms": now_ms - self.gateways[name].heard_ms, "lifts_at_risk": self.at_risk(name, sees)}
            for name in sorted(self.silent)
            if self._is_seen(name, sees)
        ]  # fmt: skip

    def at_risk(self, gateway: str, sees: Callable[[str], bool]) -> list[str]:
        """Lifts of a gateway that were last seen occupied or moving."""
        found = [(name, self.lifts[name]["state"]) for name in self.lifts_of(gateway) if sees(name)]
        return [name for name, state in found if state.get("passenger") or state.get("car_status") == 1]


def _blank(name: str) -> dict[str, Any]:
    """A lift of which nothing is known."""
    return {
        "id": name, "name": name, "site": "", "address": "", "rescue_code": "", "registration_code": "", "stops": 6,
        "doors": 1, "rated_speed_mm_s": 1000, "latitude_deg": None, "longitude_deg": None, "floor_pitch_mm": 2900,
        "floor_levels_mm": [], "floor_names": [], "gateway": "", "quality": "unknown", "age_ms": None, "link_age_ms": None,
        "since_ms": None, "period_ms": 1000, "boot": 0, "firmware": None, "rtt_ms": None, "rssi_dbm": None, "profile": None, "state": UNKNOWN,
        "last_known": None, "near_misses": {}, "suppressed": {}, "link_bytes_month": None,
    }  # fmt: skip


AGES = ("age_ms", "link_age_ms")
_steady = operator.itemgetter(*(name for name in _blank("") if name not in AGES))
