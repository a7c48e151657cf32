"""``alert.*``: what the appliance warns of (truenas-api 3.5)."""

from collections.abc import Callable
from typing import Any, Final

from mock_truenas.api.methods.method import Access, Call, Method, Param
from mock_truenas.api.methods.tables import config, constant
from mock_truenas.api.resources import alert


def _set_dismissed(*, dismissed: bool) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.appliance.dismiss_alert(call.arguments["uuid"], dismissed=dismissed)

    return run


def _rows(call: Call) -> list[dict[str, Any]]:
    return alert.rows(call.appliance, call.dialect)


METHODS: Final = (
    # Takes no arguments and is no query: REST has a GET for it, but no filters.
    Method("alert.list", "Alerts, the gravest first", _rows, moving="never"),
    Method("alert.list_categories", "Kinds of alerts", lambda call: alert.categories(call.dialect), moving="never"),
    constant("alert.list_policies", "How often to tell of an alert", ["IMMEDIATELY", "HOURLY", "DAILY", "NEVER"]),
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
    *config("alertclasses", {"id": 1, "classes": {}}),
)
