"""One alert from raised to resolved, as a value, and its JSON form (contract A9). Raises and resolves nothing."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from pulse_sim.stack.alerts.rules import Severity
from pulse_sim.stack.instants import rfc3339, rfc3339_or_none

LONGEST_TEXT: Final = 1000
"""Characters of a message or name that are kept; appliances may send any length."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about. `instance` is the connection id, `type` the resource type."""

    org: str
    instance: str
    resource_id: str
    source_id: str
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Times are unix nanoseconds. `native` is the id an appliance gave its own alert, empty for a rule of ours."""

    id: str
    rule: str
    severity: Severity
    subject: Subject
    message: str
    raised_ns: int
    value: float | None = None
    threshold: float | None = None
    native: str = ""
    acknowledged_ns: int | None = None
    acknowledged_by: str = ""
    resolved_ns: int | None = None
    resolution: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What can be active only once: organisation, rule, source id, native id."""
        return self.subject.org, self.rule, self.subject.source_id, self.native

    @property
    def state(self) -> str:
        """`active`, `acknowledged` or `resolved`."""
        if self.resolved_ns is not None:
            return "resolved"
        return "active" if self.acknowledged_ns is None else "acknowledged"

    def acknowledged(self, by: str, at_ns: int) -> "Alert":
        """The alert after somebody took note of it."""
        return replace(self, acknowledged_by=by, acknowledged_ns=at_ns)

    def resolved(self, at_ns: int, resolution: str) -> "Alert":
        """The alert after its end."""
        return replace(self, resolved_ns=at_ns, resolution=resolution)

    def to_data(self) -> dict[str, Any]:
        """As the API shows it."""
        subject = self.subject
        return {
            "id": self.id,
            "rule": self.rule,
            "state": self.state,
            "severity": self.severity.value,
            "instance": subject.instance,
            "resourceId": subject.resource_id,
            "sourceId": subject.source_id,
            "type": subject.type,
            "name": subject.name,
            "message": self.message,
            "value": self.value,
            "threshold": self.threshold,
            "raisedAt": rfc3339(self.raised_ns),
            "acknowledgedAt": rfc3339_or_none(self.acknowledged_ns),
            "acknowledgedBy": self.acknowledged_by or None,
            "resolvedAt": rfc3339_or_none(self.resolved_ns),
            "resolution": self.resolution or None,
        }

    def to_record(self) -> dict[str, Any]:
        """As it is kept on disk."""
        subject = self.subject
        return {
            "id": self.id,
            "rule": self.rule,
            "severity": self.severity.value,
            "subject": [
                subject.org,
                subject.instance,
                subject.resource_id,
                subject.source_id,
                subject.type,
                subject.name,
            ],
            "message": self.message,
            "raisedNs": self.raised_ns,
            "value": self.value,
            "threshold": self.threshold,
            "native": self.native,
            "acknowledgedNs": self.acknowledged_ns,
            "acknowledgedBy": self.acknowledged_by,
            "resolvedNs": self.resolved_ns,
            "resolution": self.resolution,
        }


def alert_id(subject: Subject, rule: str, native: str, raised_ns: int) -> str:
    """``<rule>-`` and 16 hex digits over what makes this occurrence: safe in a path whatever an appliance sent."""
    text = "\0".join((subject.org, rule, subject.source_id, native, str(raised_ns)))
    return f"{rule}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"


def read_alert(record: dict[str, Any]) -> Alert:
    """An alert as it was kept. Raises ValueError, KeyError or TypeError for anything else."""
    org, instance, resource_id, source_id, kind, name = (str(part) for part in record["subject"])
    return Alert(
        id=str(record["id"]),
        rule=str(record["rule"]),
        severity=Severity(record["severity"]),
        subject=Subject(org, instance, resource_id, source_id, kind, name),
        message=str(record["message"]),
        raised_ns=int(record["raisedNs"]),
        value=_number(record["value"]),
        threshold=_number(record["threshold"]),
        native=str(record["native"]),
        acknowledged_ns=_instant(record["acknowledgedNs"]),
        acknowledged_by=str(record["acknowledgedBy"]),
        resolved_ns=_instant(record["resolvedNs"]),
        resolution=str(record["resolution"]),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _instant(value: Any) -> int | None:
    return None if value is None else int(value)
