"""Tables of organisations, people, what they may, and how they prove who they are. Secrets are there as hashes only."""

import secrets

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cloud.database import Base


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(8)


class Organisation(Base):
    """A contractor, a regulator, a rescue centre, an owner, a property manager, or whoever runs this installation."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120), unique=True)
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    districts: Mapped[list["OrganisationDistrict"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="OrganisationDistrict.code"
    )


class OrganisationDistrict(Base):
    """A district of a regulator or a rescue centre; a code stands for all that begin with it."""

    __tablename__ = "organisation_district"

    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(12), primary_key=True)


class Person(Base):
    """Somebody who signs in. Without a password hash he has none, and comes in by a one-time link, a passkey or OIDC."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    sign_in_name: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(32), default="")
    language: Mapped[str] = mapped_column(String(2), default="zh")
    password_hash: Mapped[str | None] = mapped_column(String(256))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    locked_until_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    memberships: Mapped[list["Membership"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Membership.id"
    )


class Membership(Base):
    """A role of a person in an organisation; `district` narrows it, empty does not."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("person", "organisation", "role", "district", name="membership_once"),
        Index("membership_organisation", "organisation"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"))
    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str] = mapped_column(String(16))
    district: Mapped[str] = mapped_column(String(12), default="")
    of: Mapped[Organisation] = relationship(lazy="raise", viewonly=True)


class Session(Base):
    """A signed-in browser. The cookie holds the token, this its SHA-256; deleting the row signs it out."""

    __tablename__ = "session"
    __table_args__ = (Index("session_person", "person"), Index("session_end", "ends_at_ms"))

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"))
    method: Mapped[str] = mapped_column(String(16))
    ip: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(200))
    begun_at_ms: Mapped[int] = mapped_column(BigInteger)
    used_at_ms: Mapped[int] = mapped_column(BigInteger)
    ends_at_ms: Mapped[int] = mapped_column(BigInteger)


class OneTimeLink(Base):
    """A link that lets one person in once: to set a password, or to sign in."""

    __tablename__ = "one_time_link"
    __table_args__ = (Index("one_time_link_person", "person"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    ends_at_ms: Mapped[int] = mapped_column(BigInteger)


class Token(Base):
    """A machine's token: of one gateway, or of one role in one organisation for the API. Only its SHA-256 is here."""

    __tablename__ = "token"
    __table_args__ = (Index("token_organisation", "organisation"), Index("token_gateway", "gateway"))

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    gateway: Mapped[str | None] = mapped_column(String(32))
    organisation: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str] = mapped_column(String(16), default="")
    district: Mapped[str] = mapped_column(String(12), default="")
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    ends_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    used_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    of: Mapped[Organisation | None] = relationship(lazy="raise", viewonly=True)


class Passkey(Base):
    """A WebAuthn credential of a person; the public key only. `sign_count` finds a cloned one."""

    __tablename__ = "passkey"
    __table_args__ = (Index("passkey_person", "person"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id)
    credential: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(2048))
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(120))
    made_at_ms: Mapped[int] = mapped_column(BigInteger)
    used_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class ExternalIdentity(Base):
    """A person as an OpenID provider knows him. Who is not listed here does not get in by it."""

    __tablename__ = "external_identity"

    issuer: Mapped[str] = mapped_column(String(200), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    made_at_ms: Mapped[int] = mapped_column(BigInteger)


class Ceremony(Base):
    """A sign-in that is half done: the challenge of a passkey, or state, nonce and verifier of an OpenID provider."""

    __tablename__ = "ceremony"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    secret: Mapped[str] = mapped_column(String(600))
    person: Mapped[str | None] = mapped_column(String(16))
    ends_at_ms: Mapped[int] = mapped_column(BigInteger)


class AccessChange(Base):
    """One row that counts changes of who may see what: open streams look at it, also for what another process changed."""

    __tablename__ = "access_change"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
