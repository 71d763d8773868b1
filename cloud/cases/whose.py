"""Whose a case is and what each may do in it: the scope's word said of cases. Pure; `cloud.cases.filters` says the same in SQL."""

from collections.abc import Iterable
from dataclasses import dataclass

from cloud.accounts.roles import BY_DISTRICT
from cloud.accounts.scope import NOBODYS, Assignment, Grant
from cloud.cases.state import By, Case, Who

OFFICE = frozenset(("administrator", "dispatcher"))


@dataclass(frozen=True)
class Whose:
    """What a case is about, by assignments: of its lift, of all lifts of its gateway, or of a call nothing but the district.

    `units`: organisations that were sent; they see it whatever else they see. A role that is narrowed to a district does so there.
    """

    assignments: tuple[Assignment, ...]
    district: str = ""
    of_call: bool = False
    units: frozenset[str] = frozenset()


def covers(grant: Grant, whose: Whose) -> bool:
    """The grant sees it by its lift, its gateway, or where the call came from."""
    if whose.of_call:
        return _covers_call(grant, whose.district)
    return any(grant.covers(found) for found in whose.assignments or (NOBODYS,))


def _covers_call(grant: Grant, district: str) -> bool:
    """A call about no known lift is the desk's; without a district that of any desk."""
    if not grant.may("lifts.read") or not district.startswith(grant.district):
        return False
    if grant.kind == "platform":
        return True
    if grant.kind not in BY_DISTRICT:
        return False
    if not district:
        return grant.kind == "rescue_centre"
    return any(code != "" and district.startswith(code) for code in grant.area)


def was_sent(grant: Grant, whose: Whose) -> bool:
    """Its organisation was sent there, and the role may work in that district."""
    there = whose.district.startswith(grant.district)
    return there and grant.organisation in whose.units and grant.may("cases.work")


def sees(grants: Iterable[Grant], whose: Whose) -> bool:
    """One of them may see it."""
    return any(covers(grant, whose) or was_sent(grant, whose) for grant in grants)


def who(grants: Iterable[Grant], by: By, case: Case, whose: Whose, *, person: bool = True) -> Who:
    """What somebody with these grants is in this case. Without a rescue desk a contractor's own office does its work.

    `by` gets the organisation that he says it for.
    """
    work = [grant for grant in grants if grant.may("cases.work") and (was_sent(grant, whose) or covers(grant, whose))]
    responds = frozenset(grant.organisation for grant in work)
    ours = frozenset(case.parties.contractors)
    desks = [
        grant
        for grant in work
        if (grant.may("cases.desk") and covers(grant, whose))
        or (not case.parties.desk and grant.organisation in ours and grant.role in OFFICE)
    ]
    sent = frozenset(leg.organisation for leg in case.legs if leg.organisation)
    first = [grant for grant in work if grant.organisation in sent | ours] or desks or work
    by = By(by.id, by.name, first[0].organisation if first else "", "", by.at_ms)
    competent = person and any(grant.role == "technician" for grant in work)
    return Who(by, bool(desks), responds, competent)
