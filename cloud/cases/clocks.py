"""The clocks of a case: which run, and what happens when one is over. Pure; all times are in the case itself."""

from dataclasses import dataclass

from cloud.cases.doing import REMINDER_STEPS, Doing, chain, is_desks
from cloud.cases.ladder import escalate
from cloud.cases.state import Case, ClockName, Leg

END_RETRY_MOST_MS = 60_000


@dataclass(frozen=True)
class Clock:
    """One that runs: what for, until when, of which level."""

    name: ClockName
    due_ms: int
    level: int | None = None


def clocks(case: Case) -> list[Clock]:
    """Those that run now, the next one first. An open case has at least one: without another it is the review."""
    if case.phase == "closed":
        return []
    if case.shelved is not None:
        return [Clock("shelf", case.shelved.until_ms)]
    out = [] if case.acknowledged else [Clock("acknowledge", case.ack_due_ms)]
    if case.phase == "open":
        for leg in case.legs:
            out += _of_leg(leg)
        if case.mend_due_ms is not None:
            out.append(Clock("mend", case.mend_due_ms))
    if case.end_of_alarm is not None and not case.end_of_alarm.over:
        out.append(Clock("end_of_alarm", case.end_of_alarm.next_ms))
    if case.call_back_due_ms is not None:
        out.append(Clock("call_back", case.call_back_due_ms))
    if case.cause_due_ms is not None:
        out.append(Clock("cause", case.cause_due_ms))
    return sorted(out or [Clock("review", case.review_due_ms)], key=lambda clock: clock.due_ms)


def _of_leg(leg: Leg) -> list[Clock]:
    """A level escalates from each state in which it is waited for: also from accepted and on the way, when nobody comes."""
    running: list[tuple[ClockName, int | None, bool]] = [
        ("answer", leg.answer_due_ms, leg.state == "ordered"),
        ("call", leg.call_due_ms, leg.state == "ordered"),
        ("arrive", leg.arrive_due_ms, leg.state in ("ordered", "accepted", "on_the_way")),
        ("free", leg.free_due_ms, leg.state == "arrived"),
    ]
    return [
        Clock(name, due, leg.level)
        for name, due, waited_for in running
        if waited_for and due is not None and name not in leg.missed
    ]


def fire(doing: Doing, clock: Clock) -> None:
    """One clock is over. Afterwards it has another due time that lies ahead, or runs no more."""
    if clock.level is not None:
        _leg_over(doing, clock.name, doing.case.leg(clock.level))
    else:
        _OVER[clock.name](doing)


def _leg_over(doing: Doing, name: ClockName, leg: Leg) -> None:
    case, level = doing.case, leg.level
    if name == "call":
        leg.calls += 1
        leg.call_due_ms = doing.now_ms + doing.limits.call_ms * min(leg.calls + 1, REMINDER_STEPS)
        doing.note("call_reminded", level=level, count=leg.calls)
        doing.tell("case_reminder", is_desks(case), "platform", why="call", level=level, count=leg.calls)
        return
    if case.kind != "trapped":
        leg.answer_due_ms = doing.now_ms + doing.limits.fault_answer_ms
        doing.note("unanswered", level=level)
        doing.tell("case_unanswered", f"leg:{level}", "contractors", "manager", level=level)
        return
    leg.missed.append(name)
    step, kind = {
        "answer": ("unanswered", "case_unanswered"),
        "arrive": ("not_arrived", "case_not_arrived"),
        "free": ("not_freed", "case_reminder"),
    }[name]
    doing.note(step, level=level, state=leg.state)
    doing.tell(kind, "desk", "contractors", f"leg:{level}", level=level, why=step)
    escalate(doing, level, step)


def _unacknowledged(doing: Doing) -> None:
    case = doing.case
    case.reminders += 1
    case.ack_due_ms = doing.now_ms + doing.acknowledge_ms * min(case.reminders + 1, REMINDER_STEPS)
    told = chain(case)[: case.reminders + 1]
    doing.note("unacknowledged", count=case.reminders, told=told)
    doing.tell("case_unacknowledged", *told, count=case.reminders)


def _unmended(doing: Doing) -> None:
    doing.case.mend_due_ms = doing.now_ms + doing.limits.mend_ms
    doing.note("not_mended")
    doing.tell("case_reminder", *chain(doing.case), why="not_mended")


def unshelve(doing: Doing, why: str) -> None:
    """The clocks of a fault run again, from now. Only what still goes on is told of."""
    case, limits, now = doing.case, doing.limits, doing.now_ms
    case.shelved = None
    case.ack_due_ms = now + doing.acknowledge_ms
    leg = case.leg(1)
    leg.answer_due_ms = now + limits.fault_answer_ms if leg.state == "ordered" else leg.answer_due_ms
    case.mend_due_ms = None if case.mend_due_ms is None else now + limits.mend_ms
    doing.touched()
    doing.note("unshelved", why=why)
    if case.active:
        doing.tell("case_reminder", *chain(case)[:2], why="unshelved")


def _end_of_alarm(doing: Doing) -> None:
    end, limits, now = doing.case.end_of_alarm, doing.limits, doing.now_ms
    assert end is not None
    if now - end.asked_at_ms >= limits.end_give_up_ms:
        end.over = True
        doing.note("end_of_alarm_given_up", tries=end.tries, why=end.detail)
        doing.tell("case_reminder", is_desks(doing.case), "contractors", why="car_not_told")
        doing.touched()
        return
    end.tries += 1
    end.next_ms = now + min(limits.end_retry_ms << min(end.tries - 1, 8), END_RETRY_MOST_MS)
    doing.car("ended")


def _no_call_back(doing: Doing) -> None:
    doing.case.call_back_due_ms = doing.now_ms + doing.limits.call_back_ms
    doing.note("no_call_back")
    doing.tell("case_reminder", is_desks(doing.case), why="call_back")


def _no_cause(doing: Doing) -> None:
    doing.case.cause_due_ms = doing.now_ms + doing.limits.cause_ms
    doing.note("no_cause")
    doing.tell("case_reminder", "contractors", is_desks(doing.case), why="cause")


def _review(doing: Doing) -> None:
    case = doing.case
    count = case.reviews + 1
    doing.touched()
    case.reviews = count
    wait = case.review_due_ms - doing.now_ms
    case.review_due_ms = doing.now_ms + wait * min(count + 1, REMINDER_STEPS)
    doing.note("reminded", count=count)
    doing.tell("case_reminder", *chain(case)[:2], why="review", count=count)


_OVER = {
    "acknowledge": _unacknowledged,
    "mend": _unmended,
    "shelf": lambda doing: unshelve(doing, "its time is over"),
    "end_of_alarm": _end_of_alarm,
    "call_back": _no_call_back,
    "cause": _no_cause,
    "review": _review,
}
