"""JSON Schema of scenario and plan files, for editors and for other people's tools.

Looser than the loader where only the whole file shows a mistake (ids that exist, times inside the run), never stricter.
``python -m pulse_sim.scenario.schema docs/schema`` writes both files.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pulse_sim.checks import CHECK_KINDS
from pulse_sim.scenario.actions import ACTIONS
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS
from pulse_sim.scenario.model import ActionEntry, FaultEntry, RollbackEntry, Scenario
from pulse_sim.scenario.plan import Plan
from pulse_sim.units import DURATION_PATTERN, format_duration

Schema: TypeAlias = dict[str, Any]

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_USE: Final = {"$ref": "#/$defs/parameter-use"}
_USE_SCHEMA: Final = {"description": "A parameter of the matrix", "pattern": r"\$\{[a-z][a-z0-9_]*\}", "type": "string"}
_NOT_REPLACED: Final = ("matrix", "parameters", "id", "version")
_SHARED_BY: Final = 3
_COMPOSED: Final = ("anyOf", "oneOf", "allOf", "prefixItems")


def scenario_schema() -> Schema:
    """The schema of a scenario file, with the parameters of every fault kind, action and check."""
    faults = {name: (kind.parameters, kind.doc) for name, kind in ALL_FAULT_KINDS.items()}
    actions = {name: (action.parameters, action.doc) for name, action in ACTIONS.items()}
    checks = {name: (kind.parameters, kind.doc) for name, kind in CHECK_KINDS.items()}
    tables = (faults, actions, checks)
    models: list[type[BaseModel]] = [Scenario, FaultEntry, ActionEntry, RollbackEntry]
    models.extend(model for table in tables for model, _ in table.values())
    names, definitions = _definitions(models)
    _choose(definitions[names[FaultEntry]], "fault", _parameter_branches(faults, names, definitions))
    for entry in (ActionEntry, RollbackEntry):
        _choose(definitions[names[entry]], "do", _parameter_branches(actions, names, definitions))
    root = definitions.pop(names[Scenario])
    root["properties"]["checks"]["items"] = _check_schema(checks, names, definitions)
    used = {names[model] for model, _ in checks.values()} - {names[model] for model, _ in [*faults.values()]}
    for name in used:
        definitions.pop(name)  # written out in the branches, with the key that names the check
    for schema in (*definitions.values(), root):
        _tidy(schema)
    for schema in (*definitions.values(), *_replaced(root)):
        _allow_uses(schema)
    definitions["parameter-use"] = dict(_USE_SCHEMA)
    definitions |= _shared(definitions)
    return _document(root, definitions, "A pulse-sim scenario", "docs/scenario-format.md says it in words.")


def plan_schema() -> Schema:
    """The schema of a plan file."""
    names, definitions = _definitions([Plan])
    root = definitions.pop(names[Plan])
    for schema in (*definitions.values(), root):
        _tidy(schema)
    return _document(root, definitions, "A pulse-sim plan", "docs/scenario-format.md says it in words.")


def schema_files() -> dict[str, str]:
    """The text of each file under docs/schema by name."""
    schemas = {"scenario.schema.json": scenario_schema(), "plan.schema.json": plan_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def write_schemas(directory: Path) -> None:
    """Writes both files into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (directory / name).write_text(text, encoding="utf-8")


def _definitions(models: list[type[BaseModel]]) -> tuple[dict[type[BaseModel], str], dict[str, Schema]]:
    """The name under ``$defs`` of each model, and all definitions."""
    unique = list(dict.fromkeys(models))
    references, shared = models_json_schema([(model, "validation") for model in unique], by_alias=True)
    definitions: dict[str, Schema] = shared["$defs"]
    return {model: references[(model, "validation")]["$ref"].split("/")[-1] for model in unique}, definitions


def _parameter_branches(
    table: Mapping[str, tuple[type[BaseModel], str]],
    names: Mapping[type[BaseModel], str],
    definitions: Mapping[str, Schema],
) -> dict[str, Schema]:
    """For each name what an entry must look like besides: its parameters, and ``with`` where one of them is needed."""
    branches: dict[str, Schema] = {}
    for name, (model, doc) in table.items():
        parameters = {"$ref": f"#/$defs/{names[model]}", "description": doc}
        branches[name] = {"properties": {"with": parameters}}
        if definitions[names[model]].get("required"):
            branches[name]["required"] = ["with"]
    return branches


