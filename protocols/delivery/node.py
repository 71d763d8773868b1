"""The node's end of delivery: a table of events re-sent until receipted, beside a sender of the log. No I/O, no clock.

The shell sends what `due()` returns, in order, and hands each ack to `on_ack()`. All `now` are ms since boot.
"""

from protocols import codes
from protocols.delivery.held import HEAVY, RESEND_FIRST_MS, HeldEvent, begun, tell
from protocols.delivery.log import FAR_MS, ChangeLog, LogSender
from protocols.delivery.succession import ASK_MS, predecessor
from protocols.delivery.table import EventTable
from protocols.detector import Transition
from protocols.identity import event_id, parse_event_id
from protocols.state import LiftState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protocols.faults import Fault

RESEND_MAX_MS = 5000
# Committed is safe; only the last destination's answer is missing.
RESEND_COMMITTED_MS = 60000
# Held events of one kind, so that a flapping input cannot fill the heap. A further one is counted and goes on with the newest
# of them, whose end nobody has heard: what is wrong now is always told.
MAX_PER_KIND = 4
# An ack that is older than the last by less was held up on the way (ours: connections are given up sooner); by more, the
# gateway's clock was set back.
LATE_ACK_MS = 60000
# An event that outlives a reset goes on at boot * REV_STEP: what an earlier boot sent but had not yet kept has a number below
# it, and no number may ever name two revisions (ours: nothing is revised a thousand times in one boot before flash takes it).
REV_STEP = 1000
# A sending without a receipt after which the next waits so long puts the line in doubt: 1.4 s after the first (ours).
DOUBTED_BACKOFF_MS = 16 * RESEND_FIRST_MS


