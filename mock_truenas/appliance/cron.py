"""When a schedule of the appliance (``minute hour dom month dow``, ``begin``, ``end``) is due next. In UTC."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

_NAMES: Final = {
    name: number
    for names in ("jan feb mar apr may jun jul aug sep oct nov dec", "mon tue wed thu fri sat sun")
    for number, name in enumerate(names.split(), start=1)
}
_LONGEST_DAYS: Final = 8 * 366
"""Within these a schedule comes due, or never does: 29 February on a given weekday may take decades."""
_PART: Final = re.compile(r"(?:\*|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?")


def due_after(schedule: Mapping[str, Any], now_ns: int) -> int | None:
    """The first instant after ``now_ns`` (Unix nanoseconds) that fits; None for a schedule that never fits."""
    fields = tuple(str(schedule.get(name, "*")) for name in ("minute", "hour", "dom", "month", "dow"))
    begin, end = str(schedule.get("begin", "00:00")), str(schedule.get("end", "23:59"))
    try:
        minutes, days = _fitting(fields, begin, end)
    except ValueError:
        return None
    if not minutes:
        return None
    start = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).replace(second=0, microsecond=0)
    day, minute = start.replace(hour=0, minute=0), start.hour * 60 + start.minute
    for _ in range(_LONGEST_DAYS):
        if day.day in days[0] and day.month in days[1] and day.isoweekday() in days[2]:
            later = next((one for one in minutes if one > minute), None)
            if later is not None:
                return int(day.timestamp()) * 1_000_000_000 + later * 60_000_000_000
        day, minute = day + timedelta(days=1), -1
    return None


@lru_cache(maxsize=256)
def _fitting(fields: tuple[str, ...], begin: str, end: str) -> tuple[tuple[int, ...], tuple[frozenset[int], ...]]:
    """The minutes of a day, and the days of the month, months and ISO weekdays that fit. Raises ValueError."""
    minute, hour, dom, month, dow = (
        _numbers(field, low, high)
        for field, low, high in zip(fields, (0, 0, 1, 1, 0), (59, 23, 31, 12, 7), strict=True)
    )
    first, last = _minute_of(begin), _minute_of(end)
    minutes = (one * 60 + other for one in sorted(hour) for other in sorted(minute))
    # Sunday is 0 and 7.
    weekdays = frozenset(7 if one == 0 else one for one in dow)
    return tuple(one for one in minutes if first <= one <= last), (dom, month, weekdays)


def _numbers(field: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.lower().split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{field!r} is no part of a schedule")
        step = int(match[3] or 1)
        first = low if match[1] is None else _number(match[1])
        last = _number(match[2]) if match[2] else first if match[1] and not match[3] else high
        # Bounded first: what somebody typed may span more numbers than memory holds.
        found.update(range(first, min(last, high) + 1, max(1, step)))
    return frozenset(number for number in found if number >= low)


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)


def _minute_of(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
