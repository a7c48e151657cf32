"""The OpenAPI document of the API, made from the rows that requests are checked against. Pure but for its one route."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from pulse_sim.stack.api.answers import answer
from pulse_sim.stack.api.described import DOCUMENT
from pulse_sim.stack.api.operations import Operation, Parameter, Role
from pulse_sim.stack.store import ORG_NAME

PATH: Final = "/api/openapi.json"
_UPGRADED: Final = 101
_ANY: Final = {
    400: "The request cannot be understood, or breaks a rule.",
    500: "The stack is at fault.",
}
_ADMITTED: Final = {
    401: "No token, or a wrong one.",
    403: "The token may not do this.",
    501: "Organisations are not enabled.",
}
_WITH_BODY: Final = {413: "The body is larger than 32 KiB."}
_ERROR: Final = {
    "type": "object",
    "required": ["error", "code", "status_code", "timestamp", "details"],
    "properties": {
        "error": {"type": "string"},
        "code": {"type": "string"},
        "status_code": {"type": "integer"},
        "timestamp": {"type": "string", "format": "date-time"},
        "details": {"type": "object"},
    },
}
_ORG: Final = {
    "name": "X-Pulse-Org-ID",
    "in": "header",
    "required": False,
    "description": "The organisation; `default` unless organisations are enabled.",
    "schema": {"type": "string", "pattern": f"^{ORG_NAME.pattern}$", "default": "default"},
}


class OpenApiRoutes:
    """Shows the document of the operations it is given, its own included."""

    def __init__(self, operations: Sequence[Operation], version: str) -> None:
        self._document = document([*operations, *self.operations()], version)

    def operations(self) -> Sequence[Operation]:
        """The one operation."""
        return [Operation("GET", PATH, "getOpenApi", "This document.", self.show, shape=DOCUMENT)]

    async def show(self, _request: web.Request) -> web.Response:
        """The document."""
        return answer(self._document)


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these operations."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pulse", "version": version},
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "token": {"type": "apiKey", "in": "header", "name": "X-API-Token"},
            },
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.about,
        "parameters": [*_in_path(operation.path), *map(_in_query, operation.query)],
        "responses": _responses(operation),
    }
    if operation.role is Role.NOBODY:
        told["security"] = []
    else:
        told["parameters"].append(_ORG)
        told["security"] = [{"bearer": []}, {"token": []}]
        told["x-role"] = operation.role.name.lower()
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    return told


def _in_path(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema} for name in re.findall(r"{([a-z_]+)}", path)
    ]


def _in_query(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.about,
        "schema": parameter.schema,
    }


def _responses(operation: Operation) -> Mapping[str, Any]:
    statuses = {
        **_ANY,
        **({} if operation.role is Role.NOBODY else _ADMITTED),
        **({404: "There is nothing of that id."} if "{" in operation.path else {}),
        **({} if operation.body is None else _WITH_BODY),
        **operation.answers,
    }
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    told: dict[str, Any] = {
        str(status): {"description": words, "content": error} for status, words in sorted(statuses.items())
    }
    for status in operation.retry_after:
        told[str(status)]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    succeeded: dict[str, Any] = {"description": "Done."}
    if operation.success != _UPGRADED:
        succeeded["content"] = {operation.media: {"schema": operation.shape}}
    return {str(operation.success): succeeded, **told}
