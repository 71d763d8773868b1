"""A certificate authority for tests and benches: signs certificates into files that brokers, gateways and nodes read. Never for service."""

import datetime as dt
import ipaddress
import pathlib
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


class Pair(NamedTuple):
    """Files of a certificate and of its key, PEM."""

    certificate: pathlib.Path
    key: pathlib.Path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """One authority whose files are in `directory`; its own certificate, valid for ten years around now, is `ca`."""

    def __init__(self, directory: pathlib.Path, name: str = "Liftwatch test authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._subject = _name(name)
        # P-256: what a chip without a big-number unit verifies quickest of what everybody takes.
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        certificate = (
            self._builder(self._subject, now - 1825 * DAY, now + 1825 * DAY)
            .public_key(self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = directory / "ca.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.ca_der = directory / "ca.der"
        self.ca_der.write_bytes(certificate.public_bytes(serialization.Encoding.DER))

    def _builder(self, subject: x509.Name, begins: dt.datetime, ends: dt.datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )

    def sign(self, name: str, *hosts: str, begins_days: float = -1, ends_days: float = 365) -> Pair:
        """A certificate for `hosts` (names or addresses), valid between two days counted from now; files are called `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        builder = self._builder(_name(name), now + begins_days * DAY, now + ends_days * DAY).public_key(
            key.public_key()
        )
        if hosts:
            names = [
                x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
                for host in hosts
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        pair = Pair(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        signed = builder.sign(self._key, hashes.SHA256())
        pair.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
            )
        )
        return pair
