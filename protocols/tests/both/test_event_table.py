"""Events over resets of the node: what was told is told again as it was, goes on, ends, and is forgotten once it is over."""

from protocols import codes, messages
from protocols.delivery import gateway, node
from protocols.delivery.held import HEAVY
from protocols.delivery.log import ChangeLog, RamStore
from protocols.delivery.table import EventTable
from protocols.detector import Detector, Settings, Transition
from protocols.faults import BY_NAME
from protocols.state import LiftState
from protocols.tests.ram_files import PowerCut, RamFiles

UNIX_MS = 1700000000000


def step(phase: str, at_ms: int, kind: str = "button_pressed", presses: int = 1) -> Transition:
    return Transition(kind, phase, at_ms, at_ms, "button", [("button", at_ms)], presses)


class Boots:
    """One node's flash through its boots. `began_ms`: unix time of this boot, None = no clock."""

    def __init__(self) -> None:
        self.files = RamFiles()
        self.boot = 0
        self.reset(UNIX_MS)

    def reset(self, began_ms: "int | None") -> node.NodeDelivery:
        self.boot += 1
        self.table = EventTable(self.files)
        log = ChangeLog(RamStore(self.boot, 4000), self.boot)
        self.node = node.NodeDelivery(
            "lift-1", self.boot, log, lambda now: 0 if began_ms is None else began_ms + now, self.table
        )
        self.node.link_up(0)
        return self.node

    def detect(self, phase: str, now: int, kind: str = "button_pressed", presses: int = 1) -> None:
        self.node.raise_transition(step(phase, now, kind, presses), BY_NAME[kind], LiftState(floor=2), now)

    def keep(self, now: int) -> None:
        for _ in range(50):
            if not self.node.keep_next(now):
                return

    def sent(self, now: int) -> list[dict]:
        """The events due now, over the wire and back."""
        return [
            messages.decode("event", messages.encode("event", item))
            for kind, item in self.node.due(now)
            if kind == "event"
        ]

    def receipt(self, event: dict, level: int, now: int) -> None:
        values = {"gw": "g", "t_ms": UNIX_MS + now, "boot": self.boot, "events": [[event["id"], event["rev"], level]]}
        self.node.on_ack(messages.decode("ack", messages.encode("ack", values)), now)


def test_an_event_without_a_receipt_is_told_again_after_a_reset_as_it_was_and_says_so() -> None:
    boots = Boots()
    boots.detect(codes.OPEN, 5000)
    (first,) = boots.sent(5010)
    boots.keep(5100)
    boots.reset(UNIX_MS + 60000)
    (again,) = boots.sent(100)
    for part in (
        "id",
        "rev",
        "boot",
        "phase",
        "kind",
        "onset_up_ms",
        "detected_up_ms",
        "presses",
        "snapshot",
        "severity",
    ):
        assert again[part] == first[part], part
    assert not first["kept"] and again["kept"] and (again["up_ms"], again["t_ms"]) == (5100, UNIX_MS + 5100)


def test_the_gateway_takes_what_was_told_again_for_what_it_is() -> None:
    boots = Boots()
    boots.detect(codes.OPEN, 5000)
    (first,) = boots.sent(5010)
    boots.keep(5100)
    intake = gateway.LiftIntake("g", 0, 0)
    assert intake.on_event(first) == gateway.STORE
    intake.committed(first["id"], 1)
    boots.reset(UNIX_MS + 60000)
    (again,) = boots.sent(100)
    assert intake.on_event(again) == gateway.DUPLICATE


def test_an_open_event_goes_on_after_a_reset_and_ends() -> None:
    boots = Boots()
    boots.detect(codes.OPEN, 5000)
    boots.detect(codes.UPDATED, 6000, presses=2)
    boots.keep(6100)
    delivery = boots.reset(UNIX_MS + 60000)
    assert delivery.open_events() == [("button_pressed", 2, "")] and delivery.open_kinds() == ["button_pressed"]
    boots.detect(codes.CLOSED, 9000, presses=2)
    (last,) = boots.sent(9000)
    assert (last["id"], last["rev"], last["phase"], last["presses"]) == (
        "lift-1-1-1",
        2 * node.REV_STEP,
        codes.CLOSED,
        2,
    )
    # Its beginning in the uptime of the boot that ends it: 60 s later, by the node's own clock.
    assert (last["boot"], last["onset_up_ms"], last["kept"]) == (2, 5000 - 60000, False)
    boots.receipt(last, codes.DONE, 9500)
    boots.keep(9600)
    assert boots.files.kept == {} and boots.node.held() == 0
    assert boots.reset(UNIX_MS).held() == 0


def test_a_revision_after_a_reset_never_has_the_number_of_one_that_was_sent_but_not_kept() -> None:
    boots = Boots()
    boots.detect(codes.OPEN, 5000)
    boots.keep(5100)
    boots.detect(codes.UPDATED, 6000, presses=2)
    (second,) = boots.sent(6000)
    intake = gateway.LiftIntake("g", 0, 0)
    assert intake.on_event(second) == gateway.STORE
    intake.committed(second["id"], second["rev"], codes.DONE)
    boots.reset(UNIX_MS + 60000)
    boots.detect(codes.CLOSED, 9000)
    (last,) = boots.sent(9000)
    assert intake.on_event(last) == gateway.STORE


def test_without_a_clock_the_beginning_of_an_earlier_boots_event_is_not_made_up() -> None:
    boots = Boots()
    boots.reset(None)
    boots.detect(codes.OPEN, 5000)
    boots.keep(5100)
    boots.reset(None)
    boots.detect(codes.CLOSED, 9000)
    (last,) = boots.sent(9000)
    assert (last["onset_up_ms"], last["detected_up_ms"], last["t_ms"]) == (0, 0, 0)


