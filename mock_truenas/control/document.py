"""The OpenAPI document of the control API, made from the table of endpoints. Knows no server."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mock_truenas.control.endpoints import ENDPOINTS, Endpoint

_REFUSAL: Final = {
    "type": "object",
    "required": ["message", "place", "value", "allowed"],
    "properties": {
        "message": {"type": "string"},
        "place": {"type": "string"},
        "value": {"type": "string"},
        "allowed": {"type": "array", "items": {"type": "string"}},
    },
}
_REFUSALS: Final = {
    "400": "Not JSON",
    "401": "No token, or not the right one",
    "403": "A Host or Origin that is not ours",
    "404": "No such thing; `allowed` names those there are",
    "413": "Larger than 1 MiB",
    "422": "Not as it should be; nothing was changed",
}


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    models = sorted({endpoint.takes for endpoint in ENDPOINTS if endpoint.takes}, key=lambda model: model.__name__)
    references, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    by_model = {model: reference for (model, _), reference in references.items()}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.verb.lower()] = _operation(endpoint, by_model)
    paths["/v1/openapi.json"] = {
        "get": {
            "summary": "This document",
            "operationId": "get_openapi",
            "security": [],
            "responses": {"200": _json("OpenAPI", {"type": "object"}), "403": _refusal("403")},
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "mock-truenas control", "version": "1", "description": "State and faults of running NAS."},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Refusal": _REFUSAL},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, by_model: Mapping[Any, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{([a-z]+)}", endpoint.path)
    ]
    if endpoint.query is not None:
        parameters += _query(endpoint.query)
    told: dict[str, Any] = {
        "summary": endpoint.doc,
        "operationId": f"{endpoint.verb.lower()}{re.sub('[^a-z]+', '_', endpoint.path.removeprefix('/v1'))}".rstrip(
            "_"
        ),
        "responses": {"200": _json("Done", {}), **{status: _refusal(status) for status in _REFUSALS}},
    }
    if parameters:
        told["parameters"] = parameters
    if endpoint.takes is not None:
        told["requestBody"] = {"required": True, **_json("", by_model[endpoint.takes])}
        del told["requestBody"]["description"]
    return told


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    return [
        {"name": name, "in": "query", "required": False, "schema": {**part, "title": name}}
        for name, part in schema["properties"].items()
    ]


def _refusal(status: str) -> dict[str, Any]:
    return _json(_REFUSALS[status], {"$ref": "#/components/schemas/Refusal"})


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
