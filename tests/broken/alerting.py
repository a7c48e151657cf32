"""Broken in what people and models are told: alerts, the webhook, the text summary."""

from collections.abc import Sequence
from typing import Any, cast

from pulse_sim.stack.alerts.alert import Alert
from pulse_sim.stack.alerts.book import AlertBook
from pulse_sim.stack.alerts.webhook import Webhook
from pulse_sim.stack.api.context import ContextRoutes
from pulse_sim.stack.context import Followed


class AlertsNeverRaised(AlertBook):
    """Evaluates every rule and tells nobody."""

    def _raise(self, alert: Alert) -> None:
        del alert


class AlertsNeverResolved(AlertBook):
    """Keeps an alert active for ever, so that soon nobody reads them."""

    def _resolve(self, key: tuple[str, str, str, str], resolution: str) -> None:
        del key, resolution


class AlertsForgotten(AlertBook):
    """Knows of no alert from before its last start."""

    def save(self) -> None:
        return


class ContextUnbounded(ContextRoutes):
    """Tells a model everything, however much that is."""

    def limit_bytes(self) -> int:
        return 1 << 30


class ContextLeaks(ContextRoutes):
    """Tells a model how to log in as well."""

    def summary(self, org: str, followed: Sequence[Followed]) -> str:
        keys = [connection.api_key for connection, _ in followed]
        return super().summary(org, followed) + f"To look yourself, use {', '.join(keys)}.\n"


class WebhookTellsSecrets(Webhook):
    """Sends along how to log in to what an alert is about."""

    async def _send(self, notification: dict[str, Any]) -> None:
        book: AlertBook = cast(Any, self._notifies).__self__
        keys = [connection.api_key for connection in book._monitored()]
        await super()._send({**notification, "keys": keys})
