"""The Authorization header of a REST request: who it is, and the answer when it is nobody (truenas-api 2.4)."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mock_truenas.api.answer import UNAUTHORIZED, Answer, text
from mock_truenas.appliance.accounts import Allowed
from mock_truenas.appliance.nas import Appliance

_INVALID_KEY: Final = text(401, "Invalid API key")
_INVALID_PASSWORD: Final = text(401, "Bad username or password")
_NO_BASIC: Final = text(401, "HTTP Basic Auth is unavailable when OTP is enabled")
_INVALID_TOKEN: Final = text(403, "Invalid token")


@dataclass(frozen=True)
class Login:
    """The outcome: ``refusal`` is the answer to send when the door stays shut."""

    allowed: Allowed
    refusal: Answer | None = None


_NOBODY: Final = Allowed(ok=False)


@lru_cache(maxsize=64)
def fingerprint(header: str | None) -> str | None:
    """The first 12 hex digits of the SHA-256 of the credential; None without one."""
    if not header:
        return None
    credential = header.partition(" ")[2] or header
    return hashlib.sha256(credential.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def log_in(appliance: Appliance, header: str | None, address: str = "") -> Login:
    """Judge an Authorization header that came from an address. Scheme names are case-sensitive, as on the appliance."""
    if header is None:
        return Login(_NOBODY, UNAUTHORIZED)
    if header.startswith("Bearer "):
        allowed = appliance.check_api_key(header.removeprefix("Bearer "))
        return Login(allowed, None if allowed.ok else _INVALID_KEY)
    if header.startswith("Basic "):
        return _basic(appliance, header.removeprefix("Basic "))
    if header.startswith("Token "):
        allowed = appliance.accounts.check_token(header.removeprefix("Token "), appliance.now_ns(), address)
        return Login(allowed, None if allowed.ok else _INVALID_TOKEN)
    return Login(_NOBODY, UNAUTHORIZED)


def _basic(appliance: Appliance, encoded: str) -> Login:
    try:
        username, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return Login(_NOBODY, text(400))
    if not separator:
        return Login(_NOBODY, text(400))
    user = appliance.accounts.users.get(username)
    if appliance.state.host.two_factor or (user is not None and user.two_factor):
        return Login(_NOBODY, _NO_BASIC)
    allowed = appliance.check_password(username, password)
    return Login(allowed, None if allowed.ok else _INVALID_PASSWORD)
