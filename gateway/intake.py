"""Intake: what the lanes bring, into live state, journal and local log; receipts after the commits. It delivers to nobody.

Lane callbacks run in their lane's thread, commits in the store's; `relay` and `changed` are called there, and must only hand over.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway import journal as jobs
from gateway.clock import mono_ms, unix_ms
from gateway.fault_words import UnknownWords
from gateway.journal import Journal
from gateway.lifts import ACK_MS, LiftEnd, Lifts
from gateway.locallog import LocalLog, Stored
from gateway.metrics import Metrics
from protocols import codes, messages, records
from protocols.delivery.gateway import DUPLICATE, STORE
from protocols.errors import ContractError, DecodeError
from protocols.identity import parse_event_id, parse_topic

if TYPE_CHECKING:
    from gateway.detection.service import Detections

# Malformed payloads kept to look at, and how much of each; ours.
QUARANTINED = 200
QUARANTINED_BYTES = 512
# A node's crystal strays by some seconds in a day without us (ours: 50 ppm); a clock that differs by more was set.
SET_MS = 60_000

Event = dict[str, Any]


class Intake:
    """`relay(event)` takes each new revision at once, before its commit; `changed(id)` says that an incident has a new version.

    `replied(lift, values)` takes the answer to a command.
    """

    def __init__(
        self,
        lifts: Lifts,
        journal: Journal,
        log: LocalLog,
        metrics: Metrics,
        relay: Callable[[Event], None],
        changed: Callable[[str], None],
        words: UnknownWords,
        replied: Callable[[str, dict[str, Any]], None],
        detections: "Detections",
    ) -> None:
        self._lifts, self._journal, self._log, self._metrics = lifts, journal, log, metrics
        self._relay, self._changed, self._words, self._replied = relay, changed, words, replied
        self._detections = detections
        # Set by the wiring once the cities are known: without one that must answer, a commit is all there is to wait for.
        self.anyone_required = False
        self.quarantine: deque[tuple[int, str, bytes]] = deque(maxlen=QUARANTINED)

    def _end(self, site: str, lift: str) -> LiftEnd | None:
        end = self._lifts.at(site, lift)
        if end is None:
            self._metrics.refused.inc()
        return end

    def _malformed(self, kind: str, payload: bytes, error: ContractError) -> None:
        self._metrics.malformed.labels(kind).inc()
        self.quarantine.append((unix_ms(), f"{kind}: {error}", payload[:QUARANTINED_BYTES]))

    # -- events lane ----------------------------------------------------------------------------------------------

    def on_fast(self, name: str, payload: bytes, retained: bool) -> None:
        """Events lane, in its thread."""
        received_ms, now = unix_ms(), mono_ms()
        kind = "?"
        try:
            site, lift, kind = parse_topic(name)
            self._metrics.messages.labels(kind).inc()
            values = messages.decode(kind, payload)
            if kind == "event" and parse_event_id(values["id"])[0] != lift:
                raise DecodeError(f"event {values['id']} on the topic of {lift}")
        except ContractError as error:
            self._malformed(kind, payload, error)
            return
        event = ack = None
        with self._lifts.lock:
            end = self._end(site, lift)
            if end is None:
                return
            if kind == "link":
                if end.live.on_link(values, now, retained) and values["online"]:
                    self._detections.born(end)
                # A node that boots tells nothing before it knows which boots we know.
                ack = self._lifts.ack_payload(end) if values["online"] else None
            elif kind == "event":
                if not values["kept"]:
                    end.intake.heard(values["boot"], values["up_ms"])
                    end.offset(values["boot"]).add(values["up_ms"], received_ms)
                verdict = end.intake.on_event(values)
                event = canonical(end, values, received_ms) if verdict == STORE else None
                self._detections.on_event(end, event)
                ack = self._lifts.ack_payload(end) if verdict == DUPLICATE else None
        if kind == "reply":
            self._replied(lift, values)
        if ack is not None:
            self._lifts.send_ack(end, ack)
        if event is not None:
            self.take(end, event)

    def take(self, end: LiftEnd, event: Event) -> None:
        """Commit and first send start together; the receipt to the node waits for the commit, the send does not.

        A relay that looks into the journal instead must find it in the queue before its question.
        """
        stored = self._journal.submit(
            jobs.store_revision(event), lambda result, error: self._committed(end, event, result, error)
        )
        self._relay(event)
        if not stored:
            self._settled(end, event, None)

    def _committed(self, end: LiftEnd, event: Event, result: Any, error: Exception | None) -> None:
        """In the journal's thread, after the commit."""
        if error is not None:
            self._settled(end, event, None)
            return
        newest, done = result
        is_done = (done and newest == event["rev"]) or not self.anyone_required
        self._settled(end, event, codes.DONE if is_done else codes.COMMITTED)
        self._measure(event)
        self._changed(event["id"])

    def _settled(self, end: LiftEnd, event: Event, level: int | None) -> None:
        """Tell whoever holds the event what the journal has of it; None: nothing."""
        name, rev, ack = event["id"], event["rev"], None
        with self._lifts.lock:
            holder = end.holder(name)
            if holder is not None and level is None:
                holder.event_failed(name, rev)
            elif holder is not None and level is not None:
                holder.committed(name, rev, level)
                ack = self._lifts.ack_payload(end) if holder is end.intake else None
        if ack is not None:
            self._lifts.send_ack(end, ack)

    def _measure(self, event: Event) -> None:
        committed_ms = unix_ms()
        stage = self._metrics.stage
        stages = event["stages"]
        stage.labels("received_committed").observe(max(0, committed_ms - event["received"]) / 1000)
        if stages["published"] is not None:
            stage.labels("published_received").observe(max(0, event["received"] - stages["published"]) / 1000)
            stage.labels("detected_published").observe(max(0, stages["published"] - stages["detected"]) / 1000)

    # -- bulk lane ------------------------------------------------------------------------------------------------

    def on_bulk(self, name: str, payload: bytes, retained: bool) -> None:
        """Bulk lane, in its thread; and the lane of states that the gateway detects from, in its own."""
        received_ms, now = unix_ms(), mono_ms()
        kind = "?"
        try:
            site, lift, kind = parse_topic(name)
            self._metrics.messages.labels(kind).inc()
            if kind == "log":
                self._on_log(site, lift, records.decode_wire(payload), received_ms)
                return
            if self._detections.is_copy(lift, payload):
                return
            values = messages.decode(kind, payload)
        except ContractError as error:
            self._malformed(kind, payload, error)
            return
        with self._lifts.lock:
            end = self._end(site, lift)
            if end is None:
                return
            end.intake.heard(values["boot"], values["up_ms"])
            end.offset(values["boot"]).add(values["up_ms"], received_ms, values["rtt_ms"])
            # What a broker kept is not what is: only live states are evidence.
            events = [] if retained else self._detections.on_state(end, values, received_ms, payload)
            end.live.on_state(values, now, received_ms)
            ack = self._lifts.ack_payload(end) if now - end.ack_ms >= ACK_MS else None
        for event in events:
            self.take(end, event)
        if ack is not None:
            self._lifts.send_ack(end, ack)

    def _on_log(self, site: str, lift: str, batch: records.Batch, received_ms: int) -> None:
        points = batch.records()  # what cannot be read must not be receipted
        with self._lifts.lock:
            end = self._end(site, lift)
            if end is None:
                return
            verdict, gaps = end.intake.on_batch(batch)
            self._metrics.batches.labels(verdict).inc()
            if verdict != STORE and not gaps:
                return
            last_up = points[-1][0] if points else batch.up_ms
            offset = record_offset_ms(end, batch, last_up, received_ms)
            last_ms = last_up + offset
            profile = end.live.link.get("profile")
            entry = Stored(lift, batch, offset, last_ms, gaps, received_ms, verdict == STORE)
            if not self._log.put(entry):
                end.intake.batch_failed()
        for up_ms, changes in points:
            self._words.note(lift, profile, changes.get("controller_fault"), up_ms + offset)

    def batches_stored(self, entries: list[Stored], ok: bool) -> None:
        """In the local log's thread, after the sync, or after it could not be done."""
        with self._lifts.lock:
            for entry in entries:
                end = self._lifts.known(entry.lift)
                if end is None:
                    continue
                if ok and entry.is_new:
                    end.intake.batch_stored(entry.batch.life, entry.batch.number)
                elif not ok:
                    end.intake.batch_failed()


