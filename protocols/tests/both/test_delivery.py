"""Both ends of delivery, by scenario, on both interpreters; the bad link is in tests/cpython."""

from protocols import codes, messages, records
from protocols.delivery import gateway, node
from protocols.delivery.log import ChangeLog, RamStore
from protocols.detector import Transition
from protocols.faults import BY_NAME
from protocols.state import LiftState

ROW = BY_NAME["button_pressed"]


def step(phase: str, at_ms: int, kind: str = "button_pressed") -> Transition:
    """A transition as the detector makes them."""
    return Transition(kind, phase, at_ms, at_ms, "button", [("button", at_ms)], 1)


def _node(capacity: int = 4000) -> tuple[ChangeLog, node.NodeDelivery]:
    log = ChangeLog(RamStore(3, capacity), 3, 1000)
    delivery = node.NodeDelivery("lift-1", 3, log)
    return log, delivery


def _raise(delivery: node.NodeDelivery, phase: str, now: int, kind: str = "button_pressed") -> str | None:
    return delivery.raise_transition(step(phase, now, kind), ROW, LiftState(floor=2), now)


def _events(delivery: node.NodeDelivery, now: int) -> list[dict]:
    return [item for kind, item in delivery.due(now) if kind == "event"]


def _ack(delivery: node.NodeDelivery, events: list, now: int, log: tuple | list = ()) -> None:
    delivery.on_ack({"gw": "g", "t_ms": now, "echo_up_ms": None, "boot": 3, "log": log, "events": events}, now)


def test_an_event_is_sent_at_once_and_again_until_committed() -> None:
    _, delivery = _node()
    delivery.link_up(0)
    name = _raise(delivery, codes.OPEN, 1000)
    assert name == "lift-1-3-1"
    sent = []
    for now in range(1000, 20000, 10):
        for values in _events(delivery, now):
            sent.append(now)
            assert values["published_up_ms"] == 1000 and values["attempt"] == len(sent)
            messages.encode("event", values)
    assert sent[:6] == [1000, 1200, 1600, 2400, 4000, 7200]
    assert all(b - a <= node.RESEND_MAX_MS for a, b in zip(sent, sent[1:]))
    _ack(delivery, [(name, 1, codes.COMMITTED)], 20000)
    assert _events(delivery, 79000) == []
    assert len(_events(delivery, 80000)) == 1
    _ack(delivery, [(name, 1, codes.DONE)], 80001)
    assert _events(delivery, 10000000) == [] and delivery.held() == 1  # still open, so still known


def test_a_new_revision_replaces_the_old_and_is_sent_at_once() -> None:
    _, delivery = _node()
    delivery.link_up(0)
    name = _raise(delivery, codes.OPEN, 1000)
    _events(delivery, 1000)
    assert _raise(delivery, codes.UPDATED, 1100) == name
    sent = _events(delivery, 1100)
    assert [(values["rev"], values["phase"]) for values in sent] == [(2, codes.UPDATED)]
    _ack(delivery, [(name, 1, codes.DONE)], 1150)  # a receipt for the old revision settles nothing
    assert len(_events(delivery, 1300)) == 1
    _raise(delivery, codes.CLOSED, 2000)
    _ack(delivery, [(name, 3, codes.DONE)], 2100)
    assert delivery.held() == 0 and delivery.open_kinds() == []


def test_nothing_is_due_without_a_link_and_all_at_once_with_it() -> None:
    _, delivery = _node()
    _raise(delivery, codes.OPEN, 10)
    _raise(delivery, codes.OPEN, 20, "trapped_at_level")
    assert delivery.due(1000) == []
    delivery.link_up(5000)
    assert len(_events(delivery, 5000)) == 2


def test_a_flapping_fault_is_bounded_and_counted() -> None:
    _, delivery = _node()
    for round_number in range(50):
        _raise(delivery, codes.OPEN, round_number * 10)
        _raise(delivery, codes.CLOSED, round_number * 10 + 5)
    assert delivery.held() == node.MAX_PER_KIND and delivery.overflow == 50 - node.MAX_PER_KIND


def test_an_alarm_that_finds_the_table_full_of_ended_ones_is_told_all_the_same() -> None:
    _, delivery = _node()
    for now in range(0, 40, 10):
        _raise(delivery, codes.OPEN, now)
        name = _raise(delivery, codes.CLOSED, now + 5)
    assert _raise(delivery, codes.OPEN, 100) == name  # the newest goes on: nobody has heard of its end
    assert _raise(delivery, codes.UPDATED, 110) == name
    assert delivery.open_kinds() == ["button_pressed"]
    delivery.link_up(200)
    (sent,) = [values for values in _events(delivery, 200) if values["id"] == name]
    assert (sent["rev"], sent["phase"], sent["presses"], sent["closed_up_ms"]) == (4, codes.UPDATED, 2, None)


