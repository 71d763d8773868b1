"""The machine of a case: one table of steps, guards by name, and the interpreter. Pure: values and the time in, values out.

A step that the table does not allow changes nothing and raises `StepRefused`, which names what is possible.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cloud.cases import steps
from cloud.cases.clocks import clocks, fire
from cloud.cases.doing import Doing, Effect, Entry
from cloud.cases.limits import Limits
from cloud.cases.state import KINDS, LEVELS, SYSTEM, Case, Kind, LegState, Phase, Who
from cloud.cases.words import CAUSE_NAMES, COMFORT

MOST_FIRINGS = (
    200  # in one go; far above what can fall due at once, so that a mistake here ends in an error and not in a loop
)

OUTCOMES_OF: dict[Kind, tuple[str, ...]] = {
    "trapped": ("released", "self_released", *steps.NO_RESCUE),
    "fault": ("mended", "no_fault_found", "false_alarm", "test_or_drill"),
    "gateway_silent": ("gateway_back", "false_alarm", "test_or_drill"),
    "other": ("settled", "mended", "no_fault_found", "false_alarm", "test_or_drill"),
}
Side = Literal["desk", "leg", "contractor", "anybody"]


class StepRefused(Exception):
    """The table does not allow it. `reason` is a key, the text says what to do, `possible` names what this person can say."""

    def __init__(self, reason: str, detail: str, possible: list[str]) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.possible = reason, detail, possible


@dataclass(frozen=True)
class Result:
    """The case afterwards, what stands in the timeline, and what is to be done outside."""

    case: Case
    entries: list[Entry]
    effects: list[Effect]


@dataclass(frozen=True)
class Step:
    """One row. `legs`: states in which the level must be; `level`: the only one it is about; `needs`: guards of the case, `checks`: of what is said."""

    name: str
    side: Side
    do: Callable[[Doing], None]
    kinds: tuple[Kind, ...] = KINDS
    phases: tuple[Phase, ...] = ("open",)
    legs: tuple[LegState, ...] = ()
    level: int | None = None
    needs: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


_LIVE: tuple[Phase, ...] = ("open", "follow_up")
_SENT: tuple[LegState, ...] = ("ordered", "accepted", "on_the_way")
_UNDER_WAY: tuple[LegState, ...] = (*_SENT, "arrived")
_NOT_SENT: tuple[LegState, ...] = ("standby", "refused", "stood_down")
_SHELVES: tuple[Kind, ...] = ("fault", "gateway_silent", "other")

TABLE: tuple[Step, ...] = (
    Step("acknowledge", "anybody", steps.acknowledge, phases=_LIVE, needs=("nobodys",)),
    Step("take_over", "anybody", steps.take_over, phases=_LIVE, needs=("anothers",)),
    Step("shelve", "contractor", steps.shelve, kinds=_SHELVES, needs=("on_no_shelf",), checks=("reason", "shelf_end")),
    Step("unshelve", "contractor", steps.unshelve, needs=("on_shelf",)),
    Step("persons", "anybody", steps.persons, phases=_LIVE, checks=("persons",)),
    Step("comfort", "anybody", steps.comfort, phases=_LIVE, checks=("comfort",)),
    Step("note", "anybody", steps.note, phases=("open", "follow_up", "closed"), checks=("note",)),
    Step("caller", "desk", steps.caller, phases=_LIVE),
    Step("link", "desk", steps.link, phases=_LIVE, needs=("no_lift",)),
    Step("raise", "anybody", steps.raise_, kinds=("fault", "other"), checks=("note",)),
    Step("order", "desk", steps.order_level, legs=_NOT_SENT, needs=("about_a_lift",), checks=("unit",)),
    Step("stand_down", "desk", steps.stand_down_level, legs=_UNDER_WAY, needs=("another_comes",)),
    Step("called_station", "desk", steps.called, legs=("ordered",), level=2, needs=("by_telephone",), checks=("note",)),
    Step("called_119", "desk", steps.called, legs=("ordered",), level=3, checks=("note",)),
    Step("accept", "leg", steps.accept, legs=("ordered", "refused")),
    Step("refuse", "leg", steps.refuse, legs=_SENT, checks=("reason",)),
    Step("on_the_way", "leg", steps.on_the_way, legs=_SENT),
    Step("arrived", "leg", steps.arrived, legs=_SENT),
    Step("released", "leg", steps.released, kinds=("trapped",), legs=("arrived",), checks=("competent", "released")),
    Step("mended", "leg", steps.mended, kinds=("fault", "other"), legs=("arrived",), checks=("mended", "cause_known")),
    Step("no_rescue", "leg", steps.no_rescue, kinds=("trapped",), legs=("arrived",), checks=("no_rescue",)),
    Step("end_alarm", "leg", steps.end_alarm, kinds=("trapped",), phases=("follow_up",), needs=("given_up",)),
    Step("call_back", "desk", steps.call_back, kinds=("trapped",), phases=("follow_up",), checks=("call_back",)),
    Step("cause", "contractor", steps.cause, kinds=("trapped", "fault"), phases=_LIVE, checks=("cause",)),
    Step("close", "desk", steps.close, kinds=("trapped",), phases=("follow_up",), needs=("acknowledged",), checks=("end",)),
    Step("close", "desk", steps.close, kinds=("other",), phases=_LIVE, needs=("acknowledged",), checks=("end",)),
    Step(
        "close", "contractor", steps.close, kinds=("fault", "gateway_silent"), phases=_LIVE,
        needs=("acknowledged",), checks=("end",),
    ),
)  # fmt: skip
# Steps that the desk may say without anybody having been sent there, by the word of a competent person whom it names.
BY_WORD = frozenset(("released", "no_rescue"))

NEEDS: dict[str, tuple[Callable[[Case, Who, int], bool], str]] = {
    "nobodys": (lambda case, who, level: case.acknowledged is None, "{name} of {organisation} has it already"),
    "anothers": (
        lambda case, who, level: case.acknowledged is not None and case.acknowledged.id != who.by.id,
        "it is nobody's, or yours already",
    ),
    "on_no_shelf": (lambda case, who, level: case.shelved is None, "it is on the shelf already"),
    "on_shelf": (lambda case, who, level: case.shelved is not None, "it is not on the shelf"),
    "no_lift": (lambda case, who, level: not (case.lift or case.gateway), "it is about a lift already"),
    "acknowledged": (lambda case, who, level: case.acknowledged is not None, "acknowledge it first"),
    "about_a_lift": (lambda case, who, level: case.kind != "gateway_silent", "nobody is sent to a silent gateway from here"),
    "another_comes": (
        lambda case, who, level: case.kind != "trapped"
        or any(leg.under_way for leg in case.legs if leg.level != level),
        "somebody is still shut in: send another level first",
    ),
    "by_telephone": (lambda case, who, level: not case.leg(2).organisation, "the station is asked by the system"),
    "given_up": (
        lambda case, who, level: case.end_of_alarm is None
        or (case.end_of_alarm.over and case.end_of_alarm.told_at_ms is None and case.has_car),
        "the car is told, or is being asked",
    ),
}  # fmt: skip


def possible(case: Case, who: Who) -> list[str]:
    """What this person can say now, with the level where a step is about one: `acknowledge`, `order:2`."""
    out = []
    for step in TABLE:
        name = step.name
        if not step.legs:
            out += [name] if _why_not(case, step, who, 0) is None else []
            continue
        levels = [level for level in _levels(step) if _why_not(case, step, who, level) is None]
        out += [f"{name}:{level}" for level in levels]
        if not levels and step.name in BY_WORD and who.desk and _why_not(case, step, who, 0) is None:
            out.append(name)
    return out


def apply(case: Case, limits: Limits, who: Who, name: str, args: Mapping[str, Any], now_ms: int) -> Result:
    """Say a step; StepRefused where the table has no place for it."""
    rows = [row for row in TABLE if row.name == name]
    if not rows:
        raise StepRefused("no_such_step", f"there is no step {name[:40]!r}", possible(case, who))
    step = next((row for row in rows if case.kind in row.kinds), rows[0])
    doing = Doing(copy.deepcopy(case), limits, now_ms, who, dict(args))
    if step.legs:
        doing.args["level"] = _level(doing, step)
    level = int(doing.args.get("level") or 0)
    why = _why_not(doing.case, step, who, level) or _wrong(doing, step)
    if why is not None:
        raise StepRefused(*why, possible(case, who))
    doing.touched()
    step.do(doing)
    return Result(doing.case, doing.entries, doing.effects)


def due(case: Case, limits: Limits, now_ms: int) -> Result:
    """Let pass what is over at `now_ms`, in order, each once: of a reminder that repeats not what was missed meanwhile."""
    doing = Doing(copy.deepcopy(case), limits, now_ms, SYSTEM)
    for _ in range(MOST_FIRINGS):
        running = clocks(doing.case)
        if not running or running[0].due_ms > now_ms:
            return Result(doing.case, doing.entries, doing.effects)
        fire(doing, running[0])
    raise RuntimeError(f"a clock does not move on: {clocks(doing.case)[0]}")


def _levels(step: Step) -> tuple[int, ...]:
    return LEVELS if step.level is None else (step.level,)


def _level(doing: Doing, step: Step) -> int:
    """The level that was said, or else the only one that it can be about: one's own before another's. 0 = none."""
    if step.level is not None:
        return step.level
    said = doing.args.get("level")
    if said is not None:
        return int(said) if int(said) in LEVELS else 0
    fitting = [level for level in LEVELS if _why_not(doing.case, step, doing.who, level) is None]
    own = [level for level in fitting if doing.case.leg(level).organisation in doing.who.responds]
    found = own or fitting
    if len(found) > 1:
        text = f"say which level: {', '.join(map(str, found))}"
        raise StepRefused("which_level", text, possible(doing.case, doing.who))
    if found:
        return found[0]
    sent = [leg.level for leg in doing.case.legs if leg.organisation in doing.who.responds]
    return 0 if step.name in BY_WORD and doing.who.desk else sent[0] if sent else 1


def _why_not(case: Case, step: Step, who: Who, level: int) -> tuple[str, str] | None:
    if not _on_side(case, step, who, level):
        return "not_yours", "this is for another to say: the rescue desk, or who was sent"
    if case.kind not in step.kinds:
        return "kind", f"not in a case of kind {case.kind}"
    if case.phase not in step.phases:
        return "phase", f"the case is {case.phase.replace('_', ' ')}"
    by_word = level == 0 and step.name in BY_WORD and who.desk
    if step.legs and not by_word:
        state = case.leg(level).state if level in LEVELS else "not there"
        if state not in step.legs:
            return "leg", f"level {level} is {state.replace('_', ' ')}"
    for need in step.needs:
        holds, text = NEEDS[need]
        if not holds(case, who, level):
            has = case.acknowledged
            return need, text.format(name=has.name if has else "", organisation=has.organisation_name if has else "")
    return None


def _on_side(case: Case, step: Step, who: Who, level: int) -> bool:
    if who.desk:
        return True
    legs = [leg for leg in case.legs if leg.organisation and leg.organisation in who.responds]
    contractor = any(id in who.responds for id in case.parties.contractors)
    if step.side == "leg":
        return any(leg.level == level for leg in legs) if step.legs else bool(legs)
    return step.side != "desk" and (contractor or (step.side == "anybody" and bool(legs)))


def _wrong(doing: Doing, step: Step) -> tuple[str, str] | None:
    for check in step.checks:
        why = CHECKS[check](doing)
        if why is not None:
            return check, why
    return None


# -- what is said ------------------------------------------------------------------------------------------------------


def _said(doing: Doing, name: str) -> str:
    return str(doing.args.get(name) or "").strip()


def _needs_text(name: str) -> Callable[[Doing], str | None]:
    return lambda doing: None if _said(doing, name) else f"say {name}"


def _shelf_end(doing: Doing) -> str | None:
    until = doing.args.get("until_ms")
    longest = doing.limits.shelf_ms
    if until is None or not doing.now_ms < int(until) <= doing.now_ms + longest:
        return f"until_ms must lie ahead, at most {longest // 3_600_000} h"
    return None


def _persons(doing: Doing) -> str | None:
    count, injured = doing.args.get("count"), doing.args.get("injured")
    if count is None and injured is None:
        return "say count or injured"
    return "more are injured than there are" if count is not None and (injured or 0) > count else None


def _comfort(doing: Doing) -> str | None:
    keys = doing.args.get("keys") or []
    return None if keys and all(key in COMFORT for key in keys) else f"keys are of {', '.join(COMFORT)}"


def _unit(doing: Doing) -> str | None:
    missing = doing.args.get("level") == 1 and not doing.case.parties.contractors and not _said(doing, "organisation")
    return "this lift has no contractor: say which organisation, or order level 2" if missing else None


def _competent(doing: Doing) -> str | None:
    """He is there himself, or he says by whose word."""
    level = int(doing.args.get("level") or 0)
    there = level > 0 and doing.case.leg(level).organisation in doing.who.responds
    if _said(doing, "competent") or (there and doing.who.competent):
        return None
    return "only a competent person on site ends an alarm: say in competent who that is"


def _outcome_of(*allowed: str, needed: bool = False) -> Callable[[Doing], str | None]:
    def check(doing: Doing) -> str | None:
        found = _said(doing, "outcome")
        return None if found in allowed or (not found and not needed) else f"outcome is one of {', '.join(allowed)}"

    return check


def _no_rescue(doing: Doing) -> str | None:
    why = _outcome_of(*steps.NO_RESCUE, needed=True)(doing)
    return why or (None if _said(doing, "note") else "say in note how you know")


def _cause(doing: Doing, *, needed: bool = True) -> str | None:
    found = _said(doing, "cause")
    return (
        None
        if found in CAUSE_NAMES or (not found and not needed)
        else f"cause is one of {', '.join(sorted(CAUSE_NAMES))}"
    )


def _call_back(doing: Doing) -> str | None:
    made = doing.args.get("done", True)
    return None if made or _said(doing, "note") else "say in note why it was not made"


def _end(doing: Doing) -> str | None:
    """Nothing is closed with a loose end."""
    case = doing.case
    outcome = _said(doing, "outcome") or case.outcome or ""
    if outcome not in OUTCOMES_OF[case.kind]:
        return f"outcome is one of {', '.join(OUTCOMES_OF[case.kind])}"
    if not _said(doing, "note") and (case.active or (outcome == "false_alarm" and case.outcome != outcome)):
        return "say in note why: it is still going on, or how you know that it is a false alarm"
    why = _freed(case, outcome) if case.kind == "trapped" else None
    if why or outcome in steps.NO_RESCUE or case.kind == "gateway_silent":
        return why
    known = bool(case.cause) or outcome == "no_fault_found" or case.kind == "other"
    return _cause(doing, needed=not known)


def _freed(case: Case, outcome: str) -> str | None:
    """Who was shut in is out and was called back, or nobody was; and the car has been told."""
    idle = case.outcome in steps.NO_RESCUE
    if (outcome in steps.NO_RESCUE) != idle:
        return f"what came of it is {case.outcome}"
    if not idle and case.call_back is None:
        return "the call-back is missing: say call_back, with done false and a reason where none can be made"
    if case.end_of_alarm is None or not case.end_of_alarm.over:
        return (
            "the car is still being told that the alarm is ended: within seconds, or it is given up after some minutes"
        )
    return None


CHECKS: dict[str, Callable[[Doing], str | None]] = {
    "note": _needs_text("note"),
    "reason": _needs_text("reason"),
    "shelf_end": _shelf_end,
    "persons": _persons,
    "comfort": _comfort,
    "unit": _unit,
    "competent": _competent,
    "released": _outcome_of("released", "self_released"),
    "mended": _outcome_of("mended", "no_fault_found"),
    "no_rescue": _no_rescue,
    "cause": _cause,
    "cause_known": lambda doing: _cause(doing, needed=False),
    "call_back": _call_back,
    "end": _end,
}
