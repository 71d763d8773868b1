"""What the car shows of its alarm, and how an alarm is ended, on both interpreters."""

from protocols import codes
from protocols.car import TOLD_MS, AlarmSign
from protocols.codes import ALARM_STEPS, COMMITTED, DONE
from protocols.delivery import node
from protocols.delivery.log import ChangeLog, RamStore
from protocols.detector import Detector, Settings, Transition
from protocols.faults import BY_NAME, FAULTS
from protocols.state import LiftState

NOTHING, SENT, HEARD, COMING, ARRIVED = range(5)
# Between floors, and who is in it.
STUCK = {"car_status": 0, "speed_mm_s": 0, "door_zone": False, "door_1": 2, "mains": True, "controller_link": True}


def shown(sign: AlarmSign, level: int | None, now: int) -> int:
    sign.look(level, now)
    return sign.shown


def test_the_words_are_the_numbers_of_the_field() -> None:
    assert ALARM_STEPS == ("ended", "sent", "heard", "coming", "arrived")


def test_with_nobody_to_tell_it_anything_the_car_follows_its_own_alarm() -> None:
    sign = AlarmSign()
    levels = [
        (None, NOTHING),
        (0, SENT),
        (COMMITTED, SENT),
        (DONE, HEARD),
        (0, HEARD),
        (COMMITTED, HEARD),
        (None, NOTHING),
        (0, SENT),
    ]
    # A further press begins without receipts, and takes back nothing that was shown; the next alarm begins anew.
    for now, (level, wanted) in enumerate(levels):
        assert shown(sign, level, now) == wanted


def test_what_was_told_outlives_the_event_until_the_alarm_is_ended() -> None:
    sign = AlarmSign()
    assert shown(sign, 0, 0) == SENT
    for step in (HEARD, COMING, ARRIVED):
        sign.tell(step, None, 10)
        assert shown(sign, COMMITTED, 20) == shown(sign, None, 30) == step
    sign.tell(0, None, 40)
    assert shown(sign, None, 50) == NOTHING


def test_an_alarm_that_goes_on_after_its_end_is_still_shown() -> None:
    sign = AlarmSign()
    sign.tell(ARRIVED, None, 0)
    sign.tell(0, None, 10)
    assert shown(sign, 0, 20) == SENT


def test_what_nobody_ends_is_forgotten_but_not_while_the_alarm_is_open() -> None:
    sign = AlarmSign()
    sign.tell(COMING, None, 0)
    assert shown(sign, None, TOLD_MS - 1) == COMING
    assert shown(sign, None, TOLD_MS) == NOTHING
    sign.tell(COMING, None, TOLD_MS)
    assert shown(sign, 0, 9 * TOLD_MS) == COMING


def test_a_voice_says_each_step_once_and_a_new_time_of_arrival_again() -> None:
    sign = AlarmSign()
    assert not sign.look(None, 0)
    said = []
    steps = [(COMING, 12), (COMING, 12), (COMING, 7), (COMING, None), (ARRIVED, None), (0, None), (0, None)]
    for step, eta_min in steps:
        sign.tell(step, eta_min, 10)
        if sign.look(None, 10):
            said.append(sign.text)
    assert said == ["coming 12", "coming 7", "coming", "arrived", "ended"]


def test_no_word_shows_less_than_the_nodes_own_receipts() -> None:
    sign = AlarmSign()
    assert shown(sign, DONE, 0) == HEARD
    sign.tell(SENT, None, 10)
    assert shown(sign, DONE, 20) == HEARD and sign.text == "heard"


# -- how far the receipts have come -----------------------------------------------------------------------------------


def _delivery() -> node.NodeDelivery:
    return node.NodeDelivery("lift-1", 3, ChangeLog(RamStore(3, 4000), 3, 1000))


