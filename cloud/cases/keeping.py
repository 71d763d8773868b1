"""Puts what the machine made of a case into the tables, the outbox, the audit log and the alarm channel, in one transaction."""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from cloud.audit.service import clean
from cloud.cases.clocks import clocks
from cloud.cases.doing import Entry, Order, Tell
from cloud.cases.machine import Result
from cloud.cases.models import CaseEntry, CaseRow, CaseUnit
from cloud.cases.parties import Place, names_of
from cloud.cases.state import Case, to_json
from cloud.lifts.models import Lift
from cloud.live import channel
from cloud.notices.service import Notice, NoticeKind, queue

MOST_NAMES = 8


def subject_of(case: Case) -> str:
    """What it is about: of each there is one open case at most. Empty = a call about no known lift."""
    if case.kind == "gateway_silent":
        return f"silent:{case.gateway}"
    if case.lift:
        return f"lift:{case.lift}"
    return f"gateway:{case.gateway}" if case.gateway else ""


async def keep(
    session: AsyncSession, now_ms: int, row: CaseRow, result: Result, place: Place, said_at_ms: int | None = None
) -> None:
    """Put the new state in place of the one that `row` was read with; StaleDataError if another was quicker."""
    case = result.case
    running = clocks(case)
    row.subject, row.lift, row.gateway = subject_of(case) or row.subject, case.lift, case.gateway
    row.kind, row.phase = case.kind, case.phase
    row.district = place.whose.district
    row.severity, row.outcome, row.cause = case.severity, case.outcome or "", case.cause
    row.closed_at_ms, row.changed_at_ms = case.closed_at_ms, now_ms
    row.next_due_ms = running[0].due_ms if running else None
    row.caller_name, row.caller_phone = (case.caller.name, case.caller.phone) if case.caller else ("", "")
    row.state = {**to_json(case), "caller": None}
    flag_modified(row, "state")
    await session.flush()
    session.add_all(_entry(row.id, now_ms, entry, said_at_ms) for entry in result.entries)
    await _units(session, row.id, result)
    await _tell(session, now_ms, row, result, place)


def new_row(case: Case, subject: str = "") -> CaseRow:
    """The row of a case that is being opened; `subject` of a call about no known lift, so that it is entered once."""
    return CaseRow(opened_at_ms=case.opened_at_ms, subject=subject)


def _entry(case: str, now_ms: int, entry: Entry, said_at_ms: int | None) -> CaseEntry:
    by = entry.who.by
    return CaseEntry(
        case=case, at_ms=now_ms, said_at_ms=said_at_ms if by.id else None, by=by.id, name=clean(by.name, 120),
        organisation=clean(by.organisation_name, 120), step=entry.step, detail=dict(entry.detail),
    )  # fmt: skip


async def _units(session: AsyncSession, case: str, result: Result) -> None:
    sent = {effect.organisation for effect in result.effects if isinstance(effect, Order)}
    if not sent:
        return
    held = set((await session.scalars(select(CaseUnit.organisation).where(CaseUnit.case == case))).all())
    session.add_all(CaseUnit(case=case, organisation=id) for id in sorted(sent - held))


async def _tell(session: AsyncSession, now_ms: int, row: CaseRow, result: Result, place: Place) -> None:
    tells = [effect for effect in result.effects if isinstance(effect, Tell)]
    if not tells:
        return
    case = result.case
    wanted = [(tell, id) for tell in tells for id in dict.fromkeys(_receivers(case, tell.to))]
    names = await names_of(session, (leg.organisation for leg in case.legs))
    lift = case.lift or case.gateway
    severity = 4 if case.kind == "trapped" or case.at_risk else case.severity
    notices = [
        Notice(
            kind=cast(NoticeKind, tell.kind), case=row.id, lift=lift, organisation=id, severity=severity,
            facts={**_facts(row, case, place, id), **_unit(case, tell, names), **tell.facts},
        )
        for tell, id in wanted
    ]  # fmt: skip
    await queue(session, now_ms, notices)


def _receivers(case: Case, parties: Iterable[str]) -> list[str]:
    out: list[str] = []
    for name in parties:
        if name.startswith("leg:"):
            out.append(case.leg(int(name[4:])).organisation)
        elif name == "contractors":
            out += case.parties.contractors
        else:
            out.append(getattr(case.parties, name))
    return [id for id in out if id]


def _facts(row: CaseRow, case: Case, place: Place, organisation: str) -> dict[str, str | int]:
    """What the texts of notices know; of lifts at risk a contractor is told his own alone."""
    lift = place.lift
    own = [
        found
        for found in place.lifts
        if organisation not in case.parties.contractors or found.contractor == organisation
    ]
    at_risk = [_named(found) for found in own if found.id in case.at_risk]
    facts: dict[str, str | int | None] = {
        "number": row.number, "case_kind": case.kind, "since_ms": case.since_ms, "outcome": case.outcome,
        "cause": case.cause, "lift_name": _named(lift) if lift else "", "rescue_code": lift.rescue_code if lift else "",
        "place": case.place or (lift.address if lift else ""), "by": case.acknowledged.name if case.acknowledged else "",
        "event": max(case.incidents.values(), key=lambda fact: fact.severity).kind if case.incidents else "",
        "persons": case.persons.count if case.persons else None, "injured": case.persons.injured if case.persons else None,
    }  # fmt: skip
    if case.kind == "gateway_silent":
        facts |= {
            "gateway": case.gateway, "lifts": len(own), "at_risk": ", ".join(at_risk[:MOST_NAMES]),
        }  # fmt: skip
    return {name: value for name, value in facts.items() if value is not None and value != ""}


def _unit(case: Case, tell: Tell, names: dict[str, str]) -> dict[str, Any]:
    level = tell.facts.get("level")
    if not isinstance(level, int):
        return {}
    leg = case.leg(level)
    found = {"unit": names.get(leg.organisation, ""), "due_ms": leg.arrive_due_ms or leg.answer_due_ms}
    return {name: value for name, value in found.items() if value}


def _named(lift: Lift) -> str:
    return lift.name or lift.id


async def announce(session: AsyncSession, now_ms: int, row: CaseRow) -> int:
    """The entry in the alarm channel, last before the commit; its number is for the push behind it."""
    return await channel.append(session, "case", row.id, row.lift or row.gateway, now_ms)
