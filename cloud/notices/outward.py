"""The only way out of the cloud to addresses that people typed in: checked at each send, not followed further, answers capped.

What a name resolves to is looked at and then dialled itself, so that no second answer of a name server leads elsewhere.
"""

import asyncio
import ipaddress
import socket
import ssl
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

# Ours: receivers answer within a second or not at all, and what they say is short.
SEND_S = 10.0
MOST_ANSWER = 16_384
MOST_ADDRESSES = 4
# A name server that hangs must not hold up others' look-ups.
LOOKUPS = 16
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreached(Exception):
    """Nothing that counts as an answer came; `code` says where it ended."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail = code, detail


class Forbidden(Unreached):
    """The address is none that we send to."""


@dataclass(frozen=True)
class Answer:
    """What an HTTP receiver said; `whole` is False where there was more than we read."""

    status: int
    body: bytes
    whole: bool
    retry_after_s: int | None


def is_public(address: Address) -> bool:
    """An address of the public internet, also behind the forms in which IPv6 wraps an IPv4 one."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None and not is_public(wrapped):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def place_of(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of a URL that may be sent to; Forbidden says what is wrong with it."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise Forbidden("url_form", "this is no URL") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Forbidden("url_form", "a URL begins with https:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("url_form", "no name and password in the URL; the secret has its own field")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


class Outward:
    """Sends to public hosts, and to those that the operator allows: `allowed` has "host" or "host:port"."""

    def __init__(self, allowed: tuple[str, ...] = (), tls: ssl.SSLContext | None = None) -> None:
        self._allowed = frozenset(name.lower() for name in allowed)
        self.tls = tls or ssl.create_default_context()
        self._lookups = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="notice-lookup")
        # Kept-alive connections are found by address: they might be those of another name.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(
            verify=self.tls, timeout=SEND_S, trust_env=False, follow_redirects=False, limits=limits
        )

    async def close(self) -> None:
        """Nothing is sent any more."""
        await self._client.aclose()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    def allows(self, host: str, port: int) -> bool:
        """The operator named this host: it may be anywhere, and may do without TLS."""
        name = f"[{host}]" if ":" in host else host
        return not self._allowed.isdisjoint((host.lower(), name.lower(), f"{name}:{port}".lower()))

    async def addresses(self, host: str, port: int) -> list[str]:
        """What the host resolves to; Forbidden if any of it is not public and the operator did not name the host."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError) as error:
            raise Unreached("no_such_host", host) from error
        known = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self.allows(host, port):
            for address in known:
                if not is_public(ipaddress.ip_address(address.partition("%")[0])):
                    raise Forbidden("forbidden_address", f"{host} is {address}, which is no public address")
        return known[:MOST_ADDRESSES]

    async def post(self, url: str, headers: dict[str, str], content: bytes) -> Answer:
        """POST, and the answer's head and beginning, within SEND_S in all; Unreached else."""
        scheme, host, port = place_of(url)
        if scheme == "http" and not self.allows(host, port):
            raise Forbidden("needs_https", "only hosts that the operator names may be sent to without TLS")
        try:
            async with asyncio.timeout(SEND_S):
                return await self._post(url, host, await self.addresses(host, port), headers, content)
        except TimeoutError as error:
            raise Unreached("timeout", f"no answer within {SEND_S:g} s") from error

    async def _post(self, url: str, host: str, addresses: list[str], headers: dict[str, str], content: bytes) -> Answer:
        target = httpx.URL(url)
        said = {**headers, "host": target.netloc.decode("ascii"), "accept-encoding": "identity"}
        for at, address in enumerate(addresses):
            request = self._client.build_request(
                "POST", target.copy_with(host=address), headers=said, content=content, extensions={"sni_hostname": host}
            )
            try:
                return await self._answer(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if at == len(addresses) - 1:
                    raise Unreached("no_connection", str(error)[:200]) from error
            except httpx.TimeoutException as error:
                raise Unreached("timeout", "the receiver stopped talking") from error
            except httpx.HTTPError as error:
                raise Unreached("cut", str(error)[:200]) from error
        raise Unreached("no_such_host", host)

    async def _answer(self, request: httpx.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            body = b""
            async for part in response.aiter_raw():
                body += part
                if len(body) > MOST_ANSWER:
                    break
        finally:
            await response.aclose()
        after = response.headers.get("retry-after", "")
        return Answer(
            response.status_code,
            body[:MOST_ANSWER],
            len(body) <= MOST_ANSWER,
            int(after) if after.isdecimal() else None,
        )

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected socket, for what is not HTTP."""
        loop = asyncio.get_running_loop()
        trouble: OSError | None = None
        for address in await self.addresses(host, port):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            found = socket.socket(family, socket.SOCK_STREAM)
            found.setblocking(False)
            try:
                await loop.sock_connect(found, (address, port))
            except OSError as error:
                found.close()
                trouble = error
            except BaseException:
                found.close()
                raise
            else:
                return found
        raise Unreached("no_connection", str(trouble)[:200])
