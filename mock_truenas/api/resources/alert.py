"""Alerts as ``alert.list`` shows them (truenas-api 3.5)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from mock_truenas.api.resources.moment import date
from mock_truenas.appliance.model import Alert
from mock_truenas.appliance.nas import Appliance

_LEVELS: Final = ("INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")


def rows(appliance: Appliance) -> list[dict[str, Any]]:
    """``GET /alert/list``: the gravest first, then by class and age."""
    alerts = appliance.state.alerts.values()
    ordered = sorted(alerts, key=lambda alert: (-_LEVELS.index(alert.level), alert.klass, alert.raised_at_ns))
    return [_row(alert) for alert in ordered]


def _row(alert: Alert) -> dict[str, Any]:
    args = dict(alert.args) if isinstance(alert.args, Mapping) else alert.args
    return {
        "uuid": alert.uuid,
        "source": alert.source,
        "klass": alert.klass,
        "args": args,
        "node": alert.node,
        "key": json.dumps(args, sort_keys=True),
        "datetime": date(alert.raised_at_ns),
        "last_occurrence": date(alert.raised_at_ns),
        "dismissed": alert.dismissed,
        "mail": None,
        "text": alert.text,
        "id": alert.uuid,
        "level": alert.level,
        "formatted": _formatted(alert.text, args),
        "one_shot": alert.one_shot,
    }


def _formatted(text: str, args: Any) -> str:
    """``text % args``; the bare text when it cannot be formatted, and when there is nothing to put in."""
    if args is None:
        return text
    try:
        return text % (tuple(args) if isinstance(args, list) else args)
    except (TypeError, ValueError, KeyError):
        return text
