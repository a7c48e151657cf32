"""Strategies for arguments of methods: near what they take, and now and then anything at all."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.appliance.releases import RELEASES

SOUND = "tank /mnt/tank tank/documents jellyfin eno1 nfs cifs syncthing anna sound-1 HOUR cpu disk sda 10.0.0.1".split()  # noqa: SIM905
TEXTS = st.sampled_from(SOUND) | st.text(max_size=12) | st.sampled_from(["*", "", "\x00", "\ud800", "a" * 5000])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 0.0, -0.0, float("nan"), float("inf"), 1e308])
    | TEXTS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def _objects(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values near a schema: mostly the right keys with mostly the right types."""
    if "$ref" in schema:
        return _objects(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([_objects(part, root) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        needed = set(schema.get("required", ()))
        parts = {name: _objects(part, root) for name, part in schema["properties"].items()}
        required = {name: part for name, part in parts.items() if name in needed}
        optional = {name: part for name, part in parts.items() if name not in needed}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "array":
        return st.lists(_objects(schema.get("items", {}), root), max_size=3)
    simple = {
        "integer": st.integers(1, 3) | st.integers(),
        "string": st.sampled_from(SOUND) | TEXTS,
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return simple.get(str(kind), VALUES)


@cache
def near(name: str, release: str) -> st.SearchStrategy[list[Any]]:
    """Positional arguments near what a method takes in a release; now and then anything instead of one of them."""
    method = METHODS[name]
    if method.filterable:
        return st.lists(VALUES, max_size=3)
    strategies = []
    for param in method.params(RELEASES[release].dialect):
        schema = TypeAdapter(param.type).json_schema()
        near = _objects(schema, schema)
        strategies.append(st.one_of(near, near, near, near, near, VALUES))
    return st.tuples(*strategies).map(list)
