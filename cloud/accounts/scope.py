"""Who asks, and which rows are his: role × organisation × district as one value that every read takes. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from cloud.accounts.roles import BY_ROW, Permission, permissions


@dataclass(frozen=True)
class Assignment:
    """Whose a lift is. Empty = nobody's; `district` is a code of the national list of divisions, or a longer one below it."""

    contractor: str = ""
    owner: str = ""
    manager: str = ""
    district: str = ""

    def any(self) -> bool:
        """It is somebody's."""
        return bool(self.contractor or self.owner or self.manager or self.district)


NOBODYS = Assignment()


@dataclass(frozen=True)
class Grant:
    """One role in one organisation. `area` are the organisation's districts, `district` narrows this grant alone."""

    organisation: str
    kind: str
    role: str
    area: tuple[str, ...] = ()
    district: str = ""

    def may(self, permission: Permission) -> bool:
        """The role allows it."""
        return permission in permissions(self.kind, self.role)

    def covers(self, lift: Assignment) -> bool:
        """A lift of this assignment may be read. `cloud.lifts.filters` says the same in SQL."""
        if not self.may("lifts.read") or not lift.district.startswith(self.district):
            return False
        if self.kind == "platform":
            return self.role == "administrator" or lift.any()
        if self.kind == "contractor":
            return lift.contractor == self.organisation
        if self.kind == "owner":
            return lift.owner == self.organisation
        if self.kind == "property_manager":
            return lift.manager == self.organisation
        return any(code != "" and lift.district.startswith(code) for code in self.area)


@dataclass(frozen=True)
class Actor:
    """Who it is: a person, a machine's token, whoever has a shell on the server, or the cloud by itself (a clock of its own ran out)."""

    kind: Literal["person", "token", "shell", "cloud", "nobody"]
    id: str = ""
    name: str = ""
    ip: str = ""
    request: str = ""


@dataclass(frozen=True)
class Scope:
    """An actor and his grants. A row that none of them covers does not exist for him."""

    actor: Actor
    grants: tuple[Grant, ...] = ()
    session: str = ""
    audience: frozenset[Grant] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "audience", frozenset(grant for grant in self.grants if grant.may("lifts.read")))

    def may(self, permission: Permission) -> bool:
        """Any of his roles allows it. One that is narrowed to a district reads and works on cases there, and manages nothing."""
        return any(grant.may(permission) and (permission in BY_ROW or not grant.district) for grant in self.grants)

    def covers(self, lift: Assignment) -> bool:
        """A lift of this assignment may be read."""
        return any(grant.covers(lift) for grant in self.grants)

    @property
    def everywhere(self) -> bool:
        """He administers the platform, whole."""
        return any(g.kind == "platform" and g.role == "administrator" and not g.district for g in self.grants)

    def organisations(self, permission: Permission) -> frozenset[str]:
        """The organisations in which he may; `everywhere` means all beside these."""
        return frozenset(grant.organisation for grant in self.grants if grant.may(permission) and not grant.district)

    def may_in(self, permission: Permission, organisation: str) -> bool:
        """He may do it in that organisation."""
        return self.everywhere or organisation in self.organisations(permission)
