"""REST v2.0 of release 24.10: one request in, one answer out. Knows neither sockets nor faults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mock_truenas.api.answer import FORBIDDEN, NOT_FOUND, Answer, json_answer, text
from mock_truenas.api.credentials import log_in
from mock_truenas.api.renderings import Renderings
from mock_truenas.api.routes import ROUTES, Route, find
from mock_truenas.appliance.nas import Appliance

_OPENAPI: Final = ("/", "/openapi.json", "/openapi.json/")


@dataclass(frozen=True)
class Outcome:
    """An answer, and whose revocation shaped it."""

    answer: Answer
    revoked_by: tuple[str, ...] = ()


class Rest:
    """The REST face of one appliance."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance
        self._renderings = Renderings(appliance)

    def wants_body(self, method: str, path: str) -> bool:
        """Whether a request's body is read at all."""
        return method == "POST" and find(path) is not None

    def respond(self, method: str, path: str, query: str, authorization: str | None, body: bytes) -> Outcome:
        """The answer to a request for a raw ``path`` below /api/v2.0.

        In the order of the appliance: route, verb, login, allowlist, method.
        """
        if path in _OPENAPI:
            return Outcome(_openapi() if method == "GET" else _not_allowed({"GET": None}))
        found = find(path)
        if found is None:
            return Outcome(NOT_FOUND)
        routes, item = found
        route = routes.get(method)
        if route is None:
            return Outcome(_not_allowed(routes))
        if route.authenticated:
            login = log_in(self._appliance, authorization)
            if login.refusal is not None:
                return Outcome(login.refusal, login.allowed.revoked_by)
            if not login.allowed.may(method, route.path):
                return Outcome(FORBIDDEN)
        return Outcome(self._renderings.answer(route, item, query, body))


def _not_allowed(routes: Mapping[str, object]) -> Answer:
    return text(405, headers=(("Allow", ",".join(sorted(routes))),))


def _openapi() -> Answer:
    paths = {
        path: {route.method.lower(): _operation(route) for route in routes.values()}
        for path, routes in sorted(ROUTES.items())
    }
    document = {
        "openapi": "3.0.0",
        "info": {"title": "TrueNAS RESTful API", "version": "v2.0"},
        "servers": [{"url": "/api/v2.0"}],
        "paths": paths,
    }
    return json_answer(200, document)


def _operation(route: Route) -> dict[str, object]:
    operation: dict[str, object] = {
        "tags": [route.path.split("/")[1]],
        "summary": route.doc,
        "responses": {"200": {"description": "Operation succeeded"}},
    }
    if route.has_item:
        operation["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    return operation
