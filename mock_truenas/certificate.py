"""Self-signed certificates for serving by hand. Kept nowhere: a key is on disk only while OpenSSL reads it.

OpenSSL judges dates by the machine's clock, so the clock of a simulation has no say in what is expired.
"""

import ipaddress
import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mock_truenas.faults.kind import CertificateOrder

# Browsers and phones refuse leaves that live longer.
_LIFETIME: Final = timedelta(days=397)
_AS_USUAL: Final = CertificateOrder()


class Certificates:
    """The certificates of one NAS: each a TLS 1.2+ server context, all of one key unless another is ordered."""

    def __init__(self, host: str, now_s: float) -> None:
        """They name ``host``, localhost and the loopback addresses, and are valid from a day before ``now_s``."""
        self._names = _names_of(host)
        # A day early, for clients whose clock is behind.
        self._start = datetime.fromtimestamp(now_s, UTC) - timedelta(days=1)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own, _ = self._made(_AS_USUAL)

    @property
    def pem(self) -> str:
        """The certificate the NAS serves with, for clients that are to trust it."""
        return self._own.decode("ascii")

    def context(self) -> ssl.SSLContext:
        """With the certificate the NAS serves with."""
        return _context(self._own + _pem(self._key))

    def issue(self, order: CertificateOrder, _purpose: str) -> ssl.SSLContext:
        """With a certificate that differs from it as ordered."""
        certificate, key = self._made(order)
        return _context(certificate + _pem(key))

    def _made(self, order: CertificateOrder) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1()) if order.new_key else self._key
        names = [x509.DNSName(order.name)] if order.name else self._names
        begin, end = self._start, self._start + _LIFETIME
        if order.years:
            begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in order.years)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, order.name or "localhost")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), key


def self_signed_context(host: str, now_s: float) -> ssl.SSLContext:
    """A TLS 1.2+ server context whose certificate names ``host``, localhost and the loopback addresses."""
    return Certificates(host, now_s).context()


def _names_of(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    addresses = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    try:
        addresses.add(ipaddress.ip_address(host))
    except ValueError:
        if host != "localhost" and host.isascii():
            names.append(x509.DNSName(host))
    return names + [x509.IPAddress(address) for address in sorted(addresses, key=str)]


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _context(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The library reads certificates from files only; mkstemp makes one that nobody else can open.
    descriptor, name = tempfile.mkstemp(prefix="mock-truenas-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
    return context