def _check_schema(
    table: Mapping[str, tuple[type[BaseModel], str]],
    names: Mapping[type[BaseModel], str],
    definitions: Mapping[str, Schema],
) -> Schema:
    branches = {}
    for name, (model, doc) in table.items():
        branch = {key: value for key, value in definitions[names[model]].items() if key not in ("title", "type")}
        branch["properties"] = {"check": {"const": name}, **branch.get("properties", {})}
        branches[name] = {**branch, "description": doc}
    schema: Schema = {"type": "object", "properties": {"check": {"description": "The kind of check"}}}
    schema["required"] = ["check"]
    _choose(schema, "check", branches)
    return schema


def _choose(schema: Schema, key: str, branches: Mapping[str, Schema]) -> None:
    """Lets ``key`` be one of the branches' names, and the rest look as its branch says."""
    described = {name: value for name, value in schema["properties"][key].items() if name == "description"}
    schema["properties"][key] = {**described, "enum": sorted(branches)}
    schema["allOf"] = [
        {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": branches[name]}
        for name in sorted(branches)
    ]


def _replaced(root: Schema) -> Iterator[Schema]:
    """The schemas of the root's keys in which parameters of the matrix are replaced."""
    yield from (schema for name, schema in root["properties"].items() if name not in _NOT_REPLACED)


def _children(schema: Schema) -> Iterator[Schema]:
    for group in ("properties", "patternProperties"):
        yield from schema.get(group, {}).values()
    for group in _COMPOSED:
        yield from schema.get(group, ())
    for group in ("items", "then", "additionalProperties"):
        if isinstance(schema.get(group), dict):
            yield schema[group]


def _tidy(schema: Schema) -> None:
    """Titles that repeat the key go; defaults are written as the file writes them; keys off the pattern are refused."""
    schema.pop("title", None)
    if schema.get("default", "") is None:
        del schema["default"]
    if schema.get("pattern") == DURATION_PATTERN and isinstance(schema.get("default"), int):
        schema["default"] = format_duration(schema["default"])
    if "patternProperties" in schema:
        schema.setdefault("additionalProperties", False)
    if "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")  # 1 is an integer and a number
    for child in _children(schema):
        _tidy(child)


def _allow_uses(schema: Schema) -> None:
    """Every scalar may be written ``${name}`` instead."""
    for child in _children(schema):
        _allow_uses(child)
    is_scalar = schema.get("type") in ("boolean", "integer", "number") or {"pattern", "enum"} & schema.keys()
    if is_scalar or {"const", "type"} <= schema.keys():
        kept = {key: schema.pop(key) for key in list(schema) if key not in ("description", "default")}
        schema["anyOf"] = [kept, dict(_USE)]


def _shared(definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    """Definitions of the keys that several others have word for word; those then refer to them.

    Every kind of fault takes the same parameters of requests; written out for each they are most of the file.
    """
    uses: dict[tuple[str, str], list[Schema]] = {}
    for definition in definitions.values():
        for name, schema in definition.get("properties", {}).items():
            if "$ref" not in schema:
                uses.setdefault((name, json.dumps(schema, sort_keys=True)), []).append(definition["properties"])
    made: dict[str, Schema] = {}
    for (name, text), users in sorted(uses.items(), key=lambda use: (-len(use[1]), use[0])):
        if len(users) < _SHARED_BY:
            continue
        same_name = sum(other.rpartition(".")[0] == f"parameter.{name}" for other in made)
        key = f"parameter.{name}.{same_name + 1}"
        made[key] = json.loads(text)
        for properties in users:
            properties[name] = {"$ref": f"#/$defs/{key}"}
    return made


def _document(root: Schema, definitions: dict[str, Schema], title: str, description: str) -> Schema:
    root.pop("description", None)
    ordered = {name: definitions[name] for name in sorted(definitions)}
    return {"$schema": _DRAFT, "title": title, "description": description, **root, "$defs": ordered}


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
