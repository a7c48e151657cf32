"""Alerts as ``alert.list`` shows them, and the classes they come from (truenas-api 3.5)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from mock_truenas.api.resources.moment import date
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import Alert
from mock_truenas.appliance.nas import Appliance

LEVELS: Final = ("INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")


def rows(appliance: Appliance, dialect: Dialect | None = None) -> list[dict[str, Any]]:
    """``alert.list``: the gravest first, then by class and age; a level the user set for a class counts."""
    spoken = dialect or appliance.release.dialect
    levels = _levels_set(appliance)
    alerts = appliance.state.alerts.values()
    ordered = sorted(
        alerts, key=lambda alert: (-LEVELS.index(levels.get(alert.klass, alert.level)), alert.klass, alert.raised_at_ns)
    )
    return [spoken.shaped("alert", row(alert, levels.get(alert.klass, alert.level))) for alert in ordered]


def row(alert: Alert, level: str) -> dict[str, Any]:
    """One alert."""
    args = dict(alert.args) if isinstance(alert.args, Mapping) else alert.args
    last_ns = alert.raised_at_ns if alert.last_at_ns is None else alert.last_at_ns
    return {
        "uuid": alert.uuid,
        "source": alert.source,
        "klass": alert.klass,
        "args": args,
        "node": alert.node,
        "key": json.dumps(args, sort_keys=True) if alert.key is None else alert.key,
        "datetime": date(alert.raised_at_ns),
        "last_occurrence": date(last_ns),
        "dismissed": alert.dismissed,
        "mail": None,
        "text": alert.text,
        "id": alert.uuid,
        "level": level,
        "formatted": _formatted(alert.text, args),
        "one_shot": alert.one_shot,
    }


def categories(dialect: Dialect) -> list[dict[str, Any]]:
    """``alert.list_categories``: by title, each with its classes."""
    shown: dict[str, list[dict[str, Any]]] = {}
    lacking = dialect.lacks("alert classes")
    for klass, (category, level, title) in _CLASSES.items():
        if klass not in lacking:
            entry = {"id": klass, "title": title, "level": level, "proactive_support": False}
            shown.setdefault(category, []).append(entry)
    return [
        {"id": category, "title": _TITLES[category], "classes": sorted(classes, key=lambda entry: str(entry["title"]))}
        for category, classes in sorted(shown.items(), key=lambda pair: _TITLES[pair[0]])
    ]


def _levels_set(appliance: Appliance) -> Mapping[str, str]:
    classes = appliance.state.tables.get("config", {}).get("alertclasses", {}).get("classes", {})
    chosen = {klass: setting.get("level") for klass, setting in classes.items() if isinstance(setting, Mapping)}
    return {klass: level for klass, level in chosen.items() if level in LEVELS}


def _formatted(text: str, args: Any) -> str:
    """``text % args``; the bare text when it cannot be formatted, and when there is nothing to put in."""
    if args is None:
        return text
    try:
        return text % (tuple(args) if isinstance(args, list) else args)
    except (TypeError, ValueError, KeyError):
        return text


_TITLES: Final[Mapping[str, str]] = {
    "APPLICATIONS": "Applications",
    "AUDIT": "Audit",
    "CERTIFICATES": "Certificates",
    "DIRECTORY_SERVICE": "Directory Service",
    "HA": "High-Availability",
    "HARDWARE": "Hardware",
    "KMIP": "Key Management Interoperability Protocol (KMIP)",
    "NETWORK": "Network",
    "REPORTING": "Reporting",
    "SECURITY": "Security",
    "SHARING": "Sharing",
    "STORAGE": "Storage",
    "SYSTEM": "System",
    "TASKS": "Tasks",
    "TRUENAS_CONNECT": "TrueNAS Connect",
    "UPS": "UPS",
}
_CLASSES: Final[Mapping[str, tuple[str, str, str]]] = {
    "ApplicationsStartFailed": ("APPLICATIONS", "CRITICAL", "Unable to Start Applications"),
    "AuditServiceHealth": ("AUDIT", "CRITICAL", "Audit Service Failed"),
    "CertificateIsExpiring": ("CERTIFICATES", "NOTICE", "Certificate Is Expiring"),
    "CertificateIsExpiringSoon": ("CERTIFICATES", "WARNING", "Certificate Is Expiring Soon"),
    "CertificateExpired": ("CERTIFICATES", "CRITICAL", "Certificate Has Expired"),
    "WebUiCertificateSetupFailed": ("CERTIFICATES", "CRITICAL", "Web UI HTTPS Certificate Setup Failed"),
    "DomainOffline": ("DIRECTORY_SERVICE", "WARNING", "Active Directory Domain Is Offline"),
    "FailoverFailed": ("HA", "CRITICAL", "Failover Failed"),
    "DiskTemperatureTooHot": ("HARDWARE", "CRITICAL", "Disk Temperature Too High"),
    "SMART": ("HARDWARE", "CRITICAL", "S.M.A.R.T. Error"),
    "SMARTFailedSelfTest": ("HARDWARE", "CRITICAL", "S.M.A.R.T. Self-Test Failed"),
    "SMARTUncorrectedErrors": ("HARDWARE", "CRITICAL", "S.M.A.R.T. Uncorrected Errors"),
    "KMIPConnectionFailed": ("KMIP", "CRITICAL", "Failed to Communicate with KMIP Server"),
    "BONDMissingPort": ("NETWORK", "CRITICAL", "Link Aggregation Port Is Missing"),
    "NTPHealthCheck": ("SYSTEM", "WARNING", "NTP Health Check Failed"),
    "NetdataFailed": ("REPORTING", "CRITICAL", "Reporting Failed"),
    "SMBPath": ("SHARING", "CRITICAL", "SMB Share Path Has an Issue"),
    "AdminSession": ("SECURITY", "WARNING", "An Administrator Is Logged In"),
    "TNCHeartbeatConnectionFailure": ("TRUENAS_CONNECT", "CRITICAL", "TrueNAS Connect Cannot Be Reached"),
    "BootPoolStatus": ("STORAGE", "CRITICAL", "Boot Pool Is Not Healthy"),
    "PoolUpgraded": ("STORAGE", "NOTICE", "New Feature Flags Are Available for Pool"),
    "QuotaCritical": ("STORAGE", "CRITICAL", "Critical Quota Exceeded"),
    "QuotaWarning": ("STORAGE", "WARNING", "Quota Exceeded"),
    "ScrubPaused": ("STORAGE", "WARNING", "Scrub Is Paused"),
    "SnapshotCount": ("STORAGE", "WARNING", "Too Many Snapshots of a Shared Dataset"),
    "SnapshotTotalCount": ("STORAGE", "WARNING", "Too Many Snapshots Exist"),
    "VolumeStatus": ("STORAGE", "CRITICAL", "Pool Status Is Not Healthy"),
    "ZpoolCapacityNotice": ("STORAGE", "NOTICE", "Pool Space Usage Is Above 70%"),
    "ZpoolCapacityWarning": ("STORAGE", "WARNING", "Pool Space Usage Is Above 80%"),
    "ZpoolCapacityCritical": ("STORAGE", "CRITICAL", "Pool Space Usage Is Above 90%"),
    "ApiKeyRevoked": ("SYSTEM", "WARNING", "API Key Revoked"),
    "HasUpdate": ("SYSTEM", "INFO", "Update Available"),
    "RESTAPIUsage": ("SYSTEM", "WARNING", "Deprecated REST API Usage"),
    "CloudSyncTaskFailed": ("TASKS", "ERROR", "Cloud Sync Task Failed"),
    "ReplicationFailed": ("TASKS", "CRITICAL", "Replication Failed"),
    "ReplicationSuccess": ("TASKS", "INFO", "Replication Succeeded"),
    "UPSOnBattery": ("UPS", "CRITICAL", "UPS Is on Battery Power"),
    "UPSOnline": ("UPS", "INFO", "UPS Is on Line Power"),
}
"""Class: category, level and title."""
