"""Shapes of lift records as gateways tell them, and of whose a lift is."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud.accounts.schemas import Body, District, example
from cloud.lifts.models import Lift

Id = Annotated[str, Field(max_length=16, description="id of an organisation; empty = nobody's")]


class ToldLift(BaseModel):
    """A lift's record as its gateway tells it. What we do not know of it is left out; lengths and highest numbers are ours."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    name: Annotated[str, Field(max_length=120)] = ""
    site: Annotated[str, Field(max_length=32)] = ""
    address: Annotated[str, Field(max_length=200)] = ""
    rescue_code: Annotated[str, Field(pattern=r"^([0-9]{6})?$")] = ""
    registration_code: Annotated[str, Field(max_length=40)] = ""
    stops: Annotated[int, Field(ge=1, le=200)] = 6
    doors: Annotated[int, Field(ge=1, le=2)] = 1
    rated_speed_mm_s: Annotated[int, Field(ge=1, le=20_000)] = 1000
    latitude_deg: Annotated[float | None, Field(ge=-90, le=90)] = None
    longitude_deg: Annotated[float | None, Field(ge=-180, le=180)] = None
    floor_pitch_mm: Annotated[int, Field(ge=1, le=100_000)] = 2900
    floor_levels_mm: Annotated[list[Annotated[int, Field(ge=0, le=1_000_000)]], Field(max_length=200)] = []
    floor_names: Annotated[list[Annotated[str, Field(max_length=16)]], Field(max_length=200)] = []


def told_lift(found: dict[str, Any]) -> tuple[ToldLift | None, list[str]]:
    """A record, and the names of its fields that cannot be used: these are as if not told. None without a usable id."""
    try:
        return ToldLift.model_validate(found), []
    except ValidationError as error:
        wrong = sorted({str(entry["loc"][0]) for entry in error.errors() if entry["loc"]})
    if "id" in wrong:
        return None, wrong
    return ToldLift.model_validate({name: value for name, value in found.items() if name not in wrong}), wrong


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

    model_config = example(contractor="6b1c0f5e9a2d4477", district="330106")

    contractor: Id = ""
    owner: Id = ""
    manager: Id = ""
    district: District = ""
    gateway: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,32}$")] = None