def test_the_detector_goes_on_from_what_was_open_and_ends_it_by_its_own_rule() -> None:
    detector = Detector(Settings(1000, 15000, 1))
    detector.resume("button_pressed", 2, 100)
    detector.resume("running_with_door_open", 0, 100)
    detector.resume("of another version", 0, 100)
    assert detector.open_kinds() == ["button_pressed", "running_with_door_open"]
    state = LiftState(floor=2, car_status=0, door_zone=True, door_1=2, service_mode=2, speed_mm_s=0, mains=True)
    state.controller_link = True
    assert [(found.phase, found.presses) for found in detector.press(200, state)] == [(codes.UPDATED, 3)]
    found = []
    for now in range(300, 120000, 250):
        found += [(transition.kind, transition.phase) for transition in detector.step(state, now)]
    assert ("running_with_door_open", codes.CLOSED) in found


def test_an_event_that_is_over_and_receipted_at_once_never_touches_flash() -> None:
    boots = Boots()
    boots.detect(codes.OPEN, 5000)
    boots.detect(codes.CLOSED, 5010)
    (event,) = boots.sent(5010)
    boots.receipt(event, codes.DONE, 5030)
    boots.keep(5100)
    assert boots.files.operations == 0 and boots.node.unkept() == 0


def test_an_open_event_that_everybody_has_is_still_kept_for_its_end() -> None:
    boots = Boots()
    boots.detect(codes.OPEN, 5000)
    (event,) = boots.sent(5010)
    boots.receipt(event, codes.DONE, 5030)
    boots.keep(5100)
    assert boots.reset(UNIX_MS).open_kinds() == ["button_pressed"]


def test_a_damaged_entry_is_removed_and_counted_and_the_others_are_held() -> None:
    boots = Boots()
    for kind in ("button_pressed", "trapped_at_level", "door_blocked"):
        boots.detect(codes.OPEN, 5000, kind)
    boots.keep(5100)
    whole = dict(boots.files.kept)
    assert len(whole) == 3
    name = sorted(whole)[1]
    for at in range(0, len(whole[name]), 11):
        boots.files.kept = dict(whole)
        boots.files.kept[name] = whole[name][:at] + bytes((whole[name][at] ^ 4,)) + whole[name][at + 1 :]
        assert boots.reset(UNIX_MS).held() == 2 and boots.table.errors == 1
        assert name not in boots.files.kept
    for data in (b"", b"{}", whole[name][:50]):
        boots.files.kept = dict(whole)
        boots.files.kept[name] = data
        assert boots.reset(UNIX_MS).held() == 2


def test_flash_that_refuses_is_asked_again_and_holds_nothing_up() -> None:
    boots = Boots()
    boots.files.refuses = 3
    boots.detect(codes.OPEN, 5000)
    for _ in range(3):
        assert boots.node.keep_next(5100) and boots.node.unkept() == 1
    assert len(boots.sent(5100)) == 1
    assert not boots.node.keep_next(5100) and boots.table.errors == 3
    assert boots.reset(UNIX_MS).held() == 1


def test_a_power_cut_at_any_operation_leaves_each_event_as_it_was_or_as_it_became() -> None:
    cuts = 0
    for is_after in (False, True):
        cut_at = 0
        while True:
            cut_at += 1
            boots = Boots()
            boots.files.cut_at, boots.files.cut_is_after = cut_at, is_after
            kept: dict[str, int] = {}
            now = 5000
            try:
                for phase in (codes.OPEN, codes.UPDATED, codes.CLOSED):
                    for kind in ("button_pressed", "trapped_at_level"):
                        now += 100
                        boots.detect(phase, now, kind)
                        for event in boots.sent(now):
                            if phase == codes.CLOSED:
                                boots.receipt(event, codes.DONE, now)
                        boots.keep(now)
                        kept[kind] = kept.get(kind, 0) + 1
            except PowerCut:
                cuts += 1
            else:
                break
            boots.files.cut_at = 0
            boots.reset(UNIX_MS)
            found = {event["kind"]: event["rev"] for event in boots.sent(0)}
            for kind in ("button_pressed", "trapped_at_level"):
                rev = kept.get(kind, 0)
                # Not held: not yet begun, or over and receipted.
                assert found.get(kind, 0 if rev == 0 else 3) in (rev, rev + 1), (cut_at, kind, found)
            assert boots.table.errors == 0
    assert cuts == 12


def test_what_is_on_flash_takes_no_heap_and_is_told_whole() -> None:
    boots = Boots()
    frames = [[0x1010, "0103020001"]]
    boots.node.raise_transition(step(codes.OPEN, 100), BY_NAME["button_pressed"], LiftState(floor=2), 100, frames)
    (first,) = boots.sent(100)
    boots.keep(110)
    (held,) = boots.node._events.values()
    assert not any(part in held.values for part in HEAVY)
    (again,) = boots.sent(300)
    for part in HEAVY:
        assert first[part] and again[part] == first[part]
    # Its end has the picture of its beginning, also in the next boot.
    boots.detect(codes.CLOSED, 5000)
    boots.keep(5010)
    (last,) = boots.sent(5010)
    assert last["snapshot"] == first["snapshot"]
    boots.reset(UNIX_MS + 60000)
    (told,) = boots.sent(100)
    assert [told[part] for part in HEAVY] == [last[part] for part in HEAVY]
    # What cannot be read is told without.
    boots.files.kept.clear()
    (bare,) = boots.sent(1000)
    assert bare["id"] == first["id"] and bare["snapshot"] == {} and boots.table.errors == 1
