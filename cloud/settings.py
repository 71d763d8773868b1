"""Settings of the cloud: read once by the command, checked, passed down. Times in ms; limits are ours."""

import pathlib
import re
import tomllib
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

from cloud.accounts.passwords import Passwords
from cloud.cases.limits import Rescue
from cloud.clock import unix_ms
from cloud.keeping.retention import Retention
from protocols.identity import is_id

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")


class SettingsError(Exception):
    """A setting cannot be used; the message says what is allowed."""


@dataclass(frozen=True)
class Limits:
    """Requests by the minute before 429: of one actor, of one address that has not signed in, and its attempts to do so."""

    actor: int = 6000
    address: int = 300
    attempts: int = 20


@dataclass(frozen=True)
class OidcProvider:
    """An OpenID provider that people may come in by; `id` stands in our paths."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.issuer)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise SettingsError(f"provider {self.id}: issuer {self.issuer!r} must be https")


def load_providers(path: pathlib.Path) -> tuple[OidcProvider, ...]:
    """The providers of a TOML file, [[provider]] with id, name, issuer, client_id and client_secret_file each; SettingsError."""
    out = []
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))["provider"]
        for entry in found:
            secret = (path.parent / entry.pop("client_secret_file")).read_text(encoding="utf-8").strip()
            if not is_id(entry["id"]):
                raise SettingsError(f"{path}: id {entry['id']!r}: 1 to 32 of a-z, 0-9 and '-'")
            out.append(OidcProvider(**entry, client_secret=secret))
    except OSError as error:
        raise SettingsError(f"{error.filename} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        names = "id, name, issuer, client_id and client_secret_file"
        raise SettingsError(f"{path}: each [[provider]] has {names}, and nothing else ({error!r})") from error
    return tuple(out)


@dataclass(frozen=True)
class Settings:
    """`public_url`: how browsers reach us, https where a proxy ends TLS; empty on loopback without one.

    A session ends when it was not used for `idle_ms`, and `absolute_ms` after its begin: longer than a shift of 12 h, so that
    nobody is signed out in the middle of a case.
    """

    public_url: str = ""
    idle_ms: int = 2 * HOUR_MS
    absolute_ms: int = 14 * HOUR_MS
    link_ms: int = 24 * HOUR_MS
    limits: Limits = Limits()
    oidc: tuple[OidcProvider, ...] = ()
    rescue: Rescue = field(default_factory=Rescue)
    clock: Callable[[], int] = unix_ms
    passwords: Passwords = field(default_factory=Passwords)
    retention: Retention = field(default_factory=Retention)
    # "host" or "host:port" that notices may go to though it is not public, or not https.
    notice_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.notice_hosts:
            if not HOST.fullmatch(name):
                raise SettingsError(
                    f"notice host {name!r}: give HOST or HOST:PORT, as sms.internal:8080 or [fd00::5]:25"
                )
        if not self.public_url:
            return
        parts = urllib.parse.urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise SettingsError(
                f"public URL {self.public_url!r}: give scheme and host only, as https://liftwatch.example"
            )

    @property
    def https(self) -> bool:
        """Browsers come by https."""
        return self.public_url.startswith("https://")

    @property
    def origin(self) -> str:
        """The one origin of our pages; empty = that of the request's own host."""
        return self.public_url.rstrip("/")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie. With __Host- no other host and no plain http can set it."""
        return "__Host-liftwatch" if self.https else "liftwatch"
