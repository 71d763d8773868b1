"""A thousand cuts between both ends of delivery with injected time. At each, what is on its way is lost, late, doubled or shuffled.

Now and then the gateway is killed with what it has not committed, or its clock jumps by a day. Nobody helps afterwards.
"""

from binascii import crc32

from protocols import codes, messages, records
from protocols.delivery import gateway
from protocols.delivery.log import FAR_MS, ChangeLog, RamStore
from protocols.delivery.node import NodeDelivery
from protocols.detector import Transition
from protocols.faults import BY_NAME
from protocols.state import LiftState

CUTS = 1000
DAY_MS = 86400000
KINDS = ("button_pressed", "trapped_at_level", "door_blocked")
RING_BYTES = 50  # what a long cut packs into one batch pushes out what waited before it: that must be booked
MAX_BATCHES = 5000
# Ours: the next ack 5 s after the link is back, 8 batches on the way without a receipt sent again after 4 s, a city that takes 3 s.
RECOVERS_MS = 15000


class Chance:
    """The same numbers on both interpreters."""

    def __init__(self, seed: int) -> None:
        self._x = seed

    def below(self, limit: int) -> int:
        self._x = (self._x * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._x >> 8) % limit

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low)


class Disk:
    """What survives the gateway's process."""

    def __init__(self) -> None:
        self.events: dict[str, list] = {}  # id -> [rev, phase, level]
        self.batches = bytearray(MAX_BATCHES)  # by number: 1 stored, 2 booked as a gap
        self.newest = 0
        self.gaps: set[int] = set()  # their first numbers

    def book(self, gap: gateway.Gap) -> None:
        assert gap.life == 1 and gap.last is not None and gap.reason in ("before_store", "overwritten")
        for number in range(gap.first, gap.last + 1):
            assert self.batches[number] != 1, "booked what is stored"
            self.batches[number] = 2
        self.gaps.add(gap.first)
        self.newest = max(self.newest, gap.last)

    def store(self, number: int) -> None:
        assert self.batches[number] == 0, "stored twice or after it was booked"
        assert number == self.newest + 1, "a hole that no gap tells of"
        self.batches[number] = 1
        self.newest = number


