"""Controls of TLS and of certificates (determinism D.1, D.4): each holds, and is shown red with it off."""

import datetime
import ssl
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from pulse_sim.kernel import certificate
from pulse_sim.kernel.endpoint import Endpoint
from pulse_sim.kernel.tls import TracedSSLProtocol
from tests.determinism.control import shown
from tests.kernel.testbed import Bench, hello


def _conversation(*, verified: bool = False, pin: bytes = b"") -> str:
    """A request over TLS on two fresh connections; the trace digest."""
    bench = Bench()
    pem, key = certificate.self_signed(bench.sim.entropy("certificate"), ["nas-1"])
    trust: Any = False
    if verified:
        trust = ssl.create_default_context(cadata=pem.decode())
    if pin:
        trust = aiohttp.Fingerprint(pin)

    async def client() -> None:
        for _ in range(2):
            async with aiohttp.ClientSession() as session, session.get("https://nas-1/", ssl=trust) as response:
                assert await response.read() == b"hello"

    async def main() -> None:
        await bench.serve(hello, port=443, ssl_context=certificate.server_context(pem, key))
        await bench.pulse.run(client())

    bench.sim.run(main())
    return bench.sim.trace.digest()


def test_the_digest_is_of_plaintext_since_ciphertext_is_never_twice_the_same() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        real = TracedSSLProtocol.trace_over

        def trace_over(self: Any, transport: Any, watch: Any) -> None:
            real(self, transport, watch)
            transport.opaque = False

        patch.setattr(TracedSSLProtocol, "trace_over", trace_over)

    shown(lambda: len({_conversation() for _ in range(3)}) == 1, off)


def test_a_server_s_flight_has_one_length_since_its_certificate_signs_without_chance() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        pem, key = _elliptic()
        patch.setattr(certificate, "self_signed", lambda *_: (pem, key))

    shown(lambda: len({_conversation() for _ in range(8)}) == 1, off)


def _elliptic() -> tuple[bytes, bytes]:
    """What ECDSA signs is longer or shorter by up to three bytes from handshake to handshake."""
    key = ec.derive_private_key(12_345, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nas-1")])
    built = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(certificate.NOT_BEFORE)
        .not_valid_after(certificate.NOT_AFTER)
        .sign(key, hashes.SHA256())
    )
    pem = built.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    return pem, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def test_a_certificate_is_valid_by_the_machine_s_clock_which_openssl_reads() -> None:
    """One that is valid by the run's date alone is expired: expiry is a fault of its own, not a matter of the clock."""

    def claim() -> bool:
        try:
            _conversation(verified=True)
        except aiohttp.ClientConnectorCertificateError:
            return False
        return True

    def off(patch: pytest.MonkeyPatch) -> None:
        days = (datetime.datetime(2026, 2, day, tzinfo=datetime.UTC) for day in (8, 10))
        patch.setitem(certificate.self_signed.__kwdefaults__ or {}, "valid", tuple(days))

    shown(claim, off)


def test_a_certificate_is_the_same_bytes_for_one_seed() -> None:
    def made() -> tuple[bytes, bytes]:
        return certificate.self_signed(Bench(4).sim.entropy("certificate"), ["nas-1"])

    def off(patch: pytest.MonkeyPatch) -> None:
        class Chance:
            @staticmethod
            def from_private_bytes(_data: bytes) -> Ed25519PrivateKey:
                return Ed25519PrivateKey.generate()

        patch.setattr(certificate, "Ed25519PrivateKey", Chance)

    shown(lambda: made() == made(), off)


def test_a_certificate_that_does_not_match_its_pin_is_told_as_such_by_a_socket_that_is_none() -> None:
    """aiohttp asks the transport's socket for its peer to say so."""

    def claim() -> bool:
        try:
            _conversation(pin=b"\0" * 32)
        except aiohttp.ServerFingerprintMismatch:
            return True
        return False

    def off(patch: pytest.MonkeyPatch) -> None:
        real = Endpoint.get_extra_info

        def get_extra_info(self: Any, name: str, default: Any = None) -> Any:
            return None if name == "socket" else real(self, name, default)

        patch.setattr(Endpoint, "get_extra_info", get_extra_info)

    shown(claim, off)
