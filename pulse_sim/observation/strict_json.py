"""One JSON value from hostile bytes, with every leniency of the standard parser taken away.

Two readers of the same evidence must see the same thing, so what parsers disagree about is refused: duplicate keys,
NaN and infinities (a number too large for a double included), half surrogates, deep nesting, oversize text. Knows
nothing of records.
"""

import json
import math
from sys import intern
from typing import Any, Final, NoReturn

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
MAX_DEPTH: Final = 64


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Interned, because a log repeats a few hundred keys a hundred thousand times.
    members = {intern(key): value for key, value in pairs}
    if len(members) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant, parse_float=_finite)


def strict_json(line: bytes) -> Any:
    """The value of ``line`` (UTF-8, at most 8 MiB, at most 64 levels deep). Raises ValueError, and nothing else."""
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"more than {MAX_LINE_BYTES} bytes in one line")
    try:
        value = _DECODER.decode(line.decode("utf-8"))
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None
    # Braces inside strings count here too, so few lines pay for the exact answer and none escapes it.
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH and not _is_shallow(value):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if b"\\u" in line:
        json.dumps(value, ensure_ascii=False).encode(
            "utf-8"
        )  # a half surrogate raises UnicodeEncodeError, a ValueError
    return value


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for parent in level for item in _children(parent) if isinstance(item, dict | list)]
        if not level:
            return True
    return False


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
