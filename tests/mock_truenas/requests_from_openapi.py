"""Requests as a document describes them: a strategy for each operation. Knows the document and nothing of the mock."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@dataclass(frozen=True)
class Operation:
    """One path and verb of a document."""

    path: str
    verb: str
    described: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{self.verb.upper()} {self.path}"


@dataclass(frozen=True)
class Request:
    """What to send: ``target`` is below the server's base."""

    verb: str
    target: str
    body: bytes


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation of a document."""
    for path, verbs in document["paths"].items():
        for verb, described in verbs.items():
            yield Operation(path, verb, described)


def requests(operation: Operation, document: Mapping[str, Any]) -> st.SearchStrategy[Request]:
    """Requests that the document allows."""
    parameters = operation.described.get("parameters", ())
    items = st.just("") if "{id}" not in operation.path else _values(_schema_of(parameters, "id"), document).map(str)
    queries = {p["name"]: _values(p["schema"], document).map(str) for p in parameters if p["in"] == "query"}
    body = operation.described.get("requestBody")
    bodies: st.SearchStrategy[bytes] = st.just(b"")
    if body is not None:
        given = _values(body["content"]["application/json"]["schema"], document).map(lambda v: json.dumps(v).encode())
        bodies = given if body["required"] else given | st.just(b"")

    def built(item: str, query: dict[str, str], sent: bytes) -> Request:
        path = operation.path.replace("{id}", quote(item or "0", safe="", errors="replace"))
        return Request(operation.verb.upper(), f"{path}?{urlencode(query)}" if query else path, sent)

    return st.builds(built, items, st.fixed_dictionaries({}, optional=queries), bodies)


def _schema_of(parameters: Any, name: str) -> Mapping[str, Any]:
    return next(parameter["schema"] for parameter in parameters if parameter["name"] == name)


def _values(schema: Mapping[str, Any], document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """JSON values a schema allows; patterns and bounds of unusual kinds are left to chance."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return st.deferred(lambda: _values(document["components"]["schemas"][name], document))
    made = _of_kind(schema, document)
    return made | st.none() if schema.get("nullable") else made


def _of_kind(schema: Mapping[str, Any], document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return st.one_of([_values(choice, document) for choice in schema[word]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "string":
            longest = min(schema.get("maxLength", 12), 12)
            return st.text(min_size=schema.get("minLength", 0), max_size=max(longest, schema.get("minLength", 0)))
        case "integer":
            return st.integers(schema.get("minimum", -9), schema.get("maximum", 1 << 40))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(_values(schema["items"], document), min_size=schema.get("minItems", 0), max_size=3)
        case "object":
            return _objects(schema, document)
    return _ANYTHING


def _objects(schema: Mapping[str, Any], document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    known = {name: _values(part, document) for name, part in schema.get("properties", {}).items()}
    required = {name: strategy for name, strategy in known.items() if name in schema.get("required", ())}
    optional = {name: strategy for name, strategy in known.items() if name not in required}
    if known:
        return st.fixed_dictionaries(required, optional=optional)
    extra = schema.get("additionalProperties")
    inner = _values(extra, document) if isinstance(extra, Mapping) else _ANYTHING
    return st.dictionaries(st.text(max_size=5), inner, max_size=2)
