"""``get_instance`` of a service that can be queried: every such service has it, so it is derived from the query."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from mock_truenas.api.errors import InstanceNotFound, MatchNotFound
from mock_truenas.api.methods.method import Call, Method, Param
from mock_truenas.api.methods.queries import QueryOptions, apply
from mock_truenas.api.methods.query import Options, Query

_KEYS: Final = {"disk": "identifier"}


def key_of(service: str) -> str:
    """The field that identifies a row of a service."""
    return _KEYS.get(service, "id")


def one(service: str, value: Any, extra: Mapping[str, Any]) -> Query:
    """The query for a single row."""
    return Query(filters=((key_of(service), "=", value),), options=Options(extra=extra, get=True))


def get_instance(query: Method) -> Method:
    """The method that gives one row by its id, or raises InstanceNotFound."""
    service = query.service

    async def run(call: Call) -> Any:
        wanted = call.arguments["id"]
        options: QueryOptions = call.arguments["options"]
        narrowed = one(service, wanted, options.extra)
        rows = query.run(replace(call, method=query, arguments={}, query=narrowed))
        if inspect.isawaitable(rows):
            rows = await rows
        try:
            return apply(narrowed, rows)
        except MatchNotFound:
            raise InstanceNotFound(f"{service.replace('.', ' ').title()} {wanted}") from None

    return Method(
        name=f"{service}.get_instance",
        doc=f"One row of {query.name} by its id",
        run=run,
        accepts=(Param("id", int | str), Param("options", QueryOptions, {})),
        access=query.access,
        roles=query.roles,
    )
