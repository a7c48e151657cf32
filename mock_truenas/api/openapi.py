"""The OpenAPI 3.0.0 document of a version's REST face, from its routes and what their methods take. Makes no calls.

Good enough to generate requests from: every path, parameter and body with its schema, and every status that may come.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mock_truenas.api.answer import reason
from mock_truenas.api.json_schema import Schemas
from mock_truenas.api.methods.method import REQUIRED, Access, Kind, Param
from mock_truenas.api.methods.performing import access_of
from mock_truenas.api.pieces import gathered
from mock_truenas.api.routes import Route, Routes, Takes
from mock_truenas.appliance.dialect import Dialect

_DESCRIBED: Final[dict[str, tuple[bytes, ...]]] = {}
_SHARED: Final = "#/components/responses/"
_MESSAGE: Final = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
_PROBLEM: Final = {
    "type": "object",
    "required": ["message", "errno"],
    "properties": {"message": {"type": "string"}, "errno": {"type": "integer"}},
}
_REFUSED: Final = {
    "anyOf": [_PROBLEM, {"type": "object", "additionalProperties": {"type": "array", "items": _PROBLEM}}],
}
_BROKE: Final = {
    "type": "object",
    "required": ["message", "traceback"],
    "properties": {"message": {"type": "string"}, "traceback": {"type": "string"}},
}
_ROW: Final = {"type": "object"}
_ROWS: Final = {"oneOf": [{"type": "array", "items": _ROW}, {"type": "integer", "description": "With count"}]}
_TEXT: Final = {"schema": {"type": "string"}}
_RESPONSES: Final[dict[int, dict[str, Any]]] = {
    400: {"application/json": {"schema": _MESSAGE}, "text/plain": _TEXT, "text/html": _TEXT},
    401: {"text/plain": _TEXT},
    403: {},
    404: {"application/json": {"schema": _MESSAGE}, "text/plain": _TEXT},
    405: {"text/plain": _TEXT},
    413: {"text/html": _TEXT},
    414: {"text/html": _TEXT},
    422: {"application/json": {"schema": _REFUSED}},
    500: {"application/json": {"schema": _BROKE}, "text/plain": _TEXT},
}
_PAGING: Final = (
    {"name": "limit", "in": "query", "description": "0 is none", "schema": {"type": "integer", "minimum": 0}},
    {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
    {
        "name": "count",
        "in": "query",
        "description": "A bare number instead of rows",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
)


async def described(routes: Routes, dialect: Dialect) -> tuple[bytes, ...]:
    """The document as JSON text in pieces, made once for each version; others get their turn meanwhile."""
    known = _DESCRIBED.get(dialect.version.text)
    if known is None:
        schemas = Schemas()
        paths = {}
        for path, verbs in sorted(routes.items()):
            paths[path] = _path(verbs, dialect, schemas)
            await asyncio.sleep(0)
        known = tuple(await gathered(_document(paths, schemas), 1))
        _DESCRIBED[dialect.version.text] = known
    return known


def document(routes: Routes, dialect: Dialect) -> dict[str, Any]:
    """The document, as plain JSON."""
    schemas = Schemas()
    return _document({path: _path(verbs, dialect, schemas) for path, verbs in sorted(routes.items())}, schemas)


def _document(paths: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    responses = {
        str(status): {"description": reason(status), **({"content": content} if content else {})}
        for status, content in _RESPONSES.items()
    }
    return {
        "openapi": "3.0.0",
        "info": {"title": "TrueNAS RESTful API", "version": "v2.0"},
        "servers": [{"url": "/api/v2.0"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": responses,
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "key": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _path(verbs: Mapping[str, Route], dialect: Dialect, schemas: Schemas) -> dict[str, Any]:
    return {verb.lower(): _operation(route, dialect, schemas) for verb, route in sorted(verbs.items())}


def _operation(route: Route, dialect: Dialect, schemas: Schemas) -> dict[str, Any]:
    method = route.method
    is_open = access_of(method, dialect) is Access.OPEN
    operation: dict[str, Any] = {
        "tags": [method.service],
        "summary": method.doc,
        "operationId": f"{route.verb.lower()}{route.path.replace('/', '_').replace('{id}', 'id')}",
        "responses": _responses(route, is_open=is_open),
        "security": [] if is_open else [{"key": []}, {"basic": []}],
    }
    parameters = [*_item(route, dialect, schemas), *(_PAGING if route.takes is Takes.QUERY else ())]
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        required = any(param.default is REQUIRED for param in route.body)
        content = {"application/json": {"schema": _body(route, schemas)}}
        operation["requestBody"] = {"required": required, "content": content}
    return operation


def _item(route: Route, dialect: Dialect, schemas: Schemas) -> list[dict[str, Any]]:
    if not route.has_item:
        return []
    schema: dict[str, Any] = {"type": "string"}
    if route.takes is Takes.ITEM_AND_BODY:
        first = route.method.params(dialect)[0]
        schema = schemas.of(first.type, route.method.name)
    return [{"name": "id", "in": "path", "required": True, "schema": schema}]


def _body(route: Route, schemas: Schemas) -> dict[str, Any]:
    """The only argument as it is, several as an object."""
    if len(route.body) == 1:
        return _argument(route.body[0], route, schemas)
    return {
        "type": "object",
        "properties": {param.name: _argument(param, route, schemas) for param in route.body},
        "additionalProperties": False,
        **_required(route.body),
    }


def _argument(param: Param, route: Route, schemas: Schemas) -> dict[str, Any]:
    return schemas.of(param.type, route.method.name)


def _required(params: Sequence[Param]) -> dict[str, Any]:
    names = [param.name for param in params if param.default is REQUIRED]
    return {"required": names} if names else {}


def _responses(route: Route, *, is_open: bool) -> dict[str, Any]:
    statuses = [422, 500]
    if route.wants_body:
        statuses += [400, 413]
    if route.has_item or route.takes is Takes.QUERY:
        # A query with ``get`` finds nothing either way; what stands in the address may be too long for the front.
        statuses += [404, 414]
    if not is_open:
        statuses += [400, 401, 403]
    content = {"application/json": {"schema": _result(route)}}
    if route.method.downloadable:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}, **content}
    return {
        "200": {"description": "Operation succeeded", "content": content},
        **{str(status): {"$ref": f"{_SHARED}{status}"} for status in sorted(set(statuses))},
    }


def _result(route: Route) -> dict[str, Any]:
    """The schema of what comes back, where it is known; an empty one is any JSON."""
    if route.method.job:
        return {"type": "integer", "description": "The number of the job"}
    if route.takes is Takes.QUERY:
        return _ROWS
    if route.takes is Takes.ITEM or route.method.kind is Kind.CONFIG:
        return _ROW
    return {}