def _raise(delivery: node.NodeDelivery, kind: str, phase: str, withheld: str = "") -> str:
    step = Transition(kind, phase, 10, 10, "button", [("button", 10)], 1, withheld)
    return delivery.raise_transition(step, BY_NAME[kind], LiftState(), 10) or ""


def _ack(delivery: node.NodeDelivery, name: str, rev: int, level: int, told: bool = True) -> None:
    ack = {"gw": "g", "t_ms": 1, "echo_up_ms": None, "boot": 3, "log": [], "events": [(name, rev, level)], "told": told}
    delivery.on_ack(ack, 20)


def test_only_open_alarms_count_and_the_one_that_has_come_furthest() -> None:
    delivery = _delivery()
    assert delivery.alarm_level() is None
    _raise(delivery, "mains_lost", codes.OPEN)
    assert delivery.alarm_level() is None
    _raise(delivery, "button_pressed", codes.OPEN, codes.FILTERED)
    assert delivery.alarm_level() is None  # from a car whose way out is free
    name = _raise(delivery, "trapped_at_level", codes.OPEN)
    assert delivery.alarm_level() == 0
    _ack(delivery, name, 1, COMMITTED)
    assert delivery.alarm_level() == COMMITTED
    _ack(delivery, name, 1, DONE)
    assert delivery.alarm_level() == DONE
    _raise(delivery, "trapped_at_level", codes.CLOSED)
    assert delivery.alarm_level() is None
    _raise(delivery, "button_pressed", codes.UPDATED)
    assert delivery.alarm_level() == 0


def test_done_says_nothing_of_a_city_where_the_gateway_asks_none() -> None:
    delivery = _delivery()
    name = _raise(delivery, "button_pressed", codes.OPEN)
    _ack(delivery, name, 1, DONE, told=False)
    assert delivery.alarm_level() == COMMITTED


# -- its end ----------------------------------------------------------------------------------------------------------


def test_ending_the_alarm_closes_button_and_trapped_and_nothing_else() -> None:
    detector = Detector(Settings())
    told = detector.press(0, LiftState(**STUCK))
    for now in range(100, 40100, 100):
        told += detector.step(LiftState(passenger=True, **STUCK), now)
    opened = [step.kind for step in told if step.phase == codes.OPEN]
    assert opened == ["button_pressed", "trapped_between_floors"]
    ended = detector.end_alarm(40100)
    assert [(step.kind, step.phase, step.cause, step.evidence) for step in ended] == [
        (kind, codes.CLOSED, "ended", [("ended", 40100)]) for kind in opened
    ]
    assert detector.open_kinds() == [] and detector.end_alarm(40200) == []
    assert {row.name for row in FAULTS if row.event_class == "alarm"} >= set(opened)


def test_who_is_still_trapped_is_told_of_anew_and_an_empty_car_is_not() -> None:
    for passenger, again in ((True, ["trapped_between_floors"]), (False, [])):
        detector = Detector(Settings())
        for now in range(100, 30100, 100):
            detector.step(LiftState(passenger=True, **STUCK), now)
        assert detector.open_kinds() == ["trapped_between_floors"]
        detector.end_alarm(30100)
        told = []
        for now in range(30200, 50000, 100):
            told += detector.step(LiftState(passenger=passenger, **STUCK), now)
        assert told == []  # not before its evidence has been confirmed anew
        for now in range(50000, 51000, 100):
            told += detector.step(LiftState(passenger=passenger, **STUCK), now)
        assert [
            step.kind for step in told if step.phase == codes.OPEN and step.kind != "stopped_outside_door_zone"
        ] == again


def test_the_next_press_is_a_new_alarm_even_if_the_button_was_never_let_go() -> None:
    detector = Detector(Settings())
    detector.press(0, LiftState(**STUCK))
    detector.end_alarm(100)
    assert detector.step(LiftState(button=True, **STUCK), 200) == []
    assert [(step.phase, step.presses) for step in detector.press(300, LiftState(**STUCK))] == [(codes.OPEN, 1)]
