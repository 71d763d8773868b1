"""Certificates and keys that a node is given, looked at before they are: whether they are such, and belong together."""

import pathlib
import ssl

from protocols.errors import SettingsError

PEM = b"-----BEGIN "


def read(path: pathlib.Path, entry: str) -> bytes:
    """The file for `entry`; SettingsError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{entry}: {path} cannot be read: {error.strerror}") from error


def check(files: dict[str, pathlib.Path]) -> None:
    """`files` {entry of broker.tls: path}; SettingsError names the one that is none, or the two that do not fit."""
    for name in ("ca", "certificate"):
        if name in files:
            _check_certificate(read(files[name], f"broker.tls.{name}"), f"broker.tls.{name}: {files[name]}")
    if "certificate" not in files or "key" not in files:
        return
    certificate, key = files["certificate"], files["key"]
    if not (read(certificate, "").startswith(PEM) and read(key, "broker.tls.key").startswith(PEM)):
        return  # of DER, only the node's library can tell
    try:
        # A key that wants a password would be asked for here; the node cannot ask.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"broker.tls.key: {key} is no key of {certificate}, or has a password, for which a node cannot ask ({error})"
        ) from error


def _check_certificate(content: bytes, what: str) -> None:
    try:
        text = content.decode() if content.startswith(PEM) else content
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(f"{what} is no certificate in PEM or DER") from error
