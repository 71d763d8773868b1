"""A small OpenID provider on a free port of loopback: discovery, keys, authorisation by one click, code for token with PKCE.

It signs with real keys and checks what a provider checks. Its moods are the lies that a client must not believe.
"""

import base64
import hashlib
import secrets
import threading
import time
import urllib.parse
from typing import Any

import uvicorn
from joserfc import jwk, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hil_tests.services import free_port, listens, wait_until

CLIENT, SECRET = "liftwatch", "secret of the client"


class Provider:
    """`subject` is who has signed in there; `lie` changes claims of the next token; `key` signs."""

    def __init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.subject = "subject-1"
        self.lie: dict[str, Any] = {}
        self.new_key()
        self.foreign_key: jwk.RSAKey | None = None
        self.calls_itself = self.issuer
        self._codes: dict[str, dict[str, str]] = {}
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), port=self.port, log_level="error", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> "Provider":
        """Serve."""
        self._thread.start()
        wait_until(lambda: listens(self.port), 10, "the start of the provider")
        return self

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(5)

    def new_key(self) -> None:
        """Sign with a new key from now on."""
        self.key = jwk.RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    async def _discovery(self, request: Request) -> Response:
        places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return JSONResponse({"issuer": self.calls_itself} | {name: self.issuer + path for name, path in places.items()})

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        fits = asked.get("client_id") == CLIENT and asked.get("response_type") == "code"
        if not fits or "openid" not in asked.get("scope", "") or asked.get("code_challenge_method") != "S256":
            return JSONResponse({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = urllib.parse.urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked = self._codes.pop(str(form.get("code")), None)
        login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form.get("code_verifier")).encode()).digest())
        if request.headers.get("authorization") != f"Basic {login}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if asked is None or asked["code_challenge"] != challenge.decode().rstrip("="):
            return JSONResponse({"error": "invalid_grant"}, 400)
        if asked["redirect_uri"] != form.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
        } | self.lie  # fmt: skip
        key = self.foreign_key or self.key
        text = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key)
        answer = {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": text}
        return JSONResponse(answer)
