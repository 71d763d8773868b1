"""OpenID Connect: sends a browser to a provider and verifies what it brings back. Code flow with PKCE, state and nonce.

The state is bound to the browser by a cookie of its own, so that nobody can finish in another's browser what he began in his.
"""

import json
import secrets
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import ceremonies
from cloud.accounts.errors import AccountError, Conflict, NotThere, Refused
from cloud.accounts.models import ExternalIdentity, Person
from cloud.accounts.scope import Actor, Scope
from cloud.accounts.sessions import Client
from cloud.audit import service as audit
from cloud.settings import OidcProvider

TIMEOUT_S = 8.0
# What a provider tells of itself is asked for again after so long, and its keys when one is not among them.
KNOWN_S = 3600.0
KEYS_AGAIN_S = 30.0
LEEWAY_S = 60
# No "none", and no shared secret that a provider could be made to verify with its public key.
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
SIZE = 1 << 18


class Failed(AccountError):
    """The provider does not answer, or what it answered is not to be believed."""

    status = 502


@dataclass
class Known:
    """What a provider tells of itself."""

    authorize: str
    token: str
    keys_url: str
    keys: jwk.KeySet
    at_s: float
    keys_at_s: float


class Oidc:
    """All configured providers. `now_s` is monotonic."""

    def __init__(self, providers: tuple[OidcProvider, ...], http: httpx.AsyncClient) -> None:
        self.providers = {provider.id: provider for provider in providers}
        self._http = http
        self._known: dict[str, Known] = {}

    def provider(self, id: str) -> OidcProvider:
        """The provider of that id; NotThere."""
        found = self.providers.get(id)
        if found is None:
            raise NotThere("not_there", "there is no such provider")
        return found

    async def _get(self, url: str) -> Any:
        try:
            answer = await self._http.get(url)
            answer.raise_for_status()
            if len(answer.content) > SIZE:
                raise ValueError("too long")
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Failed("oidc_failed", f"{url[:100]} does not answer as a provider does: {error!r}"[:300]) from error

    async def _discover(self, provider: OidcProvider) -> Known:
        known = self._known.get(provider.id)
        if known is None or time.monotonic() - known.at_s >= KNOWN_S:
            found = await self._get(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
            try:
                if found["issuer"] != provider.issuer:
                    raise Failed("oidc_failed", f"{provider.issuer} calls itself {str(found['issuer'])[:100]}")
                names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                authorize, token, keys_url = urls = [str(found[name]) for name in names]
            except (KeyError, TypeError) as error:
                raise Failed("oidc_failed", f"{provider.issuer} tells no {error}") from error
            for url in urls:
                check_secure(url)
            keys = await self._keys(keys_url)
            now_s = time.monotonic()
            known = self._known[provider.id] = Known(authorize, token, keys_url, keys, now_s, now_s)
        return known

    async def _keys(self, url: str) -> jwk.KeySet:
        found = await self._get(url)
        try:
            return jwk.KeySet.import_key_set(found)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Failed("oidc_failed", f"the keys of the provider cannot be read: {error!r}"[:300]) from error

    def _client(self, provider: OidcProvider, redirect: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            provider.client_id, provider.client_secret, scope="openid", redirect_uri=redirect,
            code_challenge_method="S256", timeout=TIMEOUT_S, follow_redirects=False, trust_env=False,
        )  # fmt: skip

    async def begin(
        self, session: AsyncSession, now_ms: int, provider: OidcProvider, redirect: str, next: str
    ) -> tuple[str, str]:
        """(where the browser goes, the token for its cookie)."""
        known = await self._discover(provider)
        kept = {
            "provider": provider.id, "nonce": secrets.token_urlsafe(24), "verifier": secrets.token_urlsafe(48),
            "state": secrets.token_urlsafe(24), "next": next[:200],
        }  # fmt: skip
        async with self._client(provider, redirect) as client:
            url, _ = client.create_authorization_url(
                known.authorize, state=kept["state"], nonce=kept["nonce"], code_verifier=kept["verifier"]
            )
        return str(url), await ceremonies.begin(session, now_ms, "oidc", json.dumps(kept))

    async def finish(
        self,
        session: AsyncSession,
        now_ms: int,
        provider: OidcProvider,
        redirect: str,
        cookie: str,
        query: dict[str, str],
    ) -> tuple[str, str]:
        """(the subject that the provider vouches for, where to go on to). Refused or Failed where anything does not fit."""
        begun = await ceremonies.use(session, now_ms, "oidc", cookie)
        await session.commit()  # used once, whatever comes of it
        kept = json.loads(begun.secret) if begun is not None else {}
        state = query.get("state", "")
        if kept.get("provider") != provider.id or not secrets.compare_digest(kept["state"].encode(), state.encode()):
            raise Refused("oidc_failed", "this was not begun in this browser, took too long, or was used already")
        if "code" not in query:
            raise Refused("oidc_failed", f"the provider says: {query.get('error', 'nothing')[:100]}")
        known = await self._discover(provider)
        try:
            async with self._client(provider, redirect) as client:
                found = await client.fetch_token(
                    known.token, code=query["code"], state=state, code_verifier=kept["verifier"]
                )
            text = str(found["id_token"])
        except (AuthlibBaseError, httpx.HTTPError, KeyError, ValueError) as error:
            raise Failed("oidc_failed", f"the provider gave no identity for the code: {error!r}"[:300]) from error
        return await self._subject(provider, known, text, kept["nonce"], now_ms // 1000), str(kept["next"])

    async def _subject(self, provider: OidcProvider, known: Known, text: str, nonce: str, now_s: int) -> str:
        try:
            try:
                token = jwt.decode(text, known.keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                # The provider may have new keys; a forged token makes us ask for them not more often than that.
                if time.monotonic() - known.keys_at_s < KEYS_AGAIN_S:
                    raise
                known.keys, known.keys_at_s = await self._keys(known.keys_url), time.monotonic()
                token = jwt.decode(text, known.keys, algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(
                now=now_s, leeway=LEEWAY_S,
                iss={"essential": True, "value": provider.issuer}, aud={"essential": True, "value": provider.client_id},
                exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(token.claims)  # fmt: skip
            claims = token.claims
            audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
            if len(audiences) > 1 and claims.get("azp") != provider.client_id:
                raise ValueError("it is for several, and not authorised for us")
            subject = claims["sub"]
            if not isinstance(subject, str) or not 0 < len(subject) <= 200:
                raise ValueError("its subject is no name")
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Refused("oidc_failed", f"the provider's identity is not to be believed: {error}"[:300]) from error
        return subject


def check_secure(url: str) -> None:
    """Refused where a provider's address is plain http, but on loopback."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        raise Failed("oidc_failed", f"{url[:100]}: a provider is reached by https")


# -- who is who ---------------------------------------------------------------------------------------------------------


async def person_of(session: AsyncSession, now_ms: int, issuer: str, subject: str, client: Client) -> Person:
    """The person whom this identity was given to; Refused, and in the log with its subject, where there is none."""
    query = select(Person).join(ExternalIdentity, ExternalIdentity.person == Person.id)
    found = await session.scalar(query.where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject))
    if found is None or not found.active:
        nobody = Actor("nobody", "", "", client.ip, client.request)
        why = "unknown identity, or inactive"
        await audit.write(session, now_ms, nobody, "sign_in.refused", "", why=why, issuer=issuer, subject=subject)
        await session.commit()
        raise Refused("oidc_unknown", "nobody here has this identity")
    return found


async def link(
    session: AsyncSession, now_ms: int, who: Scope, person: Person, issuer: str, subject: str
) -> ExternalIdentity:
    """Give a person an identity of a provider; Conflict where somebody has it."""
    if await session.get(ExternalIdentity, (issuer, subject)) is not None:
        raise Conflict("identity_taken", "somebody has this identity already")
    row = ExternalIdentity(issuer=issuer, subject=subject, person=person.id, made_at_ms=now_ms)
    session.add(row)
    await session.flush()
    await audit.write(session, now_ms, who, "identity.given", f"person:{person.id}", issuer=issuer, subject=subject)
    return row


async def unlink(session: AsyncSession, now_ms: int, who: Scope, person: Person, issuer: str, subject: str) -> None:
    """Take it away; NotThere."""
    query = delete(ExternalIdentity).where(
        ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject, ExternalIdentity.person == person.id
    )
    if await session.scalar(query.returning(ExternalIdentity.person)) is None:
        raise NotThere("not_there", "he has no such identity")
    await audit.write(session, now_ms, who, "identity.taken", f"person:{person.id}", issuer=issuer, subject=subject)
