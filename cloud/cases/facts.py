"""What is told of the world and not said by people: incidents, silence of a gateway, what the car answered. Pure."""

import copy
from dataclasses import replace

from cloud.cases.doing import Car, Doing, chain
from cloud.cases.ladder import begin, stand_down_others
from cloud.cases.limits import Limits
from cloud.cases.machine import Result
from cloud.cases.state import DANGER, SYSTEM, Case, Fact, Parties, Who
from cloud.cases.steps import ask_end_of_alarm, lose_acknowledgement, to_trapped

MOST_INCIDENTS = 100  # held in a case


def opened(case: Case, limits: Limits, now_ms: int, who: Who = SYSTEM) -> Result:
    """A new case: everybody whom it concerns is told at once, and the first level is sent."""
    doing = _doing(case, limits, now_ms, who)
    case = doing.case
    case.opened_at_ms, case.ack_due_ms = now_ms, now_ms + doing.acknowledge_ms
    if case.kind == "fault":
        case.mend_due_ms = now_ms + limits.mend_ms
    doing.touched()
    doing.note(
        "opened",
        kind=case.kind,
        source=case.source,
        incidents=sorted(case.incidents),
        place=case.place,
        at_risk=len(case.at_risk),
    )
    if case.kind == "gateway_silent":
        doing.tell("gateway_silent", *chain(case), *(("desk",) if case.at_risk else ()), dedupe="opened")
    else:
        grave = ("desk",) if case.severity >= DANGER else ()
        told = dict.fromkeys([*chain(case)[:2], *grave, "contractors", "manager"])
        doing.tell("case_opened", *told, dedupe="opened")
    begin(doing, "opened")
    return _result(doing)


def incident(case: Case, limits: Limits, now_ms: int, name: str, fact: Fact) -> Result:
    """One of its incidents is told: new to it, graver, pressed again, or over. A graver one takes the acknowledgement away."""
    doing = _doing(case, limits, now_ms)
    case, before = doing.case, case.incidents.get(name)
    _forget(case)
    case.incidents[name] = replace(fact, presses=max(fact.presses, before.presses if before else 0))
    case.severity = max(case.severity, fact.severity)
    if before is None:
        doing.note("joined", incident=name, kind=fact.kind, severity=fact.severity, area=fact.area)
    elif before.open and not fact.open:
        doing.note("cleared", incident=name, kind=fact.kind)
    elif fact.presses > before.presses:
        doing.note("pressed_again", incident=name, presses=fact.presses)
    if fact.open and case.phase == "open":
        if fact.trapped and case.kind != "trapped":
            to_trapped(doing, fact.kind)
        elif before is None and fact.severity > max(
            (known.severity for id, known in case.incidents.items() if id != name), default=0
        ):
            case.shelved = None
            lose_acknowledgement(doing)
    return _result(doing)


def _forget(case: Case) -> None:
    """Of a fault that comes and goes for days the last ones that are over are enough; the timeline has them all."""
    over = [name for name, fact in case.incidents.items() if not fact.open]
    for name in over[: max(0, len(case.incidents) - MOST_INCIDENTS + 1)]:
        del case.incidents[name]


def concerns(case: Case, limits: Limits, now_ms: int, parties: Parties) -> Result:
    """Whose the lift is may change while its case goes on: who has become its contractor is sent, unless another is coming already."""
    doing = _doing(case, limits, now_ms)
    case, had = doing.case, doing.case.parties.contractors
    case.parties = parties
    waits = (
        case.leg(1).state in ("standby", "ordered", "refused") and case.leg(1).organisation not in parties.contractors
    )
    changed = bool(parties.contractors) and parties.contractors != had and case.kind in ("trapped", "fault")
    if changed and waits and case.phase == "open" and case.shelved is None:
        begin(doing, "assigned")
    return _result(doing)


def called(case: Case, limits: Limits, now_ms: int, who: Who, *, trapped: bool, place: str = "") -> Result:
    """Somebody telephoned about a lift whose case is open already."""
    doing = _doing(case, limits, now_ms, who)
    doing.note("telephoned", place=place, trapped=trapped)
    if trapped and doing.case.kind != "trapped" and doing.case.phase == "open":
        to_trapped(doing, "telephone")
    return _result(doing)