class World:
    """Both ends and what lies between, driven from one due moment to the next."""

    def __init__(self, seed: int) -> None:
        self.chance = Chance(seed)
        self.now = 1000
        self.wall_ms = 1700000000000
        self.log = ChangeLog(RamStore(1, RING_BYTES), 1, 1000)
        self.node = NodeDelivery("lift-1", 1, self.log)
        self.node.link_up(self.now)
        self.disk = Disk()
        self.linked = True
        self.raised: dict[str, list] = {}
        self.open: set[str] = set()
        self.written: dict[int, int] = {}  # number -> checksum of its body
        self.way: list[tuple] = []  # (when it arrives, direction, kind, payload), in order of sending
        self.seen = {"lost": 0, "late": 0, "doubled": 0, "kills": 0, "jumps": 0, "answered": 0}
        self.act_ms = self.commit_ms = self.now
        self.arrives_ms = {"up": 0, "down": 0}
        self._noted = 0
        self._start_gateway()

    # -- the gateway's shell --------------------------------------------------------------------------------------

    def _start_gateway(self) -> None:
        self.intake = gateway.LiftIntake("g", 1 if self.disk.newest else 0, self.disk.newest)
        self.commits: list[tuple] = []  # (when, kind, values or batch, gaps)
        self.answers: list[tuple] = []  # (when, id, rev) of the city
        self.ack_ms = self.now
        for name in self.disk.events:
            rev, phase, level = self.disk.events[name]
            self.intake.committed(name, rev)
            if level == codes.DONE:
                self.intake.done(name, rev, phase)
            else:
                self.answers.append((self.now + 100, name, rev))

    def _gateway_takes(self, kind: str, payload: bytes) -> None:
        # One thread commits, in order.
        when = self.commit_ms = max(self.commit_ms, self.now + self.chance.between(3, 300))
        if kind == "event":
            values = messages.decode("event", payload)
            self.intake.heard(values["boot"], values["up_ms"])
            verdict = self.intake.on_event(values)
            if verdict == gateway.STORE:
                self.commits.append((when, kind, values, None))
            elif verdict == gateway.DUPLICATE:
                self.seen["answered"] += 1
            return
        batch = records.decode_wire(payload)
        verdict, gaps = self.intake.on_batch(batch)
        if verdict == gateway.STORE or gaps:
            self.commits.append((when, kind, batch if verdict == gateway.STORE else None, gaps))

    def _commit(self, kind: str, what: object, gaps: list | None) -> None:
        if kind == "event":
            assert isinstance(what, dict)
            name, rev, phase = what["id"], what["rev"], what["phase"]
            held = self.disk.events.get(name)
            if held is None or rev > held[0]:
                self.disk.events[name] = [rev, phase, codes.COMMITTED]
                self.answers.append((self.now + self.chance.between(20, 3000), name, rev))
            # What the intake has forgotten the store still knows.
            newest, _, level = self.disk.events[name]
            self.intake.committed(name, rev, level if newest == rev else codes.COMMITTED)
            return
        for gap in gaps or ():
            self.disk.book(gap)
            assert gap.last is not None
            for number in range(gap.first, gap.last + 1):
                self.written.pop(number, None)
        if what is not None:
            assert isinstance(what, records.Batch)
            self.disk.store(what.number)
            assert self.written.pop(what.number) == crc32(what.body), "stored what was never written"
            self.intake.batch_stored(what.life, what.number)

    def _city_answers(self, name: str, rev: int) -> None:
        held = self.disk.events[name]
        if held[0] == rev:
            held[2] = codes.DONE
            self.intake.done(name, rev, held[1])

    def _ack(self) -> None:
        self.ack_ms = self.now
        self._send("down", "ack", messages.encode("ack", self.intake.ack(self.wall_ms + self.now)))

    # -- the way --------------------------------------------------------------------------------------------------

    def _send(self, direction: str, kind: str, payload: bytes) -> None:
        if self.linked:
            # One connection keeps its order; only a cut shuffles.
            when = self.arrives_ms[direction] = max(self.arrives_ms[direction], self.now + self.chance.between(2, 400))
            self.way.append((when, direction, kind, payload))
        else:
            self.seen["lost"] += 1

    def cut(self, lasts_ms: int) -> None:
        """The connection is gone: each message on its way is lost, comes when nobody expects it, or comes twice."""
        self.linked = False
        self.node.link_down()
        left = []
        for entry in self.way:
            fate = self.chance.below(4)
            if fate < 2:
                self.seen["lost"] += 1
                continue
            left.append((self.now + self.chance.below(lasts_ms + 5000), entry[1], entry[2], entry[3]))
            self.seen["late"] += 1
            if fate == 3:
                left.append((self.now + self.chance.below(lasts_ms + 5000), entry[1], entry[2], entry[3]))
                self.seen["doubled"] += 1
        self.way = left

    def heal(self) -> None:
        self.linked = True
        self.arrives_ms = {"up": 0, "down": 0}
        self.node.link_up(self.now)

    def _arrive(self, direction: str, kind: str, payload: bytes) -> None:
        if direction == "up":
            self._gateway_takes(kind, payload)
        else:
            self.node.on_ack(messages.decode("ack", payload), self.now)

    # -- the lift -------------------------------------------------------------------------------------------------

    def _lift_acts(self) -> None:
        self.act_ms = self.now + self.chance.between(300, 3000)
        self.log.record(LiftState(floor=1 + self.chance.below(7), speed_mm_s=self.chance.below(1000)), self.now)
        if self.chance.below(4) == 0:
            kind = KINDS[self.chance.below(len(KINDS))]
            phase = codes.OPEN
            if kind in self.open:
                phase = codes.UPDATED if self.chance.below(2) else codes.CLOSED
            self._raise(kind, phase)

    def _raise(self, kind: str, phase: str) -> None:
        transition = Transition(kind, phase, self.now, self.now, "", [], 1)
        name = self.node.raise_transition(transition, BY_NAME[kind], LiftState(floor=2), self.now)
        assert name is not None
        if phase == codes.CLOSED:
            self.open.discard(kind)
        else:
            self.open.add(kind)
        rev = self.raised[name][0] + 1 if name in self.raised else 1
        # With its table full the node goes on with the newest of that kind.
        self.raised[name] = [rev, codes.UPDATED if phase == codes.OPEN and rev > 1 else phase]

    def _note_written(self) -> None:
        while self._noted < self.log.newest:
            self._noted += 1
            if self._noted >= self.log.base:
                body = self.log.body(self._noted)
                assert body is not None
                self.written[self._noted] = crc32(body)

    # -- time -----------------------------------------------------------------------------------------------------

    def run(self, ms: int, acts: bool = True) -> None:
        """Let `ms` go by, moment by moment."""
        until = self.now + ms
        while True:
            when = min(until, self.node.next_due_ms(self.now), self.now + 500)  # the log is looked at twice a second
            if acts:
                when = min(when, self.act_ms)
            for queue in (self.way, self.commits, self.answers):
                for entry in queue:
                    when = min(when, entry[0])
            # As the service does: receipts at once, and an ack every 5 s.
            ack_ms = self.ack_ms + 20 if self.intake.receipt_due else self.ack_ms + 5000
            when = min(when, ack_ms)
            self.now = max(self.now, when)
            if acts and self.now >= self.act_ms:
                self._lift_acts()
            self.log.flush(self.now, self.linked)
            self._note_written()
            for entry in _take(self.way, self.now):
                self._arrive(entry[1], entry[2], entry[3])
            for entry in _take(self.commits, self.now):
                self._commit(entry[1], entry[2], entry[3])
            for entry in _take(self.answers, self.now):
                self._city_answers(entry[1], entry[2])
            if self.now >= ack_ms:
                self._ack()
            for kind, item in self.node.due(self.now):
                self._send("up", kind, messages.encode(kind, item) if kind == "event" else records.wire(*item))
            if self.now >= until:
                return

    def disturb_gateway(self) -> None:
        """Once in twenty the gateway is killed, once its clock is set by a day."""
        fate = self.chance.below(20)
        if fate == 0:
            self.seen["kills"] += 1
            self._start_gateway()
        elif fate == 1:
            self.seen["jumps"] += 1
            self.wall_ms += DAY_MS if self.chance.below(2) else -DAY_MS

    def missing(self) -> list:
        """What has not arrived: events whose last revision is not done, and batches neither stored nor booked."""
        out: list = []
        for name in self.raised:
            rev, phase = self.raised[name]
            if self.disk.events.get(name) != [rev, phase, codes.DONE]:
                out.append((name, rev, phase, self.disk.events.get(name)))
        for number in range(1, self.log.newest + 1):
            if not self.disk.batches[number]:
                out.append(number)
        return out


