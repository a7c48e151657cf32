"""``core.*``: what a connection wants, what it subscribes to, and what there is to call (truenas-api 5.5)."""

import errno
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from mock_truenas.api.errors import CallError, NotAuthorized
from mock_truenas.api.methods import jobs
from mock_truenas.api.methods.method import Access, Call, Kind, Method, Param

_NO_CONNECTION: Final = "This method is about the connection it comes on, and there is none"


class OptionsWanted(BaseModel):
    """Options of a connection; keys nobody knows are passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)

    legacy_jobs: bool | None = None
    private_methods: bool | None = None
    py_exceptions: bool | None = None


def connection_of(call: Call) -> Any:
    """The connection a call comes on. Raises CallError on REST."""
    if call.connection is None:
        raise CallError(_NO_CONNECTION, errno.EINVAL)
    return call.connection


def _set_options(call: Call) -> dict[str, bool] | None:
    wanted: OptionsWanted = call.arguments["options"]
    given = {name: value for name, value in wanted.model_dump().items() if value is not None}
    wishes = connection_of(call).wish(**given)
    return dict(vars(wishes)) if call.dialect.has("options_echoed") else None


def _subscribe(call: Call) -> str:
    connection, name = connection_of(call), call.arguments["event"]
    if call.principal is None or not connection.may_hear(call.principal, name):
        raise NotAuthorized
    ident: str = connection.house.sessions.fresh_id()
    connection.subscriptions.add(ident, name)
    return ident


async def _unsubscribe(call: Call) -> None:
    await connection_of(call).subscriptions.remove(call.arguments["id_"])


METHODS: Final = (
    Method("core.ping", "pong", lambda _: "pong", access=Access.OPEN, moving="never"),
    Method(
        "core.set_options",
        "How this connection is served",
        _set_options,
        (Param("options", OptionsWanted),),
        access=Access.OPEN,
    ),
    Method("core.subscribe", "Be told of events", _subscribe, (Param("event", str),), access=Access.LOGIN),
    Method("core.unsubscribe", "Be told no more", _unsubscribe, (Param("id_", str),), access=Access.LOGIN),
    *jobs.METHODS,
)

Table = Mapping[str, Method]
_KINDS: Final = {Kind.QUERY: "crud", Kind.CONFIG: "config"}


def listing(methods: Callable[[], Table]) -> tuple[Method, ...]:
    """Methods that tell which methods there are. They come after all others, whose table ``methods`` gives."""

    def get_methods(call: Call) -> dict[str, Any]:
        service = call.arguments["service"]
        return {
            method.name: _described(method, call)
            for method in methods().values()
            if call.dialect.serves(method.name) and service in (None, method.service)
        }

    def get_services(call: Call) -> dict[str, Any]:
        kinds: dict[str, str] = {}
        for method in methods().values():
            if call.dialect.serves(method.name):
                kind = _KINDS.get(method.kind, "service")
                kinds[method.service] = kind if kind != "service" else kinds.get(method.service, kind)
        return {
            service: {"config": {}, "type": kind, "cli_description": None, "cli_namespace": None, "cli_private": False}
            for service, kind in kinds.items()
        }

    return (
        Method(
            "core.get_methods",
            "What can be called",
            get_methods,
            (Param("service", str | None, None), Param("target", str, "WS")),
            access=Access.LOGIN,
        ),
        Method("core.get_services", "What there is", get_services, (Param("target", str, "WS"),), access=Access.LOGIN),
    )


def _described(method: Method, call: Call) -> dict[str, Any]:
    accepts = [{"type": "any", "_name_": param.name, "_required_": False} for param in method.params(call.dialect)]
    return {
        "description": method.doc,
        "accepts": accepts,
        "returns": None,
        "job": method.job,
        "filterable": method.filterable,
        "filterable_schema": None,
        "downloadable": method.downloadable,
        "uploadable": False,
        "check_pipes": False,
        "require_websocket": False,
        "item_method": method.item,
        "pass_application": False,
        "extra_methods": None,
        "private": False,
        "cli_private": False,
    }
