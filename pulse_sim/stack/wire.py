"""Reads loosely typed JSON the way appliances really send it.

Numbers come as int, float or numeric string, dates as ``{"$date": ms}``, RFC 3339 or epoch (truenas-api 2.2, 3). What
cannot be read becomes None and its path is noted; what the caller cannot do without raises :class:`AnswerUnusable`.
Knows no resource of the appliance.
"""

import json
import math
from typing import Any, Final

from pulse_sim.stack.errors import AnswerUnusable
from pulse_sim.stack.instants import ns_from_text

MAX_TEXT: Final = 1024
_MAX_NOTED: Final = 50
_LARGEST: Final = 2**63 - 1


def parse(body: bytes) -> Any:
    """The JSON value of a body. Raises AnswerUnusable, also for nesting too deep and integers too long to read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise AnswerUnusable("answer is not JSON") from None


class Fields:
    """One JSON object under its path, read field by field; unreadable fields go to a list the whole answer shares."""

    __slots__ = ("path", "unreadable", "value")

    def __init__(self, value: Any, path: str, unreadable: list[str]) -> None:
        if type(value) is not dict:
            raise AnswerUnusable(f"{path} is not an object")
        self.value: dict[str, Any] = value
        self.path = path
        self.unreadable = unreadable

    def note(self, key: str) -> None:
        """Remembers that a field could not be read."""
        if len(self.unreadable) < _MAX_NOTED:
            self.unreadable.append(f"{self.path}.{key}")

    def name(self, key: str) -> str:
        """A text this object is known by. Raises AnswerUnusable when it is missing or blank."""
        value = self.value.get(key)
        if type(value) is not str or not value.strip():
            raise AnswerUnusable(f"{self.path}.{key} is not a name")
        return clean(value)

    def text(self, key: str) -> str | None:
        """A text of at most 1,024 characters, or None."""
        value = self.value.get(key)
        if type(value) is str:
            return clean(value)
        if value is None:
            return None
        if type(value) in (int, float):
            return str(value)[:MAX_TEXT]
        self.note(key)
        return None

    def integer(self, key: str) -> int | None:
        """A whole number within 64 bits; fractions are rounded down."""
        value = self.value.get(key)
        if type(value) is int and -_LARGEST <= value <= _LARGEST:
            return value
        number = self.number(key)
        return None if number is None else math.floor(number)

    def number(self, key: str) -> float | None:
        """A finite number."""
        value = self.value.get(key)
        if value is None:
            return None
        if type(value) in (int, float) or (type(value) is str and len(value) <= 40):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                self.note(key)
                return None
            if math.isfinite(number) and abs(number) <= _LARGEST:
                return number
        self.note(key)
        return None

    def flag(self, key: str) -> bool | None:
        """A boolean; 0, 1 and the words ZFS uses are taken too."""
        value = self.value.get(key)
        if value is None or type(value) is bool:
            return value
        word = str(value).strip().lower() if type(value) in (str, int) else ""
        if word in ("true", "yes", "on", "1"):
            return True
        if word in ("false", "no", "off", "0"):
            return False
        self.note(key)
        return None

    def instant(self, key: str) -> int | None:
        """Unix nanoseconds of ``{"$date": ms}``, of epoch seconds or of RFC 3339 text."""
        value = self.value.get(key)
        if type(value) is dict:
            value = value.get("$date")
            scale = 1_000_000
        else:
            scale = 1_000_000_000
        if value is None:
            return None
        try:
            if type(value) in (int, float) and abs(value) < _LARGEST // scale:
                return int(value * scale)
            if type(value) is str and len(value) <= 40:
                return ns_from_text(value)
        except (ValueError, OverflowError):
            pass
        self.note(key)
        return None

    def inner(self, key: str) -> "Fields | None":
        """A nested object, or None when it is null, absent or something else."""
        value = self.value.get(key)
        if type(value) is dict:
            return Fields(value, f"{self.path}.{key}", self.unreadable)
        if value is not None:
            self.note(key)
        return None

    def items(self, key: str) -> list[Any]:
        """A nested list; empty when it is null, absent or something else."""
        value = self.value.get(key)
        if type(value) is list:
            return value
        if value is not None:
            self.note(key)
        return []


def clean(text: str) -> str:
    """Appliance text cut to 1,024 characters, with control characters and lone surrogates written as escapes."""
    if text.isprintable():  # the usual case; it also excludes surrogates
        return text[:MAX_TEXT]
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:MAX_TEXT])
