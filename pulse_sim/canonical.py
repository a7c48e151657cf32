"""Canonical JSON: one byte string per value, so that equal evidence has equal digests.

The RFC 8785 subset without NaN and infinities: keys sorted, no insignificant space, UTF-8, shortest round-trip numbers.
"""

import hashlib
import json
from typing import Any, Final, TypeAlias

# json.dumps makes a new encoder on every call, and a run writes thousands of lines.
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

Json: TypeAlias = dict[str, Any] | list[Any] | str | int | float | bool | None


def canonical_json(value: Json) -> bytes:
    """The canonical bytes of ``value``.

    Raises ValueError for NaN and infinities and TypeError for anything that is not JSON.
    """
    return _ENCODER.encode(value).encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Json) -> str:
    """SHA-256 over the canonical JSON of ``value``, 64 hex digits."""
    return sha256_hex(canonical_json(value))
