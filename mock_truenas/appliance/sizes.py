"""Sizes as people write them: ``18TB`` is what a vendor prints on a disk, ``4T`` and ``4TiB`` are powers of 1024."""

import re
from typing import Final

_FORM: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([KMGTP])(i?B)?|B)?", re.IGNORECASE)
_POWERS: Final = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def read_size(value: int | str, place: str) -> int:
    """Bytes of a number or text. Raises ValueError naming ``place``, the value and how to write it."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            f"{place}: {value!r} is not a size; write bytes, or a number with K, M, G, T, P, such as 4T or 18TB"
        )
    base = 1000 if (match[3] or "").upper() == "B" else 1024
    return round(float(match[1]) * float(base ** _POWERS.get((match[2] or "").upper(), 0)))
