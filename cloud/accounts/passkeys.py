"""Passkeys of people: registered while signed in, then a way in without a password. The library judges, rows remember."""

import json
from dataclasses import dataclass
from typing import Any

import webauthn
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from cloud.accounts import ceremonies
from cloud.accounts.errors import Refused
from cloud.accounts.models import Passkey, Person
from cloud.accounts.scope import Actor, Scope
from cloud.accounts.sessions import Client
from cloud.audit import service as audit

MOST = 20


@dataclass(frozen=True)
class Place:
    """Where we are to a browser: its origin, and the host that passkeys are bound to."""

    origin: str
    host: str


async def of_person(session: AsyncSession, person: str) -> list[Passkey]:
    """His passkeys, oldest first."""
    query = select(Passkey).where(Passkey.person == person).order_by(Passkey.made_at_ms, Passkey.id)
    return list((await session.scalars(query)).all())


async def begin_adding(session: AsyncSession, now_ms: int, person: Person, place: Place) -> tuple[str, dict[str, Any]]:
    """(token of the ceremony, options for the browser)."""
    held = await of_person(session, person.id)
    if len(held) >= MOST:
        raise Refused("passkeys_many", f"{MOST} passkeys are the most; remove one first")
    options = webauthn.generate_registration_options(
        rp_id=place.host, rp_name="Liftwatch", user_id=person.id.encode(), user_name=person.sign_in_name,
        user_display_name=person.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key.credential) for key in held],
    )  # fmt: skip
    token = await ceremonies.begin(session, now_ms, "passkey_add", bytes_to_base64url(options.challenge), person.id)
    return token, json.loads(webauthn.options_to_json(options))


async def add(
    session: AsyncSession, now_ms: int, scope: Scope, place: Place, token: str, credential: dict[str, Any], name: str
) -> Passkey:
    """Take what the browser made of the options; Refused where it does not fit."""
    begun = await ceremonies.use(session, now_ms, "passkey_add", token)
    if begun is None or begun.person != scope.actor.id:
        raise Refused("passkey_failed", "this was not begun, took too long, or was used already")
    try:
        found = webauthn.verify_registration_response(
            credential=credential, expected_challenge=base64url_to_bytes(begun.secret), expected_rp_id=place.host,
            expected_origin=place.origin, require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Refused("passkey_failed", f"the passkey was not accepted: {error}"[:200]) from error
    if await session.scalar(select(Passkey.id).where(Passkey.credential == found.credential_id)) is not None:
        raise Refused("passkey_failed", "this passkey is there already")
    key = Passkey(
        credential=found.credential_id, person=scope.actor.id, public_key=found.credential_public_key,
        sign_count=found.sign_count, name=audit.clean(name.strip(), 80) or "passkey", made_at_ms=now_ms,
    )  # fmt: skip
    session.add(key)
    await session.flush()
    await audit.write(session, now_ms, scope, "passkey.made", f"person:{scope.actor.id}", passkey=key.id)
    return key


async def remove(session: AsyncSession, now_ms: int, scope: Scope, id: str) -> None:
    """Remove one of one's own; nothing happens to one of anybody else."""
    query = delete(Passkey).where(Passkey.id == id, Passkey.person == scope.actor.id)
    if await session.scalar(query.returning(Passkey.id)) is not None:
        await audit.write(session, now_ms, scope, "passkey.removed", f"person:{scope.actor.id}", passkey=id)


async def begin_signing_in(session: AsyncSession, now_ms: int, place: Place) -> tuple[str, dict[str, Any]]:
    """(token of the ceremony, options): the browser offers what it has for this host, nobody's name is asked."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host, user_verification=UserVerificationRequirement.REQUIRED
    )
    token = await ceremonies.begin(session, now_ms, "passkey_use", bytes_to_base64url(options.challenge))
    return token, json.loads(webauthn.options_to_json(options))


async def sign_in(
    session: AsyncSession, now_ms: int, place: Place, token: str, credential: dict[str, Any], client: Client
) -> Person:
    """The person whose passkey has signed the challenge; Refused, and in the audit log, where none has."""
    begun = await ceremonies.use(session, now_ms, "passkey_use", token)
    await session.commit()  # used once, whatever comes of it
    key, person, why = None, None, "the challenge is unknown or too old"
    try:
        if begun is not None:
            raw = base64url_to_bytes(str(credential["rawId"]))
            query = select(Passkey, Person).join(Person, Person.id == Passkey.person)
            row = (await session.execute(query.where(Passkey.credential == raw))).one_or_none()
            why = "unknown passkey, or inactive"
            if row is not None and row[1].active:
                key, person = row
                verified = webauthn.verify_authentication_response(
                    credential=credential, expected_challenge=base64url_to_bytes(begun.secret),
                    expected_rp_id=place.host, expected_origin=place.origin, credential_public_key=key.public_key,
                    credential_current_sign_count=key.sign_count, require_user_verification=True,
                )  # fmt: skip
                used = {"sign_count": verified.new_sign_count, "used_at_ms": now_ms}
                await session.execute(update(Passkey).where(Passkey.id == key.id).values(**used))
                return row[1]
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        why = str(error)
    nobody = Actor("nobody", "", "", client.ip, client.request)
    of = f"person:{person.id}" if person is not None else ""
    await audit.write(session, now_ms, nobody, "sign_in.refused", of, why=f"passkey: {why}"[:200])
    await session.commit()
    raise Refused("passkey_failed", "the passkey was not accepted; try again, or use the password")
