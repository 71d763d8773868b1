"""The board: newest state of every lift, and what each viewer has not seen yet. Values in, values out; the clock is given."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols.controller_fault_texts import told

STALE_PERIODS = 3
GATEWAY_SILENT_MS = 60_000
GATEWAY_STALE_MS = 15_000


@dataclass
class GatewayView:
    """One gateway as the cloud knows it; times are the cloud's monotonic ms. One not heard since our start counts as heard then."""

    id: str
    heard_ms: int
    version: str = ""
    connected: bool = True


class Board:
    """All lifts of all gateways."""

    def __init__(self) -> None:
        self.lifts: dict[str, dict[str, Any]] = {}
        self._arrived: dict[str, int] = {}
        self._encoded: dict[str, tuple[int, str]] = {}
        self._version: dict[str, int] = {}
        self.gateways: dict[str, GatewayView] = {}

    def hello(self, gateway: str, version: str, records: list[dict[str, Any]], now_ms: int) -> None:
        """A gateway connected and tells its lift records."""
        self.gateways[gateway] = GatewayView(gateway, now_ms, version)
        for record in records:
            lift = self.lifts.setdefault(record["id"], _blank(record["id"]))
            lift |= {**record, "name": record["name"] or record["id"], "gateway": gateway}
            self._arrived.setdefault(record["id"], now_ms)

    def known(self, lifts: list[tuple[str, dict[str, Any]]], now_ms: int) -> None:
        """(gateway, record) of what was known before our start: unknown until it is told anew."""
        for gateway, record in lifts:
            self.gateways.setdefault(gateway, GatewayView(gateway, now_ms, connected=False))
            self.lifts[record["id"]] = {**_blank(record["id"]), **record, "gateway": gateway}

    def heard(self, gateway: str, now_ms: int) -> None:
        """Anything came from `gateway`."""
        if gateway in self.gateways:
            self.gateways[gateway].heard_ms = now_ms

    def live(self, gateway: str, lifts: list[dict[str, Any]], now_ms: int) -> list[str]:
        """Take live states; the ids that changed."""
        changed = []
        for found in lifts:
            name = str(found["id"])
            lift = self.lifts.setdefault(name, {**_blank(name), "gateway": gateway, "name": name})
            lift |= {**found, "gateway": gateway}
            self._arrived[name] = now_ms
            self._version[name] = self._version.get(name, 0) + 1
            changed.append(name)
        return changed

    def touch(self, name: str) -> None:
        """What is shown of `name` changed by time alone: encode it anew."""
        self._version[name] = self._version.get(name, 0) + 1

    def lost(self, gateway: str) -> None:
        """The link to `gateway` broke."""
        if gateway in self.gateways:
            self.gateways[gateway].connected = False

    def view(self, name: str, now_ms: int) -> dict[str, Any]:
        """One lift as the API shows it now: ages grow here too, and what is old or cut off is not shown as current."""
        lift = self.lifts[name]
        passed = now_ms - self._arrived.get(name, now_ms)
        age = None if lift["age_ms"] is None else lift["age_ms"] + passed
        link_age = None if lift["link_age_ms"] is None else lift["link_age_ms"] + passed
        out = {**lift, "age_ms": age, "link_age_ms": link_age}
        gateway = self.gateways.get(lift["gateway"])
        too_old = link_age is not None and link_age >= STALE_PERIODS * lift["period_ms"] + 5500
        cut_off = gateway is None or not gateway.connected or now_ms - gateway.heard_ms >= GATEWAY_STALE_MS
        if out["quality"] in ("good", "bus_silent") and (too_old or cut_off):
            out["quality"] = "stale"
            out["last_known"] = {"state": lift["state"], "at_ms": None}
            out["state"] = dict.fromkeys(lift["state"]) | {"doors": [], "faults": [], "withheld": []}
        out["controller_fault"] = told(out["state"].get("controller_fault"), lift.get("profile"))
        return out

    def all(self, now_ms: int, sees: Callable[[str], bool]) -> list[dict[str, Any]]:
        """All lifts that `sees`, by id."""
        return [self.view(name, now_ms) for name in sorted(self.lifts) if sees(name)]

    def lifts_of(self, gateway: str) -> list[str]:
        """Ids of the lifts that `gateway` tells of."""
        return [name for name, lift in sorted(self.lifts.items()) if lift["gateway"] == gateway]

    def gateways_of(self, sees: Callable[[str], bool]) -> list[GatewayView]:
        """Gateways with a lift that `sees`; one without any lift is for who sees what is nobody's."""
        held: dict[str, bool] = {}
        for name, lift in self.lifts.items():
            held[lift["gateway"]] = held.get(lift["gateway"], False) or sees(name)
        return [gateway for gateway in self.gateways.values() if held.get(gateway.id, sees(""))]

    def encoded(self, name: str, now_ms: int) -> str:
        """The JSON of one lift, made once for all viewers of a version."""
        version = self._version.get(name, 0)
        held = self._encoded.get(name)
        if held is None or held[0] != version:
            held = (version, json.dumps(self.view(name, now_ms), ensure_ascii=False))
            self._encoded[name] = held
        return held[1]

    def silent_gateways(self, now_ms: int, sees: Callable[[str], bool]) -> list[dict[str, Any]]:
        """Gateways not heard for a minute, with their lifts last seen occupied or moving: like an alarm. Of what `sees` alone."""
        if all(now_ms - gateway.heard_ms < GATEWAY_SILENT_MS for gateway in self.gateways.values()):
            return []
        out = []
        for gateway in self.gateways_of(sees):
            silent_ms = now_ms - gateway.heard_ms
            if silent_ms < GATEWAY_SILENT_MS:
                continue
            at_risk = [name for name in self.lifts_of(gateway.id) if sees(name) and _at_risk(self.lifts[name]["state"])]
            out.append({"gateway": gateway.id, "silent_ms": silent_ms, "lifts_at_risk": at_risk})
        return out


def _at_risk(state: dict[str, Any]) -> bool:
    """Last seen occupied or moving."""
    return bool(state.get("passenger")) or state.get("car_status") == 1


def _blank(name: str) -> dict[str, Any]:
    """A lift of which nothing is known."""
    return {
        "id": name, "name": name, "site": "", "address": "", "rescue_code": "", "registration_code": "", "stops": 6,
        "doors": 1, "rated_speed_mm_s": 1000, "latitude_deg": None, "longitude_deg": None, "floor_pitch_mm": 2900,
        "floor_levels_mm": [], "floor_names": [], "gateway": "", "quality": "unknown", "age_ms": None, "link_age_ms": None,
        "since_ms": None, "period_ms": 1000, "boot": 0, "profile": None, "state": {"doors": [], "faults": [], "withheld": []},
        "last_known": None,
    }  # fmt: skip
