"""How long a message may be (truenas-api 5.1)."""

import json
from dataclasses import dataclass
from typing import Final

from mock_truenas.appliance.dialect import Dialect

ANONYMOUS: Final = 8192
KNOWN: Final = 65_536
EXCEPTIONAL: Final = 2 << 20
_EXCEPTIONS: Final = frozenset({"filesystem.file_receive", "failover.datastore.sql"})


@dataclass(frozen=True)
class TooLong:
    """How the connection ends."""

    code: int
    reason: str


def too_long(text: str, dialect: Dialect, *, known: bool) -> TooLong | None:
    """How a message that is too long ends the connection; ``known``: somebody is logged in."""
    if len(text) <= ANONYMOUS:
        return None
    if not known:
        return TooLong(1007, "Anonymous connection max message length is 8 kB")
    if len(text) <= KNOWN or not dialect.has("message_limit") or _excepted(text):
        return None
    return TooLong(1009, "Max message length is 64 kB")


def _excepted(text: str) -> bool:
    if len(text) > EXCEPTIONAL:
        return False
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return False
    name = message.get("method") if isinstance(message, dict) else None
    return isinstance(name, str) and name in _EXCEPTIONS