def offset_ms(end: LiftEnd, boot: int, up_ms: int, t_ms: int, at_arrival_ms: int) -> int:
    """Gateway time minus uptime of `boot`: as heard live, else by the node's own clock, else as if it had happened at its arrival.

    The node's clock: unix `t_ms` at `up_ms`, 0 = it has none.
    """
    live = end.offset(boot).gateway_ms(0)
    if live is not None:
        return live
    return t_ms - up_ms if t_ms else at_arrival_ms


def record_offset_ms(end: LiftEnd, batch: records.Batch, last_up_ms: int, received_ms: int) -> int:
    """Gateway time minus uptime for the records of one batch, up to `last_up_ms`: by the node's own stamp unless a clock was set since.

    What we hear differs by some ms from gateway to gateway. One with empty stores is sent the same records again, and they must
    have the same time there: else InfluxDB holds each of them twice.
    """
    stamped = batch.t_ms - batch.up_ms
    heard = end.offset(batch.boot).gateway_ms(0)
    if batch.t_ms and (heard is None or abs(stamped - heard) <= SET_MS):
        return stamped
    if heard is not None:
        return heard
    # A boot that never had a time nor was heard was over when the next one began.
    later = end.started_ms(batch.boot + 1)
    return (received_ms if later is None else min(received_ms, later)) - last_up_ms


def canonical(end: LiftEnd, values: dict[str, Any], received_ms: int) -> Event:
    """The canonical event of one decoded message: what the journal keeps and every destination gets, in the gateway's time."""
    estimate = end.offset(values["boot"])

    offset = offset_ms(end, values["boot"], values["up_ms"], values["t_ms"], received_ms - values["up_ms"])

    def at(up_ms: int | None) -> int | None:
        return None if up_ms is None else offset + up_ms

    return {
        "id": values["id"],
        "rev": values["rev"],
        "lift": end.record.id,
        "profile": end.live.link.get("profile"),
        "kind": values["kind"],
        "code": values["code"],
        "class": values["class"],
        "severity": values["severity"],
        "phase": values["phase"],
        "cause": values["cause"],
        "presses": values["presses"],
        "withheld": values["withheld"],
        "closed_at_ms": at(values["closed_up_ms"]),
        "snapshot": values["snapshot"],
        "last_known": values["last_known"],
        "last_known_at_ms": at(values["last_known_up_ms"]),
        "frames": values["frames"],
        "evidence": [[name, at(since)] for name, since in values["evidence"]],
        "stages": {
            "onset": at(values["onset_up_ms"]),
            "detected": at(values["detected_up_ms"]),
            "published": at(values["published_up_ms"]),
        },
        "attempt": values["attempt"],
        "received": received_ms,
        "offset_err_ms": estimate.error_ms(),
    }
