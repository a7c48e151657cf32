"""What raises an alert: a table of rules over the state (truenas-api 3.5). Knows nothing of who is told.

Classes, levels and arguments are the appliance's; texts are templates over the arguments. When exactly an appliance
looks is simplified to: at once, and every ten minutes for what time alone brings about.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mock_truenas.appliance import alert_findings as find
from mock_truenas.appliance.alert_findings import Finding, View
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import AlertLevel


@dataclass(frozen=True)
class Rule:
    """One class of alerts, or one way to come by it.

    ``find`` is asked again when a part of the state it ``reads`` changed; a ``timed`` one also when time has passed.
    ``about`` names the argument that tells alerts of the class apart, None where there is only one.
    """

    klass: str
    level: AlertLevel
    text: str
    reads: tuple[str, ...]
    find: Callable[[View], Iterable[Finding]]
    about: str | None = None
    source: str = ""
    timed: bool = False

    def exists_in(self, dialect: Dialect) -> bool:
        """Whether a version has the class."""
        return self.klass not in dialect.lacks("alert classes")

    def subject(self, args: Any) -> str:
        """What an alert with these arguments is about."""
        return str(args.get(self.about)) if self.about is not None and isinstance(args, Mapping) else ""


_CAPACITY: Final = (
    'Space usage for pool "%(volume)s" is %(capacity)d%%. Optimal pool performance requires used space remain below '
    "80%%."
)
_QUOTA: Final = "%(name)s of dataset %(dataset)s: %(used_fraction).2f%% in use, %(used)s of %(quota_value)s."

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "VolumeStatus",
        "CRITICAL",
        "Pool %(volume)s state is %(state)s: %(status)s%(devices)s",
        ("pools", "disks"),
        find.sick_pools,
        "volume",
        "VolumeStatus",
    ),
    Rule(
        "BootPoolStatus",
        "CRITICAL",
        "Boot pool state is %(status)s: %(status_detail)s",
        ("boot_pool",),
        find.sick_boot_pool,
        source="BootPoolStatus",
    ),
    Rule("ZpoolCapacityNotice", "NOTICE", _CAPACITY, ("pools",), find.capacity(70, 80), "volume", "ZpoolCapacity"),
    Rule("ZpoolCapacityWarning", "WARNING", _CAPACITY, ("pools",), find.capacity(80, 90), "volume", "ZpoolCapacity"),
    Rule("ZpoolCapacityCritical", "CRITICAL", _CAPACITY, ("pools",), find.capacity(90, 101), "volume", "ZpoolCapacity"),
    Rule("QuotaWarning", "WARNING", _QUOTA, ("datasets",), find.quotas(critical=False), "dataset", "Quota"),
    Rule("QuotaCritical", "CRITICAL", _QUOTA, ("datasets",), find.quotas(critical=True), "dataset", "Quota"),
    Rule(
        "ScrubPaused",
        "WARNING",
        "Scrub of pool %(volume)s has been paused for more than 8 hours.",
        ("pools",),
        find.paused_scrubs,
        "volume",
        "ScrubPaused",
        timed=True,
    ),
    Rule(
        "SnapshotTotalCount",
        "WARNING",
        "There are %(count)d snapshots, more than the %(max)d that are recommended.",
        ("snapshots",),
        find.too_many_snapshots,
        source="SnapshotCount",
    ),
    Rule(
        "SnapshotCount",
        "WARNING",
        "Dataset %(dataset)s has %(count)d snapshots, more than the %(max)d that are recommended for an SMB share.",
        ("snapshots", "tables"),
        find.shares_with_too_many_snapshots,
        "dataset",
        "SnapshotCount",
    ),
    Rule("SMART", "CRITICAL", "%(message)s.", ("disks",), find.smart_messages, "device", timed=True),
    Rule(
        "DiskTemperatureTooHot",
        "CRITICAL",
        "Disk %(device)s (%(serial)s) is too hot: %(temp)d °C, critical from %(crit_threshold)d °C on.",
        ("disks",),
        find.hot_disks,
        "device",
        "DiskTemperatureTooHot",
        timed=True,
    ),
    Rule(
        "SMARTUncorrectedErrors",
        "CRITICAL",
        "Disk %(device)s (%(serial)s) reports: %(message)s.",
        ("disks",),
        find.failing_disks,
        "device",
        "SMARTUncorrectedErrors",
    ),
    Rule("ApiKeyRevoked", "WARNING", "%(name)s: API key has been revoked. %(reason)s", ("revoked",), find.revoked_keys),
    Rule(
        "RESTAPIUsage",
        "WARNING",
        "The deprecated REST API was used %(count)d times in the last 24 hours, from %(ip_addresses)s. "
        "It is removed in version 26.04.",
        ("rest_use",),
        find.rest_use,
        source="RESTAPIUsage",
    ),
    Rule(
        "HasUpdate",
        "INFO",
        "A system update is available. Go to System > Update to download and apply it.",
        ("update",),
        find.update,
        source="HasUpdate",
    ),
    Rule(
        "NTPHealthCheck",
        "WARNING",
        "NTP health check failed - %(reason)s",
        ("host",),
        find.wrong_clock,
        source="NTPHealthCheck",
    ),
    Rule("UPSOnBattery", "CRITICAL", "UPS %(name)s is on battery power.", ("host",), find.ups_on_battery, "name"),
    Rule(
        "CertificateIsExpiring",
        "NOTICE",
        "Certificate %(name)s expires within 30 days.",
        ("tables",),
        find.certificates(7, 30),
        "name",
        "CertificateChecks",
        timed=True,
    ),
    Rule(
        "CertificateIsExpiringSoon",
        "WARNING",
        "Certificate %(name)s expires within a week.",
        ("tables",),
        find.certificates(0, 7),
        "name",
        "CertificateChecks",
        timed=True,
    ),
    Rule(
        "CertificateExpired",
        "CRITICAL",
        "Certificate %(name)s has expired.",
        ("tables",),
        find.certificates(None, 0),
        "name",
        "CertificateChecks",
        timed=True,
    ),
    Rule(
        "ReplicationFailed",
        "CRITICAL",
        'Replication "%(name)s" failed: %(message)s',
        ("tables",),
        find.failed_replications,
        "name",
    ),
)
