"""Query strings of filterable GETs: filters, options and how they are applied (truenas-api 2.3). Knows no resource."""

import json
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mock_truenas.api.answer import Answer, validation_error

_NAMES: Final = {"eq": "=", "neq": "!=", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "regex": "~"}
_MISSING: Final = object()


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Query:
    """A parsed query string."""

    filters: tuple[tuple[str, str, Any], ...] = ()
    limit: int = 0
    offset: int = 0
    count: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


def parse_query(pairs: Iterable[tuple[str, str]]) -> Query:
    """Filters and options of a query string. Raises Refused (422) for options of the wrong type and for ``sort``."""
    filters: list[tuple[str, str, Any]] = []
    options: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, text in pairs:
        if name in ("limit", "offset", "count"):
            options[name] = _typed(text)
        elif name == "sort":
            # Put among the query options, where no such key exists (truenas-api 2.3).
            raise Refused(validation_error({"query-options.sort": "Field was not expected"}))
        elif name.startswith("extra."):
            extra[name.removeprefix("extra.")] = _json_or_text(text)
        else:
            attribute, _, word = name.partition("__")
            filters.append((attribute, _NAMES.get(word, word or "="), _typed(text)))
    return Query(
        filters=tuple(filters),
        limit=_amount(options, "limit"),
        offset=_amount(options, "offset"),
        count=_flag(options, "count"),
        extra=extra,
    )


def apply(query: Query, rows: list[dict[str, Any]]) -> Any:
    """The rows a query asks for, or their number. Raises Refused (422) for an unknown operator or a bad pattern."""
    for attribute, word, wanted in query.filters:
        matches = _test(word, wanted)
        rows = [row for row in rows if _passes(row, attribute, matches)]
    if query.count:
        return len(rows)
    end = query.offset + query.limit if query.limit else None
    return rows[query.offset : end]


def _typed(text: str) -> Any:
    if text.isascii() and text.isdigit() and len(text) <= 4000:
        return int(text)
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _amount(options: Mapping[str, Any], name: str) -> int:
    value = options.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(validation_error({f"query-options.{name}": "Not an integer"}))
    # More than any list holds; a slice cannot take a number of a thousand digits.
    return min(value, 1 << 62)


def _flag(options: Mapping[str, Any], name: str) -> bool:
    value = options.get(name, False)
    if not isinstance(value, int):
        raise Refused(validation_error({f"query-options.{name}": "Not a boolean"}))
    return bool(value)


def _passes(row: Mapping[str, Any], path: str, matches: Callable[[Any], bool]) -> bool:
    value: Any = row
    for step in path.split("."):
        value = value.get(step, _MISSING) if isinstance(value, Mapping) else _MISSING
    # A field that is not there never matches (truenas-api 5.5).
    return value is not _MISSING and matches(value)


def _test(word: str, wanted: Any) -> Callable[[Any], bool]:
    if word == "~":
        return _pattern(str(wanted))
    test = _TESTS.get(word.removeprefix("C")) if word != "C" else None
    if test is None:
        raise Refused(validation_error({"query-filters": f"Invalid operation: {word}"}))
    fold = word.startswith("C")

    def matches(value: Any) -> bool:
        try:
            return bool(test(_folded(value) if fold else value, _folded(wanted) if fold else wanted))
        except TypeError:
            # Comparing null or different types: such a row is never meant.
            return False

    return matches


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _pattern(text: str) -> Callable[[Any], bool]:
    try:
        # Python comments on odd patterns with warnings; a client's pattern is not ours to comment on.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise Refused(validation_error({"query-filters": f"Invalid regular expression: {error}"})) from error
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


_TESTS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value not in wanted,
    "rin": lambda value, wanted: wanted in value,
    "rnin": lambda value, wanted: wanted not in value,
    "^": lambda value, wanted: isinstance(value, str) and value.startswith(wanted),
    "!^": lambda value, wanted: isinstance(value, str) and not value.startswith(wanted),
    "$": lambda value, wanted: isinstance(value, str) and value.endswith(wanted),
    "!$": lambda value, wanted: isinstance(value, str) and not value.endswith(wanted),
}
