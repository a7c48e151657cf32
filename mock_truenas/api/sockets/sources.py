"""Event sources: values that come at intervals and take an argument behind a colon (truenas-api 3.7, 3.8, 5.5)."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from mock_truenas.api import rows_realtime
from mock_truenas.api.errors import CallError, ValidationErrors
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.nas import Appliance

Values: TypeAlias = AsyncIterator[Any]
Source: TypeAlias = Callable[[Appliance, Dialect], Any]
_SHORTEST_S: Final = 2
_LONGEST_S: Final = 86_400


async def _realtime(argument: str, appliance: Appliance, dialect: Dialect) -> Values:
    interval_s = _interval_s("reporting.realtime", argument)
    while True:
        appliance.evolve()
        fields = rows_realtime.realtime(appliance, dialect, appliance.now_ns())
        if fields is not None:
            yield fields
        await asyncio.sleep(interval_s)


async def _app_stats(argument: str, appliance: Appliance, dialect: Dialect) -> Values:
    interval_s = _interval_s("app.stats", argument)
    while True:
        appliance.evolve()
        yield rows_realtime.app_stats(appliance, dialect, appliance.now_ns())
        await asyncio.sleep(interval_s)


async def _nothing_to_follow(argument: str, _appliance: Appliance, _dialect: Dialect) -> Values:
    for _ in ():
        yield _
    raise CallError(f"{argument or 'Nothing'} cannot be followed", errno.ENOENT)


def _interval_s(name: str, argument: str) -> int:
    """The interval of an argument, two seconds without one. Raises ValidationErrors."""
    if not argument:
        return _SHORTEST_S
    try:
        given = json.loads(argument)
    except (ValueError, RecursionError) as error:
        raise ValidationErrors.one(name, f"Invalid JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValidationErrors.one(name, "Input should be a valid dictionary or instance of RealtimeArgs")
    interval = given.get("interval", _SHORTEST_S)
    if not isinstance(interval, int) or isinstance(interval, bool):
        raise ValidationErrors.one(f"{name}.interval", "Input should be a valid integer")
    if not _SHORTEST_S <= interval <= _LONGEST_S:
        raise ValidationErrors.one(f"{name}.interval", f"Input should be greater than or equal to {_SHORTEST_S}")
    unknown = sorted(set(given) - {"interval"})
    if unknown:
        raise ValidationErrors((f"{name}.{key}", "Extra inputs are not permitted", errno.EINVAL) for key in unknown)
    return interval


SOURCES: Final[Mapping[str, Callable[[str, Appliance, Dialect], Values]]] = {
    "reporting.realtime": _realtime,
    "app.stats": _app_stats,
    "filesystem.file_tail_follow": _nothing_to_follow,
    "app.container_log_follow": _nothing_to_follow,
    "virt.instance.metrics": _nothing_to_follow,
}


def source_of(name: str) -> Source | None:
    """The source of a full name such as ``reporting.realtime:{"interval":5}``; None for a plain collection."""
    shortname, _, argument = name.partition(":")
    source = SOURCES.get(shortname)
    return partial(source, argument) if source is not None else None
