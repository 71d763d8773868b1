"""A node in another one's place, with both ends of delivery, on both interpreters."""

from protocols import codes, messages, records
from protocols.delivery import gateway, node, succession
from protocols.delivery.log import ChangeLog, RamStore
from protocols.detector import Transition
from protocols.faults import BY_NAME
from protocols.state import LiftState

ROW = BY_NAME["button_pressed"]


class Place:
    """A node in `boot` whose log has `life`, before a gateway that knows its predecessor up to boot 57, or what it is told to."""

    def __init__(self, boot: int = 1, life: int = 1, intake: "gateway.LiftIntake | None" = None) -> None:
        self.intake = intake or gateway.LiftIntake("g", 1, 500, 57)
        self.log = ChangeLog(RamStore(life, 4000), boot, 1000)
        self.delivery = node.NodeDelivery("lift-1", boot, self.log, asks=True)
        self.gaps: list = []
        self.stored: list = []
        self.taken: list = []
        self.names: list = []

    def press(self, now: int) -> str:
        """The alarm button; the id that the node gives it."""
        found = Transition("button_pressed", codes.OPEN, now, now, "pressed", [("button", now)], 1)
        name = self.delivery.raise_transition(found, ROW, LiftState(floor=2), now)
        assert name
        return name

    def log_something(self, now: int) -> None:
        """A batch is closed."""
        self.log.record(LiftState(floor=1 + now // 1000 % 6), now)
        self.log.flush(now + 1000)

    def exchange(self, now: int) -> None:
        """What is due reaches the gateway, is stored there, and its ack reaches the node."""
        for kind, item in self.delivery.due(now):
            if kind == "event":
                self.names.append(item["id"])
                if self.intake.on_event(item) == gateway.STORE:
                    self.taken.append(item["id"])
                    self.intake.committed(item["id"], item["rev"], codes.DONE)
                continue
            batch = records.decode_wire(records.wire(item[0], item[1]))
            verdict, gaps = self.intake.on_batch(batch)
            self.gaps += [(gap.life, gap.first, gap.last, gap.reason) for gap in gaps]
            if verdict == gateway.STORE:
                self.stored.append((batch.life, batch.number, batch.boot))
                self.intake.batch_stored(batch.life, batch.number)
        self.answer(now)

    def answer(self, now: int) -> int:
        """The gateway's ack; the boot of the predecessor that the node finds in it, which it follows at once."""
        ack = messages.decode("ack", messages.encode("ack", self.intake.ack(now)))
        known = self.delivery.predecessor(ack, now)
        if known:
            self.renamed = self.delivery.take_boot(known + 1)
            self.intake.heard(known + 1, now)
        else:
            self.delivery.on_ack(ack, now)
        return known


def test_a_new_node_in_the_old_ones_place_uses_none_of_its_numbers_and_loses_no_alarm() -> None:
    place = Place()
    place.intake.committed("lift-1-1-1", 1, codes.DONE)  # the old node's first alarm
    assert place.press(100) == "lift-1-1-1"
    place.log_something(200)
    place.delivery.link_up(1500)
    assert place.delivery.due(1500) == []
    assert place.answer(1510) == 57
    assert place.renamed == [("lift-1-1-1", "lift-1-58-2")]
    place.log_something(1600)
    place.log_something(2700)
    for now in range(3000, 6000, 100):
        place.exchange(now)
    assert place.taken == ["lift-1-58-2"] and place.delivery.open_kinds() == ["button_pressed"]
    assert place.press(6000) == "lift-1-58-3"
    # Its history is another life; what the old one's still had is booked as lost with it.
    assert place.stored == [(58, 1, 58), (58, 2, 58)] and place.gaps == [(1, 501, None, "life_ended")]
    assert place.answer(7000) == 0


def test_a_predecessor_that_only_booted_once_is_recognised_by_what_we_never_sent() -> None:
    place = Place(intake=gateway.LiftIntake("g", 1, 3, 1))
    place.press(100)
    place.delivery.link_up(200)
    assert place.answer(210) == 1
    place.exchange(300)
    assert place.taken == ["lift-1-2-2"]
    heard = gateway.LiftIntake("g")
    heard.heard(1, 3600000)
    assert Place(intake=heard).answer(200) == 1


def test_a_reset_is_no_succession_and_goes_on_with_its_log() -> None:
    place = Place(58, 1, gateway.LiftIntake("g", 1, 0, 57))
    place.log_something(100)
    place.press(1200)
    place.delivery.link_up(1300)
    assert place.answer(1310) == 0
    place.exchange(1400)
    assert place.taken == ["lift-1-58-1"] and place.stored == [(1, 1, 58)] and place.gaps == []


def test_an_alarm_waits_two_seconds_at_most_for_a_gateway_that_says_nothing() -> None:
    place = Place()
    place.delivery.link_up(1000)
    name = place.press(1001)
    assert place.delivery.due(1001 + succession.ASK_MS - 2) == []
    assert place.delivery.next_due_ms(1500) == 1000 + succession.ASK_MS
    assert [item["id"] for _, item in place.delivery.due(1000 + succession.ASK_MS)] == [name]
    place.log_something(4000)
    assert [kind for kind, _ in place.delivery.due(8000)] == ["event"]  # the log has time
    # After the answer the next connection sends at once.
    place.intake = gateway.LiftIntake("g")
    assert place.answer(8100) == 0
    place.delivery.link_down()
    place.delivery.link_up(9000)
    assert [kind for kind, _ in place.delivery.due(9000)] == ["event", "log"]


def test_what_was_sent_into_the_dark_is_told_again_by_a_name_of_its_own() -> None:
    place = Place(intake=gateway.LiftIntake("g", 1, 3, 1))
    place.intake.committed("lift-1-1-1", 9, codes.DONE)  # the old node's
    place.delivery.link_up(0)
    place.press(0)
    assert place.delivery.due(succession.ASK_MS)  # the gateway was down
    assert place.answer(60000) == 1 and place.renamed == [("lift-1-1-1", "lift-1-2-2")]
    place.exchange(60100)
    assert place.taken == ["lift-1-2-2"]


def test_a_count_that_no_node_can_have_is_nobodys() -> None:
    ack = {"boot": succession.MAX_BOOT + 1, "log": (), "echo_up_ms": None}
    assert succession.predecessor(ack, 1, 1, True, 0) == 0
    assert succession.predecessor(dict(ack, boot=succession.MAX_BOOT), 1, 1, True, 0) == succession.MAX_BOOT