class NodeDelivery:
    """Events and log of one node in one boot."""

    def __init__(
        self,
        lift: str,
        boot: int,
        log: ChangeLog,
        unix_ms: "Callable[[int], int] | None" = None,
        table: EventTable | None = None,
        asks: bool = False,
    ) -> None:
        """`unix_ms(up_ms)` gives the node's idea of unix time, 0 while it has none. What `table` kept is held again.

        `asks`: nothing is sent before the gateway's first ack (no event for ASK_MS at most), lest it take us for our predecessor.
        """
        self._lift = lift
        self._boot = boot
        self._log = log
        self._unix_ms = unix_ms or (lambda up_ms: 0)
        self._number = 0
        self._events: dict[str, HeldEvent] = {}  # id -> HeldEvent
        self._open: dict[str, str] = {}  # kind -> id of the event open now
        self._up = False
        self._gateway = ""
        self._ack_ms = 0
        self._sender = LogSender(log)
        self._asks = asks
        self._asked_ms = 0
        self._highest = codes.DONE  # the receipt that a city's answer brings
        self._table = table
        self._unkept: list[str] = []  # ids whose newest revision, or end, the table has not yet
        self.overflow = 0  # events that went on with another because MAX_PER_KIND of their kind waited already
        self.resent = 0
        for entry in [] if table is None else table.load():
            self._hold_again(entry)

    def _hold_again(self, entry: dict) -> None:
        held = HeldEvent(entry["values"])
        held.presses_before = entry["presses_before"]
        held.kept = (entry["up_ms"], entry["t_ms"])
        held.on_flash = True
        held.thin()
        name = held.values["id"]
        self._events[name] = held
        if held.values["phase"] != codes.CLOSED:
            self._open[held.values["kind"]] = name

    def open_events(self) -> list[tuple[str, int, str]]:
        """[(kind, presses, withheld)] of the events open now: after a reset the detector goes on from them."""
        found = [(kind, self._events[self._open[kind]].values) for kind in sorted(self._open)]
        return [(kind, values["presses"], values.get("withheld", "")) for kind, values in found]

    def names(self) -> list[str]:
        """Ids of all events held."""
        return sorted(self._events)

    def newest(self, name: str) -> tuple[str, str, str, int]:
        """(kind, phase, id, revision) of the event `name`, which is held."""
        values = self._events[name].values
        return values["kind"], values["phase"], name, values["rev"]

    def keep_next(self, now: int) -> bool:
        """Bring one event that changed onto flash, or off it; True while more wait, which may be the same where flash refused.

        One at a time, since flash makes everything wait for tens of ms.
        """
        if self._table is None:
            del self._unkept[:]
        elif self._unkept:
            name = self._unkept.pop(0)
            held = self._events.get(name)
            if held is None:
                if not self._table.forget(name):
                    self._unkept.append(name)
            else:
                up_ms, t_ms = held.kept or (now, max(0, self._unix_ms(now)))
                self._fill(held)
                if self._table.save(held.values, held.presses_before, up_ms, t_ms):
                    held.on_flash = True
                    held.thin()
                else:
                    self._unkept.append(name)
        return bool(self._unkept)

    def _fill(self, held: HeldEvent) -> None:
        if held.is_thin and self._table is not None:
            held.fill(self._table.values(held.values["id"]))

    def _changed(self, name: str) -> None:
        if name not in self._unkept:
            self._unkept.append(name)

    def raise_transition(
        self,
        transition: Transition,
        fault: "Fault",
        state: LiftState,
        now: int,
        frames: list | tuple = (),
        last_known: tuple[dict, int | None] = ({}, None),
    ) -> str | None:
        """Take one Transition of the detector; `fault` is its row of the table, `state` the LiftState it was seen in.

        `frames` are the bus answers which that state was read from: [[first register, hex text], …]. `last_known` are the
        fields that a silent controller told last and when, ms since boot.

        Returns the event's id, or None for an update or end of what is not open.
        """
        kind = transition.kind
        phase = transition.phase
        if phase == codes.OPEN:
            name = self._newest_of_full(kind)
            if name:
                self.overflow += 1
                phase = codes.UPDATED
                held = self._events[name]
                held.presses_before = held.values["presses"]
                held.values["closed_up_ms"] = None
            else:
                name = self._begin(transition, fault)
            self._open[kind] = name
        else:
            name = self._open.get(kind, "")
            if name not in self._events:
                return None
            if phase == codes.CLOSED:
                del self._open[kind]
        held = self._events[name]
        self._fill(held)
        if held.kept is not None:
            self._into_this_boot(held, now)
        held.revise(phase, now)
        self._changed(name)
        tell(held.values, transition, held.presses_before, state, frames, last_known)
        return name

    def _into_this_boot(self, held: HeldEvent, now: int) -> None:
        """Tell its times in this boot's uptime: below 0 is before the boot, and 0 where the clocks do not tell."""
        up_ms, t_ms = held.kept or (0, 0)
        unix_ms = self._unix_ms(now)
        shift_ms = t_ms - up_ms - (unix_ms - now) if t_ms and unix_ms else None
        for part in ("onset_up_ms", "detected_up_ms", "last_known_up_ms"):
            if held.values.get(part) is not None:
                held.values[part] = 0 if shift_ms is None else held.values[part] + shift_ms
        held.values["boot"] = self._boot
        held.values["rev"] = max(held.values["rev"], self._boot * REV_STEP - 1)
        held.kept = None

    def _begin(self, transition: Transition, fault: "Fault") -> str:
        self._number += 1
        name = event_id(self._lift, self._boot, self._number)
        self._events[name] = HeldEvent(begun(name, self._boot, transition, fault))
        return name

    def _newest_of_full(self, kind: str) -> str:
        """The id of the newest held event of `kind` if MAX_PER_KIND are held, else ""."""
        count = 0
        newest = (0, 0)
        for held in self._events.values():
            if held.values["kind"] == kind:
                count += 1
                newest = max(newest, parse_event_id(held.values["id"])[1:])
        return event_id(self._lift, newest[0], newest[1]) if count >= MAX_PER_KIND else ""

    def alarm_level(self) -> int | None:
        """How far the receipts of the alarms open now have come: the highest; None if none is open. A withheld one is none.

        DONE says that a city has it: where the gateway asks none (ack `told`), it goes no further than COMMITTED.
        """
        level = None
        for name in self._open.values():
            held = self._events[name]
            if held.values["class"] == "alarm" and not held.values.get("withheld"):
                level = max(level or 0, min(held.level, self._highest))
        return level

    def unkept(self) -> int:
        """How many events are not yet on flash as they stand."""
        return len(self._unkept)

    def is_urgent(self) -> bool:
        """A revision waits that was never sent, and the link is up: nothing slow should come before it."""
        return self._up and any(held.values["published_up_ms"] is None for held in self._events.values())

    def is_unanswered(self) -> bool:
        """An event was sent again and again on this line, and nobody says that he has it."""
        return any(held.level == 0 and held.backoff_ms >= DOUBTED_BACKOFF_MS for held in self._events.values())

    def open_kinds(self) -> list[str]:
        """Names of the events open now."""
        return sorted(self._open)

    def held(self) -> int:
        """How many events are held."""
        return len(self._events)

    def link_up(self, now: int) -> None:
        """A new connection: all that has no receipt is due at once, alarms first."""
        self._up = True
        for held in self._events.values():
            if held.level < codes.DONE:
                held.due_ms = now
                held.backoff_ms = RESEND_FIRST_MS
        self._sender.link_up(now)
        # A replaced gateway may have a clock behind the old one's.
        self._ack_ms = 0
        self._asked_ms = now

    def link_down(self) -> None:
        """The connection is gone: nothing is due until the next."""
        self._up = False

    def _free_ms(self) -> int:
        """Until when nothing may be sent: where the gateway says nothing, alarms go after a while, the log waits on."""
        return self._asked_ms + ASK_MS if self._asks else 0

    def due(self, now: int) -> list[tuple]:
        """[(kind, payload values or bytes)] to send now: events as dicts for messages.encode, then at most one log batch.

        A log entry is the pair ("log", (base, body)).
        """
        return list(self.each_due(now))

    def each_due(self, now: int) -> "Iterator[tuple]":
        """As `due`, one after the other: eight whole events at once are more than the heap has."""
        if not self._up or now < self._free_ms():
            return
        ready = [held for held in self._events.values() if held.level < codes.DONE and held.due_ms <= now]
        ready.sort(key=lambda held: (-held.values["severity"], held.values["onset_up_ms"]))
        for held in ready:
            # Its receipt may have come while another was on its way.
            if held.level < codes.DONE and held.due_ms <= now:
                yield ("event", self._sending(held, now))
        entry = None if self._asks else self._sender.due(now)
        if entry is not None:
            yield ("log", entry)

    def _sending(self, held: HeldEvent, now: int) -> dict:
        values = held.values
        if values["published_up_ms"] is None:
            values["published_up_ms"] = now if held.kept is None else held.kept[0]
        values["attempt"] += 1
        if values["attempt"] > 1:
            self.resent += 1
        if held.level == codes.COMMITTED:
            held.due_ms = now + RESEND_COMMITTED_MS
        else:
            held.due_ms = now + held.backoff_ms
            held.backoff_ms = min(RESEND_MAX_MS, held.backoff_ms * 2)
        sending = dict(values)
        if held.is_thin and self._table is not None:
            kept = self._table.values(values["id"])
            for part in HEAVY:
                if part in kept:
                    sending[part] = kept[part]
        sending["up_ms"] = now
        sending["t_ms"] = max(0, self._unix_ms(now))
        if held.kept is not None:
            sending["kept"] = True
            sending["up_ms"], sending["t_ms"] = held.kept
        return sending

    def next_due_ms(self, now: int) -> int:
        """When `due()` will have something, in ms since boot; far away if nothing waits."""
        if not self._up:
            return now + FAR_MS
        if now < self._free_ms():
            return self._free_ms()
        when = now + FAR_MS
        for held in self._events.values():
            if held.level < codes.DONE:
                when = min(when, held.due_ms)
        if not self._asks:
            when = min(when, self._sender.next_due_ms(now))
        return max(now, when)

    def predecessor(self, ack: dict, now: int) -> int:
        """As succession.predecessor, of an `ack` not yet taken: where it is not 0, `take_boot` comes before anything else."""
        return predecessor(ack, self._boot, self._log.life, self._asks, now)

    def take_boot(self, boot: int) -> list[tuple[str, str]]:
        """Go on as `boot`, beyond all that the gateway knows; [(old id, new id)] of the events that take new names.

        Those are the ones of this boot: should one have been sent, it is better told twice than taken for another. The log begins a new life: what the old one held is lost, and the gateway books it with the life that ends.
        """
        before, self._boot = self._boot, boot
        self._asks = False
        self._sender.begin_anew(boot)
        renamed = []
        for old in [name for name in self._events if parse_event_id(name)[1] == before]:
            held = self._events.pop(old)
            self._fill(held)
            self._number += 1
            name = held.values["id"] = event_id(self._lift, boot, self._number)
            held.values["boot"] = boot
            held.values["published_up_ms"] = None
            self._events[name] = held
            if self._open.get(held.values["kind"]) == old:
                self._open[held.values["kind"]] = name
            self._changed(old)
            self._changed(name)
            held.on_flash = False
            renamed.append((old, name))
        return renamed

    def on_ack(self, ack: dict, now: int) -> None:
        """Take the gateway's receipts: `ack` as decoded by messages.decode("ack", …), of a gateway without a `predecessor`."""
        self._asks = False
        is_late = ack["gw"] == self._gateway and 0 < self._ack_ms - ack["t_ms"] < LATE_ACK_MS
        if ack["gw"] != self._gateway:
            self._meet(ack["gw"], now)
        if ack["events"]:
            self._highest = codes.DONE if ack.get("told", True) else codes.COMMITTED
        for name, rev, level in ack["events"]:
            held = self._events.get(name)
            if held is None or rev < held.values["rev"]:
                continue
            if level > held.level:
                held.level = level
                held.due_ms = now + RESEND_COMMITTED_MS
            if held.level == codes.DONE and held.values["phase"] == codes.CLOSED:
                del self._events[name]
                if held.on_flash:
                    self._changed(name)
                elif name in self._unkept:
                    self._unkept.remove(name)  # over before flash had to know of it
        if not is_late:
            self._ack_ms = ack["t_ms"]
            if ack["log"]:
                self._sender.on_receipt(ack["log"][0], ack["log"][1], self._boot, now)

    def _meet(self, gateway: str, now: int) -> None:
        """Another store answers, perhaps an empty one: it has receipted nothing, so what is still held is told again."""
        self._gateway = gateway
        for held in self._events.values():
            if held.level == codes.DONE:
                held.level = codes.COMMITTED
                # Not at once: two gateways by mistake would have it sent at each other's every ack.
                held.due_ms = now + RESEND_MAX_MS

    def log_backlog(self) -> int:
        """Batches without a receipt."""
        return self._sender.backlog()
