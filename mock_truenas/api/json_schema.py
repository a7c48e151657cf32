"""Schemas of OpenAPI 3.0 from what TypeAdapters take. Knows no method and no path.

pydantic writes JSON Schema 2020-12; OpenAPI 3.0 knows an older one without null, const, $defs and prefixItems.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic.errors import PydanticInvalidForJsonSchema

from mock_truenas.api.methods.checking import adapter

_REF: Final = "#/components/schemas/"
# What OpenAPI 3.0 has no word for, and what says nothing to whoever makes requests.
_DROPPED: Final = frozenset(
    {"$defs", "default", "examples", "propertyNames", "patternProperties", "title", "contentMediaType", "discriminator"}
)


@dataclass
class Schemas:
    """Schemas, and the models they refer to; a model is named after the method that takes it."""

    components: dict[str, Any] = field(default_factory=dict)

    def of(self, expected: Any, owner: str) -> dict[str, Any]:
        """The schema of a type; an empty one, which takes anything, where there is none."""
        try:
            made = adapter(expected).json_schema(ref_template=f"{_REF}{owner}.{{model}}")
        except PydanticInvalidForJsonSchema:
            return {}
        for name, definition in made.get("$defs", {}).items():
            self.components[f"{owner}.{name}"] = converted(definition)
        result: dict[str, Any] = converted(made)
        return result


def converted(schema: Any) -> Any:
    """A schema in the words of OpenAPI 3.0."""
    if isinstance(schema, list):
        return [converted(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {name: _part(name, part) for name, part in schema.items() if name not in _DROPPED}
    _tell_bounds(made)
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if "prefixItems" in made:
        made["items"] = {"anyOf": made.pop("prefixItems")}
    if made.get("type") == "array":
        made.setdefault("items", {})
    if made.get("type") == "null":
        return {"nullable": True, "enum": [None]}
    return _nullable(made)


def _part(name: str, part: Any) -> Any:
    if name == "properties":
        return {key: converted(inner) for key, inner in part.items()}
    # Values, not schemas.
    return part if name in ("enum", "const", "required") else converted(part)


def _tell_bounds(made: dict[str, Any]) -> None:
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in made:
            made[inclusive] = made.pop(exclusive)
            made[exclusive] = True


def _nullable(made: dict[str, Any]) -> dict[str, Any]:
    """``anyOf`` with null in it as the rest of it, nullable."""
    for word in ("anyOf", "oneOf"):
        choices = made.get(word)
        nothing = {"nullable": True, "enum": [None]}
        if isinstance(choices, list) and nothing in choices:
            others = [choice for choice in choices if choice != nothing]
            rest = {key: value for key, value in made.items() if key != word}
            if len(others) == 1 and "$ref" not in others[0]:
                return {**rest, **others[0], "nullable": True}
            return {**rest, word if len(others) > 1 else "allOf": others, "nullable": True}
    return made
