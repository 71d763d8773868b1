"""Kinds of organisations, their roles, and what each role may do: one table, known to no database and no route."""

from typing import Literal, get_args

Kind = Literal["platform", "contractor", "regulator", "rescue_centre", "owner", "property_manager"]
Role = Literal["administrator", "auditor", "dispatcher", "technician", "inspector", "viewer"]
Permission = Literal[
    "lifts.read",  # lifts, their incidents, history, gateways and the live stream
    "cases.work",  # say steps of cases of one's own lifts, and of those that one's organisation was sent to
    "cases.desk",  # say all steps of them: orders, calls, the end
    "lifts.assign",  # to organisations and a district
    "organisations.manage",
    "people.manage",  # of the organisations in which one has the role
    "tokens.manage",  # likewise
    "channels.manage",  # by which organisations are told; likewise
    "gateways.manage",  # tokens of gateways
    "audit.read",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

# Organisations of these kinds see the lifts of their districts; the others those that name them.
BY_DISTRICT: frozenset[Kind] = frozenset(("regulator", "rescue_centre"))

_READ: tuple[Permission, ...] = ("lifts.read",)
_OWN: tuple[Permission, ...] = ("lifts.read", "people.manage", "tokens.manage", "channels.manage")
_WORK: tuple[Permission, ...] = ("cases.work",)
_DESK: tuple[Permission, ...] = ("cases.work", "cases.desk")
# Of the rows that one sees: a role that is narrowed to a district may do these there.
BY_ROW: frozenset[Permission] = frozenset(("lifts.read", "cases.work", "cases.desk"))

ROLES: dict[Kind, dict[Role, tuple[Permission, ...]]] = {
    "platform": {"administrator": PERMISSIONS, "auditor": ("audit.read",), "viewer": _READ},
    "contractor": {
        "administrator": _OWN + _WORK,
        "dispatcher": _READ + _WORK,
        "technician": _READ + _WORK,
        "viewer": _READ,
    },
    "regulator": {"administrator": _OWN, "inspector": _READ, "viewer": _READ},
    "rescue_centre": {"administrator": _OWN + _DESK, "dispatcher": _READ + _DESK, "viewer": _READ},
    "owner": {"administrator": _OWN, "viewer": _READ},
    "property_manager": {"administrator": _OWN, "viewer": _READ},
}


def permissions(kind: str, role: str) -> tuple[Permission, ...]:
    """What `role` in an organisation of `kind` may do; nothing where the table has no such pair."""
    for known, roles in ROLES.items():
        if known == kind:
            for name, found in roles.items():
                if name == role:
                    return found
    return ()
