"""Query-filters and query-options: read from JSON values and query strings, applied to rows (truenas-api 2.3, 5.5).

Knows no resource; rows are plain JSON objects with dates as ``{"$date": ms}``.
"""

import asyncio
import errno
import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import Field

from mock_truenas.api.errors import MatchNotFound, Problem, ValidationErrors
from mock_truenas.api.methods.checking import Given, checked_value
from mock_truenas.api.methods.conditions import BadFilter, passes
from mock_truenas.api.methods.paths import place, put, values_at
from mock_truenas.api.methods.query import Options, Query
from mock_truenas.appliance.dialect import Dialect

_WORDS: Final = {"eq": "=", "neq": "!=", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "regex": "~"}
_LARGEST: Final = 1 << 62
_MANY: Final = 500
_HANDFUL: Final = 100
Row: TypeAlias = Mapping[str, Any]


class QueryOptions(Given):
    """Query-options on the wire; those a version does not take are in differences.toml under ``query-options``."""

    extra: dict[str, Any] = Field(default_factory=dict)
    order_by: list[str] = Field(default_factory=list)
    select: list[str | list[str]] = Field(default_factory=list)
    count: bool = False
    get: bool = False
    offset: int = 0
    limit: int = 0
    force_sql_filters: bool = False
    relationships: bool = True
    extend: str | None = None
    extend_context: str | None = None
    prefix: str | None = None


def read_query(given: Sequence[Any], dialect: Dialect) -> Query:
    """A query from its positional arguments, filters and options, either of which may be missing.

    Raises ValidationErrors for everything that is wrong with both.
    """
    filters_name, options_name = dialect.value("query_argument_names")
    problems: list[Problem] = []
    filters = given[0] if given else []
    try:
        checked_value(filters_name, list[Any], filters, dialect)
        passes(filters)
    except ValidationErrors as errors:
        problems += errors.problems
    except BadFilter as bad:
        problems.append((filters_name, str(bad), errno.EINVAL))
    options = Options()
    try:
        options = _options(options_name, given[1] if len(given) > 1 else {}, dialect)
    except ValidationErrors as errors:
        problems += errors.problems
    if problems:
        raise ValidationErrors(problems)
    return Query(tuple(filters), options)


def read_query_string(pairs: Iterable[tuple[str, str]], dialect: Dialect) -> Query:
    """A query from the pairs of a query string. Raises ValidationErrors."""
    filters, options = query_string_arguments(pairs)
    if not dialect.has("strict_models"):
        # Only the models of later versions tell 1 from true.
        options |= {name: bool(options[name]) for name in ("count",) if isinstance(options.get(name), int)}
    return read_query((filters, options), dialect)


def query_string_arguments(pairs: Iterable[tuple[str, str]]) -> tuple[list[Any], dict[str, Any]]:
    """Filters and options as a query string gives them, not checked yet."""
    filters: list[Any] = []
    options: dict[str, Any] = {}
    for name, text in pairs:
        if name in ("limit", "offset", "count"):
            options[name] = typed(text)
        elif name == "sort":
            # Put among the query options, where no such key exists (truenas-api 2.3).
            options[name] = text.split(",")
        elif name.startswith("extra."):
            options.setdefault("extra", {})[name.removeprefix("extra.")] = json_or_text(text)
        else:
            attribute, _, word = name.partition("__")
            filters.append([attribute, _WORDS.get(word, word or "="), typed(text)])
    return filters, options


def apply(query: Query, rows: Sequence[Row]) -> Any:
    """The rows a query asks for; their number with ``count``; one with ``get``, else raises MatchNotFound."""
    steps = _applying(query, rows)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


async def apply_in_turns(query: Query, rows: Sequence[Row]) -> Any:
    """The same; others get their turn between any two handfuls of rows."""
    steps = _applying(query, rows)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        await asyncio.sleep(0)


def takes_long(query: Query, rows: Any) -> bool:
    """Whether applying a query at once would hold up others."""
    options = query.options
    return (
        isinstance(rows, list | tuple)
        and len(rows) > _MANY
        and bool(query.filters or options.order_by or options.select)
    )


