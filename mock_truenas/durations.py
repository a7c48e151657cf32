"""Durations as fault parameters write them (``15s``, ``2m30s``), held as integer nanoseconds. Knows no clock."""

import re
from typing import Annotated, Any, Final

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

_SIZES: Final = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_GRAMMAR: Final = "^(?=[0-9])" + "".join(rf"([0-9]{{1,12}}{unit})?" for unit in _SIZES) + "$"
_PATTERN: Final = re.compile("".join(rf"(?:([0-9]{{1,12}}){unit}(?![a-z]))?" for unit in _SIZES))


def read_duration(text: str) -> int:
    """Nanoseconds of ``15s``, ``2m30s``, ``500ms``; units d h m s ms us ns, large to small. Raises ValueError."""
    match = _PATTERN.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is not a duration; write it like 500ms, 15s or 2m30s")
    return sum(int(count) * size for count, size in zip(match.groups(), _SIZES.values(), strict=True) if count)


def write_duration(nanoseconds: int) -> str:
    """The text :func:`read_duration` reads back."""
    parts = []
    for unit, size in list(_SIZES.items())[1:]:
        count, nanoseconds = divmod(nanoseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    def validate(value: Any) -> int:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a duration; write it as text with a unit, like 500ms, 15s or 2m30s")
        return read_duration(value)

    return core_schema.no_info_plain_validator_function(
        validate,
        json_schema_input_schema=core_schema.str_schema(pattern=_GRAMMAR),
        serialization=core_schema.plain_serializer_function_ser_schema(
            write_duration, return_schema=core_schema.str_schema()
        ),
    )


Duration = Annotated[int, GetPydanticSchema(_schema)]
"""A field read from text like ``15s``, held as nanoseconds, written back as text."""
