"""What each step does to a case, once the table has allowed it. Pure."""

from typing import cast

from cloud.cases.clocks import unshelve as end_shelf
from cloud.cases.doing import Doing
from cloud.cases.ladder import begin, escalate, order, sharpen, stand_down, stand_down_others
from cloud.cases.state import CallBack, Caller, EndOfAlarm, Leg, Outcome, Parties, Persons, Shelf

# These end a case without anybody having been let out: no call-back, no cause.
NO_RESCUE: tuple[Outcome, ...] = ("nobody_inside", "false_alarm", "test_or_drill")
MINUTE_MS = 60_000


def leg_of(doing: Doing) -> Leg:
    """The leg that the step is about; the table has found it."""
    return doing.case.leg(int(doing.args["level"]))


def _text(doing: Doing, name: str = "note") -> str:
    return str(doing.args.get(name) or "").strip()


def _eta(doing: Doing) -> int | None:
    minutes = doing.args.get("eta_min")
    return None if minutes is None else int(minutes)


# -- the case ---------------------------------------------------------------------------------------------------------


def acknowledge(doing: Doing) -> None:
    """He has it: the reminders end, and who sits in the car is told that he was heard."""
    doing.case.acknowledged = doing.who.by
    doing.note("acknowledge")
    if doing.case.phase == "open":  # later the alarm was ended, and the lamp would come on again
        doing.car("heard")


def take_over(doing: Doing) -> None:
    """He has it in place of who had it."""
    before = doing.case.acknowledged
    doing.case.acknowledged = doing.who.by
    doing.note("take_over", before=before.name if before else "", note=_text(doing))


def shelve(doing: Doing) -> None:
    """Put aside until then; it comes back by itself."""
    until, reason = int(doing.args["until_ms"]), _text(doing, "reason")
    doing.case.shelved = Shelf(until, reason, doing.who.by)
    doing.note("shelve", until_ms=until, reason=reason)


def unshelve(doing: Doing) -> None:
    """Take it up again before its time."""
    end_shelf(doing, "taken up again")


def persons(doing: Doing) -> None:
    """How many are inside, and how many of them are hurt."""
    count, injured = doing.args.get("count"), doing.args.get("injured")
    doing.case.persons = Persons(count, injured, doing.now_ms)
    doing.note("persons", count=count, injured=injured)


def comfort(doing: Doing) -> None:
    """Parts of the script that were said; those said before stay."""
    said = [str(key) for key in doing.args["keys"]]
    doing.case.comfort = list(dict.fromkeys([*doing.case.comfort, *said]))
    doing.note("comfort", keys=said)


def note(doing: Doing) -> None:
    """A line of the timeline."""
    doing.note("note", note=_text(doing))


def caller(doing: Doing) -> None:
    """Who telephoned, and from where. What he is called and his number are not for the timeline."""
    name, phone, place = _text(doing, "name"), _text(doing, "phone"), _text(doing, "place")
    if name or phone:
        doing.case.caller = Caller(name, phone)
    doing.case.place = place or doing.case.place
    doing.note("caller", place=place, known=bool(name or phone))


def to_trapped(doing: Doing, why: str) -> None:
    """Somebody is shut in: it is everybody's again, off the shelf, by the clocks of a rescue."""
    case = doing.case
    case.kind, case.severity = "trapped", max(case.severity, 4)
    case.shelved, case.mend_due_ms, case.raised_at_ms = None, None, doing.now_ms
    lose_acknowledgement(doing)
    doing.note("raised", why=why)
    doing.tell("case_opened", "desk", "contractors", "manager", why="raised")
    sharpen(doing, why)


def link(doing: Doing) -> None:
    """The lift is found that a call is about: its contractor is told and sent."""
    case = doing.case
    case.lift, case.gateway, case.district = _text(doing, "lift"), _text(doing, "gateway"), _text(doing, "district")
    parties = doing.args["parties"]
    assert isinstance(parties, Parties)
    case.parties = parties
    doing.note("link", lift=case.lift)
    doing.tell("case_opened", "contractors", "manager", dedupe="linked")
    if case.phase == "open" and not case.leg(1).under_way and (case.kind == "fault" or parties.contractors):
        begin(doing, "linked")


