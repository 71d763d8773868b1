"""The scope as conditions in SQL: what `Scope.covers` says of one lift, said of all rows. Every query of lifts goes through here."""

from sqlalchemy import ColumnElement, and_, false, or_, true

from cloud.accounts.scope import Grant, Scope
from cloud.lifts.models import Lift


def visible(scope: Scope) -> ColumnElement[bool]:
    """True for the lifts that `scope` covers."""
    if scope.everywhere:
        return true()
    return or_(false(), *(_covered(grant) for grant in sorted(scope.audience, key=repr)))


def _covered(grant: Grant) -> ColumnElement[bool]:
    found = _of_organisation(grant)
    return and_(found, _within(grant.district)) if grant.district else found


def _of_organisation(grant: Grant) -> ColumnElement[bool]:
    if grant.kind == "platform":
        if grant.role == "administrator":
            return true()
        return or_(
            Lift.contractor.is_not(None), Lift.owner.is_not(None), Lift.manager.is_not(None), Lift.district != ""
        )
    if grant.kind == "contractor":
        return Lift.contractor == grant.organisation
    if grant.kind == "owner":
        return Lift.owner == grant.organisation
    if grant.kind == "property_manager":
        return Lift.manager == grant.organisation
    return or_(false(), *(_within(code) for code in grant.area if code))


def _within(code: str) -> ColumnElement[bool]:
    """The district begins with `code`. Not as a range: what sorts between two texts differs with a database's collation."""
    return Lift.district.startswith(code, autoescape=True)
