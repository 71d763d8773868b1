"""Shapes of whose a lift is."""

from typing import Annotated

from pydantic import BaseModel, Field

from cloud.accounts.schemas import Body, District
from cloud.lifts.models import Lift

Id = Annotated[str, Field(max_length=16, description="id of an organisation; empty = nobody's")]


class Responsible(BaseModel):
    """An organisation that a lift names."""

    id: str
    name: str


class LiftAssignment(BaseModel):
    """Whose a lift is, and which gateway tells of it."""

    lift: str
    gateway: str
    contractor: Responsible | None
    owner: Responsible | None
    manager: Responsible | None
    district: str

    @classmethod
    def of(cls, row: Lift, names: dict[str, str]) -> "LiftAssignment":
        """From its row and the names of organisations."""

        def responsible(id: str | None) -> Responsible | None:
            return None if id is None else Responsible(id=id, name=names.get(id, ""))

        return cls(
            lift=row.id, gateway=row.gateway, contractor=responsible(row.contractor), owner=responsible(row.owner),
            manager=responsible(row.manager), district=row.district,
        )  # fmt: skip


class LiftAssignmentChange(Body):
    """Whose it is from now on, all of it; `gateway` only to move it to another gateway."""

    contractor: Id = ""
    owner: Id = ""
    manager: Id = ""
    district: District = ""
    gateway: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,32}$")] = None