def _applying(query: Query, rows: Sequence[Row]) -> Generator[None, None, Any]:
    """Applies a query a handful of rows at a time; returns what it asks for."""
    options = query.options
    if query.filters:
        matches = passes(query.filters)
        rows = yield from _collected(rows, lambda row: (row,) if matches(row) else ())
    if options.count:
        return len(rows)
    for order in reversed(options.order_by):
        rows = yield from _ordered(rows, order)
    if options.get:
        if not rows:
            raise MatchNotFound
        rows = rows[:1]
    elif options.offset or options.limit:
        end = options.offset + options.limit if options.limit else None
        rows = rows[options.offset : end]
    if options.select:
        rows = yield from _collected(rows, lambda row: (_selected(row, options.select),))
    return rows[0] if options.get else rows


def _collected(rows: Sequence[Row], make: Callable[[Row], Iterable[Any]]) -> Generator[None, None, list[Any]]:
    """What is made of each row, in one list."""
    made: list[Any] = []
    for start in range(0, len(rows), _HANDFUL):
        for row in rows[start : start + _HANDFUL]:
            made += make(row)
        yield
    return made


def typed(text: str) -> Any:
    """A value of a query string: digits, true, false and null are what they say."""
    if text.isascii() and text.isdigit() and len(text) <= 4000:
        return int(text)
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)


def json_or_text(text: str) -> Any:
    """The value of an ``extra.``: JSON where it is JSON, text otherwise."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _options(name: str, given: Any, dialect: Dialect) -> Options:
    read: QueryOptions = checked_value(name, QueryOptions, given, dialect)
    problems: list[Problem] = [
        (f"{name}.{key}", _unexpected(dialect), errno.EINVAL) for key in given if key in dialect.lacks("query-options")
    ]
    if read.get and (read.limit > 1 or read.offset):
        problems.append((name, "Invalid options combination. `get` implies a single result.", errno.EINVAL))
    for part in read.select:
        if isinstance(part, list) and len(part) != 2:
            problems.append((f"{name}.select", f"Not a field and a name for it: {part}", errno.EINVAL))
    if problems:
        raise ValidationErrors(problems)
    return Options(
        extra=read.extra,
        order_by=tuple(read.order_by),
        select=tuple(read.select),
        count=read.count,
        get=read.get,
        # More than any list holds; a slice cannot take a number of a thousand digits.
        offset=max(-_LARGEST, min(read.offset, _LARGEST)),
        limit=max(-_LARGEST, min(read.limit, _LARGEST)),
    )


def _unexpected(dialect: Dialect) -> str:
    return "Extra inputs are not permitted" if dialect.has("strict_models") else "Field was not expected"


def _ordered(rows: Sequence[Row], order: str) -> Generator[None, None, list[Row]]:
    """Stable; a missing field sorts as null, nulls below everything unless the prefix puts them at an end."""
    first, last = order.startswith("nulls_first:"), order.startswith("nulls_last:")
    order = order.removeprefix("nulls_first:").removeprefix("nulls_last:")
    down = order.startswith("-")
    steps = place(order.removeprefix("-"))
    keyed = yield from _collected(rows, lambda row: ((_rank(next(values_at(row, steps), None)), row),))
    if not (first or last):
        return [row for _, row in sorted(keyed, key=lambda pair: pair[0], reverse=down)]
    nulls = [row for rank, row in keyed if rank[0] == 0]
    others = sorted((pair for pair in keyed if pair[0][0]), key=lambda pair: pair[0], reverse=down)
    known = [row for _, row in others]
    return nulls + known if first else known + nulls


def _rank(value: Any) -> tuple[int, Any]:
    """A key that puts values of different types into one order."""
    if value is None:
        return 0, 0
    if isinstance(value, Mapping) and isinstance(value.get("$date"), int):
        value = value["$date"]
    if isinstance(value, int | float):
        return 1, value
    if isinstance(value, str):
        return 2, value
    return 3, json.dumps(value, sort_keys=True)


def _selected(row: Mapping[str, Any], select: Sequence[Any]) -> dict[str, Any]:
    """The chosen fields; a dotted one keeps its objects around it unless it is renamed. What is missing stays away."""
    shown: dict[str, Any] = {}
    for part in select:
        name, new = (part, None) if isinstance(part, str) else part
        if new is None and name in row:
            shown[name] = row[name]
            continue
        steps = place(name)
        found = list(values_at(row, steps))
        if not found:
            continue
        value = found if "*" in steps else found[0]
        put(shown, (new,) if new is not None else steps, value)
    return shown
