"""``--set PATH=VALUE``: one value of a document replaced before it is validated.

A path names keys and list positions, ``appliances.nas-1.tls``, ``timeline[0].for`` or, by an entry's id,
``timeline.flap.for``. Refuses to know what the keys mean; a problem with a replaced value is reported at the argument.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pulse_sim.scenario.document import Document, Place, parse_value
from pulse_sim.scenario.problem import DocumentError, Path, Problem, nearest, one_of, shown

_COMPONENT: Final = re.compile(r"\[(\d{1,6})\]|([^.\[\]=]+)")
_WHOLE_USE: Final = re.compile(r"\$\{[^{}]*\}")


class _BadPath(Exception):
    def __init__(self, column: int, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.column, self.message, self.suggestion = column, message, suggestion


def apply_overrides(document: Document, overrides: Sequence[str]) -> None:
    """Replaces values in ``document``; what cannot be applied becomes one of its problems."""
    for override in overrides:
        argument = (
            f"--set {override}" if override.isprintable() and len(override) <= 200 else f"--set {shown(override)}"
        )
        try:
            _apply(document, argument, override)
        except _BadPath as bad:
            document.problems.append(Problem(argument, 1, bad.column, "", bad.message, bad.suggestion))
        except DocumentError as error:
            document.problems.extend(error.problems)


def _apply(document: Document, argument: str, override: str) -> None:
    path_text, equals, value_text = override.partition("=")
    if not equals:
        raise _BadPath(1, "write it as PATH=VALUE, such as appliances.nas-1.tls=true")
    components = list(_components(path_text))
    parent: Any = document.data
    path: Path = ()
    for position, (column, component) in enumerate(components):
        is_last = position == len(components) - 1
        key = _key(parent, component, column, may_be_new=is_last)
        path = (*path, key)
        if not is_last:
            parent = parent[key]
    value, written = parse_value(argument, value_text)
    old = parent[key] if not isinstance(parent, dict) or key in parent else None
    if isinstance(old, str) and not _WHOLE_USE.fullmatch(old) and isinstance(value, bool | int | float):
        value, written = written, ""  # a text stays text: --set appliances.nas-1.release=24.10 needs no quotes
    parent[key] = value
    _move(document, path, Place(argument, 1, len(path_text) + 2))
    if isinstance(value, int | float) and not isinstance(value, bool):
        document.texts[path] = written


def _components(text: str) -> Iterator[tuple[int, str | int]]:
    end = 0
    while end < len(text):
        if end and text[end] == ".":
            end += 1
        match = _COMPONENT.match(text, end)
        if match is None:
            raise _BadPath(end + 1, "not a path; write it like timeline[0].for")
        yield end + 1, int(match[1]) if match[1] else match[2]
        end = match.end()
    if not text:
        raise _BadPath(1, "the path is empty")


def _key(parent: Any, component: str | int, column: int, *, may_be_new: bool) -> Any:
    if isinstance(parent, list):
        return _position(parent, component, column)
    if not isinstance(parent, dict):
        raise _BadPath(column, f"there is nothing below {shown(parent)}")
    key = str(component)
    if key not in parent and not may_be_new:
        raise _BadPath(column, f"no key {shown(key)}{one_of(parent)}", nearest(key, parent))
    return key


def _position(parent: list[Any], component: str | int, column: int) -> int:
    if isinstance(component, str) and component.isdecimal():
        component = int(component)
    if isinstance(component, int):
        if component >= len(parent):
            raise _BadPath(column, f"no position {component} in a list of {len(parent)}")
        return component
    ids = [item.get("id") if isinstance(item, dict) else None for item in parent]
    if component not in ids:
        known = [name for name in ids if isinstance(name, str)]
        raise _BadPath(column, f"no entry with id {shown(component)}{one_of(known)}", nearest(component, known))
    return ids.index(component)


def _move(document: Document, path: Path, place: Place) -> None:
    """Lets ``path`` and all below it stand at ``place``."""
    for places in (document.keys, document.values, document.texts):
        for old in [old for old in places if old[: len(path)] == path]:
            del places[old]
    document.keys[path] = document.values[path] = place
