"""The paths of REST v2.0, derived from the names and kinds of methods (truenas-api 2.1). No network, no answers."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from mock_truenas.api.methods.catalogue import METHODS, SERVICES
from mock_truenas.api.methods.method import Kind, Method, Param
from mock_truenas.appliance.dialect import Dialect

ITEM: Final = "/id/{id}"
# They are about the connection they come on, and HTTP has none that lasts.
_OF_CONNECTIONS: Final = frozenset(
    {
        "auth.login",
        "auth.login_ex",
        "auth.login_ex_continue",
        "auth.login_with_api_key",
        "auth.login_with_token",
        "auth.logout",
        "auth.me",
        "core.set_options",
        "core.subscribe",
        "core.unsubscribe",
    }
)


class Takes(enum.Enum):
    """Where the arguments of a route's method come from."""

    NOTHING = "nothing"
    QUERY = "query string, or filters and options in a body"
    ITEM = "the id in the path, for a row of a query"
    BODY = "body"
    ITEM_AND_BODY = "the id in the path, then the body"


@dataclass(frozen=True, eq=False)
class Route:
    """One path and verb, and the method behind it; ``body`` are the parameters that a body gives."""

    verb: str
    path: str
    method: Method
    takes: Takes
    body: tuple[Param, ...] = ()

    @property
    def has_item(self) -> bool:
        """Whether the path has an id in it."""
        return "{id}" in self.path

    @property
    def wants_body(self) -> bool:
        """Whether a request's body is read at all."""
        return bool(self.body) or self.takes is Takes.QUERY


Routes = Mapping[str, Mapping[str, Route]]
"""By path, then by verb."""


@lru_cache(maxsize=32)
def routes_of(dialect: Dialect) -> Routes:
    """Every path that version serves below /api/v2.0."""
    table: dict[str, dict[str, Route]] = {}
    if dialect.has("rest"):
        for method in METHODS.values():
            if dialect.serves(method.name) and method.name not in _OF_CONNECTIONS:
                for route in _of(method, dialect):
                    table.setdefault(route.path, {})[route.verb] = route
    return table


def _of(method: Method, dialect: Dialect) -> Iterator[Route]:
    base = "/" + method.service.replace(".", "/")
    params = method.params(dialect)
    rows = "query" in SERVICES[method.service]
    match method.kind:
        case Kind.QUERY:
            yield Route("GET", base, method, Takes.QUERY)
            yield Route("GET", base + ITEM, method, Takes.ITEM)
        case Kind.CONFIG:
            yield Route("GET", base, method, Takes.NOTHING)
        case Kind.CREATE:
            yield Route("POST", base, method, Takes.BODY, params)
        case Kind.UPDATE if rows:
            yield Route("PUT", base + ITEM, method, Takes.ITEM_AND_BODY, params[1:])
        case Kind.UPDATE:
            yield Route("PUT", base, method, Takes.BODY, params)
        case Kind.DELETE:
            yield Route("DELETE", base + ITEM, method, Takes.ITEM_AND_BODY, params[1:])
        case Kind.CALL if method.item:
            yield Route("POST", f"{base}{ITEM}/{method.verb}", method, Takes.ITEM_AND_BODY, params[1:])
        case Kind.CALL if method.filterable:
            yield Route("GET", f"{base}/{method.verb}", method, Takes.QUERY)
        case Kind.CALL if params:
            yield Route("POST", f"{base}/{method.verb}", method, Takes.BODY, params)
        case Kind.CALL:
            yield Route("GET", f"{base}/{method.verb}", method, Takes.NOTHING)


def find(routes: Routes, path: str) -> tuple[Mapping[str, Route], str] | None:
    """The routes of a raw path by verb, and the decoded id in it; None when there is no such path.

    Every path also exists with one trailing slash.
    """
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    found = routes.get(path)
    if found is not None:
        return (found, "") if "{" not in path else None
    parent, separator, rest = path.partition("/id/")
    item, slash, verb = rest.partition("/")
    if not separator or not item:
        return None
    found = routes.get(f"{parent}{ITEM}{slash}{verb}")
    return (found, unquote(item)) if found is not None else None