def lose_acknowledgement(doing: Doing) -> None:
    """It has become another thing than what was acknowledged: it sounds again."""
    doing.case.acknowledged, doing.case.reminders = None, 0
    doing.case.ack_due_ms = doing.now_ms + doing.acknowledge_ms


def raise_(doing: Doing) -> None:
    """A person has heard that somebody is shut in."""
    to_trapped(doing, _text(doing))


# -- the ladder -------------------------------------------------------------------------------------------------------


def order_level(doing: Doing) -> None:
    """Send a level at once."""
    order(doing, int(doing.args["level"]), _text(doing) or "by hand", _text(doing, "organisation"))


def stand_down_level(doing: Doing) -> None:
    """Call a level off."""
    stand_down(doing, leg_of(doing), _text(doing))


def called(doing: Doing) -> None:
    """The telephone call was made: they are coming."""
    leg = leg_of(doing)
    leg.state, leg.answered_at_ms, leg.call_due_ms = "accepted", doing.now_ms, None
    doing.note("called", level=leg.level, note=_text(doing))


def _answered(doing: Doing, leg: Leg) -> None:
    leg.answered_at_ms = leg.answered_at_ms or doing.now_ms
    leg.call_due_ms = None
    leg.responder = doing.who.by if leg.organisation in doing.who.responds else leg.responder
    minutes = _eta(doing)
    leg.eta_ms = leg.eta_ms if minutes is None else doing.now_ms + minutes * MINUTE_MS
    if doing.case.kind == "fault" and doing.case.acknowledged is None and leg.responder is not None:
        doing.case.acknowledged = doing.who.by  # a fault is the contractor's own: who takes it has it


def accept(doing: Doing) -> None:
    """They come; also who has refused may yet."""
    leg = leg_of(doing)
    if leg.state == "refused":
        leg.missed, leg.ended_at_ms, leg.arrive_due_ms = [], None, doing.now_ms + doing.limits.arrive_ms
    _answered(doing, leg)
    leg.state = "accepted"
    doing.note("accept", level=leg.level, eta_min=_eta(doing))


def on_the_way(doing: Doing) -> None:
    """They are on the way; said again it tells a new time of arrival."""
    leg = leg_of(doing)
    _answered(doing, leg)
    leg.state, leg.on_the_way_at_ms = "on_the_way", leg.on_the_way_at_ms or doing.now_ms
    doing.note("on_the_way", level=leg.level, eta_min=_eta(doing))
    doing.car("coming", _eta(doing))


def arrived(doing: Doing) -> None:
    """They are there; now the clock of freeing runs."""
    leg = leg_of(doing)
    _answered(doing, leg)
    leg.state, leg.arrived_at_ms, leg.eta_ms = "arrived", doing.now_ms, None
    leg.free_due_ms = doing.now_ms + doing.limits.free_ms if doing.case.kind == "trapped" else None
    doing.note("arrived", level=leg.level)
    doing.tell("case_arrived", "desk", "contractors", "manager", level=leg.level)
    doing.car("arrived")


def refuse(doing: Doing) -> None:
    """They do not come: the next level is sent. A fault stays its contractor's, for another of his people to take."""
    leg = leg_of(doing)
    doing.note("refuse", level=leg.level, reason=_text(doing, "reason"))
    doing.tell("case_unanswered", "desk", "contractors", "manager", level=leg.level, why="refused")
    if doing.case.kind == "trapped":
        leg.state, leg.ended_at_ms, leg.call_due_ms = "refused", doing.now_ms, None
        escalate(doing, leg.level, "refused")
        return
    leg.state, leg.responder, leg.eta_ms = "ordered", None, None
    leg.answer_due_ms = doing.now_ms + doing.limits.fault_answer_ms
    if doing.case.kind == "fault":
        lose_acknowledgement(doing)


# -- its end ----------------------------------------------------------------------------------------------------------


