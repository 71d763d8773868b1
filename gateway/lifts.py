"""What the gateway holds of each lift: record, intake, live state, clock estimates; and the acks to it. It stores nothing.

Lanes, stores and the loop meet here in threads of their own: everything of a lift is touched under `Lifts.lock` only.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gateway.clock import mono_ms, unix_ms
from gateway.config import Config, Lift
from gateway.live import LiveLift
from gateway.triage import Whereabouts
from protocols import messages
from protocols.clock import OffsetEstimate
from protocols.delivery.gateway import LiftIntake
from protocols.identity import parse_event_id, topic

if TYPE_CHECKING:
    from gateway.detection.lift import LiftDetection

_log = logging.getLogger(__name__)

ACK_MS = 5000
LOG_ACK_MS = 200
OFFSETS_KEPT = 3
# Events that a gateway raised are numbered by the unix second, so that no number comes twice even if every store is lost; a node
# counts from 1 in each boot and never comes so far.
OURS_FROM = 1_000_000_000


def is_ours(name: str) -> bool:
    """Was the event of that id raised by a gateway?"""
    return parse_event_id(name)[2] >= OURS_FROM


class LiftEnd:
    """All that the gateway holds of one lift."""

    def __init__(self, record: Lift, store_id: str, life: int, stored: int, boot: int = 0) -> None:
        self.record = record
        self.intake = LiftIntake(store_id, life, stored, boot)
        self.live = LiveLift(record)
        self.offsets: dict[int, OffsetEstimate] = {}
        self.ack_ms = 0
        self.detected: LiftDetection | None = None  # of a lift for which the gateway detects

    def holder(self, name: str) -> "LiftIntake | LiftDetection | None":
        """Who must know what becomes of the event `name`: its node, by an ack, or whoever raised it here, if it is held there still."""
        if self.detected is not None and self.detected.holds(name):
            return self.detected
        return None if is_ours(name) else self.intake

    def offset(self, boot: int) -> OffsetEstimate:
        """The clock estimate of one boot; the newest few boots are kept."""
        if boot not in self.offsets:
            self.offsets[boot] = OffsetEstimate()
            for old in sorted(self.offsets)[:-OFFSETS_KEPT]:
                del self.offsets[old]
        return self.offsets.get(boot) or OffsetEstimate()

    def started_ms(self, boot: int) -> int | None:
        """When the oldest boot from `boot` on that was heard began, in the gateway's time; None if none was."""
        began = [self.offsets[known].gateway_ms(0) for known in sorted(self.offsets) if known >= boot]
        return next((at for at in began if at is not None), None)


