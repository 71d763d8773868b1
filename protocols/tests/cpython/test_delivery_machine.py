"""Node core, a link that loses, repeats and reorders, gateway core: one state machine joins them and looks for loss."""

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocols import codes, messages, records
from protocols.delivery import gateway
from protocols.delivery.log import LOG_WINDOW, ChangeLog, RamStore
from protocols.delivery.node import MAX_PER_KIND, NodeDelivery
from protocols.delivery.ring import FlashRing
from protocols.delivery.table import EventTable
from protocols.faults import BY_NAME
from protocols.state import LiftState
from protocols.tests.both.test_delivery import step
from protocols.tests.ram_files import RamFiles

KINDS = ("button_pressed", "trapped_at_level", "door_blocked")
MAX_IN_FLIGHT = 200
CAPACITY_BYTES = 900  # about 25 batches: small enough to overflow, large enough for a window in flight
SEGMENT_BYTES = 200


class Store:
    """The gateway's disks: what is here survives the gateway's process."""

    def __init__(self) -> None:
        self.events: dict[str, dict[int, tuple[str, int]]] = {}  # id -> {rev: (phase, level)}
        self.batches: dict[tuple[int, int], bytes] = {}  # (life, number) -> body
        self.gaps: dict[tuple[int, int], int | None] = {}  # (life, first) -> last

    def log_position(self) -> tuple[int, int]:
        life = max((life for life, _ in list(self.batches) + list(self.gaps)), default=0)
        numbers = [number for at, number in self.batches if at == life]
        numbers += [last for (at, _), last in self.gaps.items() if at == life and last is not None]
        return life, max(numbers, default=0)


