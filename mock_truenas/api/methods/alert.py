"""``alert.*``: what the appliance warns of (truenas-api 3.5)."""

from collections.abc import Callable
from typing import Any, Final

from mock_truenas.api.methods.method import Access, Call, Method, Param
from mock_truenas.api.resources import alert


def _set_dismissed(*, dismissed: bool) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.appliance.dismiss_alert(call.arguments["uuid"], dismissed=dismissed)

    return run


def _rows(call: Call) -> list[dict[str, Any]]:
    return alert.rows(call.appliance)


METHODS: Final = (
    # A method without parameters and not of a CRUD service; REST has no query string for it.
    Method("alert.list", "Alerts, the gravest first", _rows, moving="never"),
    Method(
        "alert.dismiss",
        "Dismiss an alert",
        _set_dismissed(dismissed=True),
        (Param("uuid", str),),
        access=Access.WRITE,
    ),
    Method(
        "alert.restore",
        "Show a dismissed alert again",
        _set_dismissed(dismissed=False),
        (Param("uuid", str),),
        access=Access.WRITE,
    ),
)
