"""REST v2.0 as a table: every path this version serves, with its method and how its answer is made. No network.

Source of paths and verbs: truenas-api 2.1.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from mock_truenas.api.answer import NO_SUCH_ITEM, Answer, json_answer, validation_error
from mock_truenas.api.filters import Query, Refused, apply, parse_query
from mock_truenas.api.resources import alert, dataset, disk, pool, system
from mock_truenas.api.resources.moment import Moment
from mock_truenas.appliance.nas import Appliance


@dataclass(frozen=True)
class Call:
    """One call of a route: ``item`` is the decoded id of the path, ``query`` the decoded query string."""

    appliance: Appliance
    moment: Moment
    item: str = ""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Route:
    """One path and method.

    ``value`` makes the JSON value. ``moving`` says when it depends on the clock: ``never`` (kept until the state
    changes), ``template`` (rendered once with gaps) or ``always`` (made for each call).
    """

    method: str
    path: str
    doc: str
    value: Callable[[Call], Any]
    moving: str = "never"
    authenticated: bool = True

    @property
    def has_item(self) -> bool:
        """Whether the path ends in an id."""
        return self.path.endswith("{id}")


Rows = Callable[[Call, Query], list[dict[str, Any]]]
"""The rows of a resource before a query's filters."""


def _filtered(rows: Rows) -> Callable[[Call], Any]:
    def value(call: Call) -> Any:
        query = parse_query(call.query)
        return apply(query, rows(call, query)) if call.query else rows(call, query)

    return value


def _item(rows: Rows, key: str) -> Callable[[Call], Any]:
    def value(call: Call) -> Any:
        extra = parse_query(tuple(pair for pair in call.query if pair[0].startswith("extra."))).extra
        for row in rows(call, Query(filters=((key, "=", call.item),), extra=extra)):
            if str(row[key]) == call.item:
                return row
        raise Refused(NO_SUCH_ITEM)

    return value


def _pools(call: Call, query: Query) -> list[dict[str, Any]]:
    return pool.rows(call.appliance, call.moment, query.extra)


def _datasets(call: Call, query: Query) -> list[dict[str, Any]]:
    named = [str(value) for name, word, value in query.filters[:1] if name in ("id", "name") and word == "="]
    return dataset.rows(call.appliance, query.extra, named[0] if named else None)


def _disks(call: Call, query: Query) -> list[dict[str, Any]]:
    return disk.rows(call.appliance, query.extra)


def _alerts(call: Call, _query: Query) -> list[dict[str, Any]]:
    return alert.rows(call.appliance)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(json_answer(400, {"message": f"json parse error: {error}", "errno": 22})) from error


def _parameters(body: bytes, known: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of a method with several, from a JSON object; no body at all means none are given."""
    if not body:
        return {}
    given = _parsed(body)
    if not isinstance(given, dict):
        raise Refused(json_answer(400, {"message": "Endpoint accepts multiple params, object/dict expected."}))
    for name in required:
        if name not in given:
            raise Refused(json_answer(400, {"message": f"{name} attribute expected."}))
    unknown = sorted(set(given) - set(known))
    if unknown:
        message = f"The following attributes are not expected: {', '.join(unknown)}"
        raise Refused(json_answer(400, {"message": message}))
    return given


def _temperatures(call: Call) -> Any:
    given = _parameters(call.body, ("names", "options"), ("names",))
    names = given.get("names", [])
    if not isinstance(names, list):
        raise Refused(validation_error({"names": "Not a list"}))
    for place, name in enumerate(names):
        if not isinstance(name, str):
            raise Refused(validation_error({f"names.{place}": "Not a string"}))
    if not isinstance(given.get("options", {}), dict):
        raise Refused(validation_error({"options": "A dict was expected"}))
    return disk.temperatures(call.appliance, names, call.moment.now_ns or 0)


def _set_dismissed(*, dismissed: bool) -> Callable[[Call], None]:
    def value(call: Call) -> None:
        uuid = _parsed(call.body) if call.body else None
        if not isinstance(uuid, str):
            raise Refused(validation_error({"uuid": "Not a string" if call.body else "attribute required"}))
        call.appliance.dismiss_alert(uuid, dismissed=dismissed)

    return value


_ROUTES: Final = (
    Route("GET", "/system/info", "The machine and its clock", lambda c: system.info(c.appliance, c.moment), "template"),
    Route("GET", "/system/version", "Full version", lambda c: c.appliance.release.version),
    Route("GET", "/system/version_short", "Short version", lambda c: c.appliance.release.version_short),
    Route("GET", "/system/product_type", "Edition", lambda c: c.appliance.release.product_type),
    Route("GET", "/system/state", "BOOTING, READY or SHUTTING_DOWN", lambda c: c.appliance.state.host.state),
    Route("GET", "/system/ready", "Whether it is READY", lambda c: c.appliance.state.host.state == "READY"),
    Route("GET", "/system/host_id", "SHA-256 naming the host", lambda c: c.appliance.state.host.host_id),
    Route(
        "GET", "/system/boot_id", "Changes with every boot", lambda c: c.appliance.state.host.boot_id, "never", False
    ),
    Route("GET", "/core/ping", "pong", lambda _: "pong"),
    Route("GET", "/boot/get_state", "The boot pool", lambda c: pool.boot_state(c.appliance, c.moment), "template"),
    Route("GET", "/pool", "Pools with topology", _filtered(_pools), "template"),
    Route("GET", "/pool/id/{id}", "One pool", _item(_pools, "id"), "always"),
    Route("GET", "/pool/dataset", "Datasets, flat and nested", _filtered(_datasets)),
    Route("GET", "/pool/dataset/id/{id}", "One dataset (slashes as %2F)", _item(_datasets, "id")),
    Route("GET", "/disk", "Disks", _filtered(_disks)),
    Route("GET", "/disk/id/{id}", "One disk by identifier", _item(_disks, "identifier")),
    Route("POST", "/disk/temperatures", "°C by disk name", _temperatures, "always"),
    Route("GET", "/alert/list", "Alerts", _filtered(_alerts)),
    Route("POST", "/alert/dismiss", "Dismiss an alert by uuid", _set_dismissed(dismissed=True), "always"),
    Route("POST", "/alert/restore", "Show a dismissed alert again", _set_dismissed(dismissed=False), "always"),
)

ROUTES: Final[Mapping[str, Mapping[str, Route]]] = {
    path: {route.method: route for route in _ROUTES if route.path == path} for path in {r.path: None for r in _ROUTES}
}


def find(path: str) -> tuple[Mapping[str, Route], str] | None:
    """The routes of a raw path below /api/v2.0 by method, and the decoded id in it; None when there is no such path."""
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    routes = ROUTES.get(path)
    if routes is not None:
        return (routes, "") if "{" not in path else None
    parent, _, item = path.rpartition("/")
    routes = ROUTES.get(f"{parent}/{{id}}")
    return (routes, unquote(item)) if routes is not None and item else None


def make(route: Route, call: Call) -> Answer:
    """The answer of a route made from scratch; refusals become their answers."""
    try:
        return json_answer(200, route.value(call))
    except Refused as refused:
        return refused.answer
