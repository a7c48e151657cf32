"""JSON values against the few keywords of JSON Schema that the API's tables are written in. Pure; knows no route.

The OpenAPI document shows the very same schemas, so that what is promised is what is checked.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def problems(schema: Schema, value: Any, path: str = "") -> dict[str, str]:
    """What is wrong with a value, by path (``disks.0.name``), without the value itself; empty when nothing is."""
    if value is None and "null" in _types(schema):
        return {}
    wrong = _own(schema, value)
    if wrong is not None:
        return {path: wrong}
    found: dict[str, str] = {}
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                found[_below(path, name)] = "is required"
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found |= problems(inner, value[name], _below(path, name))
    elif isinstance(value, list) and "items" in schema:
        for at, item in enumerate(value):
            found |= problems(schema["items"], item, _below(path, str(at)))
    return found


def _own(schema: Schema, value: Any) -> str | None:
    """What is wrong with a value itself, not with what it contains."""
    types = _types(schema)
    if types and not any(_TYPES[name](value) for name in types):
        return f"must be {' or '.join(types)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf):
            return f"must be {schema.get('minLength', 0)} to {schema.get('maxLength', 'any number of')} characters"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return f"must match {schema['pattern']}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf):
            return f"must be from {schema.get('minimum', 'anything')} to {schema.get('maximum', 'anything')}"
    elif isinstance(value, list) and len(value) > schema.get("maxItems", math.inf):
        return f"must have at most {schema['maxItems']} items"
    return None


def _types(schema: Schema) -> Sequence[str]:
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else named


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
