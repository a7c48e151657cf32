"""Event sources: values that come at intervals and take an argument behind a colon (truenas-api 3.7, 3.8, 5.5)."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Callable, Mapping, Set
from functools import partial
from typing import Any, Final, TypeAlias

from mock_truenas.api import rows_logs, rows_realtime
from mock_truenas.api.errors import CallError, ValidationErrors
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.nas import Appliance

Values: TypeAlias = AsyncIterator[Any]
Source: TypeAlias = Callable[[Appliance, Dialect], Any]
_SHORTEST_S: Final = 2
_LONGEST_S: Final = 86_400
_SCREEN: Final = 25
_MOST_LINES: Final = 1000
_DIGITS: Final = 9


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


async def _metrics(argument: str, appliance: Appliance, dialect: Dialect) -> Values:
    name = "virt.instance.metrics"
    given = _given(name, argument, {"interval", "id"})
    interval_s, key = _interval_of(name, given), str(given.get("id", ""))
    while True:
        appliance.evolve()
        fields = rows_realtime.instance_metrics(appliance, dialect, appliance.now_ns(), key)
        if fields is None:
            raise CallError(f"Instance {key!r} does not run", errno.ENOENT)
        yield fields
        await asyncio.sleep(interval_s)


async def _container_log(argument: str, appliance: Appliance, _dialect: Dialect) -> Values:
    given = _given("app.container_log_follow", argument, {"app_name", "container_id", "tail_lines"})
    app, container = str(given.get("app_name", "")), given.get("container_id")

    def line(at_s: int) -> Any:
        known = rows_logs.container_of(appliance, app, container)
        if known is None:
            raise CallError(f"Container of app {app!r} not found", errno.ENOENT)
        return rows_logs.container_line(appliance, app, known, at_s)

    async for fields in _followed(appliance, line, _tail_of(given.get("tail_lines"))):
        yield fields


async def _file_tail(argument: str, appliance: Appliance, _dialect: Dialect) -> Values:
    path, _, tail = argument.partition(":")
    if not rows_logs.is_file(path):
        raise CallError(f"{path or 'Nothing'} cannot be followed", errno.ENOENT)
    count = _tail_of(int(tail) if tail.isdecimal() and len(tail) < _DIGITS else None)
    async for fields in _followed(appliance, partial(rows_logs.file_line, appliance, path), count):
        yield fields


async def _followed(appliance: Appliance, line: Callable[[int], Any], tail: int) -> Values:
    """The last lines of a log, then those that come. A clock that leaps adds no more than a screen."""
    appliance.evolve()
    until_ns = appliance.now_ns()
    for at_s in rows_logs.ticks(0, until_ns, max(1, tail)):
        fields = line(at_s)
        if tail:
            yield fields
    while True:
        await asyncio.sleep(rows_logs.EVERY_S)
        appliance.evolve()
        after_ns, until_ns = until_ns, appliance.now_ns()
        for at_s in rows_logs.ticks(after_ns, until_ns, _SCREEN):
            yield line(at_s)


def _tail_of(given: Any) -> int:
    """How many lines there are to begin with."""
    known = isinstance(given, int) and not isinstance(given, bool)
    return min(max(0, given), _MOST_LINES) if known else _SCREEN


def _interval_s(name: str, argument: str) -> int:
    """The interval of an argument, two seconds without one. Raises ValidationErrors."""
    return _interval_of(name, _given(name, argument, {"interval"}))


def _interval_of(name: str, given: Mapping[str, Any]) -> int:
    interval = given.get("interval", _SHORTEST_S)
    if not isinstance(interval, int) or isinstance(interval, bool):
        raise ValidationErrors.one(f"{name}.interval", "Input should be a valid integer")
    if not _SHORTEST_S <= interval <= _LONGEST_S:
        raise ValidationErrors.one(f"{name}.interval", f"Input should be greater than or equal to {_SHORTEST_S}")
    return interval


def _given(name: str, argument: str, known: Set[str]) -> dict[str, Any]:
    """The object of an argument, empty without one. Raises ValidationErrors."""
    if not argument:
        return {}
    try:
        given = json.loads(argument)
    except (ValueError, RecursionError) as error:
        raise ValidationErrors.one(name, f"Invalid JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValidationErrors.one(name, "Input should be a valid dictionary or instance of RealtimeArgs")
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValidationErrors((f"{name}.{key}", "Extra inputs are not permitted", errno.EINVAL) for key in unknown)
    return given


SOURCES: Final[Mapping[str, Callable[[str, Appliance, Dialect], Values]]] = {
    "reporting.realtime": _realtime,
    "app.stats": _app_stats,
    "filesystem.file_tail_follow": _file_tail,
    "app.container_log_follow": _container_log,
    "virt.instance.metrics": _metrics,
}


def source_of(name: str) -> Source | None:
    """The source of a full name such as ``reporting.realtime:{"interval":5}``; None for a plain collection."""
    shortname, _, argument = name.partition(":")
    source = SOURCES.get(shortname)
    return partial(source, argument) if source is not None else None
