"""Who sees which cases, as conditions in SQL: what `cloud.cases.whose` says of one case, said of all rows. Every query of cases goes through here."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.roles import BY_DISTRICT
from cloud.accounts.scope import Grant, Scope
from cloud.cases.models import CaseRow, CaseUnit
from cloud.lifts import filters as lift_filters
from cloud.lifts.models import Lift

FEW_LIFTS = 100


def visible(scope: Scope) -> ColumnElement[bool]:
    """True for the cases that `scope` covers."""
    if scope.everywhere:
        return true()
    lifts = lift_filters.visible(scope)
    of_lift = exists().where(Lift.id == CaseRow.lift, lifts)
    of_gateway = and_(CaseRow.lift == "", CaseRow.gateway.in_(select(Lift.gateway).where(lifts)))
    return or_(of_lift, of_gateway, _of_call(scope), _of_unit(scope))


async def visible_in_lists(session: AsyncSession, scope: Scope) -> ColumnElement[bool]:
    """The same. Of few lifts each one's newest are looked up; of many the newest of all are walked until enough fit."""
    if scope.everywhere:
        return true()
    lifts = lift_filters.visible(scope)
    found = (await session.execute(select(Lift.id, Lift.gateway).where(lifts).limit(FEW_LIFTS + 1))).all()
    if len(found) > FEW_LIFTS:
        return visible(scope)
    of_lift = CaseRow.lift.in_([id for id, _ in found])
    of_gateway = and_(CaseRow.lift == "", CaseRow.gateway.in_({gateway for _, gateway in found}))
    return or_(of_lift, of_gateway, _of_call(scope), _of_unit(scope))


def _of_unit(scope: Scope) -> ColumnElement[bool]:
    sent: dict[str, set[str]] = {}
    for grant in scope.grants:
        if grant.may("cases.work"):
            sent.setdefault(grant.district, set()).add(grant.organisation)
    return or_(false(), *(_sent(district, ids) for district, ids in sorted(sent.items())))


def _sent(district: str, organisations: set[str]) -> ColumnElement[bool]:
    found = CaseRow.id.in_(select(CaseUnit.case).where(CaseUnit.organisation.in_(organisations)))
    return and_(found, _begins(district)) if district else found


def _of_call(scope: Scope) -> ColumnElement[bool]:
    wanted = [_by_grant(grant) for grant in sorted(scope.audience, key=repr)]
    return and_(CaseRow.lift == "", CaseRow.gateway == "", or_(false(), *wanted))


def _by_grant(grant: Grant) -> ColumnElement[bool]:
    within = _begins(grant.district) if grant.district else true()
    if grant.kind == "platform":
        return within
    if grant.kind not in BY_DISTRICT:
        return false()
    area = [_begins(code) for code in grant.area if code]
    anywhere = CaseRow.district == "" if grant.kind == "rescue_centre" else false()
    return and_(within, or_(false(), anywhere, *area))


def _begins(code: str) -> ColumnElement[bool]:
    return CaseRow.district.startswith(code, autoescape=True)
