"""The appliance's own alerts as annotations of resources (contract A4). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.stack.instants import rfc3339_or_none
from pulse_sim.stack.snapshot import Alert, Disk, Pool

_SEVERITY: Final = {
    "CRITICAL": "critical",
    "ALERT": "critical",
    "EMERGENCY": "critical",
    "ERROR": "critical",
    "WARNING": "warning",
    "INFO": "info",
    "NOTICE": "info",
}
_WORD: Final = re.compile(r"[\w.:-]*\w")

Annotation = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Annotations:
    """Annotations by what they are about; those of the system are all of them."""

    of_system: tuple[Annotation, ...]
    of_pools: Mapping[str, tuple[Annotation, ...]]
    of_disks: Mapping[str, tuple[Annotation, ...]]


_NONE: Final = Annotations((), {}, {})


def severity(level: str) -> str:
    """Severity of an appliance's alert level; an unknown level is a warning, never dropped."""
    return _SEVERITY.get(level.upper(), "warning")


def annotate(alerts: tuple[Alert, ...], pools: tuple[Pool, ...], disks: tuple[Disk, ...]) -> Annotations:
    """Every alert goes to the system, and to each pool and disk that its arguments or its text name as a word."""
    if not alerts:
        return _NONE
    everything: list[Annotation] = []
    of_pools: dict[str, tuple[Annotation, ...]] = {}
    of_disks: dict[str, tuple[Annotation, ...]] = {}
    for alert in alerts:
        note = {
            "id": alert.id,
            "severity": severity(alert.level),
            "class": alert.klass,
            "message": alert.text,
            "raisedAt": rfc3339_or_none(alert.raised_ns),
        }
        everything.append(note)
        words = set(_WORD.findall(alert.text))
        words.update(subject.removeprefix("/dev/") for subject in alert.subjects)
        for pool in pools:
            if pool.name in words:
                of_pools[pool.name] = (*of_pools.get(pool.name, ()), note)
        for disk in disks:
            if disk.name in words:
                of_disks[disk.name] = (*of_disks.get(disk.name, ()), note)
    return Annotations(tuple(everything), of_pools, of_disks)
