"""Changes inside a JSON result: a dotted path says where, a function what. Never changes what it was given.

Lists on the way are entered, so ``topology.data.stats.size`` is that field of every vdev of every row; ``*`` stands for
every key of an object, or for every item of a list. What is not there is left alone.
"""

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any, Final

GONE: Final = object()
"""Returned by a change, it takes the key away; given to one, there was none."""

Change = Callable[[Any], Any]
_NAMES: Final = ("name", "id", "identifier", "uuid", "service", "path")


def edited(value: Any, path: str, change: Change, *, rows: str = "*", create: bool = False) -> Any:
    """``value`` with ``change`` applied at ``path``; the very same object when nothing changed.

    ``rows`` is a glob on the name or id of the rows of a listing. With ``create`` the last key need not be there.
    """
    keys = tuple(path.split("."))
    if rows == "*" or not isinstance(value, list | tuple):
        return _edited(value, keys, change, create=create)
    return _same_or([_edited(row, keys, change, create=create) if is_named(row, rows) else row for row in value], value)


def is_named(row: Any, pattern: str) -> bool:
    """Whether a glob matches one of the names a row may have."""
    return isinstance(row, Mapping) and any(
        fnmatch.fnmatchcase(str(row[name]), pattern) for name in _NAMES if name in row
    )


def _edited(value: Any, keys: tuple[str, ...], change: Change, *, create: bool) -> Any:
    if isinstance(value, list | tuple):
        return _same_or(_items(value, keys, change, create=create), value)
    if not isinstance(value, Mapping):
        return value
    key, rest = keys[0], keys[1:]
    names = list(value) if key == "*" else [key] if key in value or create else []
    changed: dict[str, Any] = {}
    for name in names:
        old = value.get(name, GONE)
        if rest and old is GONE:
            old = {}
        new = _edited(old, rest, change, create=create) if rest else change(old)
        if new is not old:
            changed[name] = new
    if not changed:
        return value
    return {name: item for name, item in {**value, **changed}.items() if item is not GONE}


def _items(value: list[Any] | tuple[Any, ...], keys: tuple[str, ...], change: Change, *, create: bool) -> list[Any]:
    if keys == ("*",):
        return [item for item in map(change, value) if item is not GONE]
    rest = keys[1:] if keys[0] == "*" else keys
    return [_edited(item, rest, change, create=create) for item in value]


def _same_or(items: list[Any], value: Any) -> Any:
    same = len(items) == len(value) and all(new is old for new, old in zip(items, value, strict=True))
    return value if same else items
