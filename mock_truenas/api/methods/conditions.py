"""Filters as tests of rows: every operator of query-filters (truenas-api 5.5). Knows neither options nor resources."""

import operator
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from mock_truenas.api.methods.paths import place, values_at

Test: TypeAlias = Callable[[Any], bool]
_DEEPEST: Final = 32


class BadFilter(ValueError):
    """A filter that cannot be one; the text says why."""


def passes(filters: Sequence[Any], depth: int = 0) -> Test:
    """The test of a row that all filters make together. Raises BadFilter."""
    tests = [_one(part, depth) for part in filters]
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _one(part: Any, depth: int) -> Test:
    if depth > _DEEPEST:
        raise BadFilter("Too many nested filters")
    if not isinstance(part, list | tuple) or len(part) not in (2, 3):
        raise BadFilter(f"Invalid filter {part!r:.100}")
    if len(part) == 2:
        word, branches = part
        if word != "OR":
            raise BadFilter(f"Invalid operation: {word!s:.100}")
        if not isinstance(branches, list | tuple):
            raise BadFilter(f"Invalid filter {part!r:.100}")
        return _either([_branch(branch, depth + 1) for branch in branches])
    name, word, wanted = part
    if not isinstance(name, str) or not isinstance(word, str):
        raise BadFilter(f"Invalid filter {part!r:.100}")
    return _field(name, word, wanted)


def _branch(branch: Any, depth: int) -> Test:
    """A branch of OR is one filter, or a list of filters that hold together."""
    if isinstance(branch, list | tuple) and branch and all(isinstance(part, list | tuple) for part in branch):
        return passes(branch, depth)
    return _one(branch, depth)


def _either(tests: Sequence[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)


def _field(name: str, word: str, wanted: Any) -> Test:
    steps = place(name)
    if steps[-1] == "$date" and isinstance(wanted, str):
        wanted = _instant_ms(wanted)
    matches = _comparison(word, wanted)
    if len(steps) == 1 and name != "*":
        # A field that is not there never matches.
        return lambda row: name in row and matches(row[name])
    return lambda row: any(matches(value) for value in values_at(row, steps))


def _instant_ms(text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadFilter(f"Invalid isoformat string: {text:.100}") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    try:
        return round(instant.timestamp() * 1000)
    except (OverflowError, ValueError) as error:
        raise BadFilter(f"Invalid isoformat string: {text:.100}") from error


def _comparison(word: str, wanted: Any) -> Test:
    plain = word.removeprefix("C") if len(word) > 1 else word
    fold = plain != word
    if plain == "~":
        return _pattern(wanted, re.IGNORECASE if fold else 0)
    compare = _COMPARISONS.get(plain)
    if compare is None:
        raise BadFilter(f"Invalid operation: {word:.100}")
    goal = _instant(_folded(wanted) if fold else wanted)

    def matches(value: Any) -> bool:
        try:
            return bool(compare(_folded(value) if fold else _instant(value), goal))
        except TypeError:
            # Comparing null or different types: such a row is never meant.
            return False

    return matches


def _instant(value: Any) -> Any:
    """A date object as its milliseconds, so that dates can be put in order; anything else as it is."""
    return value["$date"] if isinstance(value, Mapping) and tuple(value) == ("$date",) else value


def _folded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_folded(item) for item in value]
    return value.casefold() if isinstance(value, str) else value


def _pattern(wanted: Any, flags: int) -> Test:
    try:
        # Python comments on odd patterns with warnings; a client's pattern is not ours to comment on.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pattern = re.compile(str(wanted), flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadFilter(f"Invalid regular expression: {error}") from error
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


def _begins(value: Any, wanted: Any) -> bool:
    return isinstance(value, str) and value.startswith(wanted)


def _ends(value: Any, wanted: Any) -> bool:
    return isinstance(value, str) and value.endswith(wanted)


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
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
    "^": _begins,
    "!^": lambda value, wanted: isinstance(value, str) and not value.startswith(wanted),
    "$": _ends,
    "!$": lambda value, wanted: isinstance(value, str) and not value.endswith(wanted),
}
