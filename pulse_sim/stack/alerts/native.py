"""The appliances' own alerts as the registry holds them: annotations of resources (contract A4). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.stack.alerts.alert import LONGEST_TEXT, Subject
from pulse_sim.stack.alerts.rules import Severity
from pulse_sim.stack.registry import Holding
from pulse_sim.stack.resources import Record, ResourceType

MOST_PER_CONNECTION: Final = 200
"""An appliance with more alerts than that says nothing new with the next one."""

_LONGEST_ID: Final = 200


@dataclass(frozen=True, slots=True)
class Native:
    """One alert of an appliance, and the resource it is about: the pool or disk it names, else the system."""

    id: str
    severity: Severity
    message: str
    subject: Subject


def system_of(holding: Holding) -> Record | None:
    """The record of the appliance itself, whose annotations are all there are."""
    for record in holding.records.values():
        if record.type is ResourceType.HOST:
            return record
    return None


def natives(holding: Holding) -> list[Native]:
    """The alerts of one connection, each id once, in the appliance's order."""
    system = system_of(holding)
    if system is None or not system.alerts:
        return []
    about: dict[str, Record] = {}
    for record in holding.records.values():
        if record is not system:
            for note in record.alerts:
                about.setdefault(_id(note), record)
    found: dict[str, Native] = {}
    for note in system.alerts[:MOST_PER_CONNECTION]:
        native_id = _id(note)
        record = about.get(native_id, system)
        found.setdefault(native_id, _native(native_id, note, holding, record))
    return list(found.values())


def _native(native_id: str, note: Mapping[str, Any], holding: Holding, record: Record) -> Native:
    org, _, instance = holding.key
    try:
        severity = Severity(str(note.get("severity")))
    except ValueError:
        severity = Severity.WARNING
    message = str(note.get("message") or note.get("class") or "")[:LONGEST_TEXT]
    name = record.name[:LONGEST_TEXT]
    subject = Subject(org, instance, record.resource_id, record.source_id, record.type.value, name)
    return Native(native_id, severity, message, subject)


def _id(note: Mapping[str, Any]) -> str:
    return str(note.get("id"))[:_LONGEST_ID]