class Lifts:
    """The lifts of one gateway. `positions` and `boots` are what the log store has of each; `publish(topic, payload)` sends an ack."""

    def __init__(
        self,
        config: Config,
        store_id: str,
        positions: dict[str, tuple[int, int]],
        boots: dict[str, int],
        publish: Callable[[str, bytes], None],
    ) -> None:
        self.lock = threading.Lock()
        self._store_id, self._positions, self._boots, self._publish = store_id, positions, boots, publish
        self._max, self._gateway = config.gateway.max_lifts, config.gateway.id
        self._anyone_told = any(ref.required for ref in config.city)
        self._ends = {lift.id: self._make_end(lift) for lift in config.lift}

    def _make_end(self, record: Lift) -> LiftEnd:
        life, stored = self._positions.get(record.id, (0, 0))
        end = LiftEnd(record, self._store_id, life, stored, self._boots.get(record.id, 0))
        if life:
            end.live.watched_ms = mono_ms()
        return end

    def __contains__(self, lift: str) -> bool:
        return lift in self._ends

    def known(self, lift: str) -> LiftEnd | None:
        """The end of a lift that was configured or heard of."""
        return self._ends.get(lift)

    def record(self, lift: str) -> Lift:
        """The record of a lift, or what stands for it where there is none."""
        end = self._ends.get(lift)
        return end.record if end is not None else Lift(id=lift, site="unknown", name=lift)

    def at(self, site: str, lift: str) -> LiftEnd | None:
        """Under the lock: the lift's end; unconfigured lifts are taken too, in bounded number, for an alarm counts. None: refused."""
        end = self._ends.get(lift)
        # A lift with the gateway's own name would have incidents of the same ids as the gateway.
        if end is None and len(self._ends) < self._max and lift != self._gateway:
            record = Lift(id=lift, site=site, name=lift)
            end = self._ends[lift] = self._make_end(record)
            _log.warning("lift %s at %s is not in the configuration; taken all the same", lift, site)
        if end is None or end.record.site != site:
            return None
        return end

    def store_replaced(self, store_id: str, *, events: bool = False, log: bool = False) -> None:
        """Under the lock: a store was made anew; receipts from the one before do not count."""
        self._store_id = store_id
        if log:
            self._positions = {}
        for end in self._ends.values():
            end.intake.store_replaced(store_id, events, log)
            if events and end.detected is not None:
                end.detected.store_replaced()

    # -- acks -----------------------------------------------------------------------------------------------------

    def ack_payload(self, end: LiftEnd) -> bytes:
        """Under the lock: the next ack of a lift."""
        end.ack_ms = mono_ms()
        values = end.intake.ack(unix_ms())
        if values["events"] and not self._anyone_told:
            values["told"] = False
        return messages.encode("ack", values)

    def send_ack(self, end: LiftEnd, payload: bytes) -> None:
        """Without the lock: a socket may be slow."""
        self._publish(topic(end.record.site, end.record.id, "ack"), payload)

    async def ack_round(self) -> None:
        """Receipts of the log, and of what waits longer than it should; for ever."""
        while True:
            await asyncio.sleep(LOG_ACK_MS / 1000)
            with self.lock:
                due = [(end, self.ack_payload(end)) for end in self._ends.values() if end.intake.receipt_due]
            for end, payload in due:
                self.send_ack(end, payload)

    # -- what is shown --------------------------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """The records of all lifts, as the cloud is greeted with."""
        return [
            {
                "id": record.id, "site": record.site, "name": record.name or record.id, "address": record.address,
                "rescue_code": record.rescue_code, "registration_code": record.registration_code, "stops": record.stops,
                "doors": record.doors, "rated_speed_mm_s": record.rated_speed_mm_s, "latitude_deg": record.latitude_deg,
                "longitude_deg": record.longitude_deg, "floor_pitch_mm": record.floor_pitch_mm,
                "floor_levels_mm": record.floor_levels_mm, "floor_names": record.floor_names,
            }
            for record in (end.record for end in list(self._ends.values()))
        ]  # fmt: skip

    def live_changes(self, full: bool) -> list[dict[str, Any]]:
        """Live state of the lifts that changed since the last call, of all if `full`."""
        now, at = mono_ms(), unix_ms()
        with self.lock:
            out = []
            for end in self._ends.values():
                live = end.live
                if full or live.dirty or live.quality(now) != live.shown_quality:
                    live.dirty = False
                    out.append(live.view(now, at))
            return out

    def link_costs(self) -> dict[str, int]:
        """{lift: bytes a month} that its node's link costs, of those that have told."""
        with self.lock:
            found = {name: end.live.link_bytes_month for name, end in self._ends.items()}
        return {name: cost for name, cost in found.items() if cost is not None}

    def names(self) -> list[str]:
        """The lifts that were configured or heard of."""
        with self.lock:
            return list(self._ends)

    def qualities_of(self, names: Iterable[str], now_ms: int) -> dict[str, str]:
        """{lift: quality of its live state} of those that are here; the lock is held meanwhile, so not of too many at once."""
        with self.lock:
            return {name: self._ends[name].live.quality(now_ms) for name in names if name in self._ends}

    def whereabouts_of(self, names: Iterable[str], now_ms: int) -> dict[str, Whereabouts]:
        """{lift: what is known of its car}, as above."""
        with self.lock:
            return {name: self._ends[name].live.whereabouts(now_ms) for name in names if name in self._ends}

    def qualities(self) -> list[str]:
        """The quality of each lift's live state, now."""
        now = mono_ms()
        with self.lock:
            return [end.live.quality(now) for end in self._ends.values()]
