"""Dotted paths into rows: ``scan.state``, ``topology.data.*.status``, ``children.0.name`` (truenas-api 5.5)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=256)
def place(path: str) -> tuple[str, ...]:
    """The steps of a path; a dot after a backslash belongs to a name."""
    steps: list[str] = [""]
    escaped = False
    for character in path:
        if escaped:
            steps[-1] += character if character == "." else "\\" + character
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ".":
            steps.append("")
        else:
            steps[-1] += character
    if escaped:
        steps[-1] += "\\"
    return tuple(steps)


def values_at(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """Every value at a path: none where it leads nowhere, several through ``*``."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping):
        if step in value:
            yield from values_at(value[step], rest)
        elif step == "*":
            for item in value.values():
                yield from values_at(item, rest)
    elif isinstance(value, list | tuple):
        if step == "*":
            for item in value:
                yield from values_at(item, rest)
        elif step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(value):
            yield from values_at(value[int(step)], rest)


def put(shown: dict[str, Any], steps: Sequence[str], value: Any) -> None:
    """Put a value at a path, with objects around it where there are none yet."""
    for step in steps[:-1]:
        inner = shown.get(step)
        if not isinstance(inner, dict):
            inner = {}
        # A copy: what is there may belong to a row that was selected whole.
        shown[step] = shown = dict(inner)
    shown[steps[-1]] = value
