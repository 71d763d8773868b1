"""The ladder: contract unit, grid rescue station, fire service. Who is ordered, and who next when that one does not come. Pure."""

from cloud.cases.doing import Doing, Order, is_desks
from cloud.cases.state import LEVELS, Case, Leg


def organisation_of(case: Case, level: int) -> str:
    """Who is sent on a level by itself; empty = somebody has to telephone."""
    if level == 1:
        return case.parties.contractors[0] if case.parties.contractors else ""
    return case.parties.station if level == 2 else ""


def order(doing: Doing, level: int, why: str, organisation: str = "") -> None:
    """Send a level; whatever it was before begins anew. Without an organisation it is a telephone call for the desk to make."""
    case, limits, now = doing.case, doing.limits, doing.now_ms
    organisation = organisation or organisation_of(case, level)
    climbs = case.kind == "trapped"
    leg = Leg(
        level, "ordered", organisation, ordered_at_ms=now,
        answer_due_ms=now + (limits.answer_ms if climbs else limits.fault_answer_ms),
        arrive_due_ms=now + limits.arrive_ms if climbs else None,
        call_due_ms=None if organisation else now + limits.call_ms,
    )  # fmt: skip
    case.legs[level - 1] = leg
    doing.note("ordered", level=level, why=why, organisation=organisation)
    if organisation:
        doing.effects.append(Order(level, organisation))
        doing.tell("case_ordered", f"leg:{level}", level=level, why=why)
    else:
        doing.tell("case_ordered", is_desks(case), level=level, why=why, task="call")


def begin(doing: Doing, why: str) -> None:
    """The first level that there is."""
    case = doing.case
    if case.kind == "trapped":
        order(doing, 1 if case.parties.contractors else 2, why)
    elif case.kind == "fault" and case.parties.contractors:
        order(doing, 1, why)


def escalate(doing: Doing, level: int, why: str) -> None:
    """`level` does not come: the next one that is neither under way nor has refused. Where none is left, its owner is told."""
    case = doing.case
    if case.kind != "trapped" or case.phase != "open":
        return
    for above in LEVELS[level:]:
        leg = case.leg(above)
        if leg.under_way:
            return
        if leg.state != "refused":
            doing.note("escalated", level=above, of=level, why=why)
            doing.tell("case_escalated", "desk", "contractors", "manager", level=above, of=level, why=why)
            order(doing, above, why)
            return
    doing.note("nobody_left", of=level, why=why)
    doing.tell("case_reminder", is_desks(case), "platform", why="nobody_left", of=level)


def stand_down(doing: Doing, leg: Leg, why: str) -> None:
    """Call off who is on the way or there."""
    leg.state, leg.ended_at_ms, leg.call_due_ms = "stood_down", doing.now_ms, None
    doing.note("stood_down", level=leg.level, why=why)
    if leg.organisation:
        doing.tell("case_stood_down", f"leg:{leg.level}", level=leg.level, why=why)


def stand_down_others(doing: Doing, why: str, but: int = 0) -> None:
    """Call off all legs that are under way, but one."""
    for leg in doing.case.legs:
        if leg.under_way and leg.level != but:
            stand_down(doing, leg, why)


def sharpen(doing: Doing, why: str) -> None:
    """People are in danger now: who was sent for a fault goes on, by the clocks of a rescue; where nobody was, somebody is sent."""
    limits, now = doing.limits, doing.now_ms
    sent = [leg for leg in doing.case.legs if leg.under_way]
    if not sent:
        begin(doing, why)
    for leg in sent:
        leg.missed = []
        leg.answer_due_ms = now + limits.answer_ms if leg.state == "ordered" else leg.answer_due_ms
        leg.arrive_due_ms = now + limits.arrive_ms if leg.state != "arrived" else None
        leg.free_due_ms = now + limits.free_ms if leg.state == "arrived" else None
        if leg.state in ("on_the_way", "arrived"):
            doing.car("coming" if leg.state == "on_the_way" else "arrived")
        if leg.organisation:
            doing.tell("case_ordered", f"leg:{leg.level}", level=leg.level, why=why)