def heard_again(case: Case, limits: Limits, now_ms: int) -> Result:
    """The silent gateway is heard."""
    doing = _doing(case, limits, now_ms)
    doing.case.heard_at_ms = now_ms
    doing.touched()
    doing.note("heard_again", silent_ms=now_ms - (doing.case.silent_since_ms or now_ms))
    doing.tell("gateway_back", *chain(case))
    return _result(doing)


def silent_again(case: Case, limits: Limits, now_ms: int, since_ms: int, at_risk: list[str]) -> Result:
    """It fell silent again before its case was closed: it sounds anew."""
    doing = _doing(case, limits, now_ms)
    case = doing.case
    case.silent_since_ms, case.heard_at_ms, case.at_risk, case.shelved = since_ms, None, at_risk, None
    lose_acknowledgement(doing)
    doing.note("silent_again", at_risk=len(at_risk))
    doing.tell("gateway_silent", *chain(case), *(("desk",) if at_risk else ()))
    return _result(doing)


def car_told(case: Case, limits: Limits, now_ms: int, alarm: str, *, ok: bool, detail: str) -> Result:
    """What came of telling the car. That it did not work is in the timeline once, not at each try."""
    doing = _doing(case, limits, now_ms)
    end = doing.case.end_of_alarm
    if alarm != "ended" or end is None:
        doing.note("car_told" if ok else "car_not_told", alarm=alarm, detail=detail)
    elif ok and end.told_at_ms is None:
        end.told_at_ms, end.over, end.detail = now_ms, True, detail
        doing.note("car_told", alarm=alarm, tries=end.tries, detail=detail)
        doing.touched()
    elif not ok and end.told_at_ms is None:
        if end.detail != detail:
            doing.note("car_not_told", alarm=alarm, tries=end.tries, detail=detail)
        end.detail = detail
    return _result(doing)


def word_for(case: Case, now_ms: int) -> Car | None:
    """How far help has come, as the car should show it; None where it need not be told."""
    if not case.has_car or case.kind != "trapped" or case.phase != "open":
        return None
    states = {leg.state: leg for leg in case.legs}
    if "arrived" in states:
        return Car("arrived")
    if "on_the_way" in states:
        eta_ms = states["on_the_way"].eta_ms
        return Car("coming", None if eta_ms is None else max(0, eta_ms - now_ms + 59_999) // 60_000)
    return Car("heard") if case.acknowledged is not None else None


def back(case: Case, limits: Limits, now_ms: int) -> Result | None:
    """The car can be reached again: the end of its alarm, which was given up, is asked for anew."""
    end = case.end_of_alarm
    if case.phase != "follow_up" or end is None or not end.over or end.told_at_ms is not None or not case.has_car:
        return None
    doing = _doing(case, limits, now_ms)
    doing.note("end_alarm", competent=end.competent, why="the car is back")
    ask_end_of_alarm(doing, end.competent)
    return _result(doing)


def joined(case: Case, limits: Limits, now_ms: int, who: Who, number: int) -> Result:
    """What a caller told of turned out to be another open case: this one ends in it."""
    doing = _doing(case, limits, now_ms, who)
    stand_down_others(doing, "joined")
    case = doing.case
    case.acknowledged = case.acknowledged or who.by
    case.phase, case.outcome, case.closed_at_ms = "closed", "joined", now_ms
    case.released_at_ms = case.released_at_ms or now_ms
    case.mend_due_ms = case.call_back_due_ms = case.cause_due_ms = None
    doing.note("joined_to", number=number)
    return _result(doing)


def _doing(case: Case, limits: Limits, now_ms: int, who: Who = SYSTEM) -> Doing:
    return Doing(copy.deepcopy(case), limits, now_ms, who)


def _result(doing: Doing) -> Result:
    return Result(doing.case, doing.entries, doing.effects)
