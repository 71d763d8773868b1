"""Routes of passkeys, called by the script of the sign-in and the account page."""

import urllib.parse
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from cloud.accounts import passkeys
from cloud.accounts.access import Config, Db, From, Now, Public, Requires
from cloud.accounts.models import Person
from cloud.accounts.pages import Somebody, let_in, local, see
from cloud.accounts.passkeys import Place
from cloud.accounts.schemas import Body
from cloud.accounts.scope import Scope

router = APIRouter(include_in_schema=False)

Myself = Annotated[Scope, Depends(Requires("signed_in", people=True))]


class Credential(Body):
    """What the browser made of the options, with the token that came with them."""

    ceremony: Annotated[str, Field(max_length=100)]
    credential: dict[str, Any]
    name: Annotated[str, Field(max_length=80)] = ""
    next: Annotated[str, Field(max_length=500)] = "/"


def place_of(request: Request, settings: Config) -> Place:
    """Our origin and host to this browser: the public ones, or on loopback those that it asked for."""
    origin = settings.origin or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return Place(origin, urllib.parse.urlsplit(origin).hostname or "localhost")


Here = Annotated[Place, Depends(place_of)]


@router.post("/account/passkeys/begin")
async def begin_adding(session: Db, now: Now, scope: Myself, place: Here) -> dict[str, Any]:
    """Options to make a passkey with."""
    person = await session.get_one(Person, scope.actor.id)
    token, options = await passkeys.begin_adding(session, now, person, place)
    await session.commit()
    return {"ceremony": token, "options": options}


@router.post("/account/passkeys", status_code=201)
async def add(session: Db, now: Now, scope: Myself, place: Here, body: Credential) -> dict[str, str]:
    """Keep the passkey that was made."""
    key = await passkeys.add(session, now, scope, place, body.ceremony, body.credential, body.name)
    await session.commit()
    return {"id": key.id}


@router.post("/account/passkeys/{key}/remove")
async def remove(session: Db, now: Now, scope: Somebody, key: str) -> Response:
    """Forget one."""
    await passkeys.remove(session, now, scope, key)
    await session.commit()
    return see("/account")


@router.post("/sign-in/passkey/begin", dependencies=[Depends(Public())])
async def begin_signing_in(request: Request, session: Db, now: Now, client: From, place: Here) -> dict[str, Any]:
    """Options to sign in with."""
    await request.app.state.limiter.attempt(client.ip)
    token, options = await passkeys.begin_signing_in(session, now, place)
    await session.commit()
    return {"ceremony": token, "options": options}


@router.post("/sign-in/passkey", dependencies=[Depends(Public())])
async def sign_in(
    request: Request, session: Db, now: Now, client: From, place: Here, settings: Config, body: Credential
) -> Response:
    """Take the signed challenge; the cookie comes with where to go on to."""
    await request.app.state.limiter.attempt(client.ip)
    person = await passkeys.sign_in(session, now, place, body.ceremony, body.credential, client)
    let = await let_in(session, now, person, "passkey", client, settings, body.next)
    answer = JSONResponse({"next": local(body.next)})
    for value in let.headers.getlist("set-cookie"):
        answer.headers.append("set-cookie", value)
    return answer
