"""What holds for every request, whatever its route: own origin for changes, security headers, a request's id. Pure ASGI."""

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.problems import problem
from cloud.settings import Settings

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
# uPlot and React style elements through the DOM, which this allows; no page has a style or a script in its text.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; media-src 'self'; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The desk talks with the car; nothing else of a device is needed.
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}
YEAR_S = 31_536_000


class Guard:
    """Refuses what another site makes a browser send, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._headers = {**HEADERS, **({"Strict-Transport-Security": f"max-age={YEAR_S}"} if settings.https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = scope.setdefault("state", {})["request"] = secrets.token_hex(8)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = request
                if not scope["path"].startswith(("/assets/", "/files/")):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["type"] == "http" and scope["method"] not in SAFE:
            why = foreign(Headers(scope=scope), self._settings.origin)
            if why:
                await problem(403, why)(scope, receive, send_with_headers)
                return
        await self._app(scope, receive, send_with_headers)


def foreign(headers: Headers, own: str) -> str:
    """Why a changing request is not from our own pages; empty if it is, or from a program that sends no cookie."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return "" if site in ("same-origin", "none") else "this came from another site; use our own pages"
    origin = headers.get("origin")
    if origin is not None:
        allowed = own or f"http://{headers.get('host', '')}"
        return "" if origin == allowed else f"this came from {origin[:80]}; use {allowed}"
    return "a request with a cookie must say its origin" if "cookie" in headers else ""
