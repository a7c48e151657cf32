"""The bytes of the encrypted connection file and of its key file (contract A1). No I/O."""

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class CipherFailed(Exception):
    """The bytes are not what the key would have made of anything."""


def encode_key(key: bytes) -> bytes:
    """The content of the key file: standard base64."""
    return base64.b64encode(key)


def decode_key(data: bytes) -> bytes:
    """The key of a key file; surrounding white space is fine. Raises CipherFailed."""
    try:
        key = base64.b64decode(data.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise CipherFailed("the key file is not base64") from None
    if len(key) != KEY_BYTES:
        raise CipherFailed(f"the key file does not hold {KEY_BYTES} bytes")
    return key


def encrypt(key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    """``nonce(12) ‖ AES-256-GCM ciphertext ‖ tag(16)``; no header, no additional data."""
    return nonce + AESGCM(key).encrypt(nonce, plaintext, None)


def decrypt(key: bytes, data: bytes) -> bytes:
    """The plaintext. Raises CipherFailed for a foreign key or a damaged file."""
    if len(data) < NONCE_BYTES + TAG_BYTES:
        raise CipherFailed("the file is too short")
    try:
        return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)
    except InvalidTag:
        raise CipherFailed("the file does not decrypt with this key") from None
