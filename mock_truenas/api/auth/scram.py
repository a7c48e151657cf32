"""The server's side of SCRAM-SHA-512 (RFC 5802, truenas-api 5.3). Knows no accounts.

The user name of a client reads ``name:key id``; the password is the secret part of that API key.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from mock_truenas.appliance.scram import ScramKey

_HASH: Final = "sha512"
_FIRST: Final = re.compile(
    r"(n,(?:a=[^,]*)?,|p=tls-server-end-point,(?:a=[^,]*)?,)(n=([^,:]+):([0-9]{1,9}),r=([!-+\--~]{1,512}))"
)
_FINAL: Final = re.compile(r"(c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)),p=([A-Za-z0-9+/=]+)")
_SHORTEST_BINDING: Final = 16


@dataclass(frozen=True)
class ClientFirst:
    """The first message of a client; ``header`` is its GS2 header, ``bare`` the message without it."""

    header: str
    bare: str
    username: str
    key_id: int
    nonce: str

    @property
    def binds_channel(self) -> bool:
        """Whether it vouches for the certificate of the server."""
        return self.header.startswith("p=")


def read_first(text: str) -> ClientFirst:
    """The first message of a client. Raises ValueError when it is none."""
    match = _FIRST.fullmatch(text)
    if match is None:
        raise ValueError("not the first message of a SCRAM client")
    name = match[3].replace("=2C", ",").replace("=3D", "=")
    return ClientFirst(match[1], match[2], name, int(match[4]), match[5])


@dataclass(frozen=True)
class Exchange:
    """One proof under way; ``nonce`` is the server's part."""

    first: ClientFirst
    key: ScramKey
    nonce: str

    @property
    def server_first(self) -> str:
        """What the server answers to the first message."""
        salt = base64.b64encode(self.key.salt).decode()
        return f"r={self.first.nonce}{self.nonce},s={salt},i={self.key.iterations}"

    def finish(self, text: str) -> str | None:
        """The server's last message to a client that proved its password; None when it did not."""
        match = _FINAL.fullmatch(text)
        if match is None or match[3] != self.first.nonce + self.nonce:
            return None
        try:
            binding = base64.b64decode(match[2], validate=True)
            proof = base64.b64decode(match[4], validate=True)
        except binascii.Error:
            return None
        if not self._bound(binding) or len(proof) != len(self.key.stored_key):
            return None
        told = f"{self.first.bare},{self.server_first},{match[1]}".encode()
        signature = _signed(self.key.stored_key, told)
        client_key = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
        if not hmac.compare_digest(hashlib.new(_HASH, client_key).digest(), self.key.stored_key):
            return None
        return "v=" + base64.b64encode(_signed(self.key.server_key, told)).decode()

    def _bound(self, binding: bytes) -> bool:
        """Whether the header is repeated. The fingerprint behind it is taken on trust: TLS ends in the front."""
        header = self.first.header.encode()
        fingerprint = binding[len(header) :]
        enough = len(fingerprint) >= _SHORTEST_BINDING if self.first.binds_channel else not fingerprint
        return binding.startswith(header) and enough


def _signed(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, _HASH)
