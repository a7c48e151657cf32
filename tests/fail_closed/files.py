"""The ways in which a file of evidence can be bad, as functions over its bytes.

Knows nothing of what a file means, but whether its lines, or its JSON, or its text count.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

FileDamage: TypeAlias = Callable[[bytes], bytes | None]
"""The spoilt bytes; None for a file that is not there."""

LATER: Final = b"2099-12-31"


def missing(_content: bytes) -> bytes | None:
    """Not there."""
    return None


def empty(_content: bytes) -> bytes:
    """There, and nothing in it."""
    return b""


def truncated(content: bytes) -> bytes:
    """Its first half."""
    return content[: len(content) // 2]


def not_a_number(content: bytes) -> bytes:
    """The last number in it is NaN; where there is none, NaN follows."""
    found = list(re.finditer(rb"(?<![\w.])\d+(?![\w.])", content))
    start, end = found[-1].span() if found else (len(content), len(content))
    return content[:start] + b"NaN" + content[end:]


def constant(content: bytes) -> bytes:
    """Every line, and every element of a list, is the first one."""
    lines = content.splitlines(keepends=True)
    if len(lines) > 1:
        return lines[0] + lines[1] * (len(lines) - 1)
    return _json(content, lambda values: values[:1] * (len(values) + 1))


def stale(content: bytes) -> bytes:
    """What was recorded a year ago."""
    return content.replace(b"2026-", b"2025-")


def future(content: bytes) -> bytes:
    """Every date is far ahead."""
    return re.sub(rb"\d{4}-\d\d-\d\d", LATER, content)


def wrong_type(content: bytes) -> bytes:
    """A JSON document of another type, in place of whatever was there."""
    return b'["' + str(len(content)).encode() + b'"]\n'


def wrong_digest(content: bytes) -> bytes:
    """One byte in the middle is another one."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def too_few(content: bytes) -> bytes:
    """The first line, or the first element of each list."""
    lines = content.splitlines(keepends=True)
    return lines[0] if len(lines) > 1 else _json(content, lambda values: values[:0])


def duplicated(content: bytes) -> bytes:
    """Twice in a row."""
    return content * 2


def reordered(content: bytes) -> bytes:
    """The other way round: lines, or elements of lists."""
    lines = content.splitlines(keepends=True)
    return b"".join(reversed(lines)) if len(lines) > 1 else _json(content, lambda values: values[::-1])


FILE_DAMAGES: Final[dict[str, FileDamage]] = {
    "missing": missing,
    "empty": empty,
    "truncated": truncated,
    "NaN": not_a_number,
    "constant": constant,
    "stale": stale,
    "future-dated": future,
    "wrong type": wrong_type,
    "wrong digest": wrong_digest,
    "too few samples": too_few,
    "duplicated": duplicated,
    "reordered": reordered,
}


def _json(content: bytes, change: Callable[[list[Any]], list[Any]]) -> bytes:
    """One line of canonical JSON with every list in it changed."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: changed(item) for name, item in value.items()}
        return change([changed(item) for item in value]) if isinstance(value, list) else value

    told = json.dumps(changed(json.loads(content)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return told.encode() + b"\n"
