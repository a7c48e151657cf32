"""Deterministic self-signed certificates."""

import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pulse_sim.kernel.certificate import NOT_AFTER, NOT_BEFORE, self_signed, server_context


def _pair(seed: int) -> tuple[bytes, bytes]:
    return self_signed(random.Random(seed).randbytes, ["nas-1", "truenas.local"], ["10.0.0.1"])


def test_equal_entropy_gives_equal_bytes() -> None:
    assert _pair(1) == _pair(1)
    assert _pair(1)[0] != _pair(2)[0]


def test_it_is_ed25519_for_its_names_and_valid_for_a_century() -> None:
    certificate = x509.load_pem_x509_certificate(_pair(1)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["nas-1", "truenas.local"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert isinstance(certificate.public_key(), Ed25519PublicKey)
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (NOT_BEFORE, NOT_AFTER)
    assert 0 < certificate.serial_number < 2**127


def test_a_serving_context_takes_it_without_touching_a_disk() -> None:
    assert server_context(*_pair(1)).cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}


def test_a_certificate_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one name"):
        self_signed(random.Random(1).randbytes, [])
