"""Receivers of notices in good moods and bad: an HTTP server that answers with given bytes, and a small SMTP server with TLS."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import pathlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Request:
    """What came."""

    line: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def answer(body: bytes | dict[str, Any] = b"", status: str = "200 OK", *more: str) -> bytes:
    """A whole HTTP answer."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    head = [f"HTTP/1.1 {status}", f"content-length: {len(content)}", "connection: close", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


HANGS = b""
CUT = answer(b"x" * 100)[:-50]
SLOW = answer(b"x" * 2000)


@dataclass
class Receiver:
    """Answers with `says`, one after the other, the last one for ever. HANGS never answers, SLOW drips."""

    says: list[bytes]
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=k"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (entry.partition(": ") for entry in rest)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            said = self.says[min(len(self.requests), len(self.says) - 1)]
            self.requests.append(Request(line, headers, body))
            if said is HANGS:
                await asyncio.sleep(3600)
            if said is SLOW:
                for at in range(len(said)):
                    writer.write(said[at : at + 1])
                    await writer.drain()
                    await asyncio.sleep(0.05)
            writer.write(said)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def receiving(*says: bytes) -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    found = Receiver(list(says))
    server = await asyncio.start_server(found.talk, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


@dataclass
class MailServer:
    """Speaks as much SMTP as a client needs. `replies` has what it says to a command instead of what is usual."""

    certificate: pathlib.Path
    at_once: bool
    replies: dict[str, str]
    mails: list[tuple[list[str], str]] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    port: int = 0

    def tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        return context

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure, to = self.at_once, []
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().strip():
            command = line.split(" ")[0].upper()
            said = self.replies.get(line, self.replies.get(command))
            if said == "CUT":
                return
            if said is not None:
                writer.write(said.encode() + b"\r\n")
            elif command == "EHLO":
                offers = "250-AUTH PLAIN" if secure else "250-STARTTLS"
                writer.write(f"250-here\r\n{offers}\r\n250 8BITMIME\r\n".encode())
            elif command == "STARTTLS":
                writer.write(b"220 go on\r\n")
                await writer.drain()
                await writer.start_tls(self.tls())
                secure = True
            elif command == "AUTH":
                self.signed_in.append(line)
                writer.write(b"235 welcome\r\n")
            elif command == "RCPT":
                to.append(line.partition("<")[2].rstrip(">"))
                writer.write(b"250 ok\r\n")
            elif command == "DATA":
                writer.write(b"354 go on\r\n")
                text = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.mails.append((to, text))
                writer.write(b"250 kept as 4711\r\n")
            elif command == "QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()


@contextlib.asynccontextmanager
async def mailing(folder: pathlib.Path, security: str, replies: dict[str, str]) -> AsyncIterator[MailServer]:
    """A mail server on a free port; its certificate in `folder` trusts itself."""
    found = MailServer(certificate(folder), security == "tls", replies)
    server = await asyncio.start_server(found.talk, "127.0.0.1", 0, ssl=found.tls() if found.at_once else None)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


def certificate(folder: pathlib.Path) -> pathlib.Path:
    """A key and a certificate for 127.0.0.1 in one file."""
    path = folder / "server.pem"
    if path.exists():
        return path
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path
