"""The API as a table: every operation with its path, who may ask, what it takes and what it answers (contract A9).

Requests are checked against the rows, and the OpenAPI document is made from them. Knows no operation by name.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from aiohttp import web

from pulse_sim.stack.api.answers import Refusal, read_object
from pulse_sim.stack.api.shapes import Schema, problems

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Role(IntEnum):
    """What a request may do; each role may do what the ones before it may."""

    NOBODY = 0
    READ = 1
    ADMIN = 2


QUERY: Final = web.RequestKey("query", dict[str, Any])
"""The query parameters of an operation, read and checked; absent ones at their default."""
BODY: Final = web.RequestKey("body", dict[str, Any])
"""The JSON object of the body, checked."""
ROLE: Final = web.RequestKey("role", Role)
_LONGEST_NUMBER: Final = 9


@dataclass(frozen=True)
class Parameter:
    """A query parameter. An array may be written with commas or by repeating the parameter."""

    name: str
    schema: Schema
    about: str


@dataclass(frozen=True)
class Operation:
    """One row. `body` is the schema of a JSON object or None; `shape` that of the successful answer; `answers` says
    which statuses there are beyond those any operation may give, `retry_after` which of them say when to try again.
    """

    method: str
    path: str
    name: str
    about: str
    handler: Answering
    role: Role = Role.READ
    query: tuple[Parameter, ...] = ()
    body: Schema | None = None
    success: int = 200
    shape: Schema = field(default_factory=lambda: {"type": "object"})
    media: str = "application/json"
    answers: Mapping[int, str] = field(default_factory=dict)
    retry_after: frozenset[int] = frozenset()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers a request that passed the checks of this row. Raises Refusal: 400, 403, 413."""
        if request.get(ROLE, Role.NOBODY) < self.role:
            raise Refusal(403, "forbidden", "this token may only read")
        request[QUERY] = {parameter.name: _read(parameter, request) for parameter in self.query}
        if self.body is not None:
            request[BODY] = checked(await read_object(request), self.body)
        return await self.handler(request)


def checked(record: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The known properties of a record. Raises Refusal with every problem at once, by path."""
    wrong = problems(schema, record)
    if wrong:
        raise Refusal(400, "validation_error", "the request is not valid", wrong)
    if "properties" not in schema:
        return record
    return {name: value for name, value in record.items() if name in schema["properties"]}


def _read(parameter: Parameter, request: web.Request) -> Any:
    schema = parameter.schema
    if schema["type"] == "array":
        return frozenset(word for text in request.query.getall(parameter.name, ()) for word in text.split(",") if word)
    text = request.query.get(parameter.name, "")
    if not text:
        return schema.get("default")
    if schema["type"] != "integer":
        return text
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER or int(text) < schema["minimum"]:
        why = f"{parameter.name} must be a whole number from {schema['minimum']}"
        raise Refusal(400, "invalid_request", why, {"parameter": parameter.name})
    return int(text)