def test_the_log_is_sent_in_order_and_receipted_cumulatively() -> None:
    log, delivery = _node()
    intake = gateway.LiftIntake("g")
    delivery.link_up(0)
    stored = []
    for now in range(0, 60000, 50):
        log.record(LiftState(floor=1 + now // 1000 % 6, speed_mm_s=now % 1000), now)
        log.flush(now)
        for kind, item in delivery.due(now):
            assert kind == "log"
            batch = records.decode_wire(records.wire(item[0], item[1]))
            verdict, gaps = intake.on_batch(batch)
            assert not gaps
            if verdict == gateway.STORE:
                stored.append(batch.number)
                intake.batch_stored(batch.life, batch.number)
        if intake.receipt_due:
            delivery.on_ack(messages.decode("ack", messages.encode("ack", intake.ack(now))), now)
    assert stored == list(range(1, len(stored) + 1)) and len(stored) >= 50
    assert delivery.log_backlog() <= 1


def test_without_a_link_batches_are_fuller_and_the_open_one_goes_out_as_soon_as_there_is_one() -> None:
    log, _ = _node()
    for now in range(0, 300000, 1000):
        log.record(LiftState(starts=now // 1000), now)
        log.flush(now, False)
    assert 4 <= log.newest <= 5
    assert log.flush(300000, True)
    assert log.newest <= 6


def test_what_the_ring_overwrote_is_booked_as_a_gap_once() -> None:
    log, delivery = _node(capacity=300)
    for now in range(0, 60000, 50):
        log.record(LiftState(floor=1 + now // 1000 % 6, starts=now), now)
        log.flush(now)
    assert log.base > 1 and log.store.held_bytes() <= 300 + records.MAX_BODY_BYTES
    intake = gateway.LiftIntake("g", 3, 2)
    delivery.link_up(60000)
    (_, item), = delivery.due(60000)  # fmt: skip
    batch = records.decode_wire(records.wire(item[0], item[1]))
    verdict, gaps = intake.on_batch(batch)
    assert verdict == gateway.STORE
    assert [(gap.life, gap.first, gap.last, gap.reason) for gap in gaps] == [(3, 3, log.base - 1, "overwritten")]
    assert intake.on_batch(batch) == (gateway.PENDING, [])
    intake.batch_stored(3, batch.number)
    assert intake.on_batch(batch) == (gateway.DUPLICATE, [])


def test_an_empty_gateway_is_given_all_that_is_still_held() -> None:
    log, delivery = _node()
    for now in range(0, 20000, 50):
        log.record(LiftState(floor=1 + now // 1000 % 6), now)
        log.flush(now)
    delivery.link_up(20000)
    delivery.on_ack(
        {"gw": "old", "t_ms": 9, "boot": 3, "echo_up_ms": None, "log": [3, log.newest], "events": []}, 20000
    )
    assert delivery.due(20000) == []
    delivery.on_ack({"gw": "new", "t_ms": 5, "boot": 3, "echo_up_ms": None, "log": [0, 0], "events": []}, 20001)
    (_, item), = delivery.due(20001)  # fmt: skip
    assert records.decode_wire(records.wire(item[0], item[1])).number == 1


def test_a_gateway_whose_clock_is_set_back_is_still_believed() -> None:
    log, delivery = _node()
    for now in range(0, 20000, 50):
        log.record(LiftState(floor=1 + now // 1000 % 6), now)
        log.flush(now)
    delivery.link_up(20000)
    ack = {"gw": "g", "t_ms": 90000000, "boot": 3, "echo_up_ms": None, "log": [3, 4], "events": []}
    delivery.on_ack(ack, 20000)
    late = {"gw": "g", "t_ms": 89990000, "boot": 3, "echo_up_ms": None, "log": [3, 2], "events": []}
    delivery.on_ack(late, 20001)  # ten seconds older: it was held up
    assert delivery.log_backlog() == log.newest - 4
    set_back = {"gw": "g", "t_ms": 3600000, "boot": 3, "echo_up_ms": None, "log": [3, 9], "events": []}
    delivery.on_ack(set_back, 20002)  # a day older: nothing is held up so long in a standing connection
    assert delivery.log_backlog() == log.newest - 9


def test_an_empty_gateway_is_told_of_the_alarms_that_are_still_open() -> None:
    _, delivery = _node()
    delivery.link_up(0)
    name = _raise(delivery, codes.OPEN, 1000)
    _events(delivery, 1000)
    _ack(delivery, [(name, 1, codes.DONE)], 1100)
    assert _events(delivery, 100000) == []
    new = {"gw": "new", "t_ms": 5, "boot": 3, "echo_up_ms": None, "log": [0, 0], "events": []}
    delivery.on_ack(new, 100000)
    (sent,) = _events(delivery, 100000 + node.RESEND_MAX_MS)
    assert (sent["id"], sent["rev"]) == (name, 1)
    # Two gateways by mistake: each ack is of another one, and still an event goes out every 5 s at most.
    count = 0
    for now in range(200000, 260000, 10):
        delivery.on_ack(dict(new, gw="new" if now % 20 else "g", events=[(name, 1, codes.DONE)]), now)
        count += len(_events(delivery, now))
    assert count <= 60000 // node.RESEND_MAX_MS + 1


def test_a_batch_ahead_of_what_is_stored_is_answered_with_what_is() -> None:
    intake = gateway.LiftIntake("new")
    writer = records.BatchWriter(3, 9, 3, 0, 0)
    writer.add(0, {"floor": 1})
    assert intake.on_batch(records.Batch(writer.close(), 1)) == (gateway.AHEAD, [])
    assert intake.receipt_due and intake.ack(5)["log"] == [3, 0]


def test_a_new_life_of_the_log_books_the_end_of_the_old() -> None:
    intake = gateway.LiftIntake("g", 3, 7)
    writer = records.BatchWriter(4, 2, 4, 0, 0)
    writer.add(0, {"floor": 1})
    verdict, gaps = intake.on_batch(records.Batch(writer.close(), 2))
    assert verdict == gateway.STORE
    assert [(gap.life, gap.first, gap.last, gap.reason) for gap in gaps] == [
        (3, 8, None, "life_ended"), (4, 1, 1, "overwritten"),
    ]  # fmt: skip
    old = records.BatchWriter(3, 8, 3, 0, 0)
    old.add(0, {"floor": 1})
    assert intake.on_batch(records.Batch(old.close(), 1)) == (gateway.OLD, [])
    assert intake.receipt_due  # so that a node which lost its flash for one boot hears of the life that began then


def test_a_failed_commit_makes_the_event_new_again() -> None:
    intake = gateway.LiftIntake("g")
    values = {"id": "a-1-1", "rev": 1}
    assert intake.on_event(values) == gateway.STORE
    assert intake.on_event(values) == gateway.PENDING
    intake.event_failed("a-1-1", 1)
    assert intake.on_event(values) == gateway.STORE
    intake.committed("a-1-1", 1)
    assert intake.receipt_due
    assert intake.ack(5)["events"] == [["a-1-1", 1, codes.COMMITTED]]
    assert not intake.receipt_due
    assert intake.on_event(values) == gateway.DUPLICATE  # its receipt was lost: it goes out again
    assert intake.ack(6)["events"] == [["a-1-1", 1, codes.COMMITTED]]


def test_an_ack_holds_a_bounded_number_of_receipts_and_the_rest_follow() -> None:
    intake = gateway.LiftIntake("g")
    for number in range(70):
        intake.committed("a-1-%d" % number, 1)
    counts = []
    while intake.receipt_due:
        ack = intake.ack(1)
        messages.encode("ack", ack)
        counts.append(len(ack["events"]))
    assert counts == [32, 32, 6]


def test_parked_lifts_log_next_to_nothing() -> None:
    log = ChangeLog(RamStore(1, 20000), 1)
    for now in range(0, 3600000, 250):
        log.record(LiftState(floor=1, speed_mm_s=0, door_1=2, mains=True, position_mm=now % 300), now)
        log.flush(now)
    assert log.records <= 7 and log.store.held_bytes() < 400


def test_a_gateway_that_starts_remembers_the_newest_boot_from_what_it_stored() -> None:
    intake = gateway.LiftIntake("g", 4, 17)
    assert intake.ack(1)["boot"] == 4  # the life of a log is never newer than its boot
    intake.committed("lift-1-6-2", 1)
    assert intake.ack(2)["boot"] == 6
    intake.heard(1, 500)  # a node that was swapped in and counts from the beginning
    assert (intake.ack(3)["boot"], intake.ack(3)["echo_up_ms"]) == (6, None)
    intake.heard(7, 900)
    assert (intake.ack(4)["boot"], intake.ack(4)["echo_up_ms"]) == (7, 900)


def test_a_line_is_in_doubt_once_an_event_was_sent_for_three_seconds_without_a_receipt() -> None:
    _, delivery = _node()
    delivery.link_up(0)
    name = _raise(delivery, codes.OPEN, 1000)
    doubted = []
    for now in range(1000, 8000, 50):
        _events(delivery, now)
        doubted += [now] if delivery.is_unanswered() else []
    assert doubted[0] == 2400  # the fourth sending
    delivery.link_up(8000)
    assert not delivery.is_unanswered()  # a new line
    _ack(delivery, [(name, 1, codes.COMMITTED)], 8100)
    _events(delivery, 100000)
    assert not delivery.is_unanswered()