class Delivery(RuleBasedStateMachine):
    """Rules are what can happen; teardown heals the link and demands that everything has arrived."""

    @initialize()
    def begin(self) -> None:
        self.now = 1000
        self.boot = 1
        self.store = Store()
        self.up: list[tuple[str, bytes]] = []
        self.down: list[bytes] = []
        self.files = RamFiles()
        self.refusals = 0
        self.raised: dict[str, tuple[int, str]] = {}  # id -> (rev, phase) newest that the node must not forget
        self.told: dict[str, tuple[int, str]] = {}  # id -> newest (rev, phase) of any boot
        self.kept: dict[str, tuple[int, str]] = {}  # those of them that are on flash as they stand
        self.written: dict[tuple[int, int], bytes] = {}  # (life, number) -> body, whatever the ring ever closed
        self._start_node()
        self._start_gateway()

    def _start_node(self, has_flash: bool = True) -> None:
        self.has_flash = has_flash
        if has_flash:
            self.log = ChangeLog(FlashRing(self.files, self.boot, CAPACITY_BYTES, SEGMENT_BYTES), self.boot, 500)
            self.node = NodeDelivery("lift-1", self.boot, self.log, table=EventTable(self.files))
        else:
            self.log = ChangeLog(RamStore(self.boot, CAPACITY_BYTES), self.boot, 500)
            self.node = NodeDelivery("lift-1", self.boot, self.log)
        self.open = set(self.node.open_kinds())
        self.noted = (self.log.life, self.log.base - 1)
        self.node.link_up(self.now)

    def _start_gateway(self) -> None:
        self.intake = gateway.LiftIntake("g", *self.store.log_position())
        self.uncommitted: list[tuple[str, Any, Any]] = []

    # -- what the world does --------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(KINDS), seed=st.integers(0, 2))
    def detect(self, kind: str, seed: int) -> None:
        phase = codes.OPEN if kind not in self.open else (codes.UPDATED if seed else codes.CLOSED)
        name = self.node.raise_transition(step(phase, self.now, kind), BY_NAME[kind], LiftState(floor=1), self.now)
        if name is None:
            return
        told = codes.UPDATED if phase == codes.OPEN and name in self.raised else phase
        self.raised[name] = (self.node._events[name].values["rev"], told)
        assert self.raised[name] > self.told.get(name, (0, ""))
        self.told[name] = self.raised[name]
        if phase == codes.OPEN:
            self.open.add(kind)
        elif phase == codes.CLOSED:
            self.open.discard(kind)

    @rule(floor=st.integers(1, 7), times=st.integers(1, 60))
    def move(self, floor: int, times: int) -> None:
        for turn in range(times):
            self.now += 100
            self.log.record(LiftState(floor=1 + (floor + turn) % 7, starts=self.now), self.now)
            self.log.flush(self.now)
            self._note_written()

    @rule()
    def flash_keeps(self) -> None:
        while self.node.keep_next(self.now):
            pass
        if self.has_flash:
            self.kept = dict(self.raised)

    @rule(count=st.integers(1, 4))
    def flash_refuses(self, count: int) -> None:
        self.files.refuses = count
        self.refusals += count

    def _note_written(self) -> None:
        if self.noted[0] != self.log.life:
            self.noted = (self.log.life, 0)
        for number in range(max(self.noted[1] + 1, self.log.base), self.log.newest + 1):
            body = self.log.body(number)
            if body is not None:
                assert self.written.setdefault((self.log.life, number), body) == body, "a number for two batches"
        self.noted = (self.log.life, self.log.newest)

    @rule(ms=st.sampled_from((10, 100, 300, 2000, 6000)))
    def wait(self, ms: int) -> None:
        self.now += ms
        self.log.flush(self.now)
        self._note_written()

    def _send(self) -> None:
        for kind, item in self.node.due(self.now):
            payload = messages.encode("event", item) if kind == "event" else records.wire(*item)
            if len(self.up) < MAX_IN_FLIGHT:
                self.up.append((kind, payload))

    @rule(chance=st.randoms(use_true_random=False), loss=st.sampled_from((0, 20, 50)), commits=st.booleans())
    def a_bad_second(self, chance: random.Random, loss: int, commits: bool) -> None:
        """All that is in flight arrives shuffled, with losses and repeats; the gateway commits or not, and acks."""
        for _ in range(16):
            self.now += 60
            self._send()
        again = [message for message in self.up if chance.randrange(100) < 20]
        chance.shuffle(self.up)
        for message in self.up + again:
            if chance.randrange(100) >= loss:
                self._gateway_takes(message)
        self.up = again
        if commits:
            self.gateway_commits()
        self.gateway_acks()
        self.acks_arrive(chance, loss)

    @rule(chance=st.randoms(use_true_random=False), loss=st.sampled_from((0, 50)))
    def acks_arrive(self, chance: random.Random, loss: int) -> None:
        """Acks of any age arrive, in any order; some stay on the way and arrive again later."""
        chance.shuffle(self.down)
        for payload in self.down:
            if chance.randrange(100) >= loss:
                self.node.on_ack(messages.decode("ack", payload), self.now)
        self.down = [payload for payload in self.down if chance.randrange(100) < 50]

    def _up_arrives_in_order(self) -> None:
        for message in self.up:
            self._gateway_takes(message)
        self.up = []

    def _gateway_takes(self, message: tuple[str, bytes]) -> None:
        kind, payload = message
        if kind == "event":
            values = messages.decode("event", payload)
            if self.intake.on_event(values) == gateway.STORE:
                self.uncommitted.append(("event", values, None))
            return
        batch = records.decode_wire(payload)
        verdict, gaps = self.intake.on_batch(batch)
        if verdict == gateway.STORE or gaps:
            self.uncommitted.append(("log", gaps, batch if verdict == gateway.STORE else None))

    @rule()
    def gateway_commits(self) -> None:
        for entry in self.uncommitted:
            if entry[0] == "event":
                values = entry[1]
                revs = self.store.events.setdefault(values["id"], {})
                revs.setdefault(values["rev"], (values["phase"], codes.COMMITTED))
                self.intake.committed(values["id"], values["rev"], revs[values["rev"]][1])
                continue
            for gap in entry[1]:
                self.store.gaps[(gap.life, gap.first)] = gap.last
            batch = entry[2]
            if batch is not None:
                assert (batch.life, batch.number) not in self.store.batches, "stored twice"
                self.store.batches[(batch.life, batch.number)] = batch.body
                self.intake.batch_stored(batch.life, batch.number)
        self.uncommitted = []

    @rule()
    def disk_refuses(self) -> None:
        for entry in self.uncommitted:
            if entry[0] == "event":
                self.intake.event_failed(entry[1]["id"], entry[1]["rev"])
        if any(entry[0] == "log" for entry in self.uncommitted):
            self.intake.batch_failed()
        self.uncommitted = []

    @rule()
    def city_answers(self) -> None:
        for name, revs in self.store.events.items():
            rev = max(revs)
            phase, level = revs[rev]
            if level != codes.DONE:
                revs[rev] = (phase, codes.DONE)
                self.intake.done(name, rev, phase)

    @rule()
    def gateway_acks(self) -> None:
        if len(self.down) < MAX_IN_FLIGHT:
            self.down.append(messages.encode("ack", self.intake.ack(self.now)))

    @rule(what=st.sampled_from(("link breaks", "gateway killed", "gateway replaced", "node reset", "no flash")))
    def disaster(self, what: str) -> None:
        if what == "link breaks":
            self.node.link_down()
            self.up, self.down = [], []
            self.now += 700
            self.node.link_up(self.now)
        elif what == "gateway killed":
            self._start_gateway()
        elif what == "gateway replaced":
            self.store.batches.clear()
            self.store.gaps.clear()
            self._start_gateway()
        else:  # what was not yet on flash is gone
            self.boot += 1
            self.raised = dict(self.kept) if what == "node reset" else {}
            self._start_node(what == "node reset")

    # -- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def nothing_grows_without_bound(self) -> None:
        if not hasattr(self, "node"):
            return
        assert self.node.held() <= MAX_PER_KIND * len(KINDS)
        on_flash = sum(len(data) for name, data in self.files.kept.items() if name.startswith("log-"))
        # A segment whose removal flash refused is found again at the next boot.
        assert on_flash <= CAPACITY_BYTES + SEGMENT_BYTES * self.refusals
        assert self.node._sender.sent - self.node._sender.acked <= LOG_WINDOW
        assert len(self.intake._known) <= len(self.store.events) + len(self.uncommitted)

    @invariant()
    def stored_batches_are_what_was_written_and_lie_in_no_gap(self) -> None:
        if not hasattr(self, "node"):
            return
        for key, body in self.store.batches.items():
            assert self.written[key] == body
        for (life, first), last in self.store.gaps.items():
            for stored_life, number in self.store.batches:
                assert stored_life != life or number < first or (last is not None and number > last)

    def teardown(self) -> None:
        if not hasattr(self, "node"):
            return
        self.now += 10000
        self.log.record(LiftState(floor=2, starts=self.now), self.now)
        self.now += 1000
        self.log.flush(self.now)
        self._note_written()
        # No new connection: what a live link lost in silence must come without one.
        for _ in range(400):  # 80 s: longer than a committed event waits before it asks for the last receipt
            self.now += 200
            self._send()
            self._up_arrives_in_order()
            self.gateway_commits()
            self.city_answers()
            if self.intake.receipt_due:
                self.node.on_ack(messages.decode("ack", messages.encode("ack", self.intake.ack(self.now))), self.now)
        for name, (rev, phase) in self.raised.items():
            # Newer than what the node remembers is what it sent before a reset.
            newest = max(self.store.events[name])
            assert newest > rev or self.store.events[name][rev] == (phase, codes.DONE), (name, rev, phase)
            assert newest <= self.told[name][0]
        assert all(held.level == codes.DONE and held.values["phase"] != codes.CLOSED
                   for held in self.node._events.values())  # fmt: skip
        life = self.log.life
        for number in range(1, self.log.newest + 1):
            gapped = any(at == life and first <= number and (last is None or number <= last)
                         for (at, first), last in self.store.gaps.items())  # fmt: skip
            stored = (life, number) in self.store.batches
            assert stored != gapped, (number, stored, gapped)
        assert self.node.log_backlog() == 0


Delivery.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestDelivery = Delivery.TestCase
