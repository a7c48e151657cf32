"""What the registry holds: records of sources, their names, and how statuses combine (contract A4, A8). Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Status(StrEnum):
    """Status of a resource."""

    ONLINE = "online"
    UNKNOWN = "unknown"
    WARNING = "warning"
    OFFLINE = "offline"


class ResourceType(StrEnum):
    """The resource types this stack ingests; their values are on the wire."""

    HOST = "host"
    STORAGE = "storage"
    PHYSICAL_DISK = "physical_disk"


DETAILS_KEY: Final = {
    ResourceType.HOST: "host",
    ResourceType.STORAGE: "storage",
    ResourceType.PHYSICAL_DISK: "physicalDisk",
}
"""Under which key of a resource its type's own details stand (contract A9)."""

_BADNESS: Final = {Status.ONLINE: 0, Status.UNKNOWN: 1, Status.WARNING: 2, Status.OFFLINE: 3}


@dataclass(frozen=True, slots=True)
class Record:
    """What one source says about one resource.

    `resource_id` is the canonical id, `source_id` the name within the source (``system:nas-1/pool:tank``); `details`,
    `identity`, `metrics` and `alerts` are JSON values.
    """

    source_id: str
    resource_id: str
    type: ResourceType
    name: str
    status: Status
    parent_id: str | None
    tags: tuple[str, ...] = ()
    identity: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    alerts: tuple[Mapping[str, Any], ...] = ()


def canonical_id(resource_type: ResourceType, key: str) -> str:
    """``<type>-`` and 16 hex digits of SHA-256 over the key (``truenas:<source id>`` or ``machine:<serial>``)."""
    return f"{resource_type}-{hashlib.sha256(key.encode(errors='replace')).hexdigest()[:16]}"


def worst(statuses: Iterable[Status]) -> Status:
    """The most alarming of one or more statuses."""
    return max(statuses, key=_BADNESS.__getitem__)


def when_stale(status: Status) -> Status:
    """What a status turns into when nobody confirms it any more; offline must not look better for that."""
    return status if status is Status.OFFLINE else Status.WARNING
