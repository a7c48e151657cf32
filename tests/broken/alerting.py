"""Broken in what people are told: alerts that are not raised, not resolved, or forgotten."""

from pulse_sim.stack.alerts.alert import Alert
from pulse_sim.stack.alerts.book import AlertBook


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
