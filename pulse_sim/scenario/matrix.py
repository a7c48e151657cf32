"""One file, several scenarios: ``matrix`` names parameters and their values, ``${name}`` uses them.

Works on plain data before it is validated; refuses to know what a scenario is, except where its matrix stands.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulse_sim.scenario.problem import Finding, Path, nearest, one_of, shown

MAX_COMBINATIONS: Final = 64
MAX_ID_CHARACTERS: Final = 160
_USE: Final = re.compile(r"\$\{([^{}]*)\}")
_NOT_REPLACED: Final = frozenset({"matrix", "parameters", "id", "version"})


def combinations(data: Mapping[str, Any]) -> list[dict[str, int]]:
    """Every choice of one position per parameter, in the file's order; one empty choice without a matrix."""
    values = _values(data)
    choices = itertools.product(*(range(len(known)) for known in values.values()))
    return [dict(zip(values, choice, strict=True)) for choice in itertools.islice(choices, MAX_COMBINATIONS)]


def chosen_values(data: Mapping[str, Any], choice: Mapping[str, int]) -> dict[str, Any]:
    """The values of a choice of positions."""
    values = _values(data)
    return {name: values[name][position] for name, position in choice.items()}


def label(values: Mapping[str, Any]) -> str:
    """What a combination adds to the id: ``[tls=true,release=24.10]``, nothing without parameters."""
    inner = ",".join(f"{name}={_text(value)}" for name, value in values.items())
    return f"[{inner}]" if inner else ""


def substitute(data: Mapping[str, Any], choice: Mapping[str, int]) -> tuple[dict[str, Any], dict[Path, Path]]:
    """The data with every use replaced, and for each value that now comes from the matrix, where there.

    A scalar that is exactly ``${name}`` takes the value with its type; elsewhere the value is written as text.
    """
    values = chosen_values(data, choice)
    origins: dict[Path, Path] = {}

    def replace(value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: replace(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [replace(item, (*path, position)) for position, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        whole = _USE.fullmatch(value)
        if whole and whole[1] in values:
            origins[path] = ("matrix", whole[1], choice[whole[1]])
            return values[whole[1]]
        return _USE.sub(lambda use: _text(values[use[1]]) if use[1] in values else use[0], value)

    replaced = {key: item if key in _NOT_REPLACED else replace(item, (key,)) for key, item in data.items()}
    return replaced, origins


def matrix_findings(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Parameters that are used and not declared, declared and not used, repeated, or too many."""
    values = _values(data)
    used = set()
    for path, name in _uses(data, ()):
        used.add(name)
        if path[0] in _NOT_REPLACED:
            yield Finding(path, f"${{{name}}} is not replaced in {path[0]}")
        elif name not in values:
            yield Finding(path, f"unknown parameter ${{{name[:40]}}}{one_of(values)}", nearest(name, values))
    for name, known in values.items():
        path = ("matrix", name)
        if name not in used:
            yield Finding(path, f"parameter {name} is not used; write ${{{name}}} where it belongs", on_key=True)
        for position, value in enumerate(known):
            if any(_text(value) == _text(earlier) for earlier in known[:position]):
                yield Finding((*path, position), f"{shown(value)} is listed twice")
    count = 1
    for known in values.values():
        count *= len(known)
    longest = {name: max(known, key=lambda value: len(_text(value))) for name, known in values.items()}
    if len(str(data.get("id"))) + len(label(longest)) > MAX_ID_CHARACTERS:
        yield Finding(("matrix",), f"ids would be longer than {MAX_ID_CHARACTERS} characters", on_key=True)
    if count > MAX_COMBINATIONS:
        yield Finding(("matrix",), f"{count} combinations are more than {MAX_COMBINATIONS}", on_key=True)


def uses_unknown(data: Mapping[str, Any]) -> set[Path]:
    """Paths whose text uses a parameter that is not declared; nothing further can be said about them."""
    values = _values(data)
    return {path for path, name in _uses(data, ()) if name not in values}


def _uses(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _uses(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _uses(item, (*path, position))
    elif isinstance(value, str):
        for use in _USE.finditer(value):
            yield path, use[1]


def _values(data: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The matrix as far as it can be made out; its shape is judged by the model."""
    matrix = data.get("matrix")
    if not isinstance(matrix, dict):
        return {}
    lists = {name: value if isinstance(value, list) else [value] for name, value in matrix.items()}
    return {name: value for name, value in lists.items() if value}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
