"""Who may use the control API: the Host and Origin a request may name, and the token. Knows no endpoint.

A page in a browser on this machine could reach a loopback port under a name of its own (DNS rebinding): so a request
must name an address of ours, and an Origin, where there is one, must be ours too.
"""

import hmac
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Refusal:
    """Why a request is not served."""

    status: int
    place: str
    what: str


@dataclass(frozen=True)
class Guard:
    """Judges requests to ``host``:``port``; ``remote`` when other machines may ask, by address or by ``host``."""

    token: str
    host: str
    port: int
    remote: bool = False

    def refuses(self, headers: Mapping[str, str], *, needs_token: bool = True) -> Refusal | None:
        """Why a request with these headers is refused, or None. Names are compared without case."""
        if not self._is_ours(headers.get("Host", "")):
            return Refusal(403, "Host", f"is not the address of this API; use {self._address()}")
        origin = headers.get("Origin")
        if origin is not None and not self._is_our_origin(origin):
            return Refusal(403, "Origin", "pages from elsewhere may not use this API")
        given = headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if needs_token and not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            return Refusal(401, "Authorization", "send `Bearer ` and the token from the token file")
        return None

    def _is_our_origin(self, origin: str) -> bool:
        scheme, separator, rest = origin.partition("://")
        return scheme == "http" and bool(separator) and self._is_ours(rest)

    def _is_ours(self, given: str) -> bool:
        try:
            parts = urlsplit(f"//{given}")
            name, port = parts.hostname, parts.port
        except ValueError:
            return False
        if name is None or parts.username is not None or parts.path or (port if port is not None else 80) != self.port:
            return False
        return name in _LOOPBACK or name == self.host.lower() or (self.remote and _is_address(name))

    def _address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def mint_token(entropy: Callable[[int], bytes]) -> str:
    """256 bits in hex."""
    return entropy(32).hex()


def write_token(directory: Path, port: int, token: str, entropy: Callable[[int], bytes]) -> Path:
    """A new file that only this user can read. Raises OSError; never writes into a file that is there already."""
    path = directory.resolve() / f"mock-truenas-{port}-{entropy(4).hex()}.token"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return path