def _take(queue: list, now: int) -> list:
    """Remove and return the entries of `queue` that are due, the earliest first."""
    # MicroPython's sort does not keep the order of equals: the place in the queue decides.
    due = [(entry[0], place, entry) for place, entry in enumerate(queue) if entry[0] <= now]
    if due:
        queue[:] = [entry for entry in queue if entry[0] > now]
        due.sort(key=lambda found: found[:2])
    return [found[2] for found in due]


def _cut_length(chance: Chance) -> int:
    low, high = ((100, 1000), (1000, 10000), (10000, 60000))[chance.below(3)]
    return chance.between(low, high)


def test_a_thousand_cuts_lose_nothing_unbooked_and_store_nothing_twice() -> None:
    world = World(1)
    for _ in range(CUTS):
        world.run(world.chance.between(50, (400, 4000)[world.chance.below(2)]))
        lasts_ms = _cut_length(world.chance)
        world.disturb_gateway()  # in a standing connection
        world.run(world.chance.below(500))
        world.cut(lasts_ms)
        world.disturb_gateway()
        world.run(lasts_ms)
        world.heal()
    world.run(1000)
    world.wall_ms -= DAY_MS
    world.run(RECOVERS_MS)  # the lift goes on: what is missing now is what came last
    world.run(RECOVERS_MS, acts=False)
    assert world.missing() == []
    assert world.node.log_backlog() == 0
    assert all(held.level == codes.DONE for held in world.node._events.values())
    assert world.node.next_due_ms(world.now) == world.now + FAR_MS  # nothing is sent any more
    # The world was as bad as it should be.
    assert len(world.raised) > 300 and world.log.newest > 1000 and len(world.disk.gaps) > 50
    assert min(world.seen["lost"], world.seen["late"], world.seen["doubled"]) > 200
    assert min(world.seen["kills"], world.seen["jumps"]) > 20 and world.seen["answered"] > 100
