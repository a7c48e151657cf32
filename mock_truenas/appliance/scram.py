"""What a server keeps of a secret for SCRAM-SHA-512 (RFC 5802), instead of the secret. Knows no messages."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

ITERATIONS: Final = 500_000
"""What release 26 asks of API keys (truenas-api 5.3)."""


@dataclass(frozen=True, slots=True)
class ScramKey:
    """Salt and count, and the two keys derived with them."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


def derive(secret: str, salt: bytes, iterations: int = ITERATIONS) -> ScramKey:
    """The keys of a secret. The usual count takes about half a second of processor time."""
    salted = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha512")
    server_key = hmac.digest(salted, b"Server Key", "sha512")
    return ScramKey(salt, iterations, hashlib.sha512(client_key).digest(), server_key)
