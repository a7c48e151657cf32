"""From pydantic's errors to findings in plain words, with the nearest spelling.

Knows pydantic; refuses to know what is being validated.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pulse_sim.scenario.problem import Finding, Path, nearest, shown

Model = TypeVar("Model", bound=BaseModel)

_LOOSE_DURATION: Final = re.compile(r"\s*(\d{1,12})\s*([a-zA-Z]*)\s*")
_LOOSE_UNITS: Final = (
    ("ms", ("ms", "msec", "msecs", "millisecond", "milliseconds")),
    ("s", ("", "s", "sec", "secs", "second", "seconds")),
    ("m", ("m", "min", "mins", "minute", "minutes")),
    ("h", ("h", "hr", "hrs", "hour", "hours")),
    ("d", ("d", "day", "days")),
)
_TYPE_WORDS: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "date_type": "a date like 2026-03-31",
    "date_from_datetime_parsing": "a date like 2026-03-31",
    "date_parsing": "a date like 2026-03-31",
}
_LENGTH_ERRORS: Final = frozenset({"too_short", "too_long", "string_too_short", "string_too_long"})


def validate(model: type[Model], data: Any, texts: Mapping[Path, str], prefix: Path = ()) -> Model | list[Finding]:
    """The model made of plain data, or one finding for each error.

    Validation is strict and in JSON mode: lists stand for tuples, text for enumerations and dates, nothing else is
    converted. ``prefix`` is where ``data`` stands in its document; ``texts`` tells how a number there was written.
    """
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return [
            _finding(model, data, texts, prefix, details) for details in errors if not _is_consequence(details, errors)
        ]


def _is_consequence(details: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """Whether a list is only too short because its items are wrong; those are reported themselves."""
    place = details["loc"]
    if details["type"] != "too_short" or not details["input"]:
        return False
    return any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in errors)


def known_keys(model: type[BaseModel]) -> set[str]:
    """The keys a document may use for ``model``."""
    return {info.alias or name for name, info in model.model_fields.items()}


def _finding(
    model: type[BaseModel], data: Any, texts: Mapping[Path, str], prefix: Path, details: ErrorDetails
) -> Finding:
    kind, inner = details["type"], _path(data, details["loc"])
    path = (*prefix, *inner)
    if kind == "extra_forbidden":
        key, known = str(path[-1]), _keys_at(model, inner[:-1])
        return Finding(path, f"unknown key {shown(key)}", nearest(key, known), on_key=True)
    if kind == "missing" and isinstance(details["loc"][-1], int):
        return Finding(path, f"item {details['loc'][-1] + 1} is missing")
    if kind == "missing":
        return Finding(path, f"missing key {shown(str(details['loc'][-1]))}", on_key=True)
    message, suggestion = _message(path, details, texts)
    return Finding(path, message, suggestion, on_key=details["loc"][-1:] == ("[key]",))


def _message(path: Path, details: ErrorDetails, texts: Mapping[Path, str]) -> tuple[str, str | None]:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind in _TYPE_WORDS:
        return _wrong_type(_TYPE_WORDS[kind], value, texts.get(path))
    if kind in ("literal_error", "enum"):
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        if known and not isinstance(value, str):
            return _wrong_type("text", value, texts.get(path))
        return f"{shown(value)} is not one of {context.get('expected')}", nearest(value, known)
    if kind == "value_error":
        message = str(context.get("error", details["msg"]))
        return message, _duration_suggestion(value, texts.get(path)) if "is not a duration" in message else None
    if kind in _LENGTH_ERRORS and not value:
        return "must not be empty", None
    given = "" if isinstance(value, dict | list) else f", not {shown(value)}"
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}{given}", None


def _wrong_type(wanted: str, value: Any, text: str | None) -> tuple[str, str | None]:
    written = text if text is not None else shown(value)
    if wanted == "text" and isinstance(value, bool | int | float):
        quoted = f'"{written}"'
        return f"must be text, but {written} without quotes is {_type_word(value)}; write it in quotes", quoted
    suggestion = None
    if wanted == "true or false" and isinstance(value, str):
        suggestion = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower())
        suggestion = suggestion or nearest(value, ("true", "false"))
    return f"must be {wanted}, not {written}", suggestion


def _type_word(value: bool | int | float) -> str:
    return "true or false" if isinstance(value, bool) else "a number"


def _duration_suggestion(value: Any, text: str | None) -> str | None:
    match = _LOOSE_DURATION.fullmatch(text if text is not None else value if isinstance(value, str) else "")
    if match is None:
        return None
    units = (unit for unit, spellings in _LOOSE_UNITS if match[2].lower() in spellings)
    unit = next(units, None)
    return f"{match[1]}{unit}" if unit else None


def _path(data: Any, location: tuple[int | str, ...]) -> Path:
    """pydantic's location without the parts that name a branch of a union rather than a place in the data."""
    path: list[str | int] = []
    current = data
    for position, component in enumerate(location):
        if isinstance(current, dict) and component in current:
            current = current[str(component)]
        elif isinstance(current, list) and isinstance(component, int) and component < len(current):
            current = current[component]
        elif position < len(location) - 1 or component == "[key]" or not isinstance(current, dict):
            continue
        path.append(component)
    return tuple(path)


def _keys_at(model: type[BaseModel], path: Path) -> set[str]:
    """Every key the model knows at ``path``, over all branches of unions."""
    types: list[Any] = [model]
    for component in path:
        types = [inner for outer in types for inner in _inner_types(outer, component)]
    return {key for candidate in types for key in _keys_of(candidate)}


def _branches(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _branches(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for branch in get_args(annotation):
            yield from _branches(branch)
    else:
        yield annotation


def _inner_types(annotation: Any, component: str | int) -> Iterator[Any]:
    for branch in _branches(annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            for name, info in branch.model_fields.items():
                if (info.alias or name) == component:
                    yield info.annotation
        elif isinstance(component, int):
            yield from get_args(branch)
        else:
            yield from get_args(branch)[1:]


def _keys_of(annotation: Any) -> Iterator[str]:
    for branch in _branches(annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            yield from known_keys(branch)
