"""Shapes of organisations, people, roles, tokens and sessions in the API. Secrets are in an answer once: when they are made."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud.accounts.models import Membership as MembershipRow
from cloud.accounts.models import Organisation as OrganisationRow
from cloud.accounts.models import Person as PersonRow
from cloud.accounts.roles import Kind, Permission, Role

Name = Annotated[str, Field(min_length=1, max_length=120, examples=["安达电梯维保有限公司"])]
Phone = Annotated[str, Field(max_length=32, pattern=r"^[0-9+ ()-]*$", examples=["+86 571 8000 1234"])]
District = Annotated[
    str,
    Field(
        max_length=12, pattern=r"^([0-9]{2,12})?$", examples=["330106"],
        description="code of the national list of divisions, or longer; one stands for all that begin with it; empty = none",
    ),
]  # fmt: skip
Language = Literal["zh", "en"]


class Body(BaseModel):
    """A body sent to us: unknown names are an error."""

    model_config = ConfigDict(extra="forbid")


def example(**values: Any) -> ConfigDict:
    """The `model_config` of a body that shows how it looks."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class Organisation(BaseModel):
    """An organisation and, for regulators and rescue centres, its districts."""

    id: str
    kind: Kind
    name: str
    districts: list[str]

    @classmethod
    def of(cls, row: OrganisationRow) -> "Organisation":
        """From its row."""
        return cls.model_validate(
            {"id": row.id, "kind": row.kind, "name": row.name, "districts": [d.code for d in row.districts]}
        )


class OrganisationCreate(Body):
    """A new organisation."""

    model_config = example(kind="rescue_centre", name="杭州 96333", districts=["3301"])

    kind: Literal["contractor", "regulator", "rescue_centre", "owner", "property_manager"]
    name: Name
    districts: Annotated[list[District], Field(max_length=200)] = []


class OrganisationChange(Body):
    """What is left out stays."""

    model_config = example(districts=["330106", "330108"])

    name: Name | None = None
    districts: Annotated[list[District], Field(max_length=200)] | None = None


class Membership(BaseModel):
    """A role in an organisation; `district` narrows it."""

    id: str
    organisation: str
    organisation_name: str
    kind: Kind
    role: Role
    district: str

    @classmethod
    def of(cls, row: MembershipRow) -> "Membership":
        """From its row."""
        return cls.model_validate(
            {
                "id": row.id, "organisation": row.organisation, "organisation_name": row.of.name, "kind": row.of.kind,
                "role": row.role, "district": row.district,
            }
        )  # fmt: skip


class MembershipCreate(Body):
    """A role to give."""

    model_config = example(organisation="6b1c0f5e9a2d4477", role="technician", district="330106")

    organisation: Annotated[str, Field(max_length=16)]
    role: Role
    district: District = ""


class Person(BaseModel):
    """Somebody who signs in. Personal data: each read of it is in the audit log."""

    id: str
    sign_in_name: str
    name: str
    phone: str
    language: Language
    active: bool
    has_password: bool
    locked_until_ms: int
    memberships: list[Membership]

    @classmethod
    def of(cls, row: PersonRow, memberships: list[MembershipRow]) -> "Person":
        """From the row, with those memberships that the reader may see."""
        return cls(
            id=row.id, sign_in_name=row.sign_in_name, name=row.name, phone=row.phone,
            language="en" if row.language == "en" else "zh", active=row.active,
            has_password=row.password_hash is not None, locked_until_ms=row.locked_until_ms,
            memberships=[Membership.of(m) for m in memberships],
        )  # fmt: skip


class PersonCreate(MembershipCreate):
    """A new person and a first role. He comes in by a one-time link, which is made apart."""

    model_config = example(
        sign_in_name="li.na", name="李娜", phone="13800000000", organisation="6b1c0f5e9a2d4477", role="technician"
    )

    sign_in_name: Annotated[str, Field(min_length=1, max_length=64, examples=["li.na"])]
    name: Name
    phone: Phone = ""
    language: Language = "zh"


class PersonChange(Body):
    """What is left out stays."""

    model_config = example(phone="13800000000", active=True)

    name: Name | None = None
    phone: Phone | None = None
    language: Language | None = None
    active: bool | None = None


class LinkCreate(Body):
    """Which kind of one-time link."""

    model_config = example(purpose="sign_in")

    purpose: Literal["set_password", "sign_in"] = "set_password"


class Link(BaseModel):
    """A one-time link: shown now and never again."""

    url: str
    ends_at_ms: int


class Me(BaseModel):
    """Who asks, and what he may do."""

    kind: Literal["person", "token"]
    id: str
    name: str
    language: Language | None
    permissions: list[Permission]
    memberships: list[Membership]


class Session(BaseModel):
    """A signed-in browser."""

    id: str
    method: str
    ip: str
    agent: str
    begun_at_ms: int
    used_at_ms: int
    ends_at_ms: int
    this: bool


class Token(BaseModel):
    """A machine's token, without its text."""

    id: str
    name: str
    gateway: str | None
    organisation: str | None
    role: str
    district: str
    made_at_ms: int
    ends_at_ms: int | None
    used_at_ms: int | None


class TokenCreate(Body):
    """A token for the API."""

    model_config = example(name="report", organisation="6b1c0f5e9a2d4477", role="viewer", days=90)

    name: Name
    organisation: Annotated[str, Field(max_length=16)]
    role: Role = "viewer"
    district: District = ""
    days: Annotated[int | None, Field(ge=1, le=3650, description="its life; null = until it is revoked")] = 365


class GatewayTokenCreate(Body):
    """A token for one gateway."""

    model_config = example(gateway="hefang-yuan")

    gateway: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$", examples=["hefang-yuan"])]
    name: Annotated[str, Field(max_length=120)] = ""


class TokenMade(Token):
    """A new token with its text: shown now and never again."""

    token: str
