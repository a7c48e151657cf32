"""Self-signed certificates that are the same bytes for the same entropy.

Ed25519 signs without randomness and with signatures of one length, so neither the certificate nor the length of a
handshake differs from run to run. Valid from 2000 to 2099: OpenSSL judges dates by the machine's clock, so expiry is
a fault of its own.
"""

import datetime
import ipaddress
import os
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOT_BEFORE: Final = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
NOT_AFTER: Final = datetime.datetime(2099, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)


def self_signed(
    entropy: Callable[[int], bytes],
    names: Sequence[str],
    addresses: Sequence[str] = (),
    *,
    valid: tuple[datetime.datetime, datetime.datetime] = (NOT_BEFORE, NOT_AFTER),
    key_pem: bytes | None = None,
) -> tuple[bytes, bytes]:
    """Certificate and private key as PEM. ``names`` are DNS names, the first also the common name; at least one.

    ``valid`` is its first and last second; ``key_pem``, as an earlier call returned it, is used again.
    """
    if not names:
        raise ValueError("a certificate needs at least one name")
    key = Ed25519PrivateKey.from_private_bytes(entropy(32)) if key_pem is None else _read_key(key_pem)
    public = key.public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]  # type: ignore[misc]
    builder = (
        x509.CertificateBuilder(subject, subject, public)
        .serial_number(int.from_bytes(entropy(16), "big") >> 1 | 1)
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    certificate = builder.sign(key, None)
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def server_context(certificate_pem: bytes, key_pem: bytes) -> ssl.SSLContext:
    """A serving SSL context; the key reaches OpenSSL through an anonymous file that never touches a disk."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    descriptor = os.memfd_create("certificate")
    try:
        os.write(descriptor, certificate_pem + key_pem)
        context.load_cert_chain(Path(f"/proc/self/fd/{descriptor}"))
    finally:
        os.close(descriptor)
    return context


def _read_key(pem: bytes) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the key is not of Ed25519")
    return key


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
