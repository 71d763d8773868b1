"""Shapes of organisations, people, roles, tokens and sessions in the API. Secrets are in an answer once: when they are made."""

from typing import Annotated, Literal

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

    kind: Literal["contractor", "regulator", "rescue_centre", "owner", "property_manager"]
    name: Name
    districts: Annotated[list[District], Field(max_length=200)] = []


class OrganisationChange(Body):
    """What is left out stays."""

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

    sign_in_name: Annotated[str, Field(min_length=1, max_length=64, examples=["li.na"])]
    name: Name
    phone: Phone = ""
    language: Language = "zh"


class PersonChange(Body):
    """What is left out stays."""

    name: Name | None = None
    phone: Phone | None = None
    language: Language | None = None
    active: bool | None = None


class LinkCreate(Body):
    """Which kind of one-time link."""

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

    name: Name
    organisation: Annotated[str, Field(max_length=16)]
    role: Role = "viewer"
    district: District = ""
    days: Annotated[int | None, Field(ge=1, le=3650, description="its life; null = until it is revoked")] = 365


class GatewayTokenCreate(Body):
    """A token for one gateway."""

    gateway: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$", examples=["hefang-yuan"])]
    name: Annotated[str, Field(max_length=120)] = ""


class TokenMade(Token):
    """A new token with its text: shown now and never again."""

    token: str
