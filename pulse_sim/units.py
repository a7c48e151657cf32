"""Durations as people write them (``90s``, ``5m30s``, ``48h``) and as the engine counts them: integer nanoseconds."""

import re
from typing import Annotated, Any, Final

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

NANOSECOND: Final = 1
MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_UNITS: Final = (
    ("d", DAY),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", MILLISECOND),
    ("us", MICROSECOND),
    ("ns", NANOSECOND),
)
_PATTERN: Final = re.compile("".join(rf"(?:([0-9]{{1,12}}){unit}(?![a-z]))?" for unit, _ in _UNITS))
DURATION_PATTERN: Final = "^(?=[0-9])" + "".join(rf"([0-9]{{1,12}}{unit})?" for unit, _ in _UNITS) + "$"


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as ``90s``, ``5m``, ``5m30s`` or ``48h``; ``0s`` is the zero.

    Units are d, h, m, s, ms, us, ns, each at most once and from large to small. Raises ValueError with a way out.
    """
    match = _PATTERN.fullmatch(text)
    if match is None or not text:
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 5m, 5m30s or 48h")
    return sum(int(count) * size for count, (_, size) in zip(match.groups(), _UNITS, strict=True) if count)


def format_duration(nanoseconds: int) -> str:
    """The shortest text that :func:`parse_duration` reads back: ``5m30s``, ``48h``, ``0s``."""
    if nanoseconds < 0:
        return "-" + format_duration(-nanoseconds)
    if nanoseconds == 0:
        return "0s"
    parts = []
    for unit, size in _UNITS[1:]:
        count, nanoseconds = divmod(nanoseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _duration_schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    def validate(value: Any) -> int:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a duration; write it with a unit, like 90s, 5m or 48h")
        return parse_duration(value)

    return core_schema.no_info_plain_validator_function(
        validate,
        json_schema_input_schema=core_schema.str_schema(pattern=DURATION_PATTERN),
        serialization=core_schema.plain_serializer_function_ser_schema(
            format_duration, return_schema=core_schema.str_schema()
        ),
    )


Duration = Annotated[int, GetPydanticSchema(_duration_schema)]
"""A pydantic field read from text like ``5m30s``, held as integer nanoseconds, written back as text."""
