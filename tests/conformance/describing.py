"""Exceptions in words that are the same on every machine: class, errno by name, the library's reason for TLS."""

import errno
import ssl
from typing import Any


def describe(error: BaseException | None) -> list[str]:
    """The exception, then its causes; aiohttp's `os_error` counts as one."""
    words: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        words.append(_one(error))
        error = error.__cause__ or getattr(error, "os_error", None)
    return words


def _one(error: Any) -> str:
    name = type(error).__name__
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None)  # aiohttp's subclasses do not fill it in
        return f"{name} {reason}" if reason else name
    code = getattr(error, "errno", None)
    if not isinstance(code, int):
        return name
    return f"{name} {errno.errorcode.get(code, code) if code > 0 else code}"
