"""The routes of alerts: what is active, what was, taking note, and the rules (contract A9, A10)."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from pulse_sim.stack.alerts.book import HISTORY, AlertBook, AlertUnknown
from pulse_sim.stack.alerts.config import MOST_OVERRIDES, ConfigInvalid
from pulse_sim.stack.api.answers import Refusal, answer, read_object
from pulse_sim.stack.api.described import ALERT, ALERT_CONFIG, ALERTS
from pulse_sim.stack.api.middleware import ORG
from pulse_sim.stack.api.operations import BODY, QUERY, Operation, Parameter, Role

_SHOWN: Final = 100
_CONFIG: Final = {
    "type": "object",
    "properties": {
        "rules": {"type": "object"},
        "overrides": {"type": "array", "maxItems": MOST_OVERRIDES, "items": {"type": "object"}},
    },
}


class AlertRoutes:
    """Shows and changes one alert book."""

    def __init__(self, alerts: AlertBook) -> None:
        self._alerts = alerts

    def operations(self) -> Sequence[Operation]:
        """The rows of this group."""
        base = "/api/alerts"
        limit = Parameter("limit", {"type": "integer", "minimum": 1, "maximum": HISTORY, "default": _SHOWN}, "At most.")
        return [
            Operation("GET", f"{base}/active", "listActiveAlerts", "Alerts not resolved.", self.active, shape=ALERTS),
            Operation(
                "GET",
                f"{base}/history",
                "listAlertHistory",
                "The latest alerts, active ones included, last raised first.",
                self.history,
                query=(limit,),
                shape=ALERTS,
            ),
            Operation(
                "POST",
                f"{base}/{{id}}/acknowledge",
                "acknowledgeAlert",
                "Takes note of an active alert. A body may say by whom: `by`.",
                self.acknowledge,
                Role.ADMIN,
                shape=ALERT,
                answers={404: "No active alert has this id."},
            ),
            Operation(
                "GET",
                f"{base}/config",
                "getAlertConfig",
                "Rules and overrides, whole.",
                self.config,
                shape=ALERT_CONFIG,
            ),
            Operation(
                "PUT",
                f"{base}/config",
                "setAlertConfig",
                "Replaces rules and overrides; what is not given is as delivered.",
                self.set_config,
                Role.ADMIN,
                body=_CONFIG,
                shape=ALERT_CONFIG,
            ),
        ]

    async def active(self, request: web.Request) -> web.Response:
        """Alerts not resolved, most severe first."""
        return answer([alert.to_data() for alert in self._alerts.active(request[ORG])])

    async def history(self, request: web.Request) -> web.Response:
        """The latest alerts."""
        limit = min(request[QUERY]["limit"], HISTORY)
        return answer([alert.to_data() for alert in self._alerts.history(limit, request[ORG])])

    async def acknowledge(self, request: web.Request) -> web.Response:
        """Takes note of an alert; once more changes nothing."""
        record = await read_object(request) if await request.read() else {}
        by = record.get("by", "admin")
        if not isinstance(by, str) or not by.strip() or not by.isprintable():
            raise Refusal(400, "validation_error", "the request is not valid", {"by": "must be a printable text"})
        try:
            alert = self._alerts.acknowledge(request.match_info["id"], by.strip(), request[ORG])
        except AlertUnknown:
            raise Refusal(404, "alert_not_found", "no such active alert") from None
        return answer(alert.to_data())

    async def config(self, request: web.Request) -> web.Response:
        """Rules and overrides of the organisation."""
        return answer(self._alerts.config(request[ORG]))

    async def set_config(self, request: web.Request) -> web.Response:
        """Replaces rules and overrides."""
        body: dict[str, Any] = request[BODY]
        try:
            return answer(self._alerts.set_config(body, request[ORG]))
        except ConfigInvalid as invalid:
            raise Refusal(400, "validation_error", "the configuration is not valid", invalid.problems) from None