def released(doing: Doing) -> None:
    """Nobody is shut in any more, by the word of a competent person on site; the alarm ends with it."""
    case, level = doing.case, int(doing.args.get("level") or 0)
    outcome = cast(Outcome, doing.args.get("outcome") or "released")
    if level:
        leg = case.leg(level)
        leg.state, leg.ended_at_ms = "released", doing.now_ms
    count, injured = doing.args.get("count"), doing.args.get("injured")
    if count is not None or injured is not None:
        case.persons = Persons(count, injured, doing.now_ms)
    competent = _text(doing, "competent") or doing.who.by.name
    doing.note(
        "released", level=level or None, outcome=outcome, competent=competent, count=count, injured=injured,
        note=_text(doing),
    )  # fmt: skip
    stand_down_others(doing, "released")
    case.call_back_due_ms = doing.now_ms + doing.limits.call_back_ms
    follow_up(doing, outcome)
    ask_end_of_alarm(doing, competent)
    doing.tell("case_released", "desk", "contractors", "manager", outcome=outcome)


def follow_up(doing: Doing, outcome: Outcome) -> None:
    """What there was to do on site is done."""
    case = doing.case
    case.phase, case.outcome, case.released_at_ms = "follow_up", outcome, doing.now_ms
    case.mend_due_ms = case.shelved = None
    if case.kind in ("trapped", "fault") and not case.cause and outcome not in (*NO_RESCUE, "no_fault_found"):
        case.cause_due_ms = doing.now_ms + doing.limits.cause_ms


def ask_end_of_alarm(doing: Doing, competent: str) -> None:
    """Tell the car that its alarm is ended; the clock asks again until the node has said so."""
    case, now = doing.case, doing.now_ms
    if case.kind != "trapped":
        return
    case.end_of_alarm = EndOfAlarm(now, competent, next_ms=now + doing.limits.end_retry_ms, tries=1)
    if not case.has_car:
        case.end_of_alarm.over, case.end_of_alarm.detail = True, "no car is known that could be told"
    doing.car("ended")


def end_alarm(doing: Doing) -> None:
    """Ask the car once more, after it was given up."""
    before = doing.case.end_of_alarm
    competent = _text(doing, "competent") or (before.competent if before else doing.who.by.name)
    doing.note("end_alarm", competent=competent)
    ask_end_of_alarm(doing, competent)


def no_rescue(doing: Doing) -> None:
    """There was nobody to be let out."""
    outcome = cast(Outcome, doing.args["outcome"])
    doing.note("no_rescue", outcome=outcome, note=_text(doing))
    stand_down_others(doing, outcome)
    follow_up(doing, outcome)
    ask_end_of_alarm(doing, _text(doing, "competent") or doing.who.by.name)


def mended(doing: Doing) -> None:
    """The fault is gone, or there was none."""
    leg = leg_of(doing)
    leg.state, leg.ended_at_ms = "released", doing.now_ms
    outcome = cast(Outcome, doing.args.get("outcome") or "mended")
    _take_cause(doing)
    doing.note("mended", level=leg.level, outcome=outcome, cause=doing.case.cause, note=_text(doing))
    follow_up(doing, outcome)


def _take_cause(doing: Doing) -> None:
    name = _text(doing, "cause")
    if name:
        doing.case.cause, doing.case.cause_due_ms = name, None
        doing.case.cause_note = _text(doing) or doing.case.cause_note


def cause(doing: Doing) -> None:
    """The cause report."""
    _take_cause(doing)
    doing.note("cause", cause=doing.case.cause, note=_text(doing))


def call_back(doing: Doing) -> None:
    """The call afterwards was made, or why it was not."""
    done = bool(doing.args.get("done", True))
    doing.case.call_back = CallBack(done, _text(doing), doing.who.by)
    doing.case.call_back_due_ms = None
    doing.note("call_back", done=done, note=_text(doing))


def close(doing: Doing) -> None:
    """It is over, with an outcome."""
    case = doing.case
    outcome = cast(Outcome, doing.args.get("outcome") or case.outcome)
    _take_cause(doing)
    stand_down_others(doing, outcome)
    case.outcome, case.phase, case.closed_at_ms, case.shelved = outcome, "closed", doing.now_ms, None
    case.released_at_ms = case.released_at_ms or doing.now_ms
    case.mend_due_ms = case.call_back_due_ms = case.cause_due_ms = None
    doing.note("close", outcome=outcome, cause=case.cause, note=_text(doing))
    doing.tell("case_closed", "desk", "contractors", "manager", outcome=outcome)
