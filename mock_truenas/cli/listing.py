"""``mock-truenas faults``, ``methods`` and ``releases``: what there is, for people and for programs."""

import json
from collections.abc import Mapping
from typing import Any, Final

import click
from pydantic.fields import FieldInfo

from mock_truenas.appliance.releases import RELEASES, Release
from mock_truenas.cli.choices import release_named
from mock_truenas.control.endpoints import entries_of, kind_told
from mock_truenas.faults import CATALOGUE, FAULT_KINDS, FaultKind
from mock_truenas.faults.scope import RequestParameters

_JSON: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.command()
@click.option("--by-symptom", is_flag=True, help="F01 to F53: what goes wrong on real appliances, and how to have it.")
@_JSON
def faults(*, by_symptom: bool, as_json: bool) -> None:
    """Print the catalogue of faults with their parameters."""
    if by_symptom:
        for entry in CATALOGUE:
            recipes = [{"kind": recipe.kind, "parameters": dict(recipe.parameters)} for recipe in entry.recipes]
            row = {"number": entry.number, "symptom": entry.symptom, "faults": recipes, "without_fault": entry.standing}
            click.echo(json.dumps(row) if as_json else _symptom_told(row))
        return
    for kind in FAULT_KINDS.values():
        click.echo(json.dumps(kind_told(kind)) if as_json else _kind_told(kind))
    if not as_json:
        click.echo("\nKinds marked with a * also take, to strike only what is meant:")
        for name, field in RequestParameters.model_fields.items():
            click.echo(_parameter_told(name, field))


def _kind_told(kind: FaultKind) -> str:
    numbers = " ".join(entries_of(kind))
    aimed = issubclass(kind.parameters, RequestParameters)
    lines = [f"{kind.name:<24}{'*' if aimed else ' '}{kind.doc}" + (f" [{numbers}]" if numbers else "")]
    for name, field in kind.parameters.model_fields.items():
        if not (aimed and name in RequestParameters.model_fields):
            lines.append(_parameter_told(name, field))
    return "\n".join(lines)


def _parameter_told(name: str, field: FieldInfo) -> str:
    need = "required" if field.is_required() else f"default {field.default}" if field.default else "optional"
    return f"{'':<24}   {name}: {field.description} ({need})"


def _symptom_told(row: Mapping[str, Any]) -> str:
    lines = [f"{row['number']}  {row['symptom']}"]
    for fault in row["faults"]:
        given = "".join(f" {name}={_argument(value)}" for name, value in fault["parameters"].items())
        lines.append(f"       fault add {fault['kind']}{given}")
    if row["without_fault"]:
        lines.append(f"       {row['without_fault']}")
    return "\n".join(lines)


def _argument(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"'{text}'" if any(character in text for character in " '\"*|{}[]") else text


@click.command()
@click.option("--release", default="24.10", show_default=True, help="Of which TrueNAS.")
@_JSON
def methods(*, release: str, as_json: bool) -> None:
    """Print the methods of the API, with their REST paths where the release has REST."""
    for row in _methods_of(release_named(release)):
        click.echo(json.dumps(row) if as_json else _method_told(row))


def _methods_of(release: Release) -> list[dict[str, Any]]:
    from mock_truenas.api.front import API_ROOT  # all the methods are loaded when they are asked for
    from mock_truenas.api.methods.catalogue import METHODS
    from mock_truenas.api.routes import routes_of

    paths: dict[str, list[dict[str, str]]] = {}
    for path, routes in routes_of(release.dialect).items():
        for verb, route in routes.items():
            paths.setdefault(route.method.name, []).append({"method": verb, "path": API_ROOT + path})
    return [
        {
            "name": method.name,
            "doc": method.doc,
            "access": method.access.value,
            "rest": paths.get(method.name, []),
            "job": method.job,
        }
        for method in METHODS.values()
        if release.dialect.serves(method.name)
    ]


def _method_told(row: Mapping[str, Any]) -> str:
    lines = [f"{row['name']:<40} {row['doc']}"]
    lines += [f"{'':<40}   {route['method']} {route['path']}" for route in row["rest"]]
    return "\n".join(lines)


@click.command()
@_JSON
def releases(*, as_json: bool) -> None:
    """Print the releases that can be served, with the faces of each."""
    for release in RELEASES.values():
        row = {
            "name": release.name,
            "version": release.info_version,
            "rest": release.dialect.has("rest"),
            "json_rpc": ["current", *release.api_versions] if release.dialect.has("json_rpc") else [],
            "websocket": True,
        }
        if as_json:
            click.echo(json.dumps(row))
            continue
        faces = [*(["REST"] if row["rest"] else []), *(["JSON-RPC"] if row["json_rpc"] else []), "/websocket"]
        click.echo(f"{release.name:<8} {release.info_version:<26} {', '.join(faces)}")
